"""One node for all tests of the command line; the commands themselves run in this process."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faces.programs import PATIENCE_S, PROGRAM, Ended
from trayapp.__main__ import main


@dataclass
class Shell:
    """Runs commands on one data directory and keeps what they print."""

    data: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *words: str) -> Ended:
        self.capture.readouterr()
        code = main(["--data", str(self.data), *words])
        out, err = self.capture.readouterr()
        return Ended(code, out, err)

    def asked(self, *words: str) -> dict[str, Any]:
        return self.run("--json", *words).json

    def thread(self, title: str = "Boat trip", text: str = "Who is in?") -> str:
        subnets = self.asked("subnets")["subnets"]
        subnet = next(s["id"] for s in subnets if s["title"] == "General")
        return str(self.asked("post", "--subnet", subnet, "--title", title, text)["thread"])


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a node that runs, with a forum."""
    data = tmp_path_factory.mktemp("forum")
    argv = [*PROGRAM, "--data", str(data), "headless", "--no-net"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as node:
        assert node.stdout is not None
        assert json.loads(node.stdout.readline())["ready"]
        created = ["--data", str(data), "create", "Allotments", "--as", "ann"]
        subprocess.run([*PROGRAM, *created], check=True, timeout=PATIENCE_S, capture_output=True)
        yield data
        node.send_signal(signal.SIGTERM)
        assert node.wait(PATIENCE_S) == 0


@pytest.fixture
def shell(running: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(running, capsys)
