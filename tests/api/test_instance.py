from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.api.houses import serving
from trayapp.api.instance import Running, bring_forward

pytestmark = pytest.mark.network


async def test_the_first_start_finds_nobody(tmp_path: Path):
    assert await bring_forward(tmp_path) is Running.NOBODY


async def test_a_second_start_brings_the_window_forward_at_a_page(tmp_path: Path):
    async with serving(tmp_path) as house, house.client() as window:
        events = window.events()
        await window.call("attach_window")
        told = asyncio.ensure_future(anext(events))

        assert await bring_forward(house.folder, "/t/1") is Running.SHOWN

        _, name, data = await asyncio.wait_for(told, 3)
        assert (name, data) == ("show_page", {"path": "/t/1"})


async def test_a_tray_opens_a_window_itself(tmp_path: Path):
    async with serving(tmp_path) as house:
        house.node.audience.opens_windows = True

        assert await bring_forward(house.folder) is Running.SHOWN


async def test_a_node_without_a_screen_shows_nothing(tmp_path: Path):
    async with serving(tmp_path) as house:
        assert await bring_forward(house.folder) is Running.WITHOUT_WINDOW
