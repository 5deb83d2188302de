"""The program's log: files in the data directory, five of a megabyte each.

What may stand in it: what happened and where. Never post text, keys or tokens.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from trayapp.desktop import paths
from trayapp.errors import StoreReadOnly

FILE_NAME = "brothernet.log"
_FILE_BYTES = 1_000_000
_FILES = 5
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Libraries that tell at `info` what only their authors want to know.
_QUIET = ("websockets", "aiohttp", "aiosqlite", "zeroconf", "asyncio", "desktop_notifier")


@contextmanager
def kept_in(data_dir: Path, *, aloud: bool) -> Iterator[None]:
    """Write a log while this block runs.

    Args:
        aloud: say warnings on standard error too.

    Raises:
        StoreReadOnly: the directory cannot be written.
    """
    handlers: list[logging.Handler] = [_file(data_dir / paths.LOGS)]
    if aloud:
        spoken = logging.StreamHandler(sys.stderr)
        spoken.setLevel(logging.WARNING)
        spoken.setFormatter(logging.Formatter("%(message)s"))
        handlers.append(spoken)
    # On a full disk the program goes on without its log.
    logging.raiseExceptions = False
    root, ours = logging.getLogger(), logging.getLogger("trayapp")
    before = ours.level
    ours.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        ours.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def _file(folder: Path) -> logging.Handler:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        handler = RotatingFileHandler(
            folder / FILE_NAME, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8"
        )
    except OSError as error:
        raise StoreReadOnly(f"{folder} cannot be written: {error.strerror or error}.") from error
    handler.setFormatter(logging.Formatter(_FORM))
    return handler
