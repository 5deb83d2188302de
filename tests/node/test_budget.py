from __future__ import annotations

from pathlib import Path

from tests.builders import START_MS, Clock
from trayapp.node.budget import LEAST_FREE_BYTES, Budget

ROOMY = (10**9, 10**9)


def _budget(clock: Clock, free: tuple[int, int] = ROOMY, daily_bytes: int = 1_000) -> Budget:
    return Budget(
        Path("/"), now_ms=lambda: clock.now_ms, daily_bytes=daily_bytes, free=lambda _: free
    )


def test_there_is_room_until_the_days_bytes_came_in():
    budget = _budget(Clock())

    budget.spend(999)
    assert budget.exhausted() == ""
    budget.spend(1)
    assert "rest is taken in tomorrow" in budget.exhausted()


def test_the_next_day_begins_anew():
    clock = Clock(START_MS)
    budget = _budget(clock)
    budget.spend(5_000)

    clock.advance(86_400_000)
    assert budget.exhausted() == ""
    budget.spend(10)
    assert budget.exhausted() == ""


def test_a_disk_that_is_nearly_full_takes_nothing_more():
    assert "nearly full" in _budget(Clock(), (10**9, LEAST_FREE_BYTES - 1)).exhausted()
    assert "nearly full" in _budget(Clock(), (10**12, 10**10 - 1)).exhausted()
    assert _budget(Clock(), (10**12, 10**10)).exhausted() == ""


def test_the_real_disk_can_be_asked(tmp_path: Path):
    assert isinstance(Budget(tmp_path, now_ms=lambda: START_MS, daily_bytes=1).exhausted(), str)
