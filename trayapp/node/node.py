"""One forum on this machine: the one door for operations, and what everything else hangs on.

Operations enter by `Node.admit`, typed here or received: checked, stored with their fold in one
transaction, then told to the faces, then to the peers. What a person may say is in
`publishing.py`, what links ask is in `keeping.py`, what is told is in `telling.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Protocol

from trayapp.errors import NoForum
from trayapp.events import ForumOpened, ShowPage
from trayapp.forum.identity import Identity
from trayapp.forum.network import Network
from trayapp.forum.operation import Operation
from trayapp.node import telling
from trayapp.node.audience import Audience
from trayapp.node.bus import Bus
from trayapp.node.telling import Arrived
from trayapp.peers.finder import PeerAddress
from trayapp.status import PeerStatus, SyncStatus
from trayapp.store import key_file
from trayapp.store import operations as log
from trayapp.store.database import Database
from trayapp.store.operations import Appended

HERE = None
"""The source of what is typed or imported on this machine."""


class Links(Protocol):
    """The links to other machines, while there are any: `mesh.py`."""

    @property
    def listening(self) -> tuple[str, ...]:
        """Addresses that another machine's person would add."""

    def announce(self, operations: Sequence[tuple[bytes, bytes]]) -> None:
        """Pass on what was said here: ids and wire bytes, after they are stored."""

    def dial(self, address: PeerAddress) -> None:
        """Try an address that a person added, now and from now on."""

    def forget(self, address: PeerAddress) -> None:
        """Stop trying an address."""

    def peers(self) -> tuple[PeerStatus, ...]:
        """Every machine linked or known by an address; without names."""

    def sync(self) -> SyncStatus:
        """How far the copies agree."""


class Node:
    """The program behind all faces. It outlives its links; it may not have a forum yet."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        identity: Identity,
        network: Network | None,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self.data_dir = data_dir
        self.database = database
        self.identity = identity
        self.now_ms = now_ms
        self.bus = Bus(now_ms())
        self.audience = Audience()
        self.links: Links | None = None
        self.speaking = asyncio.Lock()
        """Held from reading the own last operation until the next one is stored."""
        self.addressing = asyncio.Lock()
        """Held from reading the list of added addresses until it is written and minded."""
        self.importing = asyncio.Lock()
        """Held while posts of another forum are brought in."""
        self.opened = asyncio.Event()
        """There is a forum."""
        self.stale = asyncio.Event()
        """What the last status said may be over."""
        self.unindexed = asyncio.Event()
        """There are posts that a search does not find yet."""
        self._keeping: set[asyncio.Task[Appended]] = set()
        self._network = network
        self._joined_ms = 0
        if network is not None:
            # Written once, when the forum was started or joined.
            self._joined_ms = (data_dir / key_file.NETWORK_FILE).stat().st_mtime_ns // 1_000_000
            self.opened.set()
            self.unindexed.set()

    @property
    def network(self) -> Network:
        """The forum.

        Raises:
            NoForum: none was started or joined yet.
        """
        if self._network is None:
            raise NoForum
        return self._network

    def open(self, network: Network) -> None:
        """Begin with a forum that was just saved."""
        self._network = network
        self._joined_ms = self.now_ms()
        self.opened.set()
        self.stale.set()
        self.bus.emit(ForumOpened(network.id, network.name))

    async def admit(
        self,
        operations: Sequence[Operation],
        *,
        source: bytes | None,
        arrived: Arrived = Arrived.LIVE,
        also: Callable[[Connection], None] | None = None,
    ) -> Appended:
        """Store operations whose signatures are good, then tell the faces, then the peers.

        Args:
            source: the device they came from; HERE for own ones.
            arrived: how, which decides what the faces are told.
            also: more to be done in the same transaction.

        Returns:
            What became of them, after the commit; own ones and what a peer says itself are on
            the disk by then, not just on their way to it.
        """
        keep = partial(self._keep, operations, source, arrived, also)
        task = asyncio.get_running_loop().create_task(keep())
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        # What is stored is told, even if the link it came by ends meanwhile.
        return await asyncio.shield(task)

    async def settled(self) -> None:
        """Wait until nothing is on its way to the disk."""
        while self._keeping:
            await asyncio.wait(self._keeping)

    async def _keep(
        self,
        operations: Sequence[Operation],
        source: bytes | None,
        arrived: Arrived,
        also: Callable[[Connection], None] | None,
    ) -> Appended:
        me = self.identity.key
        now = self.now_ms()

        def keep(connection: Connection) -> Appended:
            appended = log.append(connection, operations, me=me, seen_ms=now)
            if also is not None:
                also(connection)
            return appended

        durable = source is HERE or any(op.author == source for op in operations)
        appended = await self.database.write(keep, durable=durable)
        if appended.stored:
            await telling.tell(self.database, self.bus, me, appended, arrived, self._joined_ms)
            self.stale.set()
            self.unindexed.set()
            if source is HERE and self.links is not None:
                self.links.announce([(op.id, op.raw) for op in appended.stored])
        return appended

    def show_page(self, path: str) -> None:
        """Bring the window forward at a page; the next one begins there if none stands now."""
        if not self.audience.has_window:
            self.audience.wanted_page = path
        self.bus.emit(ShowPage(path))

    def links_changed(self) -> None:
        """A link came or went, or did something that a status shows."""
        self.stale.set()
