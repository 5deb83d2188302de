"""What links ask of whoever keeps the forum. `node.Node` implements it; tests use a dict.

The network floor never asks the store itself: it knows this Protocol and nothing above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from trayapp.forum.identity import Identity
from trayapp.forum.network import Network
from trayapp.sync.actions import Arrival, StreamCursor
from trayapp.sync.negentropy import Inventory

__all__ = ["Admitted", "Arrival", "Keeper", "LogDigest", "StreamCursor"]

LogDigest: TypeAlias = tuple[int, bytes]
"""How many operations a log holds, and their digest16."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of operations a peer sent, told after the commit."""

    stored: tuple[bytes, ...] = ()
    """Ids that are new here."""
    raws: tuple[bytes, ...] = ()
    """Their wire bytes as they are stored: without the body where a delete was here before it."""
    held: tuple[bytes, ...] = ()
    """Ids that were here before. What the peer says itself is as safe on the disk as if new."""
    ignored: tuple[bytes, ...] = ()
    """Ids that came without their body and without the delete that explains it."""
    refused: tuple[str, ...] = ()
    """One sentence for each that can never be stored. An honest peer sends none: the link ends."""


class Keeper(Protocol):
    """One forum on this machine, as the links see it."""

    @property
    def identity(self) -> Identity:
        """This machine's key."""

    @property
    def network(self) -> Network:
        """The forum the links are for."""

    def now_ms(self) -> int:
        """The wall clock, in milliseconds."""

    def taking(self) -> bool:
        """False while there is no room for more: too little disk, or the daily budget is spent."""

    async def digests(self) -> tuple[LogDigest, LogDigest]:
        """Log 0 and log 1 as committed."""

    async def admit_from(
        self,
        peer: bytes,
        raw: Sequence[bytes],
        *,
        arrival: Arrival,
        cursor: StreamCursor | None = None,
    ) -> Admitted:
        """Check, store and fold operations in one transaction, and tell the faces.

        Passing them on to other links is the swarm's business: it knows how they came.

        Args:
            raw: wire bytes, one operation each; may be empty when only the cursor moves.
            cursor: to be kept in the same transaction.
        """

    async def missing(self, ids: Sequence[bytes]) -> list[bytes]:
        """Those of at most 8,192 ids that are not held, in the order given."""

    async def raw_of(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Wire bytes of those of `ids` that are held, in the order given.

        An erased one is its header alone, and right before it stand the operations that excuse
        it, asked for or not: a peer that lacks those takes no header without its body.
        """

    async def stream_page(
        self, log: int, cursor: bytes | None, max_bytes: int
    ) -> tuple[list[bytes], bytes]:
        """Operations for a STREAM, erased ones excused as in `raw_of`, and the cursor behind them.

        Args:
            cursor: None for the newest ones with what they refer to (`max_bytes` binds here too);
                else 68 bytes or empty: what follows it in (author, seq, id) order.
            max_bytes: of wire bytes; the first operation is given even if longer.

        Returns:
            No operations at the end of the log.
        """

    async def stream_cursor(self, peer: bytes, log: int) -> bytes | None:
        """The position kept by `admit_from`; None if none is."""

    async def inventory(self, log: int) -> Inventory:
        """A snapshot of a log for reconciliation. One snapshot may serve several links."""

    async def acked(self, peer: bytes, ids: Sequence[bytes]) -> None:
        """`peer` says it keeps these operations of ours, durably. Unknown ids are possible."""

    async def agreed(self, peer: bytes, copy: tuple[LogDigest, LogDigest]) -> None:
        """`peer` holds exactly what we held when our logs had these digests: 0 and 1."""

    def links_changed(self) -> None:
        """A link came or went, or the state of one did: whatever status was shown is stale."""
