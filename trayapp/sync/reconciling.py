"""The NEG conversations of one link: at most one that we opened and one of the peer's, per log.

Numbers of sessions we choose are even where our key is the lower one, odd otherwise, so that two
that cross are told apart. The ranges themselves are the matter of `negentropy.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trayapp.errors import RemoteProtocolError
from trayapp.sync.actions import EndReconcile, Reconcile
from trayapp.sync.copies import LOGS
from trayapp.sync.limits import NEG_NEEDS_MARGIN, NEG_ROUNDS, NEG_SILENCE_S
from trayapp.sync.line import Line
from trayapp.sync.messages import NegClose, NegMsg, NegOpen

_NUMBERS = 1 << 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step of negentropy gave."""

    reply: bytes | None
    """What to send; None when the asking end knows all."""
    have: tuple[bytes, ...] = ()
    """Newly found to be ours only."""
    need: tuple[bytes, ...] = ()
    """Newly found to be theirs only, and missing here."""


@dataclass(slots=True)
class _Talk:
    number: int
    heard_at: float
    answered: bool = False
    """The peer has said something in it."""
    waiting: bytes | None = None
    """A message that is not read while too many wants are open."""
    rounds: int = 0
    needed: int = 0
    """So many ids it named that are missing here."""


class Reconciling:
    """Both halves of NEG on one link."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._asking: dict[int, _Talk] = {}
        self._answering: dict[int, _Talk] = {}
        self._steps: set[tuple[int, bool]] = set()
        """Steps the shell is at: (log, asking). It never has two of one kind to do."""
        self._next = 0 if line.me < line.peer else 1

    def is_busy(self, log: int) -> bool:
        """Whether we are asking about this log, or still at work for it."""
        return log in self._asking or (log, True) in self._steps

    def open(self, log: int, now: float) -> None:
        """Begin to reconcile a log."""
        number, self._next = self._next, (self._next + 2) % _NUMBERS
        self._asking[log] = _Talk(number, now)
        self._begin(log, now)
        self._step(Reconcile(log, number, asking=True, message=None, first=True))

    def opened(self, message: NegOpen, now: float) -> None:
        """The peer begins one. Declined while the log streams in, or its last one is at work."""
        log = message.log
        if log not in LOGS:
            return
        busy = (log, False) in self._steps
        streamed = self._line.shared.streams.holds_up(log, self._line.peer, now)
        if busy or streamed:
            self._line.say(NegClose(message.session, log))
            return
        self._answering[log] = _Talk(message.session, now)
        self._begin(log, now)
        first = Reconcile(log, message.session, asking=False, message=message.message, first=True)
        self._step(first)

    def heard(self, message: NegMsg, now: float) -> None:
        """The next message of a conversation; one of a closed conversation is ignored."""
        found = self._find(message.session, message.log)
        if found is None:
            return
        asking, talk = found
        if (message.log, asking) in self._steps or talk.waiting is not None:
            raise RemoteProtocolError("A reconciliation message out of turn.")
        talk.heard_at, talk.answered = now, True
        if asking and self._line.shared.wants.is_full(self._line.peer):
            talk.waiting = message.message
            return
        self._step(Reconcile(message.log, talk.number, asking, message.message))

    def closed(self, message: NegClose, now: float) -> None:
        """The peer ends one: it knows all, or declines."""
        if found := self._find(message.session, message.log):
            self._end(message.log, found[0], now)

    def reconciled(self, step: Reconcile, outcome: Outcome, now: float) -> bool:
        """Take what a step gave; True when we now know all that differs.

        A talk that outgrows what an honest peer has to say is over as well. If it gave nothing,
        the pair rests, as after any that gave nothing.
        """
        self._steps.discard((step.log, step.asking))
        talks = self._asking if step.asking else self._answering
        talk = talks.get(step.log)
        if talk is None or talk.number != step.number:
            return False
        talk.heard_at = now
        line = self._line
        if step.asking:
            line.pairs[step.log].learn(outcome.need, outcome.have)
        for one in outcome.have:
            line.outbox.tell(one)
        if line.shared.copies.taking:
            line.shared.wants.offer(line.peer, outcome.need)
        if outcome.reply is None or (step.asking and self._is_endless(talk, step, outcome)):
            line.say(NegClose(talk.number, step.log))
            self._end(step.log, True, now)
            return outcome.reply is None
        opening = step.asking and step.first
        line.say((NegOpen if opening else NegMsg)(talk.number, step.log, outcome.reply))
        return False

    def tick(self, now: float) -> None:
        """Read on where wants have drained, and give up what has fallen silent."""
        for log, talk in list(self._asking.items()):
            if talk.waiting is not None:
                self._read_on(log, talk, now)
            elif now - talk.heard_at >= NEG_SILENCE_S and (log, True) not in self._steps:
                self._line.say(NegClose(talk.number, log))
                self._end(log, True, now)
        for log, talk in list(self._answering.items()):
            if now - talk.heard_at >= 2 * NEG_SILENCE_S and (log, False) not in self._steps:
                self._end(log, False, now)

    def _read_on(self, log: int, talk: _Talk, now: float) -> None:
        talk.heard_at = now
        if not self._line.shared.wants.is_full(self._line.peer):
            message, talk.waiting = talk.waiting, None
            self._step(Reconcile(log, talk.number, asking=True, message=message))

    def _is_endless(self, talk: _Talk, step: Reconcile, outcome: Outcome) -> bool:
        """Count a message of the peer's; whether it has said more than it can have to say."""
        talk.rounds += not step.first
        talk.needed += len(outcome.need)
        claimed = self._line.pairs[step.log].theirs.count
        return talk.rounds >= NEG_ROUNDS or talk.needed > 2 * claimed + NEG_NEEDS_MARGIN

    def _begin(self, log: int, now: float) -> None:
        self._line.pairs[log].begin(self._line.shared.copies.ours[log], now)

    def _end(self, log: int, asking: bool, now: float) -> None:
        ended, other = (
            (self._asking, self._answering) if asking else (self._answering, self._asking)
        )
        talk, pair = ended.pop(log), self._line.pairs[log]
        if log not in other:
            if talk.answered or not asking:
                pair.end(now, talk.heard_at)
            else:
                pair.decline(now)
        self._line.do(EndReconcile(log, asking))

    def _find(self, number: int, log: int) -> tuple[bool, _Talk] | None:
        """The conversation of this number: (whether we opened it, the conversation)."""
        halves: Iterable[tuple[bool, dict[int, _Talk]]] = (
            (True, self._asking),
            (False, self._answering),
        )
        for asking, talks in halves:
            talk = talks.get(log)
            if talk is not None and talk.number == number:
                return asking, talk
        return None

    def _step(self, step: Reconcile) -> None:
        self._steps.add((step.log, step.asking))
        self._line.do(step)
