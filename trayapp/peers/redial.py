"""Which addresses to dial, and when again. Pure: time is a number, chance an argument.

PROTOCOL.md section 10: full-jitter back-off per address, one link per device, a full mesh of up to
twelve peers and eight dialled links beyond, and manners towards addresses that peers told us.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TypeAlias

from trayapp.errors import ErrorCode, PeerUnreachable
from trayapp.peers.finder import PeerAddress
from trayapp.status import PeerPath, PeerStatus

FIRST_S = 1.0
LONGEST_S = 300.0
"""The pause before the n-th new try is anything from 0 to FIRST_S · 2ⁿ, at most LONGEST_S."""
REFUSED_S = 3600.0
"""How long a failed proof is remembered."""
HEARD_EVERY_S = 1.0
"""Addresses told by peers are dialled at most this often, all together."""
MESH = 12
"""Up to so many known peers, every one is dialled."""
OUTBOUND = 8
RESERVED = 2
"""Of the OUTBOUND links, those kept for addresses that a person gave."""
GIVE_UP_AFTER = 8
"""So many failures in a row and a found or told address is dropped until it turns up again."""
ENTRIES = 1000
SAME_HOST_S = 60.0
"""A found address where somebody is linked already is most likely theirs. Dialling it would swap
that link for a new one, in the middle of a first sync as likely as not: it has time."""
RECHECK_S = 2.0
"""A link that ended elsewhere frees its device; we look this often."""

_FOREVER = float("inf")
_NEVER = -_FOREVER
_HELD_S = {
    ErrorCode.SELF: _FOREVER,
    ErrorCode.NOT_MEMBER: REFUSED_S,
    ErrorCode.BAD_AUTH: REFUSED_S,
    ErrorCode.REVOKED: REFUSED_S,
    ErrorCode.VERSION: LONGEST_S,
}
_BEST_PATH = (
    PeerPath.LAN,
    PeerPath.TAILNET,
    PeerPath.BOOTSTRAP,
    PeerPath.FILE,
    PeerPath.INVITE,
    PeerPath.INBOUND,
)
_SHOWN_PATH = (
    PeerPath.FILE,
    PeerPath.BOOTSTRAP,
    PeerPath.INVITE,
    PeerPath.TAILNET,
    PeerPath.LAN,
    PeerPath.INBOUND,
)
"""An address known in several ways: what a person added goes first, so that it can be removed."""


class _State(Enum):
    WAITING = auto()
    DIALING = auto()
    LINKED = auto()


_Way: TypeAlias = tuple[PeerPath, bool]


@dataclass(slots=True)
class _Entry:
    """What is known of one address."""

    address: PeerAddress
    """All of its `ways` in one."""
    due_at: float
    device: bytes | None
    """Who answers there: proved before, or expected."""
    ways: dict[_Way, PeerAddress] = field(default_factory=dict)
    """How it is known: the same url by each way, the latest last."""
    state: _State = _State.WAITING
    failures: int = 0
    held_until: float = _NEVER
    refusal: ErrorCode | None = None
    tried_at: float = _NEVER
    problem: str = ""
    last_seen: int | None = None

    @property
    def machine(self) -> object:
        """What two addresses of one machine have in common, as far as is known."""
        return self.device or self.address.kin or self.address.url

    @property
    def host(self) -> str:
        """The IP address as a socket tells it, without the scope of a link-local one."""
        return self.address.host.partition("%")[0]

    @property
    def ours(self) -> bool:
        """A person gave this address, whoever else did; it is never dropped."""
        return any(not a.heard and a.path is not PeerPath.LAN for a in self.ways.values())

    def settle(self) -> None:
        """Go by the ways as they are now; where a person changed the key, that is tried at once."""
        before, self.address = self.address, _joined(self.ways.values())
        key = self.address.key
        if key == before.key or (key is None and before.heard):
            return
        self.held_until = _NEVER
        if key is not None or self.state is not _State.LINKED:
            self.device = key


class Redial:
    """Every address known, with its back-off."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._entries: dict[str, _Entry] = {}
        self._heard_at = _NEVER

    def feed(self, address: PeerAddress, now: float) -> None:
        """Take in an address. A new one is due at once, and so is a known one seen on the LAN.

        A refusal outlives a sighting. What a person or the LAN says goes before what peers say.
        """
        entry = self._entries.get(address.url)
        if entry is None:
            self._make_room()
            ways = {_way(address): address}
            self._entries[address.url] = _Entry(address, now, address.key, ways)
            return
        if not address.heard:  # of what peers say, the first word counts
            entry.ways.pop(_way(address), None)
        entry.ways.setdefault(_way(address), address)
        entry.settle()
        if address.path is PeerPath.LAN and not address.heard:
            entry.failures = 0
            entry.due_at = min(entry.due_at, max(now, entry.tried_at + FIRST_S))

    def forget(self, address: PeerAddress) -> None:
        """Dial this address no more, unless it is known in another way; a link goes on."""
        entry = self._entries.get(address.url)
        if entry is None or entry.ways.pop(_way(address), None) is None:
            return
        if entry.ways:
            entry.settle()
        else:
            del self._entries[address.url]

    def due(self, now: float, linked: Mapping[bytes, str]) -> tuple[list[PeerAddress], float]:
        """What to dial now, from then on counted as being dialled, and when to ask again.

        Args:
            now: seconds of a clock that only goes forward.
            linked: devices with a link, whoever dialled it, and the IP address each is at.

        Returns:
            The addresses, and the seconds until something else may be due, at most RECHECK_S.
        """
        chosen: list[PeerAddress] = []
        wait = RECHECK_S
        busy = {e.machine for e in self._entries.values() if e.state is not _State.WAITING}
        hosts = set(linked.values())
        full_mesh = self._known(linked) <= MESH
        outbound = sum(e.state is not _State.WAITING for e in self._entries.values())
        for entry in self._in_turn():
            room = OUTBOUND if entry.ours else OUTBOUND - RESERVED
            if entry.device in linked or entry.machine in busy:
                continue
            if not full_mesh and outbound >= room:
                continue
            ready_at = self._ready_at(entry, hosts)
            if ready_at > now:
                wait = min(wait, ready_at - now)
                continue
            busy.add(entry.machine)
            outbound += 1
            entry.state, entry.tried_at = _State.DIALING, now
            self._heard_at = now if entry.address.heard else self._heard_at
            chosen.append(entry.address)
        return chosen, wait

    def failed(self, address: PeerAddress, error: PeerUnreachable, now: float) -> None:
        """No link came about. A wrong proof is remembered, our own door for good."""
        entry = self._entries.get(address.url)
        if entry is None:
            return
        entry.problem, entry.refusal = str(error), error.error_code
        if error.error_code in _HELD_S:
            entry.held_until = now + _HELD_S[error.error_code]
        self._later(entry, now)
        if entry.failures >= GIVE_UP_AFTER and not entry.ours and entry.held_until <= now:
            del self._entries[address.url]

    def linked(self, address: PeerAddress, device: bytes) -> None:
        """A device proved to be at this address, and so at all addresses of its kin."""
        entry = self._entries.get(address.url)
        if entry is None:
            return
        entry.state, entry.problem, entry.refusal = _State.LINKED, "", None
        for other in self._entries.values():
            if other is entry or (address.kin and other.address.kin == address.kin):
                other.device = device

    def ended(self, address: PeerAddress, now: float, *, worked: bool, now_ms: int) -> None:
        """The link to this address is over; `worked` (it was READY) resets the back-off."""
        entry = self._entries.get(address.url)
        if entry is None:
            return
        if worked:
            entry.failures, entry.last_seen = 0, now_ms
        self._later(entry, now)

    def wake(self, now: float) -> None:
        """Another network, or awake again: old failures and refusals say nothing any more."""
        for entry in self._entries.values():
            entry.failures, entry.held_until = 0, _NEVER
            entry.due_at = now + self._rng.uniform(0, FIRST_S)

    def path_to(self, device: bytes, host: str) -> PeerPath | None:
        """How this machine was found, going by its key, else by its IP address."""
        known = [e for e in self._entries.values() if e.refusal not in _HELD_S]
        same = [e for e in known if e.device == device] or [
            e for e in known if e.device is None and e.host == host
        ]
        return min((e.address.path for e in same), key=_BEST_PATH.index, default=None)

    def statuses(self, linked: Collection[bytes]) -> tuple[PeerStatus, ...]:
        """The machines known by address that have no link, each once; strangers left out."""
        shown = {
            entry.machine: _status(entry)
            for entry in reversed(self._entries.values())
            if entry.state is not _State.LINKED
            and entry.device not in linked
            and _worth_showing(entry)
        }
        return tuple(reversed(shown.values()))

    def _in_turn(self) -> Iterator[_Entry]:
        """Waiting entries: a person's first, then those of the LAN, then the told ones by lot."""
        waiting = [e for e in self._entries.values() if e.state is _State.WAITING]
        yield from (e for e in waiting if e.ours)
        yield from (e for e in waiting if not e.ours and not e.address.heard)
        heard = [e for e in waiting if e.address.heard]
        yield from self._rng.sample(heard, len(heard))

    def _ready_at(self, entry: _Entry, linked_hosts: Collection[str]) -> float:
        ready_at = max(entry.due_at, entry.held_until)
        if entry.address.heard:
            ready_at = max(ready_at, self._heard_at + HEARD_EVERY_S)
        if not entry.ours and entry.device is None and entry.host in linked_hosts:
            ready_at += SAME_HOST_S
        return ready_at

    def _known(self, linked: Collection[bytes]) -> int:
        """How many machines of this forum there seem to be."""
        entries = (e for e in self._entries.values() if e.refusal not in _HELD_S)
        return len({e.machine for e in entries}.union(linked))

    def _later(self, entry: _Entry, now: float) -> None:
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(entry.failures, 30))
        entry.state = _State.WAITING
        entry.due_at = now + self._rng.uniform(0, longest)
        entry.failures += 1

    def _make_room(self) -> None:
        """When there are many, drop one that a peer told us, the one tried longest ago."""
        if len(self._entries) < ENTRIES:
            return
        spare = [e for e in self._entries.values() if not e.ours and e.state is _State.WAITING]
        if spare:
            last = min(spare, key=lambda e: (not e.address.heard, e.tried_at))
            del self._entries[last.address.url]


def _way(address: PeerAddress) -> _Way:
    return address.path, address.heard


def _joined(ways: Collection[PeerAddress]) -> PeerAddress:
    """One address out of those of one url; what peers say counts only where nobody else speaks."""
    given = [a for a in ways if not a.heard] or list(ways)
    best = min(given, key=lambda a: _SHOWN_PATH.index(a.path))
    key = next((a.key for a in reversed(given) if a.key is not None), None)
    kin = next((a.kin for a in given if a.kin), "")
    return replace(best, key=key, kin=kin)


def _worth_showing(entry: _Entry) -> bool:
    if entry.refusal is ErrorCode.SELF:
        return False
    return entry.ours or (entry.refusal is not ErrorCode.NOT_MEMBER and entry.device is not None)


def _status(entry: _Entry) -> PeerStatus:
    return PeerStatus(
        device=entry.device,
        name="",
        address=entry.address.url,
        path=entry.address.path,
        state="unreachable" if entry.problem else "connecting",
        behind=0,
        latency_ms=None,
        last_seen=entry.last_seen,
        problem=entry.problem,
    )
