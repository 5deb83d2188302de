"""Try a packed executable before it is handed out: start it, post, read, stop.

Usage: python selftest.py PATH/TO/brothernet. Standard library only; exit 0 when all went well.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

_PATIENCE_S = 60


def main() -> int:
    """Run every check; the first that fails ends it with a sentence."""
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        _says_its_version(program)
        _keeps_a_forum(program, data)
        _serves_the_page(program, data)
    print(f"{program.name}: all checks passed")
    return 0


def _says_its_version(program: Path) -> None:
    _check(_run(program, "--version").strip(), "--version prints nothing")


def _keeps_a_forum(program: Path, data: Path) -> None:
    _call(program, data, "create", "Selftest", "--as", "tester")
    subnet = _call(program, data, "subnets")["subnets"][0]["id"]
    thread = _call(program, data, "post", "--subnet", subnet, "--title", "Hello", "A *first* post.")
    page = _call(program, data, "read", thread["thread"])
    _check("<em>first</em>" in page["posts"][0]["html"], "the post does not read back as HTML")


def _serves_the_page(program: Path, data: Path) -> None:
    node = subprocess.Popen(
        [program, "--data", data, "headless", "--listen", "127.0.0.1:0", "--no-lan"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert node.stdout
        ready = json.loads(node.stdout.readline())
        _check(ready["ready"] and ready["listening"], "the node listens nowhere")
        address = _run(program, "--data", str(data), "window", "--print-url").strip()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(address, timeout=_PATIENCE_S) as answer:
            _check(b"<!doctype html" in answer.read().lower(), "the page is not served")
    finally:
        began = time.monotonic()
        node.send_signal(signal.SIGTERM)
        node.wait(_PATIENCE_S)
    _check(time.monotonic() - began < 3, "the node takes more than 3 s to stop")


def _call(program: Path, data: Path, *words: str) -> dict[str, Any]:
    return dict(json.loads(_run(program, "--data", str(data), "--json", *words)))


def _run(program: Path, *words: str) -> str:
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    _check(done.returncode == 0, f"{' '.join(words)}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def _check(holds: object, complaint: str) -> None:
    if not holds:
        raise SystemExit(f"selftest: {complaint}")


if __name__ == "__main__":
    sys.exit(main())
