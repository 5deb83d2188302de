"""Notifications of the operating system: one live note per thread, clicks lead somewhere.

What deserves a note is decided elsewhere (`node/notices.py`); here it is only shown. Post text
comes from strangers: it is cut, stripped of control characters and, where the system reads
markup, escaped. Without a notification service nothing is shown and nothing breaks.
"""

from __future__ import annotations

import asyncio
import html
import logging
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from desktop_notifier import Button, DesktopNotifier, Icon

TITLE_CHARS = 60
"""Windows refuses titles over 63 characters."""
BODY_CHARS = 240
"""Windows refuses texts over 255 characters."""

_log = logging.getLogger(__name__)


class Fallback(Protocol):
    """Another way to say it when the system's own service does not: no clicks."""

    def __call__(self, title: str, body: str) -> None: ...


class Notifier:
    """Shows notes on the loop it was made on."""

    def __init__(self, icon: Path | None, fallback: Fallback | None = None) -> None:
        self._notifier = DesktopNotifier("Brothernet", app_icon=Icon(path=icon) if icon else None)
        self._notifier.on_dispatched = self._shown_by_system
        self._fallback = fallback
        self._turn = asyncio.Lock()
        """One note after the other: two of one key at once would both stay."""
        self._live: dict[str, str] = {}
        self._dispatched: set[str] = set()

    async def show(self, key: str, title: str, body: str, clicked: Callable[[], None]) -> None:
        """Show a note, instead of the last one of the same key.

        Args:
            key: what the note is about; a thread's id.
            title: plain text from strangers, any length.
            body: plain text from strangers, any length.
            clicked: called on this loop when the person clicks the note or its button.
        """
        title, body = _plain(title, TITLE_CHARS), _plain(body, BODY_CHARS)
        async with self._turn:
            await self.withdraw(key)
            identifier = await self._notifier.send(
                title=title,
                message=html.escape(body, quote=False) if sys.platform == "linux" else body,
                buttons=[Button(title="Open", on_pressed=clicked)],
                on_clicked=clicked,
                thread=key,
            )
            shown = identifier in self._dispatched
            if shown:
                self._dispatched.discard(identifier)
                self._live[key] = identifier
        if not shown and self._fallback is not None:
            self._fallback(title, body)

    async def withdraw(self, key: str) -> None:
        """Take a note back, if it still stands."""
        identifier = self._live.pop(key, None)
        if identifier is None:
            return
        try:
            if identifier in await self._notifier.get_current_notifications():
                await self._notifier.clear(identifier)
        except Exception:  # each system's backend has its own; a note only stays longer for it
            _log.info("A notification could not be taken back.", exc_info=True)

    async def withdraw_all(self) -> None:
        """Take every note back: their clicks lead nowhere once the program ends."""
        for key in list(self._live):
            await self.withdraw(key)

    def _shown_by_system(self, identifier: str) -> None:
        self._dispatched.add(identifier)


def _plain(text: str, limit: int) -> str:
    """One line without control or direction-changing characters, cut to `limit`."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or _harmless(c))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _harmless(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")
