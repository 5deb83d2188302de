"""Real nodes for the browser: `brothernet headless` as its own process, entered by `open_page`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.whole.machine import Machine
from trayapp.api.client import Client


@dataclass(frozen=True, slots=True)
class RealNode:
    """A running node and a connection to it."""

    machine: Machine
    client: Client

    async def call(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Ask the node, as every face does."""
        return await self.client.call(name, **args)

    async def enter(self, page: Page, path: str = "") -> None:
        """Open the page as a window does: by a one-time address."""
        await page.goto((await self.call("open_page", path=path))["url"])

    async def address(self) -> str:
        """Where another machine finds this one, once it has a forum."""
        return str((await self.call("status"))["listening"][0])


@asynccontextmanager
async def running(folder: Path, *options: str) -> AsyncIterator[RealNode]:
    """A node on loopback, without the LAN, until the end of the block."""
    machine = Machine(folder)
    await machine.start("--listen", "127.0.0.1:0", "--no-lan", *options)
    try:
        async with Client.connect(folder) as client:
            yield RealNode(machine, client)
    finally:
        await machine.stop()
