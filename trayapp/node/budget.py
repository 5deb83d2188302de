"""How much more this machine takes in: room on the disk, and bytes in a day (PROTOCOL.md 7 and 9).

The first sync of the own forum and imports are not counted: the person asked for those.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

LEAST_FREE_BYTES = 256 * 2**20
LEAST_FREE_SHARE = 0.01
_DAY_MS = 86_400_000


class Budget:
    """Counts what came in since midnight UTC; begins anew with the program."""

    def __init__(
        self,
        data_dir: Path,
        *,
        now_ms: Callable[[], int],
        daily_bytes: int,
        free: Callable[[Path], tuple[int, int]] | None = None,
    ) -> None:
        """Watch the disk that holds `data_dir`; `free` tells its (total, free) bytes."""
        self._data_dir = data_dir
        self._now_ms = now_ms
        self._daily_bytes = daily_bytes
        self._free = free or _free
        self._day = 0
        self._spent = 0

    def spend(self, taken: int) -> None:
        """So many bytes came in."""
        today = self._now_ms() // _DAY_MS
        if today != self._day:
            self._day, self._spent = today, 0
        self._spent += taken

    def exhausted(self) -> str:
        """Why no more is taken just now, as a sentence; empty while there is room."""
        total, free = self._free(self._data_dir)
        if free < max(LEAST_FREE_BYTES, total * LEAST_FREE_SHARE):
            return f"The disk is nearly full ({free // 2**20} MB left); nothing more is taken in."
        if self._now_ms() // _DAY_MS == self._day and self._spent >= self._daily_bytes:
            megabytes = self._daily_bytes // 2**20
            return f"More than {megabytes} MB came in today; the rest is taken in tomorrow."
        return ""


def _free(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.total, usage.free
