"""What we asked one peer for, and what its OPS and GONE frames answer.

WANT and STREAM are answered in the order they were asked, each up to an empty OPS. Frames carry no
number, and operations pushed live may stand among them: what is said here bears that.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.forum.operation import HEADER_BYTES
from trayapp.sync.actions import Admit, Arrival, FindCursor, LookUp, StreamCursor
from trayapp.sync.answers import ANSWER_BYTES
from trayapp.sync.limits import NEWEST_ENOUGH_BYTES, PeerLimits
from trayapp.sync.line import Line
from trayapp.sync.messages import IDS_PER_FRAME, Ack, Ops, Stream, Want

LIVE_WANT_IDS = 100
"""A WANT of no more than this is news to be passed on; a longer one is part of a reconciliation."""

_SEQ = slice(4, 8)
_AUTHOR = slice(16, 48)


@dataclass(slots=True)
class _Wanted:
    """A WANT, and the ids its answer named so far."""

    ids: frozenset[bytes]
    given: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class _Page:
    """A STREAM request, and what came of its page so far."""

    log: int
    position: bytes | None
    operations: list[bytes] = field(default_factory=list)
    size: int = 0
    abandoned: bool = False


def operation_id(raw: bytes) -> bytes:
    """The id of an operation as it stands on the wire."""
    return hashlib.sha256(raw[:HEADER_BYTES]).digest()


def author(raw: bytes) -> bytes:
    """Who signed it, by its own claim."""
    return raw[_AUTHOR]


def position(raw: bytes) -> bytes:
    """Where a STREAM goes on behind this operation: author, seq, id."""
    return raw[_AUTHOR] + raw[_SEQ] + operation_id(raw)


class Asking:
    """The asker's half of WANT and STREAM on one link."""

    def __init__(self, line: Line, limits: PeerLimits) -> None:
        self._line = line
        self._limits = limits
        self._questions: deque[_Wanted | _Page] = deque()
        self._borrowed: set[int] = set()

    def want(self, now: float) -> None:
        """Ask for what this peer should be asked for now, if anything."""
        shared = self._line.shared
        if not shared.copies.taking:
            return
        if ids := shared.wants.ask(self._line.peer, now):
            self._line.say(Want(ids))
            self._questions.append(_Wanted(frozenset(ids)))

    def stream(self, log: int, now: float) -> None:
        """Begin a STREAM, unless another peer streams this log to us."""
        if self._line.shared.streams.claim(log, self._line.peer, now):
            self._line.do(FindCursor(log))

    def stream_from(self, log: int, kept: bytes | None, now: float) -> None:
        """Go on where the store says we were with this peer, or where another one left us."""
        streams = self._line.shared.streams
        if streams.peer_of(log) != self._line.peer:
            return
        reached = streams.reached(log)
        if kept is None and reached is not None:
            self._borrowed.add(log)
            kept = reached
        self._ask_page(log, kept, now)

    def abandon(self, log: int) -> None:
        """Take no more pages of this log from this peer; what is on its way is still stored."""
        for question in self._questions:
            if isinstance(question, _Page) and question.log == log:
                question.abandoned = True
        self._line.shared.streams.release(log, self._line.peer)
        self._line.pairs[log].streamed = self._line.pairs[log].theirs.count

    def page_stored(self, action: Admit, stored: Sequence[bytes], now: float) -> None:
        """End a STREAM whose pages bring what we hold already."""
        new, of = len(stored), len(action.operations)
        if not of or action.arrival is not Arrival.STREAMED:
            return
        new_bytes = sum(map(len, action.operations)) * new // of
        self._line.shared.streams.yielded(self._line.peer, new_bytes, now)
        cursor = action.cursor
        if cursor and cursor.position and self._line.pairs[cursor.log].page_stored(new, of):
            self.abandon(cursor.log)

    def gone(self, ids: Sequence[bytes]) -> None:
        """The peer does not hold these either."""
        for question in self._questions:
            if isinstance(question, _Wanted):
                question.given.update(question.ids.intersection(ids))

    def acknowledge(self, action: Admit, kept: Collection[bytes]) -> None:
        """ACK what came from its own author and is kept, even if another peer was faster.

        A first sync shows by its digest.
        """
        if action.arrival is Arrival.STREAMED:
            return
        own = [operation_id(raw) for raw in action.operations if author(raw) == self._line.peer]
        ids = tuple([one for one in own if one in kept])
        for at in range(0, len(ids), IDS_PER_FRAME):
            self._line.say(Ack(ids[at : at + IDS_PER_FRAME]))

    def operations(self, message: Ops, now: float) -> bool:
        """Take an OPS frame; True when it ended the answer to a WANT."""
        question = self._questions[0] if self._questions else None
        if message.operations:
            if isinstance(question, _Page):
                self._take_page(question, message.operations, now)
            else:
                self._take(question, message.operations, now)
            return False
        if question is None:
            return False
        self._questions.popleft()
        if isinstance(question, _Page):
            self._end_page(question, now)
            return False
        self._line.shared.wants.answered(self._line.peer, question.given)
        return True

    def _take(self, question: _Wanted | None, operations: tuple[bytes, ...], now: float) -> None:
        """Operations that are no part of a page: asked for by id, or pushed."""
        line = self._line
        ids = [operation_id(raw) for raw in operations]
        line.known.update(ids)
        seen, wants = line.shared.seen, line.shared.wants
        fresh = [  # and what its author waits to have acknowledged
            (one, raw)
            for one, raw in zip(ids, operations, strict=True)
            if one not in seen or author(raw) == line.peer
        ]
        wants.heard(line.peer, now)
        if question is not None:
            question.given.update(question.ids.intersection(ids))
            wants.named(line.peer, ids, now)
        if any(one in wants for one, _ in fresh):
            live = question is None or len(question.ids) <= LIVE_WANT_IDS
            raws = tuple([raw for _, raw in fresh])
            line.do(Admit(raws, Arrival.WANTED, pass_on=live))
        elif line.shared.copies.taking:
            self._take_pushed(fresh, now)

    def _take_pushed(self, fresh: list[tuple[bytes, bytes]], now: float) -> None:
        """What a peer pushes beyond its rate is asked for later, as if it had said HAVE."""
        taken: list[bytes] = []
        excess: list[bytes] = []
        for one, raw in fresh:
            if self._limits.gossip.take(len(raw), now):
                taken.append(raw)
            else:
                excess.append(one)
        if taken:
            self._line.do(Admit(tuple(taken), Arrival.PUSHED, pass_on=True))
        if excess and self._limits.offers.take(len(excess), now):
            self._line.do(LookUp(tuple(excess)))

    # --- STREAM ---

    def _ask_page(self, log: int, position: bytes | None, now: float) -> None:
        self._line.say(Stream(log, position))
        self._questions.append(_Page(log, position))
        self._line.shared.streams.restart_window(self._line.peer, now)

    def _take_page(self, page: _Page, operations: tuple[bytes, ...], now: float) -> None:
        size = sum(map(len, operations))
        page.size += size
        if page.size > 2 * ANSWER_BYTES:  # an answer, and what was pushed meanwhile
            raise RemoteProtocolError("A page of a stream does not end.", ErrorCode.TOO_BIG)
        self._line.shared.wants.heard(self._line.peer, now)
        self._line.shared.streams.received(page.log, self._line.peer, size, now)
        if page.position is None:
            # Each frame of the newest ones can be read at once.
            begun = page.size >= NEWEST_ENOUGH_BYTES > page.size - size
            cursor = StreamCursor(page.log, b"") if begun else None
            self._line.do(Admit(operations, Arrival.STREAMED, cursor))
        else:
            page.operations.extend(operations)

    def _end_page(self, page: _Page, now: float) -> None:
        """Ask for the next page before this one is stored, so that both go on at once."""
        operations = tuple(page.operations)
        if page.abandoned:
            if operations:
                self._line.do(Admit(operations, Arrival.STREAMED))
            return
        reached = self._reached(page)
        if reached is None or not self._line.shared.copies.taking:
            self._end_stream(page, over=reached is None)
            return
        self._ask_page(page.log, reached, now)
        self._line.do(Admit(operations, Arrival.STREAMED, StreamCursor(page.log, reached)))

    def _reached(self, page: _Page) -> bytes | None:
        """Where the next page begins; None at the end.

        The last frame before the end is the sender's page itself, whatever was pushed before it.
        A position that does not advance is a push of an old operation before an empty answer.
        """
        if not page.size:
            return None
        if page.position is None:
            return b""
        reached = position(page.operations[-1])
        return reached if reached > page.position else None

    def _end_stream(self, page: _Page, *, over: bool) -> None:
        line, log = self._line, page.log
        line.shared.streams.release(log, line.peer)
        cursor = None
        if over:
            cursor = StreamCursor(log, None)
            line.shared.streams.finish(log)
            line.pairs[log].due = True
            if log not in self._borrowed:
                line.pairs[log].streamed = line.pairs[log].theirs.count
            self._borrowed.discard(log)
        line.do(Admit(tuple(page.operations), Arrival.STREAMED, cursor))
