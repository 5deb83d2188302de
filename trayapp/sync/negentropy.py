"""Range-based set reconciliation, negentropy wire version 1, unchanged and sans-IO.

Two machines learn which ids each holds and the other lacks: they compare fingerprints of ranges and
cut those that differ. Any store that answers the five questions of `Inventory` can be reconciled;
moving the operations is the matter of `session.py`, the bytes are that of `ranges.py`. Every answer
is the reference's (hoytech/negentropy) to the byte, but for one case told at `_Answer.take`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from trayapp.errors import RemoteProtocolError
from trayapp.sync.fingerprints import EMPTY, ID_BYTES, digest16, sum_of
from trayapp.sync.ranges import (
    END,
    MESSAGE_BYTES,
    VERSION,
    Bound,
    Mode,
    Range,
    RangeWriter,
    pack_ids,
    parse,
    unpack_ids,
)

LEAST_FRAME_BYTES = 4_096
"""In less an answer could lack the room to get anywhere; the reference refuses it too."""

_VERSIONS = range(0x60, 0x70)
_TIMESTAMP_LIMIT = 1 << 63
_BUCKETS = 16
_RESERVE_BYTES = 200
"""Kept free for what closes an answer; as in the reference, since it shapes the bytes."""
_NEWEST = 64
_NEWEST_GROWTH = 8


class Inventory(Protocol):
    """The operations of one log, each once, in (timestamp, id) order, as they stood at one moment.

    Indexes count from 0; ranges are half-open, `0 <= begin <= end <= size()`.
    """

    def size(self) -> int:
        """How many operations there are."""

    def item(self, index: int) -> tuple[int, bytes]:
        """The timestamp in milliseconds (below 2**63) and the id of one operation."""

    def ids(self, begin: int, end: int) -> Sequence[bytes]:
        """The ids of a range, in order."""

    def lower_bound(self, timestamp: int, id_prefix: bytes, start: int) -> int:
        """The first index >= start whose (timestamp, id) is not below the bound, or the size.

        Args:
            timestamp: below 2**63.
            id_prefix: 0 to 32 bytes; the bytes left out count as zeros.
            start: the bound is known not to lie before this index.
        """

    def fingerprint(self, begin: int, end: int) -> bytes:
        """`digest16` of the ids of a range; asked often, so better not linear in its length."""


class SortedInventory:
    """A snapshot in memory: 40 bytes an operation, any range summed up in microseconds."""

    __slots__ = ("_ids", "_sums", "_timestamps")

    _STRIDE = 64

    def __init__(self, items: Iterable[tuple[int, bytes]]) -> None:
        """Take a snapshot.

        Args:
            items: (timestamp in milliseconds below 2**63, 32-byte id), each once, in any order;
                already sorted is faster.
        """
        ordered = sorted(items)
        self._timestamps = array("Q", [timestamp for timestamp, _ in ordered])
        self._ids = b"".join([one for _, one in ordered])
        self._sums = [0]
        for begin in range(0, len(ordered), self._STRIDE):
            self._sums.append(self._sums[-1] + sum_of(self.ids(begin, begin + self._STRIDE)))

    def size(self) -> int:
        """How many operations there are."""
        return len(self._timestamps)

    def item(self, index: int) -> tuple[int, bytes]:
        """The timestamp and the id of one operation."""
        return self._timestamps[index], self._id(index)

    def ids(self, begin: int, end: int) -> list[bytes]:
        """The ids of a range, in order; an end beyond the last is the last."""
        packed = self._ids[begin * ID_BYTES : end * ID_BYTES]
        return [packed[at : at + ID_BYTES] for at in range(0, len(packed), ID_BYTES)]

    def lower_bound(self, timestamp: int, id_prefix: bytes, start: int) -> int:
        """The first index >= start that is not below the bound, or the size."""
        first = bisect_left(self._timestamps, timestamp, start)
        if not id_prefix:
            return first
        same = range(first, bisect_right(self._timestamps, timestamp, first))
        return first + bisect_left(same, id_prefix, key=self._id)

    def fingerprint(self, begin: int, end: int) -> bytes:
        """`digest16` of the ids of a range."""
        return digest16(self._sum_before(end) - self._sum_before(begin), end - begin)

    def _id(self, index: int) -> bytes:
        return self._ids[index * ID_BYTES : (index + 1) * ID_BYTES]

    def _sum_before(self, index: int) -> int:
        """The ids before this index added up: a kept sum and fewer than a stride's additions."""
        kept = index // self._STRIDE
        return self._sums[kept] + sum_of(self.ids(kept * self._STRIDE, index))


class Initiator:
    """The end that asks, and the only one that learns what differs.

    `open`, then `answer` each message of the other end until it returns None. What a message
    teaches is kept until the next one only: whoever asks counts it, and ends a talk without end.
    """

    def __init__(self, inventory: Inventory, frame_limit: int = MESSAGE_BYTES) -> None:
        """Reconcile a snapshot.

        Args:
            inventory: must not change until the conversation has ended.
            frame_limit: the longest message to send, in bytes, 4,096 to 262,144.
        """
        self._inventory = inventory
        self._frame_limit = _checked(frame_limit)
        self._told = bytearray(inventory.size())
        """1 where an operation of ours was found: after a full message some come again."""
        self._have: list[bytes] = []
        self._need: dict[bytes, None] = {}

    @property
    def have(self) -> tuple[bytes, ...]:
        """The ids of which the last message first shows that they are ours only, in order."""
        return tuple(self._have)

    @property
    def need(self) -> tuple[bytes, ...]:
        """The ids it shows to be theirs only, some for the second time after a full message.

        A claim: only the operation itself proves it.
        """
        return tuple(self._need)

    def open(self) -> bytes:
        """Write the first message: fingerprints, finer towards the newest, where copies differ."""
        inventory = self._inventory
        size = inventory.size()
        opening = _Answer(inventory, self._frame_limit)
        if not size:
            opening.list_ids(0, 0, END)
            return opening.message
        begin = 0
        for end in _cuts(size):
            bound = END if end == size else _bound_between(inventory, end)
            opening.write(bound, Mode.FINGERPRINT, inventory.fingerprint(begin, end))
            begin = end
        return opening.message

    def answer(self, message: bytes) -> bytes | None:
        """Take the other end's message; return the next one to send, or None: all is known.

        Raises:
            RemoteProtocolError: the message breaks the rules. It teaches nothing.
        """
        self._have, self._need = [], {}
        if message[:1] != VERSION:
            raise RemoteProtocolError("The peer answers in another version of negentropy.")
        reply = _Answer(self._inventory, self._frame_limit)
        for lower, upper, their in _matched(self._inventory, message):
            if their.mode == Mode.IDS:
                self._compare(lower, upper, their.payload)
                reply.skip(their.bound)
            elif not reply.take(lower, upper, their):
                break
        return None if reply.is_empty else reply.message

    def _compare(self, begin: int, end: int, packed: bytes) -> None:
        """Learn from a list of all their ids in a range that holds ours from `begin` to `end`."""
        theirs = dict.fromkeys(unpack_ids(packed))
        for index, own in enumerate(self._inventory.ids(begin, end), begin):
            if own in theirs:
                del theirs[own]
            elif not self._told[index]:
                self._told[index] = 1
                self._have.append(own)
        self._need.update(theirs)


class Responder:
    """The end that answers. It keeps nothing between messages but its snapshot."""

    def __init__(self, inventory: Inventory, frame_limit: int = MESSAGE_BYTES) -> None:
        """Reconcile a snapshot; the arguments are those of `Initiator`."""
        self._inventory = inventory
        self._frame_limit = _checked(frame_limit)

    def answer(self, message: bytes) -> bytes:
        """Take the initiator's message; return the answer to send.

        Raises:
            RemoteProtocolError: the message breaks the rules.
        """
        reply = _Answer(self._inventory, self._frame_limit)
        if message[:1] != VERSION and message and message[0] in _VERSIONS:
            return reply.message  # version 1 alone: "this is the highest I speak"
        for lower, upper, their in _matched(self._inventory, message):
            if their.mode == Mode.IDS:
                listed = reply.list_ids(lower, upper, their.bound)
                if reply.is_full:
                    reply.rest(listed)
                    break
            elif not reply.take(lower, upper, their):
                break
        return reply.message


class _Answer:
    """A message in the making. Ranges are written in ascending order, skips only when needed."""

    def __init__(self, inventory: Inventory, frame_limit: int) -> None:
        self._inventory = inventory
        self._full_bytes = frame_limit - _RESERVE_BYTES
        self._ranges = RangeWriter()
        self._skipped: Bound | None = None

    @property
    def message(self) -> bytes:
        """What is written so far. Skips at the end go without saying."""
        return bytes(self._ranges.written)

    @property
    def is_empty(self) -> bool:
        """Nothing left to ask."""
        return self._ranges.written == VERSION

    @property
    def is_full(self) -> bool:
        """Only `rest` may follow, or this message outgrows its frame."""
        return len(self._ranges.written) > self._full_bytes

    def skip(self, bound: Bound) -> None:
        """Nothing to say up to here; said only if something follows."""
        self._skipped = bound

    def take(self, lower: int, upper: int, their: Range) -> bool:
        """Answer a skip or a fingerprint over our items from `lower` to `upper`.

        Returns:
            False when there was no room for it: `rest` was written and ends the message.
        """
        if their.mode == Mode.SKIP or their.payload == self._inventory.fingerprint(lower, upper):
            self.skip(their.bound)
            return True
        before = len(self._ranges.written)
        self._split(lower, upper, their.bound)
        if not self.is_full:
            return True
        del self._ranges.written[before:]
        # The reference leaves out the range it had no room for. Where theirs is empty, such a
        # fingerprint could equal theirs, and our ids in the range would never be told.
        self.rest(lower if their.payload == EMPTY else upper)
        return False

    def list_ids(self, lower: int, upper: int, bound: Bound) -> int:
        """Write our ids of a range, as many as there is room for; return where they end."""
        room = (self._full_bytes - len(self._ranges.written)) // ID_BYTES + 1
        if upper - lower > room:
            upper = lower + room
            bound = self._inventory.item(upper)
        self._write_ids(lower, upper, bound)
        return upper

    def rest(self, index: int) -> None:
        """Sum up all from this index on, for a later round, from the last bound to infinity.

        As in the reference the sum may leave out items of that range. Then it differs from theirs
        for sure, unless theirs lacks the very same items: see `take`.
        """
        self.write(
            END, Mode.FINGERPRINT, self._inventory.fingerprint(index, self._inventory.size())
        )

    def write(self, bound: Bound, mode: Mode, payload: bytes) -> None:
        """Append a range, after the skip that is due."""
        if self._skipped is not None:
            skipped, self._skipped = self._skipped, None
            self._ranges.write(skipped, Mode.SKIP)
        self._ranges.write(bound, mode, payload)

    def _write_ids(self, lower: int, upper: int, bound: Bound) -> None:
        self.write(bound, Mode.IDS, pack_ids(self._inventory.ids(lower, upper)))

    def _split(self, lower: int, upper: int, bound: Bound) -> None:
        """Cut a range that differs: a list of ids when it is short, else 16 fingerprints."""
        size, longer = divmod(upper - lower, _BUCKETS)
        if size < 2:
            self._write_ids(lower, upper, bound)
            return
        begin = lower
        for bucket in range(_BUCKETS):
            end = begin + size + (bucket < longer)
            ends_at = bound if end == upper else _bound_between(self._inventory, end)
            self.write(ends_at, Mode.FINGERPRINT, self._inventory.fingerprint(begin, end))
            begin = end


def _checked(frame_limit: int) -> int:
    if not LEAST_FRAME_BYTES <= frame_limit <= MESSAGE_BYTES:
        raise ValueError(f"a frame limit of {frame_limit} bytes is out of range")
    return frame_limit


def _cuts(size: int) -> list[int]:
    """Where the ranges of a first message end: ..., size - 512, size - 64, size."""
    cuts = [size]
    from_end = _NEWEST
    while from_end < size:
        cuts.append(size - from_end)
        from_end *= _NEWEST_GROWTH
    cuts.reverse()
    return cuts


def _bound_between(inventory: Inventory, index: int) -> Bound:
    """The shortest bound that is above the item before `index` and not above the item at it."""
    (before, id_before), (timestamp, id_after) = inventory.item(index - 1), inventory.item(index)
    if before != timestamp:
        return timestamp, b""
    shared = 0
    while id_before[shared] == id_after[shared]:
        shared += 1
    return timestamp, id_after[: shared + 1]


def _matched(inventory: Inventory, message: bytes) -> Iterator[tuple[int, int, Range]]:
    """The ranges of a message, each with the indexes of our items in it."""
    lower = 0
    for their in parse(message):
        timestamp, prefix = their.bound
        if timestamp >= _TIMESTAMP_LIMIT:
            upper = inventory.size()
        else:
            upper = inventory.lower_bound(timestamp, prefix, lower)
        yield lower, upper, their
        lower = upper
