"""Who says to be reachable where: address records, signed by the device itself.

What is heard is dialled by the rules of `address_rules.py`, passed on as it came, and forgotten by
itself: nobody has to say that it leaves. Time is seconds, passed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from trayapp.errors import BadSignature, RemoteProtocolError
from trayapp.forum.identity import verify
from trayapp.peers.address_rules import dialable
from trayapp.peers.finder import PeerAddress
from trayapp.peers.greeting import Passport
from trayapp.sync.address_record import (
    ADDRESSES,
    LINKS,
    LONGEST_TTL_S,
    AddressRecord,
    SignedRecord,
    signed_text,
)

SILENT_S = 90.0
"""A linked peer is dropped so long after its last ping."""
RECORDS = 4_000
REMEMBERED = 20_000
REMEMBERED_S = 3600.0
"""So many devices' newest `ms` are kept for so long, that no old record comes back to life; no
longer, for a device may have set its clock right."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since a version; `whole`: too long ago to tell, so this is everything."""

    version: int
    whole: bool
    add: tuple[SignedRecord, ...]
    gone: tuple[bytes, ...]


@dataclass(slots=True)
class _Known:
    signed: SignedRecord
    record: AddressRecord
    until: float
    version: int
    learned_from: str


def own_record(
    passport: Passport, addresses: Sequence[str], links: Sequence[bytes]
) -> SignedRecord:
    """Say where this machine can be reached, and by whom it is linked; the first few of each."""
    record = AddressRecord(
        key=passport.identity.key,
        addresses=tuple(addresses[:ADDRESSES]),
        links=tuple(links[:LINKS]),
        ms=passport.now_ms(),
        ttl_s=LONGEST_TTL_S,
    ).pack()
    signature = passport.identity.sign(signed_text(passport.network.id, record))
    return SignedRecord(record, signature)


class Directory:
    """The address records that hold now."""

    def __init__(self, network_id: bytes, me: bytes) -> None:
        self._network_id = network_id
        self._me = me
        self.version = 0
        """Rises with every change."""
        self._known: dict[bytes, _Known] = {}
        self._newest: dict[bytes, tuple[int, float]] = {}
        self._gone: dict[bytes, int] = {}
        self._gone_before = 0
        """What had gone by this version is no longer listed."""
        self._pinged: dict[bytes, float] = {}
        self._fresh: asyncio.Queue[_Known] = asyncio.Queue(RECORDS)

    def hear(self, signed: SignedRecord, now: float, *, learned_from: str) -> bool:
        """Take in a record, its device's own or passed on.

        Args:
            learned_from: the IP address of the peer who sent it.

        Returns:
            Whether it is news. Our own record, an old one and one too many are not.

        Raises:
            RemoteProtocolError: it is malformed, or its device did not sign it. No honest peer
                passes such a record on.
        """
        record = AddressRecord.unpack(signed.record)
        if record.key == self._me or not self._newer(record, now):
            return False
        try:
            verify(record.key, signed_text(self._network_id, signed.record), signed.signature)
        except BadSignature as error:
            raise RemoteProtocolError("An address record nobody signed.") from error
        if record.key not in self._known and len(self._known) >= RECORDS:
            return False
        self._remember(record, now)
        self.version += 1
        known = _Known(signed, record, now + record.ttl_s, self.version, learned_from)
        self._known[record.key] = known
        self._gone.pop(record.key, None)
        if not self._fresh.full():
            self._fresh.put_nowait(known)
        return True

    def pinged(self, device: bytes, now: float) -> None:
        """A linked peer gave a sign of life; from now on its silence counts."""
        self._pinged[device] = now

    def expire(self, now: float) -> None:
        """Drop what was not renewed within its ttl, and peers silent for 90 s."""
        silent = {key for key, at in self._pinged.items() if at + SILENT_S <= now}
        over = {key for key, known in self._known.items() if known.until <= now}
        for key in silent:
            del self._pinged[key]
        self._drop((silent | over) & self._known.keys())

    def withdraw(self, devices: Iterable[bytes], *, learned_from: str) -> None:
        """A peer says that these are gone: it may take back only what we have from it."""
        self._drop(
            key
            for key in devices
            if key in self._known and self._known[key].learned_from == learned_from
        )

    def full(self) -> tuple[SignedRecord, ...]:
        """Every record that holds."""
        return tuple(known.signed for known in self._known.values())

    def changes(self, since: int) -> Changes:
        """What changed after `since`, an earlier `version`."""
        if since < self._gone_before:
            return Changes(self.version, True, self.full(), ())
        add = tuple(known.signed for known in self._known.values() if known.version > since)
        gone = tuple(key for key, version in self._gone.items() if version > since)
        return Changes(self.version, False, add, gone)

    async def addresses(self) -> AsyncIterator[PeerAddress]:
        """What may be dialled of each new record."""
        while True:
            known = await self._fresh.get()
            for address in dialable(known.record.addresses, known.record.key, known.learned_from):
                yield address

    def _drop(self, devices: Iterable[bytes]) -> None:
        for key in dict.fromkeys(devices):
            self.version += 1
            del self._known[key]
            self._gone[key] = self.version
        while len(self._gone) > RECORDS:
            self._gone_before = self._gone.pop(next(iter(self._gone)))

    def _newer(self, record: AddressRecord, now: float) -> bool:
        ms, heard_at = self._newest.get(record.key, (-1, now))
        return record.ms > ms or now - heard_at > REMEMBERED_S

    def _remember(self, record: AddressRecord, now: float) -> None:
        self._newest.pop(record.key, None)  # to the end: the one heard longest ago goes first
        self._newest[record.key] = record.ms, now
        if len(self._newest) > REMEMBERED:
            del self._newest[next(iter(self._newest))]
