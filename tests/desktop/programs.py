"""The program on a desktop: from source, or packed with the repository out of reach."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import needs
from tests.desktop.desk import Desk


@dataclass(frozen=True)
class Program:
    """How to start it; the same words follow for both."""

    argv: tuple[str, ...]

    async def tray(self, desk: Desk, data: Path) -> asyncio.subprocess.Process:
        """Start what a double click starts."""
        log = (desk.folder / "tray.log").open("wb")
        try:
            return await desk.start(*self.argv, "--data", str(data), stdout=log, stderr=log)
        finally:
            log.close()


def from_source() -> Program:
    """The checkout, as `dev.py run` starts it."""
    return Program((sys.executable, "-m", "trayapp"))


def packed(folder: Path) -> Program:
    """One file, made by `dev.py package`, that cannot see the repository or `.venv`.

    An empty file system is mounted over the repository, in a mount namespace of its own.
    """
    built = _built()
    program = folder / built.name
    shutil.copy2(built, program)
    script = 'mount -t tmpfs none "$1" && shift && exec "$@"'
    hide = ("unshare", "-m", "sh", "-c", script, "hide", str(needs.ROOT), str(program))
    return Program(hide)


def _built() -> Path:
    """The packed file: $BROTHERNET_PACKED where it was made already, else made now."""
    if ready := os.environ.get("BROTHERNET_PACKED"):
        return Path(ready)
    build = needs.ROOT / "installer" / "build.py"
    made = subprocess.run(
        [sys.executable, str(build)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout[-4000:]
    return needs.ROOT / "dist" / "brothernet"


def of_session(leader: int) -> list[int]:
    """Every process of the session that a program leads: its windows and their helpers too."""
    return [pid for pid in _pids() if _session(pid) == leader]


def _pids() -> Sequence[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _session(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended while we looked
        return 0
    return 0 if fields[0] == "Z" else int(fields[3])
