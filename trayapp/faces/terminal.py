"""What faces that live in a terminal share: what was asked of them all, and how they refuse."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trayapp.errors import CallRefused, NoForum, TrayAppError

DONE, REFUSED, USAGE, NO_FORUM, INTERRUPTED = 0, 1, 2, 3, 130

STDIN = "\0stdin"
"""Stands for `-`, which would be taken for an option, until it is known what it is said for."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """The options that stand before every command."""

    data_dir: Path
    json: bool = False


def as_typed(value: Any) -> Any:
    """An argument with `-` in it as the person typed it."""
    if isinstance(value, tuple):
        return tuple(map(as_typed, value))
    return type(value)("-") if str(value) == STDIN else value


def refuse(error: TrayAppError) -> int:
    """Say why something was not done; returns the exit code for it."""
    sys.stderr.write(f"{error}\n")
    code = error.refusal if isinstance(error, CallRefused) else error.code
    return NO_FORUM if code == NoForum.code else REFUSED
