"""Node-wide: which ids are wanted, who is asked for which, and who streams which log to us.

One object of each kind is shared by all sessions of a node. What a peer offers is a hint: only the
operation itself proves it. How far copies agree is the matter of `copies.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from trayapp.sync.limits import (
    ASK_NEXT_S,
    OPEN_WANTS,
    PEER_WANTS,
    PEER_WANTS_MOST,
    STREAM_WINDOW_BYTES,
    STREAM_WINDOW_S,
    STREAM_YIELD_S,
    WANT_BARREN_S,
    WANT_MOST_S,
)
from trayapp.sync.messages import IDS_PER_FRAME

_OFFERERS = 8
"""Peers remembered per id; a ninth is not needed to find out that nobody has it."""


@dataclass(slots=True)
class _Want:
    """One id not held here. It dies when nobody is left who offered it."""

    offered_by: set[bytes]
    asked_of: bytes | None = None


@dataclass(slots=True)
class _Peer:
    """What one peer offers, and the WANT it has not answered yet."""

    offers: dict[bytes, None] = field(default_factory=dict)
    asked: frozenset[bytes] | None = None
    unnamed: set[bytes] = field(default_factory=set)
    """What of it the answer has not brought so far, nor said GONE of."""
    asked_at: float = 0.0
    heard_at: float = 0.0
    named_at: float = 0.0
    tardy: bool = False
    """It owes an answer for too long by now."""
    is_last: bool = False
    """It once left a WANT unanswered for so long, so it is asked last."""


class Wants:
    """Ids wanted, each asked of one peer at a time; the next one where that one does not answer."""

    def __init__(self) -> None:
        self._wants: dict[bytes, _Want] = {}
        self._peers: dict[bytes, _Peer] = {}

    def __len__(self) -> int:
        return len(self._wants)

    def __contains__(self, one: bytes) -> bool:
        return one in self._wants

    def is_full(self, peer: bytes) -> bool:
        """Whether no further NEG of this peer is read now: it has enough to answer for."""
        return self.offered(peer) >= PEER_WANTS or self.is_tardy(peer)

    def offered(self, peer: bytes) -> int:
        """How many open ids this peer could give."""
        known = self._peers.get(peer)
        return len(known.offers) if known else 0

    def is_tardy(self, peer: bytes) -> bool:
        """Whether this peer owes an answer for too long, and so does not count."""
        known = self._peers.get(peer)
        return known is not None and known.tardy

    def open_beyond_tardy(self) -> bool:
        """Whether an id is open that a peer which answers has offered."""
        return any(peer.offers for peer in self._peers.values() if not peer.tardy)

    def offer(self, peer: bytes, ids: Iterable[bytes]) -> None:
        """Note that `peer` claims to hold these ids, all of them missing here.

        What one peer offers beyond its room is forgotten, as is all it offers while it leaves a
        WANT unanswered: the next reconciliation finds it again.
        """
        known = self._peers.setdefault(peer, _Peer())
        for one in ids:
            room = PEER_WANTS_MOST if len(self._wants) < OPEN_WANTS else PEER_WANTS
            if known.tardy or len(known.offers) >= room:
                return
            want = self._wants.get(one)
            if want is None:
                want = self._wants[one] = _Want(set())
            if len(want.offered_by) < _OFFERERS:
                want.offered_by.add(peer)
                known.offers[one] = None

    def ask(self, peer: bytes, now: float) -> tuple[bytes, ...]:
        """Choose what to WANT of `peer` now: at most 2,000 ids, none while it owes an answer."""
        known = self._peers.get(peer)
        if known is None or known.asked is not None:
            return ()
        chosen: list[bytes] = []
        for one in self._askable(known):
            chosen.append(one)
            if len(chosen) == IDS_PER_FRAME:
                break
        if chosen:
            known.asked, known.unnamed = frozenset(chosen), set(chosen)
            known.asked_at = known.heard_at = known.named_at = now
            for one in chosen:
                self._wants[one].asked_of = peer
        return tuple(chosen)

    def heard(self, peer: bytes, now: float) -> None:
        """Operations came from `peer`, or we could not listen: its 10 seconds start again."""
        if known := self._peers.get(peer):
            known.heard_at = now

    def named(self, peer: bytes, ids: Iterable[bytes], now: float) -> None:
        """`peer` sent these, or said GONE of them; what it was asked for counts once each."""
        known = self._peers.get(peer)
        if known is None or known.unnamed.isdisjoint(ids):
            return
        known.unnamed.difference_update(ids)
        known.heard_at = known.named_at = now

    def stored(self, ids: Iterable[bytes]) -> None:
        """These are here now, whoever sent them."""
        for one in ids:
            if want := self._wants.pop(one, None):
                for peer in want.offered_by:
                    del self._peers[peer].offers[one]

    def answered(self, peer: bytes, given: Collection[bytes]) -> None:
        """`peer` has answered its WANT to the end.

        Args:
            given: ids it sent or said GONE of. Whatever of them is still open now, it cannot give.
                Ids asked for and not named were cut off by the limit of an answer and are asked
                again, unless the answer brought nothing of what was asked.
        """
        known = self._peers.get(peer)
        if known is None or known.asked is None:
            return
        asked, known.asked, known.tardy = known.asked, None, False
        known.unnamed.clear()
        settled = asked.intersection(given) or asked
        for one in asked:
            want = self._wants.get(one)
            if want is None:
                continue
            if want.asked_of == peer:
                want.asked_of = None
            if one in settled:
                self._withdraw(one, peer)

    def expire(self, now: float) -> None:
        """Free what peers owe for too long, so that others are asked.

        Of what such a peer offers only that remains open for which it was asked: it may still come.
        After a minute that dies too, unless another peer offers it.
        """
        for peer, known in self._peers.items():
            if known.asked is None:
                continue
            if not known.tardy and _is_late(known, now):
                known.tardy = known.is_last = True
                self._release(peer, known.asked)
                self._withdraw_all(peer, known.offers.keys() - known.asked)
            if known.tardy and now - known.named_at >= WANT_BARREN_S:
                self._withdraw_all(peer, list(known.offers))

    def leave(self, peer: bytes) -> None:
        """The link to `peer` is gone, and with it what it offered."""
        known = self._peers.get(peer)
        if known is None:
            return
        self._release(peer, known.asked or ())
        self._withdraw_all(peer, list(known.offers))
        del self._peers[peer]

    def _askable(self, known: _Peer) -> Iterator[bytes]:
        """What nobody is asked for; of one that is asked last only what no other could give."""
        for one in known.offers:
            want = self._wants[one]
            if want.asked_of is not None:
                continue
            others = want.offered_by if known.is_last else ()
            if all(self._peers[other].is_last for other in others):
                yield one

    def _release(self, peer: bytes, ids: Iterable[bytes]) -> None:
        for one in ids:
            want = self._wants.get(one)
            if want is not None and want.asked_of == peer:
                want.asked_of = None

    def _withdraw_all(self, peer: bytes, ids: Iterable[bytes]) -> None:
        for one in ids:
            self._withdraw(one, peer)

    def _withdraw(self, one: bytes, peer: bytes) -> None:
        """`peer` no longer offers this id; without any offer the want dies."""
        want = self._wants[one]
        want.offered_by.discard(peer)
        self._peers[peer].offers.pop(one, None)
        if not want.offered_by:
            del self._wants[one]


def _is_late(known: _Peer, now: float) -> bool:
    return (
        now - known.heard_at >= ASK_NEXT_S
        or now - known.named_at >= WANT_BARREN_S
        or now - known.asked_at >= WANT_MOST_S
    )


@dataclass(slots=True)
class _Stream:
    peer: bytes
    window_began: float
    window_bytes: int = 0
    quiet_since: float = 0.0
    new_bytes: int = 0
    yielded_at: float = 0.0


class Streams:
    """The one STREAM per log in the whole node, and how fast it is."""

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self._reached: dict[int, bytes] = {}

    def claim(self, log: int, peer: bytes, now: float) -> bool:
        """Take the log for `peer`; False while another one streams it."""
        if log in self._streams:
            return False
        self._streams[log] = _Stream(peer, now, quiet_since=now, yielded_at=now)
        return True

    def peer_of(self, log: int) -> bytes | None:
        """Who streams this log to us now."""
        stream = self._streams.get(log)
        return stream.peer if stream else None

    def received(self, log: int, peer: bytes, size: int, now: float) -> None:
        """Note bytes of a page; enough of them start a new window."""
        stream = self._streams.get(log)
        if stream is None or stream.peer != peer:
            return
        stream.window_bytes += size
        stream.quiet_since = now
        if stream.window_bytes >= STREAM_WINDOW_BYTES:
            stream.window_began, stream.window_bytes = now, 0

    def yielded(self, peer: bytes, new_bytes: int, now: float) -> None:
        """Note what of a page was new here."""
        for stream in self._streams.values():
            if stream.peer == peer:
                stream.new_bytes += new_bytes
                if stream.new_bytes >= STREAM_WINDOW_BYTES:
                    stream.new_bytes, stream.yielded_at = 0, now

    def holds_up(self, log: int, peer: bytes, now: float) -> bool:
        """Whether a STREAM is reason enough not to reconcile this log with `peer` meanwhile."""
        stream = self._streams.get(log)
        return stream is not None and (
            stream.peer == peer or now - stream.yielded_at < STREAM_YIELD_S
        )

    def restart_window(self, peer: bytes, now: float) -> None:
        """We kept the peer waiting, or it answered to the end: that time does not count."""
        for stream in self._streams.values():
            if stream.peer == peer:
                stream.window_began, stream.window_bytes = now, 0
                stream.quiet_since = now

    def slow(self, now: float) -> list[tuple[int, bytes, float]]:
        """Streams under 64 KiB in their 10 s; their windows restart.

        Returns:
            (log, peer, seconds without a byte).
        """
        found = []
        for log, stream in self._streams.items():
            if now - stream.window_began >= STREAM_WINDOW_S:
                found.append((log, stream.peer, now - stream.quiet_since))
                stream.window_began, stream.window_bytes = now, 0
        return found

    def reach(self, log: int, position: bytes) -> None:
        """Remember how far a log has come in this run, so that the next peer goes on from there."""
        self._reached[log] = position

    def reached(self, log: int) -> bytes | None:
        """How far the log has come in this run, from whichever peer; None: not begun, or done."""
        return self._reached.get(log)

    def finish(self, log: int) -> None:
        """The log was streamed to its end."""
        self._reached.pop(log, None)

    def release(self, log: int, peer: bytes) -> None:
        """`peer` streams this log no more."""
        if self.peer_of(log) == peer:
            del self._streams[log]

    def leave(self, peer: bytes) -> None:
        """The link to `peer` is gone."""
        for log in [log for log, stream in self._streams.items() if stream.peer == peer]:
            del self._streams[log]
