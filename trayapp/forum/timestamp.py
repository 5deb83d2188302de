"""Hybrid logical time: 48 bits of milliseconds and a 16-bit counter. `now` is always an argument.

Stamps order and break ties, nothing else: no operation waits for a clock.
"""

from __future__ import annotations

COUNTER_BITS = 16
EARLIEST_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z: no operation is stamped before it."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z: no operation is stamped at or after it."""
MERGE_WINDOW_MS = 10 * 60 * 1000
"""A stamp further ahead of our clock than this does not pull our own stamps along."""
BUILD_MS = 1_795_392_000_000
"""2026-11-23T00:00:00Z: a clock that says less is wrong."""


def milliseconds(hlc: int) -> int:
    """The wall-clock part of a stamp."""
    return hlc >> COUNTER_BITS


def tick(last: int, now_ms: int) -> int:
    """Stamp the next own operation.

    Args:
        last: the largest stamp seen so far, own or remote; 0 if none.
        now_ms: the wall clock in milliseconds.

    Returns:
        `max(last + 1, now << 16)`, where a `last` more than ten minutes ahead of now is
        ignored and now is never below the program's build date (PROTOCOL.md section 4).
    """
    now = max(now_ms, BUILD_MS)
    floor = now << COUNTER_BITS
    if milliseconds(last) > now + MERGE_WINDOW_MS:
        return floor
    return max(last + 1, floor)


def witness(last: int, seen: int, now_ms: int) -> int:
    """Fold a stamp we met into `last`; one too far ahead of our clock changes nothing."""
    if milliseconds(seen) > max(now_ms, BUILD_MS) + MERGE_WINDOW_MS:
        return last
    return max(last, seen)
