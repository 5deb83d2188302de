from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trayapp.forum.timestamp import (
    BUILD_MS,
    EARLIEST_MS,
    LATEST_MS,
    MERGE_WINDOW_MS,
    milliseconds,
    tick,
    witness,
)

NOW = BUILD_MS + 1_000_000
moments = st.integers(0, 2**48 - 1)
stamps = st.integers(0, 2**64 - 1)


def test_a_stamp_is_the_clock_above_a_counter():
    assert milliseconds(tick(0, NOW)) == NOW
    assert tick(0, NOW) == NOW << 16


def test_statements_within_one_millisecond_are_counted():
    first = tick(0, NOW)
    second = tick(first, NOW)

    assert second == first + 1
    assert milliseconds(second) == NOW


def test_a_full_counter_goes_on_in_the_next_millisecond():
    assert tick(NOW << 16 | 0xFFFF, NOW) == (NOW + 1) << 16


def test_a_clock_that_goes_back_does_not_take_the_stamps_along():
    last = tick(0, NOW)

    assert tick(last, NOW - 60_000) == last + 1


@given(stamps, moments)
def test_a_new_stamp_is_later_than_every_stamp_within_ten_minutes_of_now(last, now):
    stamp = tick(last, now)

    assert stamp >= max(now, BUILD_MS) << 16
    if milliseconds(last) <= max(now, BUILD_MS) + MERGE_WINDOW_MS:
        assert stamp > last


@given(stamps, moments)
def test_nobody_pulls_our_stamps_further_ahead_than_ten_minutes(last, now):
    assert milliseconds(tick(last, now)) <= max(now, BUILD_MS) + MERGE_WINDOW_MS + 1


def test_a_stamp_from_years_ahead_is_ignored():
    years_ahead = (NOW + 11 * 365 * 86_400_000) << 16

    assert tick(years_ahead, NOW) == NOW << 16


def test_the_ten_minutes_themselves_still_count():
    edge = (NOW + MERGE_WINDOW_MS) << 16

    assert tick(edge, NOW) == edge + 1
    assert tick(edge + (1 << 16), NOW) == NOW << 16


def test_a_clock_before_the_program_was_built_is_wrong():
    assert tick(0, 0) == BUILD_MS << 16
    assert EARLIEST_MS < BUILD_MS < LATEST_MS


@given(stamps, stamps, moments)
def test_witnessing_keeps_the_larger_stamp_unless_it_is_too_far_ahead(last, seen, now):
    kept = witness(last, seen, now)

    if milliseconds(seen) <= max(now, BUILD_MS) + MERGE_WINDOW_MS:
        assert kept == max(last, seen)
    else:
        assert kept == last


def test_the_bounds_are_the_years_that_the_protocol_names():
    assert (EARLIEST_MS, LATEST_MS) == (1_577_836_800_000, 4_102_444_800_000)
