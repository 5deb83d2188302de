"""The live links: one per device, told of new operations, ticked, and summed up in a status."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

from trayapp.errors import ChannelClosed, ErrorCode
from trayapp.peers.channel import Channel, close_code_of
from trayapp.peers.directory import Directory
from trayapp.peers.greeting import Passport
from trayapp.peers.introductions import Introductions
from trayapp.peers.keeper import Admitted, Keeper
from trayapp.peers.link import GOODBYE_S, Link
from trayapp.peers.outlook import peer_status, sync_status
from trayapp.status import PeerPath, PeerStatus, SyncStatus
from trayapp.sync.actions import Admit, HearRecords
from trayapp.sync.gossip import Seen, pushed_to
from trayapp.sync.limits import STREAM_SILENT_S, CpuBudget
from trayapp.sync.line import Shared
from trayapp.sync.messages import Err, Role, encode
from trayapp.sync.session import Session, State

TICK_S = 0.25

_ALREADY_LINKED = "The two machines have another link."


class Swarm:
    """All links of one node."""

    def __init__(
        self,
        keeper: Keeper,
        directory: Directory,
        *,
        role: Role = Role.PEER,
        listening: Callable[[], Sequence[str]] = tuple,
        path_to: Callable[[bytes, str], PeerPath | None] = lambda _device, _host: None,
        dialing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin without a link.

        Args:
            role: what we are to others; a bootstrap passes on addresses.
            listening: our own addresses, as they are now.
            path_to: how a finder knows the machine behind an inbound link, if one does.
            dialing: whether there is anybody left to reach.
        """
        self.shared = Shared()
        self.cpu = CpuBudget()
        self._keeper = keeper
        self._role = role
        self._path_to = path_to
        self._dialing = dialing
        self._links: dict[bytes, Link] = {}
        self._announced = Seen()
        self._look_again = False
        passport = Passport(keeper.identity, keeper.network, keeper.now_ms, "")
        self._introductions = Introductions(passport, directory, role, listening)

    # --- for listener and dialer ---

    async def adopt(self, channel: Channel, path: PeerPath, address: str) -> None:
        """Keep a link on this channel until it ends."""
        await self.look()
        old = self._links.get(channel.peer)
        if old is not None:
            if not self._replaces(channel, old.channel):
                await _turn_away(channel)
                return
            old.end(ErrorCode.DUPLICATE, _ALREADY_LINKED)
        session = Session(
            self._keeper.identity.key, channel.peer, self.shared, self.now(), random.random
        )
        link = Link(channel, session, self._keeper, self)
        link.path, link.address = path, address
        session.greet(channel.remote_host, self._role)
        self._links[channel.peer] = link
        try:
            await link.run()
        finally:
            session.close()
            if self._links.get(channel.peer) is link:
                del self._links[channel.peer]
            self._keeper.links_changed()

    def linked(self) -> Mapping[bytes, str]:
        """The devices with a link that is READY, and the IP address each is at."""
        return {link.peer: link.channel.remote_host for link in self._ready()}

    # --- for the node ---

    def announce(
        self, operations: Sequence[tuple[bytes, bytes]], besides: bytes | None = None
    ) -> None:
        """Tell of operations that have just been stored: push to four, HAVE to the others.

        Args:
            operations: (id, wire bytes); those announced lately are left out.
            besides: the peer they came from; None if they were made here.
        """
        new = [pair for pair in operations if self._announced.add(pair[0])]
        if besides is None:
            self.shared.seen.update(one for one, _ in new)
            self._look_again = True
        links = {link.peer: link for link in self._ready() if link.peer != besides}
        if not links or not new:
            return
        push: dict[bytes, set[bytes]] = {peer: set() for peer in links}
        for one, _ in new:
            for peer in pushed_to(one, links.keys()):
                push[peer].add(one)
        now = self.now()
        for peer, link in links.items():
            link.session.offer(new, push[peer], now)
            link.wake()

    def statuses(self) -> tuple[PeerStatus, ...]:
        """Every peer with a link; names are for the node to fill in."""
        return tuple(self._status(link) for link in self._links.values())

    def sync_status(self) -> SyncStatus:
        """How far the copies agree."""
        sessions = [link.session for link in self._ready()]
        connecting = bool(self._links) or self._dialing()
        return sync_status(self.shared, sessions, connecting=connecting)

    async def run(self) -> None:
        """Do what time asks for, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._look_again:
                self._look_again = False
                await self.look()
            self.tick()

    def tick(self) -> None:
        """PINGs, time-outs, slow streams, addresses."""
        now = self.now()
        for link in list(self._links.values()):
            link.tick(now)
        self.shared.wants.expire(now)
        self._move_slow_streams(now)
        self._introductions.tick(self._ready(), now)
        for link in self._ready():
            link.wake()

    # --- for the links ---

    def now(self) -> float:
        """The clock of all sessions, in seconds."""
        return asyncio.get_running_loop().time()

    async def look(self) -> None:
        """Look at the store's digests anew."""
        digests = await self._keeper.digests()
        self.shared.copies.hold(digests, taking=self._keeper.taking())

    def welcomed(self, link: Link) -> None:
        """The link is READY."""
        self._introductions.welcome(link, self.linked(), self.now())
        self._keeper.links_changed()

    def pass_on(self, action: Admit, admitted: Admitted, peer: bytes) -> None:
        """Operations came from `peer` and are stored: announce news, ping after a batch."""
        if action.pass_on:
            pairs = list(zip(admitted.stored, admitted.raws, strict=True))
            self.announce(pairs, besides=peer)
            return
        now = self.now()
        for link in self._links.values():
            link.session.ping_after_batch(now)

    def hear(self, action: HearRecords, link: Link) -> None:
        """A peer tells where machines can be reached.

        Raises:
            RemoteProtocolError: a record is forged.
        """
        self._introductions.hear(action, link, self.now())

    def moved_on(self, link: Link) -> None:
        """A frame or a chore of this link was dealt with."""
        self._introductions.alive(link.peer, self.now())
        if link.looks_different(self.shared.copies.count):
            self._keeper.links_changed()

    # --- private ---

    def _ready(self) -> list[Link]:
        return [link for link in self._links.values() if link.session.state is State.READY]

    def _replaces(self, new: Channel, old: Channel) -> bool:
        """Of two links to one device the one dialled by the lower key stays, else the newer."""
        if new.dialed == old.dialed:
            return True
        return new.dialed == (self._keeper.identity.key < new.peer)

    def _status(self, link: Link) -> PeerStatus:
        path = link.path
        if path is PeerPath.INBOUND:
            path = self._path_to(link.peer, link.channel.remote_host) or path
        return peer_status(link, path, self.shared)

    def _move_slow_streams(self, now: float) -> None:
        """A STREAM under 64 KiB in 10 s goes to the next peer who could go on with it."""
        for log, peer, quiet_s in self.shared.streams.slow(now):
            others = [link.session for link in self._ready() if link.peer != peer]
            has_next = any(session.wants_stream(log) for session in others)
            if has_next or quiet_s >= STREAM_SILENT_S:
                self._links[peer].session.abandon_stream(log)


async def _turn_away(channel: Channel) -> None:
    """Close a link that is one too many."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await channel.send(encode(Err(ErrorCode.DUPLICATE, 0, _ALREADY_LINKED)))
    except (ChannelClosed, TimeoutError):
        pass
    await channel.close(close_code_of(ErrorCode.DUPLICATE))
