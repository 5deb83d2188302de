"""PING and PONG of one link: is the peer there, how far away, and what does it hold by now."""

from __future__ import annotations

from collections.abc import Callable

from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync import limits
from trayapp.sync.actions import Compare, SayPing
from trayapp.sync.copies import OPENER_AFTER, listed_for
from trayapp.sync.line import Line
from trayapp.sync.messages import LogDigests, Ping, Pong

WELCOME_S = 10.0
_OWED = 16


class Pulse:
    """When to ping, and what the answers say."""

    def __init__(
        self,
        line: Line,
        peer_limits: limits.PeerLimits,
        now: float,
        random: Callable[[], float],
    ) -> None:
        self.latency_s: float | None = None
        self._line = line
        self._limits = peer_limits
        self._random = random
        self._began_at = self._heard_at = now
        self._pinged_at = now - limits.BATCH_PING_S
        self._nonce = 0
        self._owed: dict[int, float] = {}
        """PINGs without a PONG yet: nonce and when."""
        self._due_at = now + self._pause()
        self._queued = False

    def heard(self, now: float) -> None:
        """The peer gave a sign of life."""
        self._heard_at = now

    def holds(self, digests: LogDigests) -> None:
        """The peer says what it holds."""
        for pair in self._line.pairs:
            pair.theirs = listed_for(pair.log, digests)

    def compare(self, action: Compare, now: float, clock_ms: int) -> None:
        """Our digests are fresh: weigh theirs against them, and answer their PING."""
        shared = self._line.shared
        busy = bool(shared.wants.offered(self._line.peer))
        for pair in self._line.pairs:
            pair.compare(shared.copies.ours[pair.log], now, certain=action.certain, busy=busy)
            if 0 < pair.differing < OPENER_AFTER:
                self._due_at = min(self._due_at, now + limits.RECHECK_S)
        if action.answer_ping is not None:
            copies = shared.copies
            self._line.say(Pong(action.answer_ping, clock_ms, copies.taking, copies.listed))

    def ping(self, now: float, clock_ms: int) -> None:
        """Our digests are fresh: say PING."""
        self._queued = False
        self._nonce += 1
        self._owed[self._nonce] = now
        if len(self._owed) > _OWED:
            del self._owed[next(iter(self._owed))]
        copies = self._line.shared.copies
        self._line.say(Ping(self._nonce, clock_ms, copies.taking, copies.listed))
        self._pinged_at = now
        self._due_at = now + self._pause()

    def pinged(self, message: Ping, now: float) -> None:
        """The peer says PING."""
        if not self._limits.pings.take(1, now):
            raise RemoteProtocolError("Too many PINGs.", ErrorCode.RATE)
        self._line.their_taking = message.taking
        self.holds(message.digests)
        self._line.do(Compare(answer_ping=message.nonce))

    def ponged(self, message: Pong, now: float) -> None:
        """The peer answers a PING; one that nobody asked for is ignored."""
        sent_at = self._owed.pop(message.nonce, None)
        if sent_at is None:
            return
        self.latency_s = now - sent_at
        self._owed = {nonce: at for nonce, at in self._owed.items() if nonce > message.nonce}
        self._line.their_taking = message.taking
        self.holds(message.digests)
        self._line.do(Compare())

    def tick(self, now: float) -> None:
        """Ping when it is time."""
        if now >= self._due_at and not self._queued:
            self._queued = True
            self._line.do(SayPing())

    def hurry(self, now: float) -> None:
        """Our copy has just become what the peer should know: ping at once, if not just done."""
        self._due_at = min(self._due_at, max(now, self._pinged_at + limits.HURRY_PING_S))
        self.tick(now)

    def after_batch(self, now: float) -> None:
        """Many operations came from elsewhere: ping soon, at most once a second, one at a time."""
        if not self._owed:
            self._due_at = min(self._due_at, max(now, self._pinged_at + limits.BATCH_PING_S))

    def late_welcome(self, now: float) -> str:
        """What is wrong while there is no WELCOME; empty if nothing is."""
        late = now - self._began_at >= WELCOME_S
        return "It said no WELCOME in time." if late else ""

    def silence(self, now: float) -> str:
        """What is wrong with a peer that owes a PONG and says nothing; empty if nothing is."""
        since = max(next(iter(self._owed.values()), now), self._heard_at)
        silent = now - since >= limits.SILENCE_S
        return f"It has been silent for {limits.SILENCE_S:.0f} seconds." if silent else ""

    def _pause(self) -> float:
        return limits.PING_S * (1 + limits.PING_SPREAD * (2 * self._random() - 1))
