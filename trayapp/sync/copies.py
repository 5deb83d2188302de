"""Node-wide: what we hold, what each peer holds, and when it is time to reconcile (section 7).

SETTLED is kept per peer and log, and outlives the link: reconnecting is no reason to do it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from trayapp.sync.fingerprints import EMPTY
from trayapp.sync.limits import (
    ASK_NEXT_S,
    NEG_DECLINED_S,
    NEG_PAUSE_FACTOR,
    NEG_PAUSE_LEAST_S,
    NEG_PAUSE_MOST_S,
    NEG_PAUSE_S,
    STREAM_AT_LEAST,
    STREAM_IDLE_PAGES,
)
from trayapp.sync.messages import LogDigest

LOGS = (0, 1)
OPENER_AFTER = 2
"""Reports in a row that differ before the smaller copy reconciles; WELCOME counts as two."""
OTHER_AFTER = 4
"""The larger copy reconciles after two PINGs more without the smaller one stirring."""
BARREN_LIMIT = 3
"""After so many reconciliations in a row that gave nothing a peer no longer counts."""

_PEERS = 4_096
_DECLINES_COUNTED = 8
"""By then the pause has long reached its most; counted on, it would outgrow a number."""
_TAKEN = 20_000
_MUCH_MORE = 1.3
_NEW_ENOUGH = 10
"""A page of which not even the tenth part is new is an idle one."""


@dataclass(slots=True)
class _Attempt:
    """A finished reconciliation: the digests it set out from, and whether it gave anything."""

    ours: bytes
    theirs: bytes
    ended_at: float
    took: float
    learned: bool = False
    """We asked, so what differs is known here; the end that answers cannot tell what it gave."""
    gave: bool = False
    judged: bool = False


@dataclass(slots=True)
class Pair:
    """Our copy of one log and one peer's."""

    log: int
    theirs: LogDigest
    settled: bool = False
    differing: int = 0
    """Reports in a row, since the link stands, that showed another digest than ours."""
    due: bool = False
    """A STREAM has ended: a reconciliation settles the rest, whoever holds fewer."""
    began_at: float | None = None
    """A reconciliation is under way since then, opened by either end."""
    streamed: int = 0
    """Their count when a STREAM from them last came to its end, or came to nothing."""
    barren: int = 0
    """Reconciliations in a row that gave nothing."""
    is_idle: bool = False
    """Its STREAM brought nothing new: none from it any more while this link stands."""
    _idle_pages: int = 0
    _needs: set[bytes] = field(default_factory=set)
    """What the last reconciliation that we opened found to be theirs only."""
    _haves: set[bytes] = field(default_factory=set)
    """And to be ours only."""
    _taken: set[bytes] = field(default_factory=set)
    """What it asked for after earlier ones: to ask again proves nothing."""
    _learned: bool = False
    _gave: bool = False
    _declined: int = 0
    _not_before: float = 0.0
    _set_out: tuple[bytes, bytes] = (EMPTY, EMPTY)
    _last: _Attempt | None = None

    def match(self, ours: LogDigest) -> bool:
        """Whether we hold what the peer last said it holds; if so, that settles it."""
        if (ours.count, ours.digest16) != (self.theirs.count, self.theirs.digest16):
            return False
        self.settled, self.differing, self.due, self.barren = True, 0, False, 0
        if self._last:
            self._last.gave = True
        return True

    def compare(
        self, ours: LogDigest, now: float, *, certain: bool = False, busy: bool = False
    ) -> None:
        """Weigh what the peer has just said it holds, in `theirs`.

        Args:
            certain: WELCOME. In a PING one difference may be a post in flight; two are not.
            busy: operations are being fetched from the peer, so a difference tells nothing.
        """
        if self.match(ours) or busy or self.began_at is not None:
            return
        self._judge(ours, now)
        if self._nothing_left(ours):
            self.settled, self.differing = True, 0
            return
        self.differing += 2 if certain else 1
        if self.differing >= OPENER_AFTER:
            self.settled = False

    def may_reconcile(
        self, ours: LogDigest, now: float, *, smaller: bool, pause: float = NEG_PAUSE_LEAST_S
    ) -> bool:
        """Whether it is on us to open a reconciliation, and time for it.

        Args:
            smaller: ours is the smaller copy; of two that are equal in size, the lower key's.
            pause: seconds to let pass at the very least since the last one.
        """
        if self.settled or self.began_at is not None or now < self._not_before:
            return False
        patience = OPENER_AFTER if smaller else OTHER_AFTER
        if self.differing < patience and not self.due:
            return False
        last = self._last
        if last is None:
            return True
        pause = max(pause, min(NEG_PAUSE_FACTOR * last.took, NEG_PAUSE_MOST_S))
        if not last.gave and (last.learned or last.ours == ours.digest16):
            pause = max(pause, NEG_PAUSE_S)
        return now - last.ended_at >= pause

    def worth_a_stream(self, ours: LogDigest) -> bool:
        """Whether the peer has so much more that whole pages are cheaper than ids."""
        known = max(ours.count, self.streamed)
        return (
            not (self.settled or self.is_idle)
            and self.differing >= OPENER_AFTER
            and self.theirs.count - ours.count >= STREAM_AT_LEAST
            and self.theirs.count > known * _MUCH_MORE
        )

    def page_stored(self, new: int, of: int) -> bool:
        """Note how much of a STREAM's page was new; True when that STREAM should end."""
        self._idle_pages = 0 if new * _NEW_ENOUGH >= of else self._idle_pages + 1
        if self._idle_pages < STREAM_IDLE_PAGES:
            return False
        self.is_idle = self.due = True
        return True

    def begin(self, ours: LogDigest, now: float) -> None:
        """A reconciliation was opened, by either end."""
        self._judge(ours, now, at_last=True)
        self.began_at = now
        self.due = False
        self._set_out = (ours.digest16, self.theirs.digest16)
        self._needs.clear()
        self._haves.clear()
        self._learned = self._gave = False

    def learn(self, needs: Iterable[bytes], haves: Iterable[bytes]) -> None:
        """Note what the reconciliation we opened has found: by what comes of it, it is judged."""
        self._learned = True
        self._needs.update(needs)
        self._haves.update(haves)

    def stored(self, ids: Iterable[bytes]) -> None:
        """These are here now: some of them may be what the peer was found to hold."""
        if self._needs and not self._needs.isdisjoint(ids):
            self._gave_something()

    def taken(self, ids: Iterable[bytes]) -> None:
        """The peer asks for these: some may be what it was found to lack, each counts once."""
        taken = self._haves.intersection(ids)
        if not taken:
            return
        if not taken <= self._taken:
            self._gave_something()
        self._taken.update(taken)
        if len(self._taken) > _TAKEN:
            self._taken.clear()

    def _gave_something(self) -> None:
        self._gave = True
        if self._last and self.began_at is None and not self._last.judged:
            self._last.gave = True

    def decline(self, now: float) -> None:
        """The peer does not want to now: try again by ourselves, each time later."""
        pause = min(NEG_PAUSE_S, NEG_DECLINED_S * 2**self._declined)
        self.began_at, self.due = None, True
        self._declined = min(self._declined + 1, _DECLINES_COUNTED)
        self._not_before = now + pause

    def end(self, now: float, heard_at: float) -> None:
        """The reconciliation is over.

        Args:
            heard_at: when the peer last took part: waiting in vain for it is no cost.
        """
        if self.began_at is None:
            return
        ours, theirs = self._set_out
        took = max(0.0, heard_at - self.began_at)
        self._last = _Attempt(ours, theirs, now, took, self._learned, self._gave)
        self.began_at = None
        self.differing = self._declined = 0

    def leave(self) -> None:
        """The link is gone. What was not judged by now was cut short and proves nothing."""
        self.settled, self.differing, self.due, self.began_at = False, 0, False, None
        self.is_idle, self._idle_pages = False, 0
        if self._last and not self._last.judged:
            self._last = None

    def _judge(self, ours: LogDigest, now: float, *, at_last: bool = False) -> None:
        """See whether the last reconciliation gave anything, once there was time for it."""
        last = self._last
        if last is None or last.judged:
            return
        if last.ours != ours.digest16 and not last.learned:
            last.gave = True
        if (last.ours, last.theirs) == (ours.digest16, self.theirs.digest16):
            last.gave = False  # whatever it asked us for, it did not keep
        if not last.gave and not at_last and now - last.ended_at < ASK_NEXT_S:
            return
        last.judged = True
        self.barren = 0 if last.gave else self.barren + 1

    def _nothing_left(self, ours: LogDigest) -> bool:
        """A finished reconciliation of just these digests changed neither."""
        last = self._last
        return (
            last is not None
            and last.judged
            and (last.ours, last.theirs) == (ours.digest16, self.theirs.digest16)
        )


@dataclass(slots=True)
class Copies:
    """What we hold by the last look at the store, and a pair for each peer and log."""

    ours: dict[int, LogDigest] = field(
        default_factory=lambda: {log: LogDigest(log, 0, EMPTY) for log in LOGS}
    )
    taking: bool = True
    """False: short of room, we ask for nothing."""
    _pairs: dict[bytes, tuple[Pair, ...]] = field(default_factory=dict)

    def hold(self, digests: Iterable[tuple[int, bytes]], *, taking: bool = True) -> None:
        """Note count and digest16 of log 0, log 1 as they are committed."""
        self.taking = taking
        for log, (count, digest16) in zip(LOGS, digests, strict=True):
            self.ours[log] = LogDigest(log, count, digest16)

    def stored(self, ids: Collection[bytes]) -> None:
        """These are here now, whoever sent them."""
        for pairs in self._pairs.values():
            for pair in pairs:
                pair.stored(ids)

    @property
    def listed(self) -> tuple[LogDigest, ...]:
        """Our digests for WELCOME and PING; an empty log goes without saying."""
        return tuple(self.ours[log] for log in LOGS if self.ours[log].count)

    @property
    def count(self) -> int:
        """How many operations we hold."""
        return sum(digest.count for digest in self.ours.values())

    def with_peer(self, peer: bytes) -> tuple[Pair, ...]:
        """The pair of each log, made when first asked for."""
        pairs = self._pairs.pop(peer, None)
        if pairs is None:
            pairs = tuple(Pair(log, LogDigest(log, 0, EMPTY)) for log in LOGS)
            if len(self._pairs) >= _PEERS:
                del self._pairs[next(iter(self._pairs))]
        self._pairs[peer] = pairs  # the one asked for last is forgotten last
        return pairs


def listed_for(log: int, digests: Iterable[LogDigest]) -> LogDigest:
    """What a peer says of one log; a log it does not list is empty."""
    for digest in digests:
        if digest.log == log:
            return digest
    return LogDigest(log, 0, EMPTY)
