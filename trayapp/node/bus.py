"""Numbered events for the faces: told in order, kept for a while, replayed since a number.

A reader takes events at its own pace. One that falls further behind than what is kept is told
that it missed some, and goes on from there: nobody waits for a slow reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from trayapp.events import Event

KEPT_EVENTS = 1_000
_NUMBERS_PER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event and its place in the order; `event` None: some before this place were missed."""

    seq: int
    event: Event | None


class Bus:
    """Tells events to any number of readers, all on one loop."""

    def __init__(self, started_ms: int, kept: int = KEPT_EVENTS) -> None:
        """Start numbering so that numbers go on growing when the program starts again.

        Args:
            started_ms: the wall clock; the numbers still fit an integer of JavaScript.
            kept: how many events can be replayed.
        """
        self._last = started_ms * _NUMBERS_PER_MS
        self._kept: deque[Numbered] = deque(maxlen=kept)
        self._news = asyncio.Event()

    @property
    def last(self) -> int:
        """The number of the latest event."""
        return self._last

    def emit(self, event: Event) -> int:
        """Tell everybody; returns the event's number."""
        self._last += 1
        self._kept.append(Numbered(self._last, event))
        # Whoever waits holds the old one; it is never cleared, so no wake-up is lost.
        self._news.set()
        self._news = asyncio.Event()
        return self._last

    def subscribe(self, since: int | None = None) -> AsyncIterator[Numbered]:
        """Yield what was told after number `since`, then what comes, until the reader leaves.

        Args:
            since: the last number the reader knows; None for what comes from now on.
        """
        return self._tell(self._last if since is None else since)

    async def _tell(self, at: int) -> AsyncIterator[Numbered]:
        while True:
            news = self._news
            for numbered in self._after(at):
                at = numbered.seq
                yield numbered
            # Not when something was told while the reader was busy with what we yielded.
            if at == self._last:
                await news.wait()

    def _after(self, at: int) -> list[Numbered]:
        """What a reader who knows `at` does not know yet, or the word that it missed some."""
        if at == self._last:
            return []
        first = self._kept[0].seq if self._kept else self._last + 1
        if not first - 1 <= at < self._last:
            return [Numbered(self._last, None)]
        return [self._kept[index] for index in range(at - first + 1, len(self._kept))]
