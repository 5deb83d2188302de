"""A keeper that is a dict, channels that are queues, and the two put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.peers.friends import identity, network
from tests.sync.fake_node import operation
from trayapp.errors import ChannelClosed, InvalidOperation
from trayapp.forum.operation import Kind, Operation, check_signature, parse
from trayapp.peers.directory import Directory
from trayapp.peers.keeper import Admitted, Arrival, StreamCursor
from trayapp.peers.swarm import Swarm
from trayapp.status import PeerPath
from trayapp.sync.asking import position
from trayapp.sync.fingerprints import RunningDigest
from trayapp.sync.messages import Message, decode, encode
from trayapp.sync.negentropy import SortedInventory

NOW_MS = 1_800_000_000_000


class DictKeeper:
    """Holds operations, and writes down what it was asked."""

    def __init__(self, name: str, held: Sequence[Operation] = ()) -> None:
        self.identity = identity(name)
        self.network = network()
        self.ops = {one.id: one for one in held}
        self.received: list[tuple[bytes, Arrival]] = []
        self.cursors: dict[tuple[bytes, int], bytes | None] = {}
        self.acks: list[tuple[bytes, bytes]] = []
        self.agreements: list[bytes] = []
        self.changes = 0
        self.has_room = True
        self.admitting = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: Exception | None = None
        self.newest = 20
        self.signed_for: bytes | None = None
        """Check signatures for this network; None: any operation will do."""

    @property
    def key(self) -> bytes:
        return self.identity.key

    @property
    def held(self) -> set[bytes]:
        return set(self.ops)

    def now_ms(self) -> int:
        return NOW_MS

    def taking(self) -> bool:
        return self.has_room

    async def digests(self) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
        await asyncio.sleep(0)
        return self._digest(0), self._digest(1)

    def _digest(self, log: int) -> tuple[int, bytes]:
        digest = RunningDigest().with_ids(o.id for o in self.ops.values() if o.log == log)
        return digest.count, digest.digest16

    async def admit_from(
        self,
        peer: bytes,
        raw: Sequence[bytes],
        *,
        arrival: Arrival,
        cursor: StreamCursor | None = None,
    ) -> Admitted:
        self.admitting.set()
        await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        arrived = [parse(one) for one in raw]
        try:
            for one in arrived:
                if self.signed_for is not None:
                    check_signature(one, self.signed_for)
        except InvalidOperation as error:
            return Admitted(refused=(str(error),))
        self.received += [(one.id, arrival) for one in arrived]
        if cursor is not None:
            self.cursors[peer, cursor.log] = cursor.position
        return self._store(arrived)

    def _store(self, arrived: Sequence[Operation]) -> Admitted:
        known = [*self.ops.values(), *arrived]
        deletes = {o.ref for o in known if o.kind == Kind.DELETE and o.log == 1}
        stored, held, ignored = [], [], []
        for one in arrived:
            if one.id in self.ops:
                held.append(one.id)
                continue
            if one.body is None and one.body_len and one.id not in deletes:
                ignored.append(one.id)
                continue
            self.ops[one.id] = one.without_body() if one.id in deletes else one
            stored.append(one.id)
        raws = tuple(self.ops[one].raw for one in stored)
        return Admitted(tuple(stored), raws, tuple(held), tuple(ignored))

    async def missing(self, ids: Sequence[bytes]) -> list[bytes]:
        await asyncio.sleep(0)
        return [one for one in ids if one not in self.ops]

    async def raw_of(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        await asyncio.sleep(0)
        found: dict[bytes, bytes] = {}
        for one in ids:
            if one in self.ops:
                found.update(self._excuses(self.ops[one]))
                found[one] = self.ops[one].raw
        return found

    def _excuses(self, one: Operation) -> dict[bytes, bytes]:
        if one.body is not None or not one.body_len:
            return {}
        return {o.id: o.raw for o in self.ops.values() if o.kind == Kind.DELETE and o.ref == one.id}

    async def stream_page(
        self, log: int, cursor: bytes | None, max_bytes: int
    ) -> tuple[list[bytes], bytes]:
        await asyncio.sleep(0)
        held = [o for o in self.ops.values() if o.log == log]
        if cursor is None:
            newest = sorted(held, key=lambda o: (o.hlc, o.id))[-self.newest :]
            return [o.raw for o in newest], b""
        page: list[bytes] = []
        size = 0
        for raw in sorted((o.raw for o in held), key=position):
            if position(raw) > cursor and (not page or size + len(raw) <= max_bytes):
                page.append(raw)
                size += len(raw)
        return page, position(page[-1]) if page else cursor

    async def stream_cursor(self, peer: bytes, log: int) -> bytes | None:
        return self.cursors.get((peer, log))

    async def inventory(self, log: int) -> SortedInventory:
        await asyncio.sleep(0)
        items = [(o.timestamp_ms, o.id) for o in self.ops.values() if o.log == log]
        return SortedInventory(items)

    async def acked(self, peer: bytes, ids: Sequence[bytes]) -> None:
        self.acks += [(peer, one) for one in ids]

    async def agreed(self, peer: bytes, copy: tuple[tuple[int, bytes], ...]) -> None:
        self.agreements.append(peer)

    def links_changed(self) -> None:
        self.changes += 1


class Pipe:
    """One end of a channel that is two queues; the other end is `other`."""

    def __init__(self, peer: bytes, *, dialed: bool) -> None:
        self.peer = peer
        self.dialed = dialed
        self.features: tuple[str, ...] = ()
        self.clock_ms = NOW_MS
        self.app_version = "0"
        self.remote_host = "192.0.2.7"
        self.ready = False
        self.close_code: int | None = None
        self.stalled = asyncio.Event()
        self.stalled.set()
        self.other: Pipe
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(4)

    async def receive(self) -> bytes:
        frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)
            raise ChannelClosed(1006 if self.close_code is None else self.close_code)
        return frame

    async def send(self, frame: bytes) -> None:
        if self.close_code is not None:
            raise ChannelClosed(self.close_code)
        await self.other.stalled.wait()
        await self.other._frames.put(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        for end in (self, self.other):
            if end.close_code is None:
                end.close_code = code
                end.stalled.set()
                # Frames on their way arrive first, unless there is no room even for the end.
                if end._frames.full():
                    end._frames.get_nowait()
                end._frames.put_nowait(None)

    # --- for a test that speaks itself ---

    async def say(self, message: Message) -> None:
        await self.send(encode(message))

    async def hear(self) -> Message | None:
        async with asyncio.timeout(5):
            return decode(await self.receive())

    async def hear_a(self, kind: Any) -> Any:
        """The next message of this kind; others before it are left out."""
        while True:
            message = await self.hear()
            if isinstance(message, kind):
                return message


def pipe(dialer: bytes, listener: bytes) -> tuple[Any, Any]:
    """A channel: the dialer's end and the listener's."""
    ends = Pipe(listener, dialed=True), Pipe(dialer, dialed=False)
    ends[0].other, ends[1].other = ends[1], ends[0]
    return ends


def a_swarm(keeper: DictKeeper, **how) -> Swarm:
    return Swarm(keeper, Directory(keeper.network.id, keeper.key), **how)


@asynccontextmanager
async def linked(dialer: Swarm, listener: Swarm) -> AsyncIterator[tuple[Any, Any]]:
    """A link between two swarms while the block runs."""
    here, there = pipe(dialer._keeper.identity.key, listener._keeper.identity.key)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(dialer.adopt(here, PeerPath.FILE, "wss://there:1"))
        tasks.create_task(listener.adopt(there, PeerPath.INBOUND, "192.0.2.7"))
        try:
            yield here, there
        finally:
            await here.close()


__all__ = ["DictKeeper", "Pipe", "a_swarm", "linked", "operation", "pipe"]
