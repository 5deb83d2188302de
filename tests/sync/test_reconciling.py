"""The NEG conversations of one link, without the ranges."""

import os

import pytest

from tests.sync.fake_node import device, operations
from tests.sync.one_end import (
    SOME_ID,
    a_session,
    an_opening_session,
    hear,
    said,
    streaming_session,
    village,
)
from trayapp.errors import RemoteProtocolError
from trayapp.sync import limits
from trayapp.sync.actions import EndReconcile, Reconcile
from trayapp.sync.messages import Have, NegClose, NegMsg, NegOpen, Want
from trayapp.sync.reconciling import Outcome


def test_while_a_log_streams_in_a_reconciliation_of_it_is_declined():
    session = streaming_session()

    assert hear(session, NegOpen(3, 1, b"\x61")) == []
    assert said(session) == [NegClose(3, 1)]


def test_a_stream_that_yields_nothing_does_not_keep_others_from_reconciling():
    session = a_session()
    session._line.shared.streams.claim(1, device("eve").key, 0.0)
    hear(session, NegOpen(3, 1, b"\x61"), now=1.0)
    assert said(session) == [NegClose(3, 1)]

    (step,) = hear(session, NegOpen(5, 1, b"\x61"), now=limits.STREAM_YIELD_S)

    assert (step.number, step.asking) == (5, False)


def test_what_a_reconciliation_finds_is_offered_and_wanted():
    session, step = an_opening_session()
    session.reconciled(step, Outcome(b"\x61opening", (), ()), 0.2)
    opening = said(session)

    (step,) = hear(session, NegMsg(opening[0].session, 1, b"\x61answer"), now=0.3)
    session.reconciled(step, Outcome(None, (b"h" * 32,), (SOME_ID,)), 0.4)

    assert opening == [NegOpen(opening[0].session, 1, b"\x61opening")]
    close, want, have = said(session)
    assert close == NegClose(opening[0].session, 1)
    assert want == Want((SOME_ID,))
    assert have == Have((b"h" * 32,))


def test_messages_of_a_conversation_that_is_over_are_ignored():
    session = a_session()

    assert hear(session, NegMsg(5, 1, b"\x61")) == []
    assert hear(session, NegClose(5, 1)) == []
    assert said(session) == []


def test_a_second_message_before_our_answer_ends_the_link():
    session = a_session()
    hear(session, NegOpen(5, 1, b"\x61"))

    with pytest.raises(RemoteProtocolError):
        hear(session, NegMsg(5, 1, b"\x61"))


def test_a_second_opening_before_our_answer_is_declined():
    session = a_session()
    hear(session, NegOpen(5, 1, b"\x61"))

    assert hear(session, NegOpen(7, 1, b"\x61")) == []
    assert said(session) == [NegClose(7, 1)]


def test_two_that_open_at_once_are_told_apart_by_their_numbers():
    v = village(operations("ann", 0), operations("bob", 0))
    for end in (0, 1):
        session = v.wires[0].session(end)
        session.pairs[1].due = True

    v.talk_until_quiet()

    assert v.nodes[0].held == v.nodes[1].held


def test_a_reconciliation_in_which_the_peer_falls_silent_is_given_up():
    session, step = an_opening_session()
    session.reconciled(step, Outcome(b"\x61", (), ()), 0.2)
    said(session)

    session.tick(limits.NEG_SILENCE_S)
    assert NegClose(step.number, 1) not in said(session)
    hear(session, Have(()), now=50.0)
    session.tick(limits.NEG_SILENCE_S + 1)

    assert NegClose(step.number, 1) in said(session)


def test_no_further_message_is_read_while_thousands_of_the_peers_ids_are_open():
    session, step = an_opening_session()
    session.reconciled(step, Outcome(b"\x61", (), ()), 0.2)
    wants = session._line.shared.wants
    many = [n.to_bytes(32, "big") for n in range(limits.PEER_WANTS)]
    wants.offer(session.peer, many)

    assert hear(session, NegMsg(step.number, 1, b"\x61"), now=0.3) == []
    assert session.tick(1.0) == []
    wants.stored(many)
    (read_on,) = session.tick(2.0)

    assert (read_on.message, read_on.first) == (b"\x61", False)


def test_what_one_peer_claims_to_hold_keeps_nobody_from_reconciling_with_another():
    session, step = an_opening_session()
    session.reconciled(step, Outcome(b"\x61", (), ()), 0.2)
    wants = session._line.shared.wants
    for liar in ("eve", "mallory"):
        wants.offer(device(liar).key, [os.urandom(32) for _ in range(limits.OPEN_WANTS)])

    (read_on,) = hear(session, NegMsg(step.number, 1, b"\x61"), now=0.3)
    session.reconciled(read_on, Outcome(None, (), (SOME_ID,)), 0.4)

    assert Want((SOME_ID,)) in said(session)


def test_a_reconciliation_that_is_declined_is_tried_again_soon():
    session, step = an_opening_session()
    session.reconciled(step, Outcome(b"\x61"), 0.1)
    hear(session, NegClose(step.number, 1), now=0.2)

    assert [a for a in session.tick(5.0) if isinstance(a, Reconcile)] == []
    (again,) = [a for a in session.tick(5.2) if isinstance(a, Reconcile)]
    assert again.number != step.number


def test_one_that_the_peer_ends_after_an_answer_is_over():
    session, step = an_opening_session()
    session.reconciled(step, Outcome(b"\x61"), 0.1)
    (step,) = hear(session, NegMsg(step.number, 1, b"\x61"), now=0.2)
    hear(session, NegClose(step.number, 1), now=0.3)
    session.reconciled(step, Outcome(b"\x61"), 0.4)

    assert [a for a in session.tick(20.0) if isinstance(a, Reconcile)] == []
    assert not any(isinstance(message, NegMsg) for message in said(session))


def test_an_answer_that_nobody_follows_up_is_forgotten():
    session = a_session()
    (step,) = hear(session, NegOpen(5, 1, b"\x61"))
    session.reconciled(step, Outcome(b"\x61"), 0.0)
    said(session)

    assert EndReconcile(1, False) in session.tick(2 * limits.NEG_SILENCE_S)
    assert hear(session, NegMsg(5, 1, b"\x61"), now=121.0) == []


# --- a peer that never comes to an end ---


def read_until_closed(session, step, messages, need):
    """Let the peer say so many messages more; which of them was the last one in this talk."""
    session.reconciled(step, Outcome(b"\x61"), 0.2)
    said(session)
    for count in range(1, messages + 1):
        (step,) = hear(session, NegMsg(step.number, 1, b"\x61"), now=0.3)
        missing = tuple(bytes([count]) + n.to_bytes(31, "big") for n in range(need))
        session.reconciled(step, Outcome(b"\x61", (), missing), 0.4)
        session._line.shared.wants.stored(missing)
        if NegClose(step.number, 1) in said(session):
            return count
    return None


def test_a_reconciliation_without_end_is_ended():
    session, step = an_opening_session()

    assert read_until_closed(session, step, 100, need=0) == limits.NEG_ROUNDS
    assert EndReconcile(1, True) in session.actions()
    assert [a for a in session.tick(20.0) if isinstance(a, Reconcile)] == []


def test_one_that_names_far_more_than_the_peer_said_it_holds_is_ended():
    session, step = an_opening_session()  # bob says: one operation

    assert read_until_closed(session, step, 10, need=limits.NEG_NEEDS_MARGIN // 2) == 3


def test_one_about_a_log_nobody_knows_is_ignored():
    session = a_session()

    assert hear(session, NegOpen(3, 9, b"\x61")) == []
    assert said(session) == []
