"""Whether there is a tray is asked, not guessed: on some desktops an icon goes nowhere."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.desktop.desk import Desk

pytestmark = pytest.mark.gui

# In a process of its own: GLib keeps the first session bus that it finds.
_ASK = "from trayapp.desktop.tray_host import has_tray; print(has_tray())"


async def _answer(desk: Desk, **environment: str) -> str:
    asking = await desk.start(
        *(sys.executable, "-c", _ASK), env=environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asking.communicate()
    return out.decode().strip()


async def test_a_desktop_with_a_tray_has_one(tmp_path: Path):
    needs.webview()
    async with Desk(tmp_path) as desk:
        assert await _answer(desk) == "True"


async def test_a_screen_without_a_panel_has_none(tmp_path: Path):
    needs.webview()
    async with Desk(tmp_path) as desk:
        nobody = f"unix:path={tmp_path / 'nobody'}"
        assert await _answer(desk, DBUS_SESSION_BUS_ADDRESS=nobody) == "False"


async def test_without_a_screen_there_is_none(tmp_path: Path):
    needs.webview()
    async with Desk(tmp_path) as desk:
        nobody = f"unix:path={tmp_path / 'nobody'}"
        assert await _answer(desk, DBUS_SESSION_BUS_ADDRESS=nobody, DISPLAY="") == "False"
