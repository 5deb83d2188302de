"""PING and PONG: what they tell, and what their absence tells."""

from itertools import repeat

import pytest

from tests.sync.fake_node import MS, operation, operations
from tests.sync.one_end import DIFFERENT, ME, PEER, a_session, hear, said, village, weigh
from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync import limits
from trayapp.sync.actions import Reconcile, SayPing
from trayapp.sync.line import Shared
from trayapp.sync.messages import Have, Ping, Pong, Role, Welcome
from trayapp.sync.session import Session, State


def test_one_difference_in_a_ping_may_be_a_post_in_flight_but_two_are_not():
    session = a_session()
    assert session.is_settled
    assert session.is_equal

    assert weigh(session, Ping(7, MS, True, DIFFERENT), now=1.0) == []
    assert session.is_settled
    assert not session.is_equal
    assert said(session) == [Pong(7, MS, True, ())]

    assert session.tick(1.0 + limits.RECHECK_S) == [SayPing()]  # soon, not in half a minute
    session.ping(3.0, MS)
    (ping,) = said(session)
    actions = weigh(session, Pong(ping.nonce, MS, True, DIFFERENT), now=3.1)
    assert not session.is_settled
    assert [type(action) for action in actions] == [Reconcile]
    assert session.latency_s == pytest.approx(0.1)


def test_a_pong_that_nobody_asked_for_is_ignored():
    session = a_session()

    assert weigh(session, Pong(1, MS, True, DIFFERENT)) == []
    assert session.is_equal


def test_an_old_pong_counts_too_when_pings_overtake_each_other():
    session = a_session()
    session.ping(1.0, MS)
    session.ping(2.0, MS)

    hear(session, Pong(1, MS, True, ()), now=4.0)

    assert session.latency_s == 3.0
    hear(session, Pong(2, MS, True, ()), now=4.5)
    assert session.latency_s == 2.5


def test_a_post_that_no_push_brought_is_found_by_the_next_pings():
    v = village(operations("ann", 0), operations("ann", 0))
    v.settle()
    v.nodes[0].hold([operation("ann", 1)])  # nobody is told

    v.wait(limits.PING_S + limits.RECHECK_S + 1)

    assert v.nodes[0].held == v.nodes[1].held


def test_a_peer_that_says_no_welcome_is_hung_up_on():
    session = a_session(ready=False)
    assert session.tick(9.9) == []
    assert session.state is State.GREETING

    session.tick(10.0)

    assert session.farewell[0] == ErrorCode.TIMEOUT


def test_a_peer_that_owes_a_pong_and_says_nothing_is_hung_up_on():
    session = a_session()
    session.ping(20.0, MS)
    session.tick(64.9)
    assert session.state is State.READY

    session.tick(65.0)

    assert session.farewell[0] == ErrorCode.TIMEOUT


def test_a_peer_that_sends_anything_at_all_is_alive():
    session = a_session()
    session.ping(20.0, MS)
    hear(session, Have(()), now=60.0)
    session.tick(65.0)

    assert session.state is State.READY


def test_pings_come_every_half_minute_give_or_take_a_half():
    for fraction, seconds in ((0.0, 15.0), (0.5, 30.0), (0.999, 45.0)):
        session = Session(ME, PEER, Shared(), 0.0, repeat(fraction).__next__)
        session.greet("", Role.PEER)
        hear(session, Welcome((), "", Role.PEER))

        assert session.tick(seconds - 0.2) == []
        assert session.tick(seconds) == [SayPing()]


def test_a_flood_of_pings_ends_the_link():
    session = a_session()
    for nonce in range(20):
        hear(session, Ping(nonce, MS, True, ()))

    with pytest.raises(RemoteProtocolError) as caught:
        hear(session, Ping(20, MS, True, ()))
    assert caught.value.error_code == ErrorCode.RATE


def test_after_a_batch_the_others_are_pinged_once_a_second_at_most():
    session = a_session()
    session.ping_after_batch(0.2)
    assert session.tick(0.25) == [SayPing()]
    session.ping(0.25, MS)
    session.ping_after_batch(0.3)
    assert session.tick(2.0) == []  # the last one is not answered yet

    hear(session, Pong(1, MS, True, ()), now=2.0)
    session.ping(2.0, MS)
    hear(session, Pong(2, MS, True, ()), now=2.1)
    session.ping_after_batch(2.1)
    assert session.tick(2.9) == []
    assert session.tick(3.0) == [SayPing()]


def test_copies_that_become_equal_again_and_again_are_told_of_four_times_a_second():
    session, pings = a_session(), 0
    for number in range(100):
        now = 1.0 + number / 100
        session._pulse.hurry(now)
        if SayPing() in session.actions():
            session.ping(now, MS)
            pings += 1

    assert pings <= 5


def test_only_so_many_pings_are_remembered():
    session = a_session()
    for _ in range(20):
        session.ping(1.0, MS)

    hear(session, Pong(1, MS, True, DIFFERENT), now=2.0)  # too old to tell anything
    assert session.latency_s is None
    hear(session, Pong(20, MS, True, ()), now=2.0)
    assert session.latency_s == 1.0
