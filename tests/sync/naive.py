"""A second reconciler for negentropy version 1, written from its specification: obvious, not fast.

It shares no code with the program. Whatever differs it answers with whole lists of ids, which is a
permitted choice, so that it also shows that our ends understand another implementation than the
reference.
"""

from __future__ import annotations

import hashlib

FOREVER = 2**64 - 1

Item = tuple[int, bytes]


def within(items: set[Item], low: Item, high: Item) -> set[bytes]:
    """The ids of the items from `low` up to, not including, `high`; short prefixes mean zeros."""
    return {id for timestamp, id in items if low <= (timestamp, id) < high}


def fingerprint(ids: set[bytes]) -> bytes:
    total = sum(int.from_bytes(id, "little") for id in ids) % 2**256
    return hashlib.sha256(total.to_bytes(32, "little") + number(len(ids))).digest()[:16]


def number(value: int) -> bytes:
    digits = [value % 128]
    while value := value // 128:
        digits.insert(0, value % 128 + 128)
    return bytes(digits)


class Reader:
    def __init__(self, message: bytes) -> None:
        assert message[:1] == b"\x61"
        self.left = message[1:]
        self.timestamp = 0

    def bytes(self, count: int) -> bytes:
        assert len(self.left) >= count
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self) -> int:
        value = 0
        while True:
            (digit,) = self.bytes(1)
            value = value * 128 + digit % 128
            if digit < 128:
                return value

    def range(self):
        """The upper bound, its id padded with zeros, and what is said below it."""
        offset = self.number()
        self.timestamp = self.timestamp + offset - 1 if offset else FOREVER
        bound = (self.timestamp, self.bytes(self.number()).ljust(32, b"\0"))
        mode = self.number()
        if mode == 0:
            return bound, None
        if mode == 1:
            return bound, self.bytes(16)
        assert mode == 2
        return bound, {self.bytes(32) for _ in range(self.number())}


class Writer:
    def __init__(self) -> None:
        self.message = b"\x61"
        self.timestamp = 0

    def range(self, bound: Item, said: bytes | set[bytes] | None) -> None:
        timestamp, id = bound
        if timestamp == FOREVER:
            self.message += b"\0"
        else:
            self.message += number(timestamp - self.timestamp + 1)
            self.timestamp = timestamp
        self.message += number(len(id)) + id
        if said is None:
            self.message += number(0)
        elif isinstance(said, bytes):
            self.message += number(1) + said
        else:
            self.message += number(2) + number(len(said)) + b"".join(sorted(said))


def ranges(message: bytes):
    reader, low = Reader(message), (0, bytes(32))
    while reader.left:
        high, said = reader.range()
        assert low <= high
        yield low, high, said
        low = high


class NaiveResponder:
    def __init__(self, items: set[Item]) -> None:
        self.items = items

    def answer(self, message: bytes) -> bytes:
        writer = Writer()
        for low, high, said in ranges(message):
            ours = within(self.items, low, high)
            agreed = said is None or said == fingerprint(ours)
            writer.range(high, None if agreed else ours)
        return writer.message


class NaiveInitiator:
    def __init__(self, items: set[Item]) -> None:
        self.items = items
        self.have: set[bytes] = set()
        self.need: set[bytes] = set()

    def open(self) -> bytes:
        writer = Writer()
        writer.range((FOREVER, b""), fingerprint(within(self.items, (0, b""), (FOREVER, b""))))
        return writer.message

    def answer(self, message: bytes) -> bytes | None:
        writer, unsettled = Writer(), False
        for low, high, said in ranges(message):
            ours = within(self.items, low, high)
            if isinstance(said, set):
                self.have |= ours - said
                self.need |= said - ours
            if isinstance(said, bytes) and said != fingerprint(ours):
                writer.range(high, ours)
                unsettled = True
            else:
                writer.range(high, None)
        return writer.message if unsettled else None
