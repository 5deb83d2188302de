"""Who looks at this node just now: which threads are on a screen, and whether a window stands.

One `Visitor` for each connection of a face; it is gone with the connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Visitor:
    """One connection of a face."""

    def __init__(self) -> None:
        self.thread: bytes | None = None
        """The thread it shows, visible and focused."""
        self.window = False
        """It is the forum's window and obeys ShowPage and CloseWindow."""
        self.left = False
        """The connection is over: nobody waits for what it asked any longer."""

    def leave(self) -> None:
        """The connection is over."""
        self.thread, self.window, self.left = None, False, True


class Audience:
    """All visitors of a node."""

    def __init__(self) -> None:
        self._visitors: set[Visitor] = set()
        self.wanted_page = ""
        """Where the next window begins."""
        self.windows_attached = 0
        """How many windows ever came."""
        self.opens_windows = False
        """Somebody opens a window on ShowPage when none stands: the tray."""

    @contextmanager
    def visit(self) -> Iterator[Visitor]:
        """Count somebody in for as long as the connection lasts."""
        visitor = Visitor()
        self._visitors.add(visitor)
        try:
            yield visitor
        finally:
            visitor.leave()
            self._visitors.discard(visitor)

    def attach(self, visitor: Visitor) -> str:
        """Take a visitor for a window; returns the page where it begins."""
        visitor.window = True
        self.windows_attached += 1
        page, self.wanted_page = self.wanted_page, ""
        return page

    @property
    def on_screen(self) -> frozenset[bytes]:
        """The threads a person is looking at."""
        return frozenset(v.thread for v in self._visitors if v.thread is not None)

    @property
    def has_window(self) -> bool:
        """Whether somebody is there to obey ShowPage."""
        return any(v.window for v in self._visitors)
