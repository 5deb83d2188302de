from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from trayapp.events import BoardChanged, PersonChanged
from trayapp.node.bus import Bus, Numbered

START_MS = 1_800_000_000_000


async def take(events: AsyncIterator[Numbered], count: int) -> list[Numbered]:
    async with asyncio.timeout(2):
        return [await anext(events) for _ in range(count)]


def person(number: int) -> PersonChanged:
    return PersonChanged(bytes([number]) * 32)


async def test_two_readers_hear_the_same_events_in_order():
    bus = Bus(START_MS)
    readers = [bus.subscribe(bus.last), bus.subscribe(bus.last)]

    for number in range(3):
        bus.emit(person(number))

    for reader in readers:
        assert [n.event for n in await take(reader, 3)] == [person(0), person(1), person(2)]


async def test_a_reader_that_waits_is_woken():
    bus = Bus(START_MS)
    waiting = asyncio.ensure_future(take(bus.subscribe(), 1))
    await asyncio.sleep(0)

    seq = bus.emit(BoardChanged())

    assert await waiting == [Numbered(seq, BoardChanged())]


async def test_a_reader_who_comes_back_gets_what_was_told_meanwhile():
    bus = Bus(START_MS)
    known = bus.emit(person(1))
    bus.emit(person(2))
    bus.emit(person(3))

    assert [n.event for n in await take(bus.subscribe(known), 2)] == [person(2), person(3)]


async def test_what_is_told_while_a_reader_is_busy_is_not_lost():
    bus = Bus(START_MS)
    events = bus.subscribe(bus.last)
    bus.emit(person(1))
    first = (await take(events, 1))[0]
    bus.emit(person(2))

    assert first.event == person(1)
    assert (await take(events, 1))[0].event == person(2)


async def test_a_reader_too_far_behind_is_told_so_once_and_goes_on():
    bus = Bus(START_MS, kept=3)
    events = bus.subscribe(bus.last)
    for number in range(5):
        bus.emit(person(number))

    missed = (await take(events, 1))[0]
    bus.emit(person(9))

    assert missed == Numbered(START_MS * 1000 + 5, None)
    assert (await take(events, 1))[0].event == person(9)


async def test_exactly_as_far_behind_as_what_is_kept_misses_nothing():
    bus = Bus(START_MS, kept=3)
    events = bus.subscribe(bus.last)
    for number in range(3):
        bus.emit(person(number))

    assert [n.event for n in await take(events, 3)] == [person(0), person(1), person(2)]


async def test_a_number_from_an_earlier_or_a_later_run_means_events_were_missed():
    bus = Bus(START_MS)
    bus.emit(person(1))

    for strange in (0, START_MS * 1000 - 7, (START_MS + 60_000) * 1000):
        assert (await take(bus.subscribe(strange), 1))[0].event is None


async def test_numbers_grow_over_restarts_and_fit_javascript():
    first = Bus(START_MS)
    for _ in range(900):
        first.emit(BoardChanged())

    later = Bus(START_MS + 1)

    assert first.last < later.last < 2**53
