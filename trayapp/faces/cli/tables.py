"""What a person reads in a terminal: plain columns, and colour where there is a terminal.

Everything printed may come from strangers: control characters, which could move the cursor or
rename the window, are taken out.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

ID_CHARS = 10
"""Of an id in a table: more than the eight that name a post, so that none is ambiguous soon."""
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def bold(text: str) -> str:
    """Heavier, on a terminal."""
    return f"{_BOLD}{text}{_PLAIN}" if _colourful() else text


def dim(text: str) -> str:
    """Fainter, on a terminal."""
    return f"{_DIM}{text}{_PLAIN}" if _colourful() else text


def clean(text: str, *, lines: bool = False) -> str:
    """Text without control characters; on one line unless `lines`."""
    kept = "".join(c for c in text.expandtabs() if _harmless(c) or c == "\n")
    return kept if lines else " ".join(kept.split())


def short(id_: str) -> str:
    """The beginning of an id, long enough to name it to another command."""
    return id_[:ID_CHARS]


def when(milliseconds: int) -> str:
    """A moment on the local clock, to the minute."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> str:
    """Rows below their heads, in columns; numbers to the right. `empty` when there are no rows."""
    if not rows:
        return empty
    cells = [[clean(str(cell)) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(heads, *cells, strict=True)]
    numeric = [all(isinstance(row[at], int) for row in rows) for at in range(len(heads))]
    lines = [_line(row, widths, numeric) for row in (heads, *cells)]
    return "\n".join([dim(lines[0]), *lines[1:]])


def bar(done: int, total: int, width: int = 30) -> str:
    """How far something is; without a bar while the whole is unknown."""
    if not total:
        return f"{done}"
    filled = min(width, done * width // total)
    return f"[{'#' * filled}{'.' * (width - filled)}] {done} of {total}"


def prepare(*streams: TextIO) -> None:
    """Let a terminal that lacks a character show a mark instead of ending the command."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _line(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    cells = []
    for cell, width, right in zip(row, widths, numeric, strict=True):
        padding = " " * (width - _width(cell))
        cells.append(padding + cell if right else cell + padding)
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Columns on a terminal: letters of East Asia take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def _harmless(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def _colourful() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
