from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.node.nodes import Ear, QuietLinks, author, open_node
from trayapp.events import PeersChanged, StatusChanged
from trayapp.node import founding, publishing, pulse
from trayapp.node.node import Node
from trayapp.status import PeerPath, PeerStatus, SyncState, SyncStatus
from trayapp.sync.fingerprints import EMPTY


class Linked(QuietLinks):
    """Links to one machine, syncing."""

    def __init__(self, device: bytes | None) -> None:
        super().__init__()
        self.peer = PeerStatus(device, "", "wss://192.0.2.9:47311", PeerPath.LAN, "syncing", 3, 12)
        self.done = 0

    def peers(self) -> tuple[PeerStatus, ...]:
        return (self.peer,)

    def sync(self) -> SyncStatus:
        return SyncStatus(SyncState.SYNCING, self.done, 100)


async def test_without_a_forum_the_status_is_empty(tmp_path: Path):
    async with open_node(tmp_path) as node:
        status = await pulse.status(node)

        assert (status.network, status.operations, status.peers) == (None, 0, ())
        assert status.device == node.identity.key
        assert status.digests == (EMPTY, EMPTY)
        assert status.sync.state is SyncState.OFFLINE


async def test_the_status_shows_forum_copies_and_named_peers(tmp_path: Path):
    async with open_node(tmp_path) as node:
        network = await founding.create(node, "Allotments", "ann")
        bob = author(node, "bob")
        await node.admit([bob.profile("bob")], source=bob.key)
        node.links = Linked(bob.key)

        status = await pulse.status(node)

        assert (status.nick, status.network, status.network_name) == (
            "ann",
            network.id,
            "Allotments",
        )
        assert status.operations == 3
        assert [peer.name for peer in status.peers] == ["bob"]
        assert [peer.name for peer in await pulse.peers(node)] == ["bob"]
        assert status.sync == SyncStatus(SyncState.SYNCING, 0, 100)
        assert status.listening == node.links.listening


async def test_a_peer_known_by_its_address_alone_has_no_name(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        node.links = Linked(None)

        assert [peer.name for peer in await pulse.peers(node)] == [""]


@asynccontextmanager
async def _telling(node: Node) -> AsyncIterator[None]:
    task = asyncio.ensure_future(pulse.tell_changes(node))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _until(holds) -> None:
    async with asyncio.timeout(3):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_change_is_told_and_no_change_is_not(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        ear = Ear(node)
        async with _telling(node):
            await _until(lambda: node.bus.last > ear._since)
            await ear.heard()
            node.links_changed()
            await asyncio.sleep(3 * pulse.TELL_EVERY_S)
            assert await ear.heard() == []

            await publishing.publish_subnet(node, "Sheds")
            statuses: list[StatusChanged] = []
            async with asyncio.timeout(5):
                while not statuses:
                    told = await ear.heard()
                    statuses += [event for event in told if isinstance(event, StatusChanged)]
                    await asyncio.sleep(0.01)

        assert [event.status.operations for event in statuses] == [3]


async def test_a_storm_of_changes_is_told_ten_times_a_second_at_most(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        node.links = links = Linked(b"b" * 32)
        ear = Ear(node)
        loop = asyncio.get_running_loop()
        async with _telling(node):
            began = loop.time()
            while loop.time() < began + 0.5:
                links.done += 1
                node.links_changed()
                await asyncio.sleep(0)
            await asyncio.sleep(2 * pulse.TELL_EVERY_S)

        told = await ear.heard()
        statuses = [event.status for event in told if isinstance(event, StatusChanged)]
        assert 1 < len(statuses) <= 8
        assert statuses[-1].sync.done == links.done
        assert sum(isinstance(event, PeersChanged) for event in told) == 1
