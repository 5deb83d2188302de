from __future__ import annotations

import asyncio
import logging

import pytest

from trayapp.errors import PeerUnreachable
from trayapp.node.supervision import keep_running


class Work:
    """Fails with each of the errors in turn, then ends well."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = 0

    async def __call__(self) -> None:
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)


async def test_work_that_failed_by_the_weather_is_started_again():
    work = Work(OSError("no route"), PeerUnreachable("nobody there"))

    await keep_running("dialer", work, first_pause_s=0.001)

    assert work.runs == 3


async def test_the_same_failure_is_logged_once(caplog: pytest.LogCaptureFixture):
    work = Work(OSError("no route."), OSError("no route."), OSError("no cable."))

    with caplog.at_level(logging.WARNING):
        await keep_running("finder lan", work, first_pause_s=0.001)

    assert [record.message for record in caplog.records] == [
        "finder lan failed: no route. It is tried again.",
        "finder lan failed: no cable. It is tried again.",
    ]


async def test_a_bug_surfaces_and_ends_its_neighbours():
    ended = asyncio.Event()

    async def neighbour() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def node() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(neighbour())
            group.create_task(keep_running("dialer", Work(ZeroDivisionError())))

    with pytest.raises(ExceptionGroup) as surfaced:
        await node()

    assert surfaced.group_contains(ZeroDivisionError)
    assert ended.is_set()


async def test_pauses_grow_up_to_the_longest(monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await keep_running("dialer", Work(*[OSError(str(n)) for n in range(6)]), longest_pause_s=10)

    assert pauses == [1, 2, 4, 8, 10, 10]


async def test_cancelling_ends_it():
    async def forever() -> None:
        await asyncio.Event().wait()

    task = asyncio.ensure_future(keep_running("dialer", forever))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
