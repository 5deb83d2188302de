"""What one peer asked us for: WANT and STREAM, answered in the order they came."""

from __future__ import annotations

from collections.abc import Sequence

from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync import limits
from trayapp.sync.actions import SendOperations, SendPage
from trayapp.sync.answers import ANSWER_BYTES, pack_operations
from trayapp.sync.copies import LOGS
from trayapp.sync.line import Line
from trayapp.sync.messages import NOT_HELD, Gone, Message, Stream, Want


class Serving:
    """The answerer's half of WANT and STREAM on one link."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._open = 0
        self._answered_at: float | None = None
        self._pages = {log: limits.PageSize() for log in LOGS}

    def is_busy(self, now: float) -> bool:
        """Whether the peer is fetching from us, or was a moment ago."""
        if self._open:
            return True
        return self._answered_at is not None and now - self._answered_at < limits.PING_S

    def wanted(self, message: Want) -> None:
        """The peer asks for operations by their ids."""
        self._request(SendOperations(message.ids))

    def streamed(self, message: Stream, now: float) -> None:
        """The peer asks for a page. A log nobody knows has no operations."""
        if message.log not in LOGS:
            self._request(SendOperations(()))
        elif message.cursor is None:
            self._request(SendPage(message.log, None, ANSWER_BYTES))
        else:
            size = self._pages[message.log].asked(now)
            self._request(SendPage(message.log, message.cursor, size))

    def answer(
        self,
        request: SendOperations | SendPage,
        operations: Sequence[bytes],
        gone: Sequence[bytes],
        now: float,
    ) -> None:
        """Send the answer.

        Args:
            operations: wire bytes, the delete of an erased one before it.
            gone: ids asked for and not held.
        """
        self._open -= 1
        self._answered_at = now
        answer: list[Message] = []
        if gone:
            answer.append(Gone(tuple([(one, NOT_HELD) for one in gone])))
        answer.extend(pack_operations(operations, limits.OPS_FRAME_BYTES))
        self._line.outbox.answer(answer)
        if isinstance(request, SendPage) and request.cursor is not None:
            self._pages[request.log].answered(now)

    def _request(self, action: SendOperations | SendPage) -> None:
        self._open += 1
        if self._open > limits.PENDING_REQUESTS:
            raise RemoteProtocolError("Too many requests at once.", ErrorCode.RATE)
        self._line.do(action)
