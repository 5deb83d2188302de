"""The messages of negentropy version 1 as bytes: ranges of operations, their bounds and payloads.

A range begins where the one before it ends, the first at zero. Timestamps are written as the
distance from the one before. What to answer to a range is the matter of `negentropy.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync.fingerprints import DIGEST_BYTES, ID_BYTES, varint

MESSAGE_BYTES = 262_144
"""The longest message anyone may send."""
MESSAGE_RANGES = 16_384

Bound: TypeAlias = tuple[int, bytes]
"""Where a range ends, exclusive: a timestamp and the first bytes of an id, 0 to 32 of them."""

VERSION = b"\x61"
INFINITY = (1 << 64) - 1
END: Bound = (INFINITY, b"")

_VARINT_DIGITS = 10


class Mode(IntEnum):
    """What a range says: nothing more, a fingerprint of its ids, or all of its ids."""

    SKIP = 0
    FINGERPRINT = 1
    IDS = 2


class Range(NamedTuple):
    """One range of a message."""

    bound: Bound
    mode: int
    payload: bytes
    """16 bytes of fingerprint, or ids one after the other; the count is not part of it."""


class RangeWriter:
    """A message in the making: ranges in ascending order, each from where the last one ended."""

    def __init__(self) -> None:
        self.written = bytearray(VERSION)
        self._timestamp = 0

    def write(self, bound: Bound, mode: Mode, payload: bytes = b"") -> None:
        """Append a range; the payload of ids is `pack_ids`."""
        timestamp, prefix = bound
        if timestamp == INFINITY:
            self.written += b"\0"
        else:
            self.written += varint(timestamp - self._timestamp + 1)
            self._timestamp = timestamp
        self.written += varint(len(prefix)) + prefix + varint(mode) + payload


def parse(message: bytes) -> list[Range]:
    """Read a whole message before anything is done about it.

    Raises:
        RemoteProtocolError: too long, malformed, or bounds that go back: ranges that overlap would
            make us do the same work again and again.
    """
    if len(message) > MESSAGE_BYTES:
        raise RemoteProtocolError("A reconciliation message is too long.", ErrorCode.TOO_BIG)
    reader = _Reader(message)
    if reader.take(len(VERSION)) != VERSION:
        raise RemoteProtocolError("A message is of no version of negentropy.")
    ranges: list[Range] = []
    last = (0, bytes(ID_BYTES))
    while not reader.at_end:
        if len(ranges) == MESSAGE_RANGES:
            raise RemoteProtocolError(
                "A reconciliation message has too many ranges.", ErrorCode.TOO_BIG
            )
        timestamp, prefix = reader.bound()
        whole = (timestamp, prefix.ljust(ID_BYTES, b"\0"))
        if whole < last:
            raise RemoteProtocolError("The ranges of a reconciliation message are not in order.")
        last = whole
        mode = reader.varint()
        ranges.append(Range((timestamp, prefix), mode, reader.payload(mode)))
    return ranges


def pack_ids(ids: Sequence[bytes]) -> bytes:
    """The payload of a range of ids: their count, then 32 bytes each."""
    return varint(len(ids)) + b"".join(ids)


def unpack_ids(payload: bytes) -> list[bytes]:
    """The ids in the payload of a parsed range."""
    return [payload[at : at + ID_BYTES] for at in range(0, len(payload), ID_BYTES)]


class _Reader:
    """The parts of a message, front to back. Every step past the end is the peer's error."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0
        self._timestamp = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._message)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._message):
            raise RemoteProtocolError("A reconciliation message ends in the middle of a range.")
        taken = self._message[self._at : end]
        self._at = end
        return taken

    def varint(self) -> int:
        number = 0
        for digit in self._message[self._at : self._at + _VARINT_DIGITS]:
            self._at += 1
            number = number << 7 | digit & 0x7F
            if digit < 0x80:
                break
        else:
            raise RemoteProtocolError("A number in a reconciliation message does not end.")
        if number > INFINITY:
            raise RemoteProtocolError("A number in a reconciliation message is too large.")
        return number

    def bound(self) -> Bound:
        """A bound; its timestamp counts from the one before, and beyond infinity is infinity."""
        offset = self.varint()
        if offset == 0:
            self._timestamp = INFINITY
        else:
            self._timestamp = min(self._timestamp + offset - 1, INFINITY)
        length = self.varint()
        if length > ID_BYTES:
            raise RemoteProtocolError(f"A bound holds {length} bytes of an id of {ID_BYTES}.")
        return self._timestamp, self.take(length)

    def payload(self, mode: int) -> bytes:
        """What follows the mode: nothing, a fingerprint, or ids without their count."""
        if mode == Mode.SKIP:
            return b""
        if mode == Mode.FINGERPRINT:
            return self.take(DIGEST_BYTES)
        if mode == Mode.IDS:
            return self.take(self.varint() * ID_BYTES)
        raise RemoteProtocolError(f"A range of mode {mode} is not known.")
