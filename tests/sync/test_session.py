"""Whole conversations: real sessions, real operations, no sockets, no disk, no sleep."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sync.fake_node import MS, FakeNode, Village, Wire, operation, operations
from tests.sync.one_end import MANY, ME, SOME_ID, a_session, hear, said, village
from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.forum.operation import Log
from trayapp.sync.actions import (
    Admit,
    Arrival,
    Compare,
    HearRecords,
    LookUp,
    NoteAck,
    Reconcile,
    SendOperations,
)
from trayapp.sync.address_record import SignedRecord
from trayapp.sync.messages import (
    Ack,
    Announce,
    Err,
    Have,
    Hello,
    NegClose,
    NegMsg,
    NegOpen,
    Ops,
    Peers,
    Ping,
    Pong,
    Role,
    Stream,
    Want,
    Welcome,
    decode,
    encode,
)
from trayapp.sync.reconciling import Outcome
from trayapp.sync.session import State


def test_nodes_that_missed_each_others_posts_end_up_holding_both():
    v = village(operations("ann", 0, 1, 2), operations("bob", 0, 1))

    v.talk_until_quiet()

    expected = {o.id for o in operations("ann", 0, 1, 2) + operations("bob", 0, 1)}
    assert [node.held for node in v.nodes] == [expected, expected]


def test_equal_copies_say_welcome_and_no_more():
    v = village(operations("ann", 0, 1), operations("ann", 0, 1))

    v.settle()

    assert v.is_quiet
    assert v.frames == 2


def test_both_logs_are_brought_together():
    v = village(operations("ann", 0, log=Log.CONTROL), operations("bob", 0, 1))

    v.talk_until_quiet()

    assert v.nodes[0].held == v.nodes[1].held
    assert len(v.nodes[0].held) == 3


def test_a_hundred_missing_posts_come_over_in_a_handful_of_frames():
    shared = operations("ann", *range(300))
    v = village(shared, shared + operations("bob", *range(80)))

    v.talk_until_quiet()

    assert v.nodes[0].held == v.nodes[1].held
    assert len(v.nodes[0].received) == 80
    assert v.frames <= 20


def test_a_post_made_while_the_link_came_about_arrives_soon():
    v = village((), ())
    bob = v.nodes[1]
    bob.hold([operation("bob", 0)])  # after its WELCOME was said, before READY: no gossip

    v.wait(5)

    assert v.nodes[0].held == bob.held


def test_posts_on_both_sides_of_a_cut_meet_when_it_heals():
    v = village(operations("ann", 0), operations("ann", 0))
    v.talk_until_quiet()
    v.wires[0].cut()
    v.nodes[0].post(operation("ann", 1))
    v.nodes[1].post(operation("bob", 0))

    v.mend()
    v.settle()

    assert v.nodes[0].held == v.nodes[1].held
    assert len(v.nodes[0].held) == 3


def test_a_new_post_is_pushed_at_once_and_acknowledged_to_its_author():
    v = village(operations("ann", 0), operations("ann", 0))
    v.settle()
    frames = v.frames

    post = operation("ann", 1)
    v.nodes[0].post(post, now=v.now)
    v.settle()

    assert (post.id, Arrival.PUSHED) in v.nodes[1].received
    assert v.nodes[0].acks == [(v.nodes[1].key, post.id)]
    assert v.frames - frames == 2  # OPS there, ACK back


def test_a_post_pushed_by_several_peers_is_stored_once():
    v = Village(*[FakeNode(name) for name in ("ann", "bob", "eve", "joe")])
    v.settle()

    v.nodes[0].post(operation("ann", 0), now=v.now)
    v.settle()

    for node in v.nodes[1:]:
        assert [one for one, _ in node.received] == [operation("ann", 0).id]


def test_beyond_four_peers_the_others_hear_of_it_and_ask():
    v = Village(*[FakeNode(f"n{i}") for i in range(8)])
    v.settle()

    post = operation("n0", 0)
    v.nodes[0].post(post, now=v.now)
    v.settle()

    arrivals = [arrival for node in v.nodes[1:] for _, arrival in node.received]
    asked_the_author = 3  # and may be answered when another peer was faster
    assert 7 <= len(arrivals) <= 7 + asked_the_author
    assert all(node.held == {post.id} for node in v.nodes)
    assert set(arrivals) == {Arrival.PUSHED, Arrival.WANTED}


def test_a_thousand_posts_at_once_all_arrive_though_only_some_are_pushed():
    v = village((), ())
    v.settle()

    v.nodes[0].post(*operations("ann", *range(1000)), now=v.now)
    v.settle()

    received = v.nodes[1].received
    assert v.nodes[1].held == v.nodes[0].held
    assert sum(arrival is Arrival.PUSHED for _, arrival in received) <= 200
    assert len(received) == 1000


def test_acks_and_addresses_are_handed_on():
    session = a_session()
    record = SignedRecord(b"record", bytes(64))

    assert hear(session, Ack((SOME_ID,))) == [NoteAck((SOME_ID,))]
    assert hear(session, Announce(record)) == [HearRecords((record,))]
    assert hear(session, Peers(True, (record,), (ME,))) == [HearRecords((record,), (ME,))]


def test_ids_offered_are_looked_up_unless_just_stored():
    session = a_session()
    session._line.shared.seen.add(SOME_ID)

    assert hear(session, Have((SOME_ID, b"n" * 32))) == [LookUp((b"n" * 32,))]
    assert hear(session, Have((SOME_ID,))) == []


def test_addresses_are_told_only_to_a_peer_that_said_welcome():
    record = SignedRecord(b"record", bytes(64))
    early, late = a_session(ready=False), a_session()
    for session in (early, late):
        session.say_addresses(Announce(record))

    assert said(early) == []
    assert said(late) == [Announce(record)]


def test_a_frame_of_an_unknown_late_type_is_ignored_and_an_early_one_ends_the_link():
    session = a_session()

    assert session.receive(b"\x80whatever", 0.0) == []
    with pytest.raises(RemoteProtocolError):
        session.receive(b"\x7fwhatever", 0.0)
    assert session.state is State.CLOSED
    (err,) = said(session)
    assert err.code == ErrorCode.BAD_FRAME


def test_nothing_but_welcome_may_come_first():
    session = a_session(ready=False)

    with pytest.raises(RemoteProtocolError) as caught:
        hear(session, Have((SOME_ID,)))

    assert caught.value.error_code == ErrorCode.STATE
    assert said(session) == [Err(ErrorCode.STATE, 0, str(caught.value))]


@pytest.mark.parametrize(
    "message", [Welcome((), "", Role.PEER), Hello(1, bytes(32), bytes(32))], ids=["again", "hello"]
)
def test_a_greeting_amid_the_conversation_ends_it(message):
    session = a_session()

    with pytest.raises(RemoteProtocolError) as caught:
        hear(session, message)
    assert caught.value.error_code == ErrorCode.STATE


def test_a_closed_session_hears_says_and_does_nothing_more():
    session = a_session(theirs=MANY)
    session.close(ErrorCode.DUPLICATE, "another link")
    assert said(session) == [Err(ErrorCode.DUPLICATE, 0, "another link")]

    assert hear(session, Ping(1, MS, True, ())) == []
    session.ping(1.0, MS)
    session.compare(Compare(1), 1.0, MS)
    session.lack([SOME_ID], 1.0)
    session.stream_from(1, b"", 1.0)
    session.offer([(SOME_ID, operation("ann", 0).raw)], [SOME_ID], 1.0)
    session.answer(SendOperations(()), (), (), 1.0)
    session.reconciled(Reconcile(1, 0, True, None), Outcome(b"\x61"), 1.0)
    session.close(ErrorCode.BUSY)
    assert session.tick(99.0) == []
    assert said(session) == []
    assert session.farewell == (ErrorCode.DUPLICATE, "another link")


def test_what_is_stored_after_the_end_is_still_known_to_the_other_links():
    session = a_session()
    session.close()

    session.admitted(Admit((operation("bob", 0).raw,), Arrival.PUSHED), [SOME_ID], 1.0)

    assert SOME_ID in session._line.shared.seen


def test_the_peers_reason_for_leaving_is_kept():
    session = a_session()

    hear(session, Err(ErrorCode.BUSY, 30, "no room"))

    assert session.state is State.CLOSED
    assert session.farewell == (ErrorCode.BUSY, "no room")
    assert said(session) == []


def test_a_peer_that_does_not_read_is_hung_up_on():
    session = a_session()
    big = [operation("bob", n, size=250_000).raw for n in range(16)]
    for _ in range(5):
        (action,) = hear(session, Want((SOME_ID,)))
        session.answer(action, big, (), 0.0)

    session.tick(1.0)

    assert session.farewell == (ErrorCode.TIMEOUT, "It does not read what it is sent.")


NAMES = ("ann", "bob", "eve")


POOL = [o for name in NAMES for o in operations(name, *range(60))]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32), parts=st.lists(st.integers(0, 2**180 - 1), min_size=2, max_size=3)
)
def test_any_two_or_three_copies_become_one_whatever_happens_on_the_way(seed, parts):
    """Frames are late, doubled and lost with their link; posts are made all the while."""
    chance = random.Random(seed)
    nodes = [
        FakeNode(name, [o for at, o in enumerate(POOL) if part >> at & 1])
        for name, part in zip(NAMES, parts, strict=False)
    ]
    for node in nodes:
        node.newest_count = chance.choice([1, 5, 50])
    v = Village(*nodes)
    for number in range(chance.randrange(150)):
        stir(v, chance, number)

    v.mend()
    v.talk_until_quiet()

    assert all(node.held == nodes[0].held for node in nodes)
    assert all(node.shared.streams.peer_of(log) is None for node in nodes for log in (0, 1))


def stir(v, chance, number):
    """One thing that can happen."""
    wire = chance.choice(v.wires)
    match chance.randrange(20):
        case 0:
            wire.cut()
            v.mend()
        case 1:
            v.now += chance.choice([0.3, 3, 30])
            wire.tick(v.now)
        case 2:
            node = chance.choice(v.nodes)
            node.post(operation(node.name, 1_000 + number), now=v.now)
        case _:
            wire.collect()
            end = chance.randrange(2)
            if wire.flying[end]:
                wire.deliver(end, v.now, twice=chance.random() < 0.1)
    v.mend()


@settings(max_examples=300, deadline=None)
@given(
    frames=st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.builds(
                lambda code, rest: bytes([code]) + rest,
                st.sampled_from(
                    [
                        3,
                        4,
                        0x10,
                        0x11,
                        0x20,
                        0x21,
                        0x30,
                        0x31,
                        0x32,
                        0x40,
                        0x41,
                        0x42,
                        0x43,
                        0x44,
                        0x45,
                    ]
                ),
                st.binary(max_size=100),
            ),
            st.sampled_from(
                [
                    encode(message)
                    for message in (
                        Welcome(MANY, "", Role.PEER),
                        Ops(()),
                        Ops((operation("bob", 0).raw,)),
                        Want((SOME_ID,)),
                        Have((SOME_ID,)),
                        Stream(1, None),
                        Stream(0, b""),
                        Stream(1, bytes(68)),
                        NegOpen(1, 1, b"\x61"),
                        NegMsg(1, 1, b"\x61"),
                        NegMsg(0, 1, b"\x61\x00\x00\x01" + bytes(16)),
                        NegClose(1, 1),
                        NegClose(0, 1),
                        Ping(1, MS, True, MANY),
                        Pong(1, MS, False, ()),
                        Ack((SOME_ID,)),
                    )
                ]
            ),
        ),
        max_size=25,
    ),
    ready=st.booleans(),
)
def test_whatever_bytes_come_only_the_link_can_end(frames, ready):
    """With the real shell's steps in between: nothing but RemoteProtocolError is ever raised."""
    ann, bob = FakeNode("ann", operations("ann", 0)), FakeNode("bob")
    wire = Wire((ann, bob), 0.0)
    session = wire.session(0)
    if ready:
        ann.run(session, session.receive(encode(Welcome((), "", Role.PEER)), 0.0), 0.0)
    for number, frame in enumerate(frames):
        try:
            ann.run(session, session.receive(frame, float(number)), float(number))
            ann.run(session, session.tick(float(number)), float(number))
        except RemoteProtocolError:
            session.close()
        for data in session.data_to_send():
            decode(data)


def test_a_flood_of_hints_goes_unheard_without_harm():
    session = a_session()
    many = tuple(number.to_bytes(32, "big") for number in range(2_000))
    record = SignedRecord(b"record", bytes(64))

    heard = [hear(session, Have(many)) for _ in range(20)]
    acked = [hear(session, Ack(many)) for _ in range(3)]
    told = [hear(session, Announce(record)) for _ in range(200)]
    listed = [hear(session, Peers(False, (record,), ())) for _ in range(5)]

    assert [len(actions) for actions in heard] == [1] * 10 + [0] * 10
    assert [len(actions) for actions in acked] == [1, 0, 0]
    assert sum(map(len, told)) == 80
    assert sum(map(len, listed)) == 0
    assert session.state is State.READY


def test_what_one_peer_pushed_is_no_longer_wanted_of_another():
    session, post = a_session(), operation("eve", 0)
    wants = session._line.shared.wants
    wants.offer(b"another peer".ljust(32), [post.id])
    (admit,) = [a for a in hear(session, Ops((post.raw,))) if isinstance(a, Admit)]

    session.admitted(admit, [post.id], 1.0)

    assert len(wants) == 0
