"""Who moves when two copies differ, and when."""

from tests.sync.fake_node import MS, device, operation, operations
from tests.sync.one_end import (
    DIFFERENT,
    SOME_ID,
    an_opening_session,
    hear,
    larger_session,
    said,
    streaming_session,
    village,
    weigh,
)
from trayapp.sync.actions import Admit, Reconcile, SendOperations, Welcomed
from trayapp.sync.fingerprints import EMPTY
from trayapp.sync.line import Shared
from trayapp.sync.messages import Have, LogDigest, NegClose, NegMsg, Ops, Ping, Role, Want, Welcome
from trayapp.sync.reconciling import Outcome
from trayapp.sync.session import Session


def test_the_smaller_copy_opens_and_of_two_equals_the_lower_key():
    lower, higher = sorted([device("ann").key, device("bob").key])
    for me, peer, opens in ((lower, higher, True), (higher, lower, False)):
        shared = Shared()
        shared.copies.hold([(0, EMPTY), (1, b"o" * 16)])
        session = Session(me, peer, shared, 0.0, lambda: 0.5)
        session.greet("", Role.PEER)

        actions = weigh(session, Welcome(DIFFERENT, "", Role.PEER))

        assert [type(a) for a in actions] == ([Welcomed, Reconcile] if opens else [Welcomed])[1:]


def test_the_other_end_opens_only_after_two_silent_pings():
    session = larger_session()
    assert session.actions() == []

    assert weigh(session, Ping(1, MS, True, ()), now=30.0) == []
    (step,) = weigh(session, Ping(2, MS, True, ()), now=60.0)

    assert (step.asking, step.log) == (True, 1)


def test_a_peer_that_fetches_from_us_is_not_silent():
    session = larger_session()
    (want,) = hear(session, Want((SOME_ID,)), now=59.0)
    session.answer(want, (), [SOME_ID], 59.0)

    assert weigh(session, Ping(1, MS, True, ()), now=59.5) == []
    assert weigh(session, Ping(2, MS, True, ()), now=60.0) == []


def test_nobody_reconciles_with_a_peer_that_is_short_of_room():
    session = larger_session()

    for nonce in range(5):
        assert weigh(session, Ping(nonce, MS, False, ()), now=30.0 * nonce) == []


def test_short_of_room_we_ask_for_nothing_and_reconcile_hourly_to_say_have():
    session, first = an_opening_session()
    shared = session._line.shared
    shared.copies.hold([(0, EMPTY), (1, EMPTY)], taking=False)
    session.reconciled(first, Outcome(b"\x61", (), ()), 0.2)
    said(session)
    step = hear(session, NegMsg(first.number, 1, b"\x61"), now=0.3)[0]
    session.reconciled(step, Outcome(None, (b"h" * 32,), (SOME_ID,)), 0.4)

    assert [type(m) for m in said(session)] == [NegClose, Have]
    assert len(shared.wants) == 0
    session.actions()
    assert hear(session, Have((SOME_ID,))) == []
    assert hear(session, Ops((operation("bob", 0).raw,))) == []
    opened = []
    for minute in range(1, 130):
        weigh(
            session, Ping(minute, MS, True, (LogDigest(1, 1 + minute, b"e" * 16),)), 60.0 * minute
        )
        opened += [a for a in session.tick(60.0 * minute) if isinstance(a, Reconcile)]
        said(session)
        if opened and opened[-1].message is None:
            session.reconciled(opened[-1], Outcome(None), 60.0 * minute)
    assert len(opened) <= 2


def test_after_a_stream_a_reconciliation_settles_the_rest():
    session = streaming_session()
    (admit,) = hear(session, Ops(()))
    session.admitted(admit, [], 1.0)

    (step,) = session.actions()

    assert (step.log, step.asking, step.first) == (1, True, True)


def test_healing_again_within_a_minute_does_not_wait_for_it():
    v = village(operations("ann", 0), operations("bob", 0))
    v.talk_until_quiet()
    for number in range(1, 4):
        v.wires[0].cut()
        v.now += 2
        v.nodes[0].post(operation("ann", number))
        v.nodes[1].post(operation("bob", number))
        v.mend()
        v.wait(3)
        assert v.nodes[0].held == v.nodes[1].held


def test_a_peer_whose_reconciliations_give_nothing_stops_counting_and_is_left_alone():
    v = village(operations("ann", 0), operations("bob", 0))
    liar = v.nodes[1]
    liar.page = lambda action: []
    original = liar.do

    def lie(session, action, now):
        if isinstance(action, SendOperations):
            session.answer(action, (), action.ids, now)
        elif not isinstance(action, Admit):
            original(session, action, now)

    liar.do = lie
    v.wait(600)

    session = v.wires[0].session(0)
    assert session.pairs[1].settled  # nothing left that either side will take
    assert session.pairs[1].barren >= 1
    assert len(v.nodes[0].shared.wants) == 0
