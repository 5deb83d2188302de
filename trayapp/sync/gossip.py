"""Whom to push a new operation to, whom only to tell, and which operations were seen lately."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from heapq import nsmallest

from trayapp.forum.operation import HEADER_BYTES
from trayapp.sync.answers import pack_operations
from trayapp.sync.limits import (
    OPS_FRAME_BYTES,
    QUEUE_PUSH_BYTES,
    QUEUE_TELL_BYTES,
    GossipRate,
)
from trayapp.sync.outbox import Outbox

PUSH_TO = 4
SEEN_IDS = 8_192

_BODY_LEN = slice(144, 148)


def pushed_to(operation_id: bytes, peers: Collection[bytes]) -> Collection[bytes]:
    """The 4 peers with the lowest SHA-256(op id ‖ peer key).

    Every node that holds the operation picks differently among its own links, and an attacker
    cannot choose the id so as to fall between two nodes without redoing it for every pair.
    """
    if len(peers) <= PUSH_TO:
        return peers
    return nsmallest(PUSH_TO, peers, key=lambda key: hashlib.sha256(operation_id + key).digest())


class Seen:
    """The ids met last, up to a number; the oldest are forgotten first."""

    __slots__ = ("_ids", "_most")

    def __init__(self, most: int = SEEN_IDS) -> None:
        self._ids: dict[bytes, None] = {}
        self._most = most

    def __contains__(self, one: bytes) -> bool:
        return one in self._ids

    def add(self, one: bytes) -> bool:
        """Remember an id; False if it was known."""
        if one in self._ids:
            return False
        self._ids[one] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True

    def update(self, ids: Iterable[bytes]) -> None:
        """Remember ids."""
        for one in ids:
            self.add(one)


class Gossip:
    """What one peer is told of new operations."""

    __slots__ = ("_known", "_outbox", "_rate")

    def __init__(self, outbox: Outbox, known: Seen) -> None:
        """Begin.

        Args:
            known: ids this peer holds or was told of; nobody tells it again.
        """
        self._outbox = outbox
        self._known = known
        self._rate = GossipRate()

    def offer(
        self, operations: Sequence[tuple[bytes, bytes]], push: Collection[bytes], now: float
    ) -> None:
        """Push some, say HAVE of the rest and of what is over a limit.

        A peer that reads slowly is told less and less: the digests will tell it the rest.

        Args:
            operations: (id, wire bytes).
            push: ids of those to push.
        """
        pushed: list[bytes] = []
        unsent = self._outbox.urgent_bytes
        for one, raw in operations:
            if unsent > QUEUE_TELL_BYTES or not self._known.add(one):
                continue
            if one in push and self._may_push(raw, unsent, now):
                pushed.append(raw)
                unsent += len(raw)
            else:
                self._outbox.tell(one)
        for frame in pack_operations(pushed, OPS_FRAME_BYTES):
            self._outbox.say(frame)

    def _may_push(self, raw: bytes, unsent: int, now: float) -> bool:
        """Whether an operation goes out whole; an erased one does not, as it needs its delete."""
        erased = len(raw) == HEADER_BYTES and any(raw[_BODY_LEN])
        room = unsent + len(raw) <= QUEUE_PUSH_BYTES
        return room and not erased and self._rate.take(len(raw), now)
