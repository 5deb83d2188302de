"""`api.json`: where the node of a data directory answers, and the secret that lets a face in.

The file is its owner's alone. It counts only while the data directory's lock is held: a node that
was killed leaves one behind.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import msgspec

FILE_NAME = "api.json"
MESSAGE_LIMIT = 2**20
"""Bytes of one message to the node."""


class Doorplate(msgspec.Struct, frozen=True):
    """What stands in the file."""

    url: str
    """`http://127.0.0.1:PORT`, without a path."""
    token: str
    pid: int
    brief: bool = False
    """The node serves one command and ends with it: other faces wait for the next one."""


def new_token() -> str:
    """A secret for one run of a node: 32 random bytes as text."""
    return secrets.token_urlsafe(32)


def write(data_dir: Path, doorplate: Doorplate) -> None:
    """Put the file in place at once and whole, readable by its owner alone."""
    path = data_dir / FILE_NAME
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(doorplate))
    new.replace(path)


def read(data_dir: Path) -> Doorplate | None:
    """What the file says; None when there is none, or none of ours."""
    with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode((data_dir / FILE_NAME).read_bytes(), type=Doorplate)
    return None


def remove(data_dir: Path) -> None:
    """Take the file away when the node ends; a disk that refuses leaves it to the lock."""
    with suppress(OSError):
        (data_dir / FILE_NAME).unlink()
