from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faces.programs import run
from trayapp import __version__
from trayapp.__main__ import _COMMANDS, main
from trayapp.api import instance
from trayapp.api.instance import Running
from trayapp.faces import tray

ALL = [*_COMMANDS, "peers", "import", "window"]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0

    shown = capsys.readouterr().out
    assert all(f" {command} " in shown for command in ALL)
    assert "--json" in shown
    assert "--data" in shown


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_a_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]):
    assert main([command, "--help"]) == 0

    assert f"brothernet {command}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    "words",
    [
        ["dance"],
        ["--dance"],
        ["create"],
        ["create", "a", "b"],
        ["threads", "--limit", "many"],
        ["read", "x", "--colour", "red"],
        ["peers", "dance"],
        ["import", "myspace", "x"],
        ["headless", "--api-port", "x"],
        ["--data"],
    ],
)
def test_wrong_usage_is_exit_code_two_and_nothing_on_standard_output(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code = main(["--json", *words])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err


@pytest.mark.network
@pytest.mark.parametrize("words", [["subnets"], ["invite"], ["peers", "add", "192.0.2.7"]])
async def test_without_a_forum_it_is_exit_code_three(words: list[str], tmp_path: Path):
    refused = await run(tmp_path, "--json", *words)

    assert (refused.code, refused.out) == (3, "")
    assert "brothernet create NAME" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_command_loads_no_face_but_its_own():
    script = (
        "import sys; from trayapp.__main__ import main; "
        "main(['--data', '/nonexistent-place', 'window', '--print-url']); "
        "print(sorted(m for m in sys.modules if m.startswith(('trayapp.node', 'trayapp.store', "
        "'trayapp.faces.', 'aiohttp', 'pystray', 'webview', 'zeroconf'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    loaded = done.stdout.strip()
    assert "trayapp.faces.cli.asking" in loaded
    for other in ("trayapp.node", "trayapp.store", "headless", "aiohttp", "pystray", "webview"):
        assert other not in loaded


@pytest.mark.network
async def test_a_start_takes_less_than_its_welcome(tmp_path: Path):
    """A rough guard: twenty times what it takes on a quiet machine."""
    began = asyncio.get_running_loop().time()
    assert (await run(tmp_path, "--version")).code == 0
    assert asyncio.get_running_loop().time() - began < 5


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([Running.NOBODY, Running.SHOWN], 0),
        ([Running.NOBODY, Running.NOBODY], 1),
        ([Running.SHOWN], 0),
    ],
)
def test_of_two_starts_at_the_same_moment_one_brings_the_other_forward(
    found: list[Running], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def look(*_: object) -> Running:
        return found.pop(0)

    monkeypatch.setattr(instance, "bring_forward", look)
    monkeypatch.setattr(tray, "run", lambda _: 1)  # refused: another one holds the directory

    assert main(["--data", str(tmp_path)]) == code
    assert found == []
