"""Nodes for tests: the real thing on a real file, with a clock that is a number and no links.

async with open_node(tmp_path) as node:
    await founding.create(node, "Allotments", "ann")
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.builders import Author, Clock, seed_of
from trayapp.events import Event
from trayapp.forum.identity import Identity
from trayapp.forum.operation import Operation
from trayapp.node.node import Node
from trayapp.peers.finder import PeerAddress
from trayapp.status import PeerStatus, SyncStatus
from trayapp.store import board, key_file
from trayapp.store.database import Database


@asynccontextmanager
async def open_node(
    folder: Path, name: str = "ann", clock: Clock | None = None
) -> AsyncIterator[Node]:
    """A node on a directory, made where it is missing; the same name has the same key."""
    clock = Clock()
    identity = Identity(seed_of(name))
    async with Database.open(folder) as database:
        network = key_file.load_network(folder)
        yield Node(folder, database, identity, network, now_ms=lambda: clock.now_ms)


def author(node: Node, name: str, clock: Clock | None = None) -> Author:
    """Somebody else in the node's forum."""
    return Author(name, node.network.id, clock)


class Ear:
    """Hears what a node tells from now on."""

    def __init__(self, node: Node) -> None:
        self._bus = node.bus
        self._since = node.bus.last

    async def heard(self) -> list[Event]:
        """Everything told since the last time."""
        found: list[Event] = []
        events = self._bus.subscribe(self._since)
        while self._since < self._bus.last:
            numbered = await asyncio.wait_for(anext(events), 2)
            self._since = numbered.seq
            assert numbered.event is not None
            found.append(numbered.event)
        return found


class QuietLinks:
    """Links that remember what they were to pass on."""

    def __init__(self) -> None:
        self.announced: list[bytes] = []
        self.dialled: list[str] = []

    @property
    def listening(self) -> tuple[str, ...]:
        return ("wss://192.0.2.7:47311#" + "ab" * 32,)

    def announce(self, operations: Sequence[tuple[bytes, bytes]]) -> None:
        self.announced += [id_ for id_, _ in operations]

    def dial(self, address: PeerAddress) -> None:
        self.dialled.append(str(address))

    def forget(self, address: PeerAddress) -> None:
        self.dialled.remove(str(address))

    def peers(self) -> tuple[PeerStatus, ...]:
        return ()

    def sync(self) -> SyncStatus:
        return SyncStatus()


async def general(node: Node) -> str:
    """The id of the node's first subnet, in hex."""
    me = node.identity.key
    views = await node.database.read(lambda conn: board.subnets(conn, me))
    return views[0].id.hex()


async def stored(node: Node) -> list[bytes]:
    """The ids of all operations, in the order of arrival."""
    return await node.database.read(
        lambda conn: [id_ for (id_,) in conn.execute("SELECT id FROM op ORDER BY rid")]
    )


def ids_of(operations: Sequence[Operation]) -> list[bytes]:
    return [op.id for op in operations]
