"""How much one peer may ask of us, and how much we ask of it. Numbers, and buckets that hold them.

Nothing here drops anything for good: what is over a limit comes again by HAVE or reconciliation.
"""

from __future__ import annotations

OPS_FRAME_BYTES = 65_536
"""We fill OPS frames up to here: a slow link still shows life, and other frames get in between."""
OPEN_WANTS = 20_000
"""While as many ids are open, a peer gets no more room than `PEER_WANTS`."""
PEER_WANTS = 4_000
"""While a peer's offers hold as many ids open, no further NEG of it is read: nobody waits for what
another one claims."""
PEER_WANTS_MOST = 12_288
"""Room for the 8,192 ids of one more NEG_MSG. What is more is forgotten, and found again."""
PENDING_REQUESTS = 8
"""Requests a peer may have waiting here. An honest one has a WANT and two STREAMs."""

ASK_NEXT_S = 10.0
"""A peer that sends no OPS for so long after a WANT is asked last from then on."""
WANT_BARREN_S = 60.0
"""As is one that sends none of what it was asked for, whatever else it sends meanwhile."""
WANT_MOST_S = 600.0
"""An answer of 4 MiB takes no longer, not even over a link of 7 kB/s."""
STREAM_WINDOW_S = 10.0
STREAM_WINDOW_BYTES = 65_536
"""A STREAM slower than this many bytes in the window moves to the next peer."""
STREAM_SILENT_S = 30.0
"""One without a byte for so long is given up even where there is no next peer."""
STREAM_YIELD_S = 30.0
"""One that brought no 64 KiB of new operations in so long keeps nobody from reconciling."""
STREAM_IDLE_PAGES = 8
"""After so many pages in a row with hardly anything new a STREAM ends, and a NEG does the rest."""
NEWEST_ENOUGH_BYTES = 262_144
"""Cut off after so many of the newest operations, a STREAM goes on with its pages: the rest of the
newest comes by reconciliation, and nothing comes twice."""
STREAM_AT_LEAST = 100
"""A STREAM for fewer operations than this would cost more than a reconciliation."""

PING_S = 30.0
PING_SPREAD = 0.5
"""A PING every 30 s, 50 % sooner or later, so that a thousand peers do not ping in step."""
SILENCE_S = 45.0
"""A peer that owes a PONG and says nothing at all for so long is gone."""
RECHECK_S = 2.0
"""After digests differed once: ask again this soon whether it was only a post in flight."""
BATCH_PING_S = 1.0
"""After a batch from NEG or STREAM the others are pinged at once, but no more often than this."""
HURRY_PING_S = 0.25
"""So much apart are the PINGs that tell of copies made equal. More than 5 a second end a link."""

NEG_PAUSE_S = 60.0
"""After a NEG that gave nothing the pair rests for so long."""
NEG_PAUSE_FACTOR = 10.0
NEG_PAUSE_LEAST_S = 1.0
NEG_PAUSE_MOST_S = 30.0
"""After one that gave something: ten times what it took, within these bounds. A machine that slept
amid one would rest for many minutes otherwise."""
NEG_DECLINED_S = 5.0
"""A peer that declines, as it streams the log itself, is asked again then, and less and less."""
NEG_SILENCE_S = 60.0
"""A reconciliation in which the other end keeps silent for so long is given up."""
NEG_ROUNDS = 64
"""Half a million ids. A talk of more is ended: what it gave is kept, and the next one goes on."""
NEG_NEEDS_MARGIN = 1_024
"""A peer may name twice what it said it holds, as full messages repeat some, and so many more."""
NEG_CPU_SHARE = 0.25

QUEUE_PUSH_BYTES = 262_144
"""More than this unsent to a peer: no more pushes, it hears of new operations by HAVE."""
QUEUE_TELL_BYTES = 1_048_576
"""More than this: not even HAVE. The digests of the next PING tell that something is missing."""
QUEUE_STUCK_BYTES = 16 * 1_048_576
"""More than this: the link is stuck and is closed."""


class Bucket:
    """So much per second, and a second's worth (or `burst`) at once."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float | None = None) -> None:
        """Start full.

        Args:
            rate: what flows in per second.
            burst: what it holds; a second's worth if not given.
        """
        self._rate = rate
        self._burst = rate if burst is None else burst
        self._level = self._burst
        self._at = 0.0

    def take(self, amount: float, now: float) -> bool:
        """Take `amount` out if it is there; otherwise take nothing and return False."""
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if amount > self._level:
            return False
        self._level -= amount
        return True


class GossipRate:
    """200 operations and 2 MB a second: pushed to one peer, or taken from it unasked."""

    __slots__ = ("_bytes", "_operations")

    def __init__(self, share: float = 1.0) -> None:
        """Limit one direction; `share` > 1 forgives what the other end's clock measured apart."""
        self._operations = Bucket(200 * share)
        self._bytes = Bucket(2_000_000 * share)

    def take(self, size: int, now: float) -> bool:
        """Whether one more operation of `size` bytes is within the limit; it counts if so."""
        return self._operations.take(1, now) and self._bytes.take(size, now)


class PeerLimits:
    """What one peer may make us do. Over a limit its hints go unheard; its PINGs end the link."""

    __slots__ = ("acks", "addresses", "gossip", "offers", "pings")

    def __init__(self) -> None:
        self.gossip = GossipRate(2.0)
        self.offers = Bucket(20_000)
        """Ids in HAVE frames; each is looked up in the store."""
        self.acks = Bucket(2_000)
        self.pings = Bucket(5, 20)
        self.addresses = Bucket(5, 80)
        """Frames of addresses: a bootstrap begins with 4,000 records in 63 of them."""


class CpuBudget:
    """250 ms of negentropy per second, for all peers together."""

    __slots__ = ("_busy_until", "_share")

    def __init__(self, share: float = NEG_CPU_SHARE) -> None:
        self._share = share
        self._busy_until = 0.0

    def spend(self, seconds: float, now: float) -> None:
        """Note work that has just been done."""
        self._busy_until = max(self._busy_until, now) + seconds / self._share

    def wait(self, now: float) -> float:
        """How many seconds to wait before the next piece of work; a second's worth is free."""
        return max(0.0, self._busy_until - now - 1.0)


class PageSize:
    """How many bytes the next page of a STREAM has: about half a second's worth of the link."""

    __slots__ = ("_answered", "bytes")

    LEAST = 65_536
    MOST = 1_048_576
    FAST_S = 0.5
    SLOW_S = 2.0

    def __init__(self) -> None:
        self.bytes = self.LEAST
        self._answered: float | None = None

    def asked(self, now: float) -> int:
        """The peer asks for its next page: learn from how long it took over the last one."""
        if self._answered is not None:
            took = now - self._answered
            if took < self.FAST_S:
                self.bytes = min(self.bytes * 2, self.MOST)
            elif took > self.SLOW_S:
                self.bytes = max(self.bytes // 2, self.LEAST)
        return self.bytes

    def answered(self, now: float) -> None:
        """The page is on its way."""
        self._answered = now
