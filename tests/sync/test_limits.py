"""Buckets, budgets and page sizes."""

from hypothesis import given
from hypothesis import strategies as st

from trayapp.sync.limits import Bucket, CpuBudget, GossipRate, PageSize


def test_a_bucket_gives_a_seconds_worth_at_once_and_then_its_rate():
    bucket = Bucket(10)

    assert [bucket.take(1, 100.0) for _ in range(11)] == [True] * 10 + [False]
    assert not bucket.take(1, 100.05)
    assert bucket.take(1, 100.2)


def test_what_is_too_much_takes_nothing():
    bucket = Bucket(10)

    assert not bucket.take(11, 100.0)
    assert bucket.take(10, 100.0)


def test_a_bucket_never_holds_more_than_its_burst():
    bucket = Bucket(10, burst=20)

    assert bucket.take(20, 1_000.0)
    assert not bucket.take(1, 1_000.0)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 100)), max_size=50))
def test_over_any_time_no_more_flows_than_burst_and_rate_allow(takes):
    bucket, now, taken = Bucket(10), 0.0, 0.0
    for pause, amount in takes:
        now += pause
        if bucket.take(amount, now):
            taken += amount
    assert taken <= 10 + 10 * now + 1e-6


def test_gossip_is_bounded_in_number_and_in_bytes():
    by_number, by_bytes = GossipRate(), GossipRate()

    assert sum(by_number.take(100, 50.0) for _ in range(500)) == 200
    assert sum(by_bytes.take(100_000, 50.0) for _ in range(500)) == 20


def test_reconciliation_gets_a_quarter_of_the_time():
    cpu = CpuBudget()
    now = busy = 0.0
    while now < 100:
        now += cpu.wait(now) or 0.01
        if cpu.wait(now) == 0:
            cpu.spend(0.05, now)
            busy += 0.05

    assert 23 <= busy <= 26


def test_a_rare_reconciliation_never_waits():
    cpu = CpuBudget()
    for now in range(0, 100, 5):
        assert cpu.wait(float(now)) == 0
        cpu.spend(0.2, float(now))


def test_pages_grow_on_a_fast_link_and_shrink_on_a_slow_one():
    page, now, sizes = PageSize(), 0.0, []
    for took in (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 3.0, 3.0):
        page.answered(now)
        now += took
        sizes.append(page.asked(now) // PageSize.LEAST)

    assert sizes == [2, 4, 8, 16, 16, 16, 16, 8, 4]


def test_pages_never_leave_their_bounds():
    page, now = PageSize(), 0.0
    for _ in range(20):
        page.answered(now)
        now += 60
        assert page.asked(now) == PageSize.LEAST
