"""What the links ask of this node: `peers/keeper.py`, answered from the store.

Whatever comes from a peer goes through here to `Node.admit`, its signatures checked first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from sqlite3 import Connection

from trayapp.errors import InvalidOperation
from trayapp.events import BoardChanged, PostChanged
from trayapp.forum.identity import Identity
from trayapp.forum.network import Network
from trayapp.forum.operation import Log, Operation, check_signature, parse
from trayapp.node.budget import Budget
from trayapp.node.node import Node
from trayapp.node.telling import TOLD_SINGLY, Arrived
from trayapp.peers.keeper import Admitted, Arrival, LogDigest, StreamCursor
from trayapp.store import drafts, offers
from trayapp.store import operations as log_of
from trayapp.store.drafts import Delivered
from trayapp.sync.negentropy import Inventory

_CHECKED_IN_PLACE = 8
"""More signatures than these are checked in a thread of their own: 60 us each."""


class Keeping:
    """One forum on this machine, as the links see it."""

    def __init__(self, node: Node, budget: Budget) -> None:
        self._node = node
        self._budget = budget
        self._snapshots: dict[int, tuple[LogDigest, Inventory]] = {}
        self._settled = False

    @property
    def identity(self) -> Identity:
        """This machine's key."""
        return self._node.identity

    @property
    def network(self) -> Network:
        """The forum the links are for."""
        return self._node.network

    def now_ms(self) -> int:
        """The wall clock, in milliseconds."""
        return self._node.now_ms()

    def taking(self) -> bool:
        """False while there is no room for more."""
        return not self.no_room()

    def no_room(self) -> str:
        """Why nothing more is taken in just now; empty while there is room."""
        return self._budget.exhausted()

    async def digests(self) -> tuple[LogDigest, LogDigest]:
        """Log 0 and log 1 as committed."""
        return await self._node.database.read(_digests)

    async def admit_from(
        self,
        peer: bytes,
        raw: Sequence[bytes],
        *,
        arrival: Arrival,
        cursor: StreamCursor | None = None,
    ) -> Admitted:
        """Check, store and fold operations in one transaction, and tell the faces."""
        network_id = self.network.id
        if len(raw) <= _CHECKED_IN_PLACE:
            operations, refused = _checked(raw, network_id)
        else:
            operations, refused = await asyncio.to_thread(_checked, raw, network_id)
        first = arrival is Arrival.STREAMED and not await self._is_settled()
        if not first:
            self._budget.spend(sum(map(len, raw)))
        appended = await self._node.admit(
            operations,
            source=peer,
            arrived=Arrived.FIRST_SYNC if first else Arrived.LIVE,
            also=None if cursor is None else _keeper_of(cursor, peer),
        )
        stored = tuple(op.id for op in appended.stored)
        raws = tuple(op.raw for op in appended.stored)
        told = {*stored, *appended.ignored}
        held = tuple(op.id for op in operations if op.id not in told)
        return Admitted(stored, raws, held, appended.ignored, refused)

    async def missing(self, ids: Sequence[bytes]) -> list[bytes]:
        """Those of `ids` that are not held, in the order given."""
        return await self._node.database.read(lambda conn: log_of.missing(conn, ids))

    async def raw_of(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Wire bytes of those of `ids` that are held, each erased one behind what excuses it."""
        return await self._node.database.read(lambda conn: offers.raw_of(conn, ids))

    async def stream_page(
        self, log: int, cursor: bytes | None, max_bytes: int
    ) -> tuple[list[bytes], bytes]:
        """Operations for a STREAM, and the cursor behind the last of them."""
        now = self.now_ms()

        def page(conn: Connection) -> tuple[list[bytes], bytes]:
            if cursor is None:
                newest = offers.newest_page(conn, log, now)
                return list(offers.raw_of(conn, newest, max_bytes).values()), b""
            ids, behind = offers.page_after(conn, log, cursor, max_bytes)
            return list(offers.raw_of(conn, ids).values()), behind

        return await self._node.database.read(page)

    async def stream_cursor(self, peer: bytes, log: int) -> bytes | None:
        """The position kept by `admit_from`; None if none is."""
        return await self._node.database.read(lambda conn: offers.stream_cursor(conn, peer, log))

    async def inventory(self, log: int) -> Inventory:
        """A snapshot of a log; the same one as long as the log does not change."""

        def look(conn: Connection) -> tuple[LogDigest, Inventory]:
            now = _digest(conn, log)
            kept = self._snapshots.get(log)
            return kept if kept and kept[0] == now else (now, offers.inventory(conn, log))

        self._snapshots[log] = await self._node.database.read(look)
        return self._snapshots[log][1]

    async def acked(self, peer: bytes, ids: Sequence[bytes]) -> None:
        """`peer` says it keeps these operations of ours."""
        await self._delivered(lambda conn: drafts.note_acks(conn, peer, ids))

    async def agreed(self, peer: bytes, copy: tuple[LogDigest, LogDigest]) -> None:
        """`peer` holds exactly what we held when our logs had these digests."""
        await self._delivered(lambda conn: drafts.note_agreed(conn, peer, copy))

    async def _is_settled(self) -> bool:
        """Whether this machine ever held all of the forum; whoever started it always did."""
        if not self._settled:
            self._settled = (
                self.identity.key in self.network.roots
                or await self._node.database.read(drafts.has_agreed)
            )
        return self._settled

    async def _delivered(self, note: Callable[[Connection], list[Delivered]]) -> None:
        """Note that one more machine holds posts of ours, and tell whoever shows them."""
        posts = await self._node.database.write(note)
        if len(posts) > TOLD_SINGLY:
            self._node.bus.emit(BoardChanged())
            return
        for post in posts:
            self._node.bus.emit(PostChanged(post.post, post.thread))

    def links_changed(self) -> None:
        """A link came or went, or the state of one did."""
        self._node.links_changed()


def _checked(raw: Sequence[bytes], network_id: bytes) -> tuple[list[Operation], tuple[str, ...]]:
    """The operations that may be stored, and one sentence for each that never can."""
    operations, refused = [], []
    for wire_bytes in raw:
        try:
            operation = parse(wire_bytes)
            check_signature(operation, network_id)
        except InvalidOperation as error:
            refused.append(str(error))
        else:
            operations.append(operation)
    return operations, tuple(refused)


def _keeper_of(cursor: StreamCursor, peer: bytes) -> Callable[[Connection], None]:
    def keep(conn: Connection) -> None:
        offers.set_stream_cursor(conn, peer, cursor.log, cursor.position)

    return keep


def _digests(conn: Connection) -> tuple[LogDigest, LogDigest]:
    return _digest(conn, Log.CONTROL), _digest(conn, Log.CONTENT)


def _digest(conn: Connection, log: int) -> LogDigest:
    now = log_of.digest(conn, log)
    return now.count, now.digest16
