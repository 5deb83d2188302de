"""What one peer is still to be sent: urgent frames first, answers behind them, HAVE in bundles."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from trayapp.sync.messages import IDS_PER_FRAME, Have, Message, Ops, encode

FRAME_COST = 64
"""What a frame that waits takes besides its bytes; so that tiny ones by the million count too."""

_END = Ops(())


class Outbox:
    """Frames in the order they go out. Its size is bounded by those who put frames in."""

    def __init__(self) -> None:
        self._urgent: deque[bytes] = deque()
        self._answers: deque[tuple[bytes, ...]] = deque()
        self._to_tell: dict[bytes, None] = {}
        self._urgent_bytes = 0
        self._answer_bytes = 0

    @property
    def urgent_bytes(self) -> int:
        """What waits and is no answer, in bytes of memory."""
        return self._urgent_bytes + 32 * len(self._to_tell)

    @property
    def unsent_bytes(self) -> int:
        """All that waits."""
        return self.urgent_bytes + self._answer_bytes

    def say(self, message: Message) -> None:
        """Put a frame behind the other urgent ones."""
        frame = encode(message)
        self._urgent.append(frame)
        self._urgent_bytes += _cost((frame,))

    def tell(self, operation_id: bytes) -> None:
        """Put an id into the next HAVE."""
        self._to_tell[operation_id] = None

    def answer(self, messages: Sequence[Message]) -> None:
        """Put an answer behind the other answers, and the empty OPS that ends it.

        Urgent frames overtake answers, but never come between the last frame and the end: from
        that last frame the asker knows where a STREAM goes on.
        """
        frames = [encode(message) for message in messages]
        last, end = frames[-1:], encode(_END)
        for frame in frames[:-1]:
            self._answers.append((frame,))
        self._answers.append((*last, end))
        self._answer_bytes += _cost((*frames, end))

    def take(self, most_bytes: int | None = None) -> list[bytes]:
        """Take out what goes next, oldest first: at least a frame if there is any."""
        self._bundle()
        taken: list[bytes] = []
        room = self.unsent_bytes if most_bytes is None else most_bytes
        while self._urgent and (not taken or room > 0):
            frame = self._urgent.popleft()
            self._urgent_bytes -= _cost((frame,))
            room -= len(frame)
            taken.append(frame)
        while self._answers and (not taken or room > 0):
            frames = self._answers.popleft()
            self._answer_bytes -= _cost(frames)
            room -= sum(map(len, frames))
            taken += frames
        return taken

    def clear(self) -> None:
        """Forget everything: the link ends."""
        self._urgent.clear()
        self._answers.clear()
        self._to_tell.clear()
        self._urgent_bytes = self._answer_bytes = 0

    def _bundle(self) -> None:
        ids = tuple(self._to_tell)
        self._to_tell.clear()
        for at in range(0, len(ids), IDS_PER_FRAME):
            self.say(Have(ids[at : at + IDS_PER_FRAME]))


def _cost(frames: Sequence[bytes]) -> int:
    return sum(map(len, frames)) + FRAME_COST * len(frames)
