"""What a person may choose: one frozen value, read from TOML text. No I/O here.

`desktop/paths.py` reads the file. A key that is not known is refused by name, so that a typo is
never silent.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import Any

from trayapp.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read once at start; a change makes a new Settings, never edits one."""

    listen: str = ""
    """HOST:PORT where other machines connect; empty: port 47311 on all addresses, or a free one."""

    lan: bool = True
    """Find machines of this forum on the local network, and be found there."""

    bootstrap: tuple[str, ...] = ()
    """Machines that can always be reached, as `wss://host:port#key`."""

    notifications: bool = True
    """Raise a notification when somebody replies in a thread I follow."""

    daily_bytes: int = 2 * 2**30
    """Taken in from others in a day at most, the first sync of a forum aside."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))


def parse(text: str) -> Settings:
    """Read settings from TOML; what is not written there keeps its default.

    Raises:
        SettingsError: no TOML, an unknown key, or a value of the wrong kind.
    """
    try:
        written: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("settings.toml", f"cannot be read: {error}") from error
    known = {field.name for field in fields(Settings)}
    for key in written:
        if key not in known:
            raise SettingsError(key, f"is not known; known are {', '.join(sorted(known))}")
    lists = {key: tuple(value) for key, value in written.items() if isinstance(value, list)}
    return Settings(**{**written, **lists})


def _check(key: str, value: object) -> None:
    """Check one value's kind: TOML brings whatever was typed."""
    match key:
        case "listen" if not isinstance(value, str):
            raise SettingsError(key, "must be a text: HOST:PORT")
        case "lan" | "notifications" if not isinstance(value, bool):
            raise SettingsError(key, "must be true or false")
        case "bootstrap" if not _texts(value):
            raise SettingsError(key, 'must be a list of texts like "wss://host:port#key"')
        case "daily_bytes" if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SettingsError(key, "must be a number of bytes")
        case _:
            pass


def _texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(entry, str) for entry in value)
