"""One conversation with one peer, from WELCOME to the end of the link. Sans-IO.

Frames go in by `receive`, frames come out by `data_to_send`, and `Action`s say what the shell is to
do at the store; their results come back by the methods further down. HELLO and AUTH are the matter
of `peers/channel.py`. The parts: `pulse asking serving reconciling agreeing gossip`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any, TypeAlias

from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync import limits, messages
from trayapp.sync.actions import (
    Action,
    Admit,
    Compare,
    HearRecords,
    LookUp,
    NoteAck,
    Reconcile,
    SendOperations,
    SendPage,
    Welcomed,
)
from trayapp.sync.agreeing import Agreeing
from trayapp.sync.asking import Asking
from trayapp.sync.copies import Pair
from trayapp.sync.gossip import Gossip
from trayapp.sync.line import Line, Shared
from trayapp.sync.messages import (
    Ack,
    Announce,
    Err,
    Gone,
    Have,
    LogDigest,
    Message,
    NegClose,
    NegMsg,
    NegOpen,
    Ops,
    Peers,
    Ping,
    Pong,
    Role,
    Stream,
    Want,
    Welcome,
)
from trayapp.sync.pulse import Pulse
from trayapp.sync.reconciling import Outcome, Reconciling
from trayapp.sync.serving import Serving


class State(Enum):
    """Where a session stands. What may be said in which is the table at the end."""

    GREETING = "greeting"
    READY = "ready"
    CLOSED = "closed"


class Session:
    """What is said on one link. After every call that changes it: `actions`, `data_to_send`."""

    def __init__(
        self, me: bytes, peer: bytes, shared: Shared, now: float, random: Callable[[], float]
    ) -> None:
        """Begin; `greet` is next.

        Args:
            me, peer: device keys.
            now: seconds of a clock that never goes back; the same clock in every call.
            random: gives numbers in [0, 1) that spread the PINGs.
        """
        self.peer = peer
        self.state = State.GREETING
        self.role = Role.PEER
        self.farewell: tuple[int, str] | None = None
        """Why it ended: an ErrorCode or a newer version's, 0 for none, and words."""
        self._greeted_with: tuple[LogDigest, ...] = ()
        self._line = Line(me, peer, shared)
        self._limits = limits.PeerLimits()
        self._gossip = Gossip(self._line.outbox, self._line.known)
        self._pulse = Pulse(self._line, self._limits, now, random)
        self._asking = Asking(self._line, self._limits)
        self._serving = Serving(self._line)
        self._reconciling = Reconciling(self._line)
        self._agreeing = Agreeing(self._line, self._asking, self._serving, self._reconciling)

    # --- what the shell reads ---

    def actions(self) -> list[Action]:
        """Hand over what is to be done, in order, each only once."""
        actions, self._line.actions = self._line.actions, []
        return actions

    def data_to_send(self, most_bytes: int | None = None) -> list[bytes]:
        """Hand over the frames to send now, oldest first, each only once.

        Args:
            most_bytes: stop after so many; the frame that passes the limit is still handed over.
        """
        return self._line.outbox.take(most_bytes)

    @property
    def unsent_bytes(self) -> int:
        """How much `data_to_send` would still give."""
        return self._line.outbox.unsent_bytes

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Our copy and the peer's, log by log."""
        return self._line.pairs

    @property
    def latency_s(self) -> float | None:
        """The last round trip of a PING."""
        return self._pulse.latency_s

    @property
    def their_taking(self) -> bool:
        """False: the peer is short of room."""
        return self._line.their_taking

    @property
    def is_settled(self) -> bool:
        """Both logs SETTLED: digests equal, or nothing left that either side will take."""
        return all(pair.settled for pair in self._line.pairs)

    @property
    def is_equal(self) -> bool:
        """The peer holds all we hold, and nothing else, by what it last said."""
        ours = self._line.shared.copies.ours
        return all(pair.theirs == ours[pair.log] for pair in self._line.pairs)

    def wants_stream(self, log: int) -> bool:
        """Whether this peer could go on with the STREAM of a log."""
        ours = self._line.shared.copies.ours[log]
        return self.state is State.READY and self._line.pairs[log].worth_a_stream(ours)

    # --- what the peer says ---

    def receive(self, data: bytes, now: float) -> list[Action]:
        """Take one frame; return what it means for us, in the order to act on it.

        Raises:
            RemoteProtocolError: the peer broke the rules. The session is closed; send what
                `data_to_send` still holds, then hang up.
        """
        if self.state is State.CLOSED:  # still in flight when we hung up
            return []
        self._pulse.heard(now)
        try:
            message = messages.decode(data)
            if message is not None:
                self._react(message, now)
        except RemoteProtocolError as error:
            self.close(error.error_code, str(error))
            raise
        return self.actions()

    def resume(self, now: float) -> None:
        """We were too busy to hear the peer: its time starts again."""
        self._pulse.heard(now)
        self._line.shared.wants.heard(self.peer, now)

    # --- what the shell has done ---

    def greet(self, observed: str, role: Role) -> None:
        """Say WELCOME, with the digests of the last look at the store."""
        self._greeted_with = self._line.shared.copies.listed
        self._line.say(Welcome(self._greeted_with, observed, role))

    def compare(self, action: Compare, now: float, clock_ms: int) -> None:
        """Our digests are fresh: answer the PING, and see how far the copies agree."""
        if self.state is State.READY:
            self._pulse.compare(action, now, clock_ms)
            if action.certain and self._greeted_with != self._line.shared.copies.listed:
                self._pulse.hurry(now)  # posted while the link came about: the peer cannot know
            self._agreeing.agree(now)

    def ping(self, now: float, clock_ms: int) -> None:
        """Our digests are fresh: say PING."""
        if self.state is State.READY:
            self._pulse.ping(now, clock_ms)

    def lack(self, ids: Sequence[bytes], now: float) -> None:
        """These of the ids the peer offered are missing here."""
        if self.state is State.READY:
            self._line.shared.wants.offer(self.peer, ids)
            self._asking.want(now)

    def admitted(
        self, action: Admit, stored: Sequence[bytes], now: float, held: Sequence[bytes] = ()
    ) -> None:
        """The operations of `action` are committed, our digests fresh.

        Args:
            stored: those that are new.
            held: those that were here before.
        """
        shared = self._line.shared
        shared.wants.stored(stored)
        shared.copies.stored(stored)
        shared.seen.update(stored)
        if action.cursor is not None and action.cursor.position:
            shared.streams.reach(action.cursor.log, action.cursor.position)
        if self.state is not State.READY:
            return
        shared.streams.restart_window(self.peer, now)
        self._asking.acknowledge(action, {*stored, *held})
        self._asking.page_stored(action, stored, now)
        for pair in self._line.pairs:
            if not pair.settled and pair.match(shared.copies.ours[pair.log]):
                self._pulse.hurry(now)  # the peer cannot know that this made the copies equal
        self._agreeing.agree(now)

    def answer(
        self,
        request: SendOperations | SendPage,
        operations: Sequence[bytes],
        gone: Sequence[bytes],
        now: float,
    ) -> None:
        """Send the answer to a request.

        Args:
            operations: wire bytes, the delete of an erased one before it.
            gone: ids asked for and not held.
        """
        if self.state is State.READY:
            self._serving.answer(request, operations, gone, now)

    def stream_from(self, log: int, kept: bytes | None, now: float) -> None:
        """The cursor the store keeps for this peer and log; None if it keeps none."""
        if self.state is State.READY:
            self._asking.stream_from(log, kept, now)

    def reconciled(self, step: Reconcile, outcome: Outcome, now: float) -> None:
        """What a step of negentropy gave."""
        if self.state is not State.READY:
            return
        knows_all = self._reconciling.reconciled(step, outcome, now)
        self._asking.want(now)
        if knows_all and not self._line.shared.wants.offered(self.peer):
            self._pulse.hurry(now)

    # --- what we say by ourselves ---

    def offer(
        self, operations: Sequence[tuple[bytes, bytes]], push: Collection[bytes], now: float
    ) -> None:
        """Tell of new operations: push some, HAVE for the rest and for what is over a limit.

        Args:
            operations: (id, wire bytes).
            push: ids of those to push.
        """
        if self.state is State.READY and self._line.their_taking:
            self._gossip.offer(operations, push, now)

    def say_addresses(self, message: Peers | Announce) -> None:
        """Tell where machines can be reached."""
        if self.state is State.READY:
            self._line.say(message)

    def ping_after_batch(self, now: float) -> None:
        """Many operations came from elsewhere: say so soon, but at most once a second."""
        self._pulse.after_batch(now)

    def abandon_stream(self, log: int) -> None:
        """The STREAM of this log is too slow: another peer goes on with it."""
        self._asking.abandon(log)

    def tick(self, now: float) -> list[Action]:
        """Do what time asks for; call it a few times a second. It may close the session."""
        if self.state is not State.CLOSED and (problem := self._overdue(now)):
            self.close(ErrorCode.TIMEOUT, problem)
        if self.state is State.READY:
            self._pulse.tick(now)
            self._reconciling.tick(now)
            self._asking.want(now)
            self._agreeing.agree(now)
        return self.actions()

    def close(self, code: ErrorCode | None = None, text: str = "") -> None:
        """End the session; with a code the peer is told why. What was queued is dropped."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self.farewell = (code or 0, text)
        self._line.outbox.clear()
        self._line.actions = []
        if code is not None:
            self._line.say(Err(code, 0, text[: messages.TEXT_CHARS]))
        self._line.shared.wants.leave(self.peer)
        self._line.shared.streams.leave(self.peer)
        for pair in self._line.pairs:
            pair.leave()

    # --- private ---

    def _react(self, message: Message, now: float) -> None:
        reaction = _REACTIONS[self.state].get(type(message))
        if reaction is None:
            name = type(message).__name__
            raise RemoteProtocolError(f"A {name} while {self.state.value}.", ErrorCode.STATE)
        reaction(self, message, now)

    def _welcome(self, message: Welcome, _now: float) -> None:
        self.state = State.READY
        self.role = message.role
        self._pulse.holds(message.digests)
        self._line.do(Welcomed(message.role, message.observed))
        self._line.do(Compare(certain=True))

    def _err(self, message: Err, _now: float) -> None:
        self.close()
        self.farewell = (message.code, message.text)

    def _ping(self, message: Ping, now: float) -> None:
        self._pulse.pinged(message, now)

    def _pong(self, message: Pong, now: float) -> None:
        self._pulse.ponged(message, now)

    def _have(self, message: Have, now: float) -> None:
        self._line.known.update(message.ids)
        shared = self._line.shared
        ids = tuple([one for one in message.ids if one not in shared.seen])
        if ids and shared.copies.taking and self._limits.offers.take(len(ids), now):
            self._line.do(LookUp(ids))

    def _want(self, message: Want, _now: float) -> None:
        for pair in self._line.pairs:
            pair.taken(message.ids)
        self._serving.wanted(message)

    def _stream(self, message: Stream, now: float) -> None:
        self._serving.streamed(message, now)

    def _ops(self, message: Ops, now: float) -> None:
        if not self._asking.operations(message, now):
            return
        self._asking.want(now)
        if not (self.is_settled or self._line.shared.wants.offered(self.peer)):
            self._pulse.hurry(now)

    def _gone(self, message: Gone, now: float) -> None:
        ids = [one for one, _ in message.entries]
        self._asking.gone(ids)
        self._line.shared.wants.named(self.peer, ids, now)

    def _ack(self, message: Ack, now: float) -> None:
        if message.ids and self._limits.acks.take(len(message.ids), now):
            self._line.do(NoteAck(message.ids))

    def _peers(self, message: Peers, now: float) -> None:
        if self._limits.addresses.take(1, now):
            self._line.do(HearRecords(message.add, message.gone))

    def _announce(self, message: Announce, now: float) -> None:
        if self._limits.addresses.take(1, now):
            self._line.do(HearRecords((message.signed,)))

    def _neg_open(self, message: NegOpen, now: float) -> None:
        self._reconciling.opened(message, now)

    def _neg_msg(self, message: NegMsg, now: float) -> None:
        self._reconciling.heard(message, now)

    def _neg_close(self, message: NegClose, now: float) -> None:
        self._reconciling.closed(message, now)

    def _overdue(self, now: float) -> str:
        """What the peer has kept us waiting for too long, in words."""
        if self.state is State.GREETING:
            return self._pulse.late_welcome(now)
        if self.unsent_bytes > limits.QUEUE_STUCK_BYTES:
            return "It does not read what it is sent."
        return self._pulse.silence(now)


_Reaction: TypeAlias = Callable[[Session, Any, float], None]

# What may be said in which state, and who takes it.
_REACTIONS: dict[State, dict[type[Message], _Reaction]] = {
    State.GREETING: {Welcome: Session._welcome, Err: Session._err},
    State.READY: {
        Err: Session._err,
        Ping: Session._ping,
        Pong: Session._pong,
        Peers: Session._peers,
        Announce: Session._announce,
        NegOpen: Session._neg_open,
        NegMsg: Session._neg_msg,
        NegClose: Session._neg_close,
        Have: Session._have,
        Want: Session._want,
        Ops: Session._ops,
        Gone: Session._gone,
        Stream: Session._stream,
        Ack: Session._ack,
    },
    State.CLOSED: {},
}
