"""Who is asked for which id, and who streams which log."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trayapp.sync.limits import (
    ASK_NEXT_S,
    OPEN_WANTS,
    PEER_WANTS,
    PEER_WANTS_MOST,
    STREAM_WINDOW_BYTES,
    STREAM_WINDOW_S,
    STREAM_YIELD_S,
    WANT_BARREN_S,
    WANT_MOST_S,
)
from trayapp.sync.messages import IDS_PER_FRAME
from trayapp.sync.wants import Streams, Wants

ANN, BOB, EVE = (name.encode().ljust(32, b".") for name in ("ann", "bob", "eve"))


def ids(*numbers):
    return [n.to_bytes(32, "big") for n in numbers]


ONE, TWO = ids(1, 2)


@pytest.fixture
def wants():
    return Wants()


def test_an_id_is_asked_of_one_peer_at_a_time(wants):
    wants.offer(ANN, [ONE, TWO])
    wants.offer(BOB, [ONE])

    assert wants.ask(ANN, 0.0) == (ONE, TWO)
    assert wants.ask(BOB, 0.0) == ()
    assert len(wants) == 2


def test_one_want_is_outstanding_on_a_link(wants):
    wants.offer(ANN, [ONE])
    wants.ask(ANN, 0.0)
    wants.offer(ANN, [TWO])

    assert wants.ask(ANN, 1.0) == ()
    wants.answered(ANN, [ONE])
    assert wants.ask(ANN, 2.0) == (TWO,)


def test_a_want_asks_for_at_most_two_thousand(wants):
    wants.offer(ANN, ids(*range(5_000)))

    assert len(wants.ask(ANN, 0.0)) == IDS_PER_FRAME


def test_a_want_dies_when_all_who_offered_it_answered_without_it(wants):
    wants.offer(ANN, [ONE])
    wants.offer(BOB, [ONE])

    wants.ask(ANN, 0.0)
    wants.answered(ANN, [])
    assert wants.ask(BOB, 1.0) == (ONE,)
    wants.answered(BOB, [ONE])  # it said GONE, or sent what could not be stored

    assert len(wants) == 0
    assert not wants.open_beyond_tardy()


def test_what_an_answer_had_no_room_for_is_asked_again(wants):
    wants.offer(ANN, [ONE, TWO])
    wants.ask(ANN, 0.0)
    wants.stored([ONE])
    wants.answered(ANN, [ONE])

    assert wants.ask(ANN, 1.0) == (TWO,)
    wants.answered(ANN, [])  # nothing at all this time
    assert len(wants) == 0


def test_what_is_stored_from_anywhere_is_wanted_no_more(wants):
    wants.offer(ANN, [ONE])
    wants.offer(BOB, [ONE])
    wants.ask(ANN, 0.0)

    wants.stored([ONE, TWO])

    assert (len(wants), wants.offered(ANN), wants.offered(BOB)) == (0, 0, 0)
    wants.answered(ANN, [])
    assert wants.ask(BOB, 1.0) == ()


def test_a_peer_silent_for_ten_seconds_is_passed_over_and_asked_last(wants):
    wants.offer(ANN, [ONE])
    wants.offer(BOB, [ONE])
    wants.ask(ANN, 0.0)
    wants.heard(ANN, 5.0)
    wants.expire(ASK_NEXT_S)
    assert not wants.is_tardy(ANN)

    wants.expire(5.0 + ASK_NEXT_S)

    assert wants.is_tardy(ANN)
    assert wants.ask(BOB, 16.0) == (ONE,)
    wants.offer(ANN, [TWO])
    wants.offer(BOB, [TWO])
    assert wants.ask(ANN, 17.0) == ()  # it still owes an answer
    wants.answered(ANN, [ONE])
    assert not wants.is_tardy(ANN)
    assert wants.ask(ANN, 18.0) == ()  # Bob could give it too
    wants.offer(ANN, ids(3))
    assert wants.ask(ANN, 19.0) == tuple(ids(3))


def test_wants_that_only_a_tardy_peer_offers_hold_nobody_up(wants):
    wants.offer(ANN, [ONE])
    wants.ask(ANN, 0.0)
    wants.expire(ASK_NEXT_S)

    assert len(wants) == 1
    assert not wants.open_beyond_tardy()


def test_what_a_silent_peer_alone_claims_is_forgotten_after_a_while(wants):
    wants.offer(ANN, ids(*range(PEER_WANTS)))
    wants.offer(BOB, [ONE])
    wants.ask(ANN, 0.0)

    wants.expire(ASK_NEXT_S)
    assert len(wants) == IDS_PER_FRAME  # what it was asked for may still come
    assert wants.ask(BOB, ASK_NEXT_S) == (ONE,)
    wants.offer(ANN, ids(*range(PEER_WANTS)))
    assert len(wants) == IDS_PER_FRAME  # nothing more is noted of it
    wants.heard(BOB, WANT_BARREN_S - 1)
    wants.expire(WANT_BARREN_S - 1)
    wants.expire(WANT_BARREN_S)

    assert len(wants) == 1  # Bob's
    wants.answered(ANN, [])  # at last
    wants.offer(ANN, [TWO])
    assert wants.offered(ANN) == 1


def test_a_peer_that_chatters_but_names_nothing_it_was_asked_for_is_passed_over(wants):
    wants.offer(ANN, [ONE])
    wants.offer(BOB, [ONE])
    wants.ask(ANN, 0.0)

    for now in range(0, int(WANT_BARREN_S) + 1, 5):
        assert not wants.is_tardy(ANN)
        wants.heard(ANN, float(now))  # other operations, all the time
        wants.named(ANN, [TWO], float(now))
        wants.expire(float(now))

    assert wants.ask(BOB, WANT_BARREN_S) == (ONE,)


def test_naming_the_same_id_again_and_again_is_no_answer(wants):
    wants.offer(ANN, [ONE, TWO])
    wants.ask(ANN, 0.0)

    for now in range(1, 12):
        wants.named(ANN, [ONE], float(now))
    wants.expire(11.0)

    assert wants.is_tardy(ANN)


def test_an_answer_that_trickles_on_has_ten_minutes(wants):
    many = ids(*range(IDS_PER_FRAME))
    wants.offer(ANN, many)
    wants.ask(ANN, 0.0)
    for number, now in enumerate(range(1, int(WANT_MOST_S), 9)):
        wants.named(ANN, [many[number]], float(now))
        wants.expire(float(now))
    assert not wants.is_tardy(ANN)

    wants.expire(WANT_MOST_S)

    assert wants.is_tardy(ANN)


def test_a_peer_that_leaves_takes_its_offers_along(wants):
    wants.offer(ANN, [ONE, TWO])
    wants.offer(BOB, [TWO])
    wants.ask(ANN, 0.0)

    wants.leave(ANN)
    wants.leave(ANN)

    assert wants.ask(BOB, 1.0) == (TWO,)
    assert len(wants) == 1


def test_a_peer_has_room_for_so_many_offers_and_takes_none_from_another(wants):
    wants.offer(ANN, ids(*range(OPEN_WANTS)))
    assert wants.is_full(ANN)
    assert wants.offered(ANN) == PEER_WANTS_MOST
    wants.offer(EVE, ids(*range(OPEN_WANTS, 2 * OPEN_WANTS)))
    assert len(wants) == OPEN_WANTS  # very many: from now on a peer has less room

    assert not wants.is_full(BOB)
    wants.offer(BOB, ids(*range(2 * OPEN_WANTS, 3 * OPEN_WANTS)))

    assert wants.offered(BOB) == PEER_WANTS
    assert wants.is_full(BOB)


def test_only_so_many_who_offer_an_id_are_remembered(wants):
    peers = [bytes([n]) * 32 for n in range(20)]
    for peer in peers:
        wants.offer(peer, [ONE])

    assert sum(wants.offered(peer) for peer in peers) == 8


def test_an_answer_nobody_asked_for_changes_nothing(wants):
    wants.answered(ANN, [ONE])
    wants.heard(ANN, 0.0)
    wants.offer(ANN, [ONE])
    wants.answered(ANN, [ONE])

    assert wants.ask(ANN, 0.0) == (ONE,)
    assert not wants.is_tardy(BOB)
    assert wants.ask(BOB, 0.0) == ()


def do_ask(wants, asked, peer, now):
    if chosen := wants.ask(peer, now):
        assert all(theirs.isdisjoint(chosen) for key, theirs in asked.items() if key != peer)
        asked[peer] = set(chosen)


def do_expire(wants, asked, now):
    wants.expire(now)
    for peer in [peer for peer in asked if wants.is_tardy(peer)]:
        del asked[peer]


STEPS = {
    "offer": lambda wants, asked, peer, some, now: wants.offer(peer, some),
    "ask": lambda wants, asked, peer, some, now: do_ask(wants, asked, peer, now),
    "stored": lambda wants, asked, peer, some, now: wants.stored(some),
    "answered": lambda wants, asked, peer, some, now: (
        wants.answered(peer, some),
        asked.pop(peer, None),
    ),
    "leave": lambda wants, asked, peer, some, now: (wants.leave(peer), asked.pop(peer, None)),
    "expire": lambda wants, asked, peer, some, now: do_expire(wants, asked, now),
}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(STEPS)),
            st.sampled_from([ANN, BOB, EVE]),
            st.frozensets(st.integers(0, 5)),
        ),
        max_size=60,
    )
)
def test_no_id_is_ever_asked_of_two_and_none_stays_open_without_an_offer(steps):
    wants = Wants()
    asked: dict[bytes, set[bytes]] = {}
    for number, (step, peer, some) in enumerate(steps):
        STEPS[step](wants, asked, peer, ids(*sorted(some)), 4.0 * number)

    offered = sum(wants.offered(peer) for peer in (ANN, BOB, EVE))
    assert (len(wants) == 0) == (offered == 0)
    for peer in (ANN, BOB, EVE):
        wants.leave(peer)
    assert len(wants) == 0


# --- streams ---


def test_a_log_streams_from_one_peer_at_a_time():
    streams = Streams()

    assert streams.claim(1, ANN, 0.0)
    assert not streams.claim(1, BOB, 0.0)
    assert streams.claim(0, BOB, 0.0)
    assert (streams.peer_of(0), streams.peer_of(1)) == (BOB, ANN)
    streams.release(1, BOB)  # not its own
    assert streams.peer_of(1) == ANN
    streams.leave(ANN)
    assert streams.claim(1, BOB, 1.0)


def test_a_stream_under_64_kib_in_ten_seconds_is_slow():
    streams = Streams()
    streams.claim(1, ANN, 0.0)
    streams.received(1, ANN, 100, 5.0)
    streams.received(1, BOB, STREAM_WINDOW_BYTES, 5.0)  # not who streams it

    assert streams.slow(STREAM_WINDOW_S - 0.1) == []
    assert streams.slow(STREAM_WINDOW_S) == [(1, ANN, 5.0)]
    assert streams.slow(STREAM_WINDOW_S + 1) == []


def test_enough_bytes_begin_a_new_window_and_so_does_our_own_delay():
    streams = Streams()
    streams.claim(1, ANN, 0.0)
    streams.received(1, ANN, STREAM_WINDOW_BYTES, 9.0)
    assert streams.slow(18.9) == []

    streams.restart_window(ANN, 18.9)
    streams.restart_window(BOB, 28.0)

    assert streams.slow(28.8) == []
    ((log, peer, quiet_s),) = streams.slow(28.9)
    assert (log, peer, round(quiet_s)) == (1, ANN, 10)


def test_a_stream_keeps_others_from_reconciling_only_while_it_brings_something_new():
    streams = Streams()
    assert not streams.holds_up(1, BOB, 0.0)
    streams.claim(1, ANN, 0.0)
    streams.yielded(ANN, STREAM_WINDOW_BYTES, 20.0)
    streams.yielded(BOB, STREAM_WINDOW_BYTES, 40.0)  # not who streams it
    streams.yielded(ANN, STREAM_WINDOW_BYTES - 1, 40.0)

    assert streams.holds_up(1, BOB, 20.0 + STREAM_YIELD_S - 1)
    assert not streams.holds_up(1, BOB, 20.0 + STREAM_YIELD_S)
    assert streams.holds_up(1, ANN, 20.0 + STREAM_YIELD_S)


def test_how_far_a_log_has_come_is_kept_until_it_is_done():
    streams = Streams()
    assert streams.reached(1) is None

    streams.reach(1, b"here")
    assert streams.reached(1) == b"here"
    streams.finish(1)
    streams.finish(1)
    assert streams.reached(1) is None
