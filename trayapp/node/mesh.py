"""The links of one forum while it runs: listener, dialer, swarm and finders, and what they say.

Made for one network by `daemon.py`; each part that meets the weather is restarted by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from trayapp.errors import InvalidAddress
from trayapp.node.keeping import Keeping
from trayapp.node.memory import remember, remembered
from trayapp.node.node import Node
from trayapp.node.supervision import keep_running
from trayapp.peers.bootstrap import BootstrapFinder
from trayapp.peers.dialer import Dialer
from trayapp.peers.directory import Directory
from trayapp.peers.finder import Finder, PeerAddress
from trayapp.peers.greeting import Passport
from trayapp.peers.interfaces import NetworkWatch
from trayapp.peers.lan import LanFinder
from trayapp.peers.listener import ARCHIVE_LINKS, LINKS, Listener
from trayapp.peers.peers_file import NAME as PEERS_FILE
from trayapp.peers.peers_file import PeersFileFinder
from trayapp.peers.swarm import Swarm
from trayapp.status import PeerPath, PeerStatus, SyncState, SyncStatus
from trayapp.sync.messages import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a node meets others: where it listens, and how it looks for them."""

    host: str | None = None
    port: int | None = None
    """None: 47311, or a free one where that is taken."""
    lan: bool = True
    bootstrap: Sequence[str] = ()
    invited: Sequence[str] = ()
    """Addresses that came with the invite."""
    role: Role = Role.PEER
    app_version: str = ""


def parse_listen(text: str) -> tuple[str | None, int | None]:
    """Read HOST:PORT, or :PORT for all addresses; an IPv6 host stands in brackets.

    Raises:
        InvalidAddress: it is neither.
    """
    if not text:
        return None, None
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise InvalidAddress(
            f"{text!r} is no place to listen on. Write HOST:PORT, 0.0.0.0:47311 say; port 0 is any "
            "free one."
        )
    return host.removeprefix("[").removesuffix("]") or None, int(port)


class Mesh:
    """The links of a node that has a forum."""

    def __init__(self, node: Node, keeper: Keeping, reach: Reach) -> None:
        self._node = node
        self._keeper = keeper
        self._reach = reach
        self._passport = Passport(node.identity, node.network, node.now_ms, reach.app_version)
        self._directory = Directory(node.network.id, node.identity.key)
        self._swarm = Swarm(
            keeper,
            self._directory,
            role=reach.role,
            listening=lambda: self.listening,
            path_to=lambda device, host: self._dialer.path_to(device, host),
            dialing=lambda: bool(self._dialer.statuses()),
        )
        self._dialer = Dialer(self._passport, self._swarm, on_change=node.links_changed)
        self._listener: Listener | None = None
        self._lan: LanFinder | None = None
        self._bootstrap = BootstrapFinder(reach.bootstrap)
        self._file = PeersFileFinder(node.data_dir / PEERS_FILE, on_removed=self._dialer.forget)

    async def run(self, listening: asyncio.Event) -> None:
        """Keep the links until cancelled; `listening` is set once others can come in.

        Raises:
            PortInUse: the port that was asked for is taken.
        """
        listener = Listener(
            self._passport,
            self._swarm,
            host=self._reach.host,
            port=self._reach.port,
            most_links=LINKS if self._reach.role is Role.PEER else ARCHIVE_LINKS,
        )
        async with listener:
            self._listener = listener
            self._node.links = self
            self._node.links_changed()
            listening.set()
            try:
                await self._run_parts(listener)
            finally:
                self._node.links = None
                self._node.links_changed()

    async def _run_parts(self, listener: Listener) -> None:
        watch = NetworkWatch(self._dialer.wake, now_ms=self._node.now_ms)
        for address in await remembered(self._node):
            self._dialer.feed(address)
        async with asyncio.TaskGroup() as tasks:
            for name, work in (
                ("swarm", self._swarm.run),
                ("dialer", self._dialer.run),
                ("network watch", watch.run),
                ("memory", partial(remember, self._node, self._swarm.statuses)),
            ):
                tasks.create_task(keep_running(name, work), name=name)
            for name, finder in self._finders(listener).items():
                work = partial(self._feed, finder)
                tasks.create_task(keep_running(f"finder {name}", work), name=name)

    def _finders(self, listener: Listener) -> dict[str, Finder]:
        finders: dict[str, Finder] = {
            PEERS_FILE: self._file,
            "bootstrap": self._bootstrap,
            "invite": BootstrapFinder(self._reach.invited, PeerPath.INVITE),
            "directory": self._directory,
        }
        if self._reach.lan:
            self._lan = finders["lan"] = LanFinder(listener.port, listener.host)
        return finders

    async def _feed(self, finder: Finder) -> None:
        async for address in finder.addresses():
            self._dialer.feed(address)

    # --- node.Links ---

    @property
    def listening(self) -> tuple[str, ...]:
        """Addresses that another machine's person would add."""
        return self._listener.listening if self._listener else ()

    def announce(self, operations: Sequence[tuple[bytes, bytes]]) -> None:
        """Pass on what was said here."""
        self._swarm.announce(operations)

    def dial(self, address: PeerAddress) -> None:
        """Try an address that a person added, now and from now on."""
        self._dialer.feed(address)

    def forget(self, address: PeerAddress) -> None:
        """Stop trying an address."""
        self._dialer.forget(address)

    def peers(self) -> tuple[PeerStatus, ...]:
        """Every machine linked or known by an address; without names."""
        return (*self._swarm.statuses(), *self._dialer.statuses())

    def sync(self) -> SyncStatus:
        """How far the copies agree, and what is in the way."""
        status = self._swarm.sync_status()
        if full := self._keeper.no_room():
            return replace(status, state=SyncState.ATTENTION, problem=full)
        return replace(status, problem=status.problem or self._finding_problem())

    def _finding_problem(self) -> str:
        """A slip in a person's list of addresses; a missing LAN only while there is nobody else."""
        lan = self._lan.problem if self._lan and not self._swarm.linked() else ""
        return next(filter(None, (self._file.problem, *self._bootstrap.problems, lan)), "")
