from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from tests.node.nodes import open_node
from trayapp.node import founding, memory
from trayapp.node.node import Node
from trayapp.status import PeerPath, PeerStatus
from trayapp.store import address_book
from trayapp.store.address_book import Met

KEY = b"k" * 32
PLACE = "wss://192.0.2.9:47311"


def _peer(path: PeerPath = PeerPath.BOOTSTRAP, state: str = "connected") -> PeerStatus:
    return PeerStatus(KEY, "", PLACE, path, state, 0, 5)


async def _noted(node: Node, *peers: PeerStatus) -> list[str]:
    task = asyncio.ensure_future(memory.remember(node, lambda: peers, look_s=0.01))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    return [str(address) for address in await memory.remembered(node)]


async def test_who_was_linked_by_hearsay_is_remembered_with_its_key(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")

        assert await _noted(node, _peer()) == [f"{PLACE}#{KEY.hex()}"]
        [address] = await memory.remembered(node)
        assert address.heard


async def test_what_is_found_again_anyway_or_was_not_reached_is_not(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        others = [_peer(path) for path in PeerPath if path is not PeerPath.BOOTSTRAP]

        assert await _noted(node, *others, _peer(state="connecting")) == []


async def test_it_is_forgotten_after_a_month(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        for number, age_ms in enumerate((memory.KEPT_MS - 1, memory.KEPT_MS + 1)):
            met = Met(KEY, f"wss://h{number}:1", PeerPath.BOOTSTRAP, node.now_ms() - age_ms)
            await node.database.write(partial(address_book.met, meeting=met))

        assert [address.host for address in await memory.remembered(node)] == ["h0"]
