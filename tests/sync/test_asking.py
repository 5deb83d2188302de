"""WANT and STREAM from the asker's side, and what comes in answer."""

import pytest

from tests.sync.fake_node import MS, FakeNode, Village, device, operation, operations
from tests.sync.one_end import (
    MANY,
    ME,
    PEER,
    SOME_ID,
    a_session,
    hear,
    said,
    streaming_session,
    village,
    weigh,
)
from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync import limits
from trayapp.sync.actions import Arrival, StreamCursor
from trayapp.sync.line import Shared
from trayapp.sync.messages import (
    Ack,
    Gone,
    Have,
    LogDigest,
    Ops,
    Ping,
    Role,
    Stream,
    Want,
    Welcome,
    encode,
)
from trayapp.sync.session import Session


def test_a_first_sync_streams_page_by_page_and_receives_little_twice():
    v = village((), operations("bob", *range(400)))
    ann, bob = v.nodes

    v.talk_until_quiet()

    assert ann.held == bob.held
    assert {arrival for _, arrival in ann.received} == {Arrival.STREAMED}
    assert len(ann.received) <= 400 + ann.newest_count


def test_the_newest_posts_come_first():
    v = village((), operations("bob", *range(400)))

    v.settle()

    first = [one for one, _ in v.nodes[0].received[:20]]
    assert first == [o.id for o in operations("bob", *range(380, 400))]


def test_what_the_newcomer_brought_along_reaches_the_one_it_streams_from():
    v = village(operations("ann", 0), operations("bob", *range(200)))

    v.talk_until_quiet()

    assert operation("ann", 0).id in v.nodes[1].held


def test_a_streaming_node_that_is_cut_off_goes_on_at_its_cursor():
    everything = [
        o for name in ("ann", "bob", "eve") for o in operations(name, *range(300), size=600)
    ]
    v = village((), everything)
    ann, bob = v.nodes
    while len(ann.held) < 350:
        v.wires[0].collect()
        for end in (0, 1):
            if v.wires[0].flying[end]:
                v.wires[0].deliver(end, v.now)
    v.wires[0].cut()
    held, before = len(ann.held), len(ann.received)
    ann.shared = Shared()  # as after SIGKILL: only the store remembers
    ann.look()

    v.mend()
    v.talk_until_quiet()

    assert ann.held == bob.held
    most_page = limits.PageSize.MOST // 800
    assert 0 < len(ann.received) - before <= len(everything) - held + most_page
    position = ann.cursors[bob.key, 1]
    assert position is None  # the stream is over, and its cursor forgotten


def test_one_log_streams_from_one_peer_at_a_time():
    everything = operations("bob", *range(400), size=600)
    v = Village(FakeNode("ann"), FakeNode("bob", everything), FakeNode("eve", everything))
    ann = v.nodes[0]

    v.talk_until_quiet()

    assert ann.held == {o.id for o in everything}
    assert len(ann.received) <= 400 + ann.newest_count


def test_the_next_peer_goes_on_where_the_first_one_stopped():
    everything = operations("bob", *range(2000), size=600)
    v = Village(FakeNode("ann"), FakeNode("bob", everything), FakeNode("eve", everything))
    ann, first = v.nodes[0], v.wires[0]
    while len(ann.held) < 500:
        for wire in v.wires:
            wire.collect()
            for end in (0, 1):
                if wire.flying[end]:
                    wire.deliver(end, v.now)
    streamer = ann.shared.streams.peer_of(1)
    next(w for w in v.wires if streamer in (n.key for n in w.ends) and ann in w.ends).cut()
    assert first is v.wires[0]

    v.wait(5)

    assert ann.held == {o.id for o in everything}
    assert len(ann.received) < 2 * len(everything) - 500


def test_the_next_page_is_asked_for_before_the_last_one_is_stored():
    session = streaming_session()
    page = operations("bob", 0, 1)
    assert hear(session, Ops(tuple(o.raw for o in page))) == []

    (admit,) = hear(session, Ops(()))

    (request,) = said(session)
    assert admit.operations == tuple(o.raw for o in page)
    assert request == Stream(1, admit.cursor.position)
    assert admit.cursor.position == page[1].author + (1).to_bytes(4, "big") + page[1].id


def test_a_post_pushed_amid_a_page_does_not_move_the_cursor():
    session = streaming_session()
    pushed = max(operations("ann", 0) + operations("eve", 0), key=lambda o: o.author)
    page = operations("bob", 0, 1)
    hear(session, Ops((page[0].raw,)))
    hear(session, Ops((pushed.raw,)))
    hear(session, Ops((page[1].raw,)))

    (admit,) = hear(session, Ops(()))

    assert admit.cursor.position[-32:] == page[1].id


def test_an_old_post_pushed_before_an_empty_page_is_the_end_and_no_step_back():
    session = streaming_session(kept=b"\xff" * 68)
    hear(session, Ops((operation("ann", 0).raw,)))

    (admit,) = hear(session, Ops(()))

    assert admit.cursor.position is None
    assert admit.operations == (operation("ann", 0).raw,)
    assert said(session) == []


def test_a_stream_that_is_abandoned_still_stores_what_was_on_its_way():
    session = streaming_session()
    session.abandon_stream(1)
    hear(session, Ops((operation("bob", 0).raw,)))

    (admit,) = hear(session, Ops(()))

    assert admit.operations == (operation("bob", 0).raw,)
    assert admit.cursor is None
    assert said(session) == []
    assert session._line.shared.streams.peer_of(1) is None


def test_a_cursor_that_comes_when_the_stream_is_another_peers_is_not_used():
    session = a_session(theirs=MANY)
    session.abandon_stream(1)

    session.stream_from(1, b"", 0.0)

    assert said(session) == []


def test_a_page_without_end_ends_the_link():
    session = streaming_session()
    frame = Ops(tuple(operation("bob", n, size=200_000).raw for n in range(5)))

    for _ in range(8):
        hear(session, frame)

    with pytest.raises(RemoteProtocolError) as caught:
        hear(session, frame)
    assert caught.value.error_code == ErrorCode.TOO_BIG


def test_an_id_offered_by_two_is_asked_of_the_next_after_ten_seconds_of_silence():
    shared = Shared()
    bob, eve = (Session(ME, device(name).key, shared, 0.0, lambda: 0.5) for name in ("bob", "eve"))
    for session in (bob, eve):
        session.receive(encode(Welcome((), "", Role.PEER)), 0.0)
        session.receive(encode(Have((SOME_ID,))), 0.0)
        session.lack([SOME_ID], 0.0)
    assert [said(bob), said(eve)] == [[Want((SOME_ID,))], []]

    shared.wants.expire(limits.ASK_NEXT_S)
    eve.tick(limits.ASK_NEXT_S)

    assert said(eve) == [Want((SOME_ID,))]
    assert shared.wants.is_tardy(bob.peer)


def test_only_operations_keep_a_request_open_and_pings_do_not():
    shared = Shared()
    bob = Session(ME, PEER, shared, 0.0, lambda: 0.5)
    bob.receive(encode(Welcome((), "", Role.PEER)), 0.0)
    bob.lack([SOME_ID], 0.0)
    bob.receive(encode(Ops((operation("eve", 0).raw,))), 8.0)  # an answer may be on its way
    shared.wants.expire(17.0)
    assert not shared.wants.is_tardy(PEER)
    bob.receive(encode(Gone(((operation("eve", 0).id, 1),))), 17.0)
    bob.receive(encode(Ping(1, MS, True, ())), 17.5)

    shared.wants.expire(18.0)

    assert shared.wants.is_tardy(PEER)


def test_a_peer_that_pushes_too_much_is_asked_for_the_rest_later():
    v = village((), ())
    v.settle()
    wire, many = v.wires[0], operations("ann", *range(1000))
    v.nodes[0].hold(many)
    for at in range(0, 1000, 100):
        wire.flying[1].append(encode(Ops(tuple(o.raw for o in many[at : at + 100]))))

    v.settle()

    received = v.nodes[1].received
    assert v.nodes[1].held == v.nodes[0].held
    assert sum(arrival is Arrival.PUSHED for _, arrival in received) <= 400


def test_only_the_author_is_sent_an_ack():
    chain = [FakeNode(name) for name in ("ann", "bob", "eve")]
    v = Village(*chain, wires=[(chain[0], chain[1]), (chain[1], chain[2])])
    v.settle()

    post = operation("ann", 0)
    chain[0].post(post, now=v.now)
    v.settle()

    assert post.id in chain[2].held
    assert chain[0].acks == [(chain[1].key, post.id)]
    assert chain[1].acks == chain[2].acks == []


def test_an_author_is_sent_an_ack_even_if_another_peer_was_faster():
    shared = Shared()
    bob, eve = (Session(ME, device(name).key, shared, 0.0, lambda: 0.5) for name in ("bob", "eve"))
    for session in (bob, eve):
        session.receive(encode(Welcome((), "", Role.PEER)), 0.0)
        session.data_to_send()
    post, other = operation("bob", 0), operation("joe", 0)
    (admit,) = hear(eve, Ops((post.raw, other.raw)))
    eve.admitted(admit, [post.id, other.id], 0.0)

    (admit,) = hear(bob, Ops((post.raw, other.raw)))
    bob.admitted(admit, [], 0.0, held=[post.id])

    assert admit.operations == (post.raw,)
    assert said(bob) == [Ack((post.id,))]
    assert said(eve) == []


def test_what_is_not_kept_is_not_acknowledged():
    session = a_session()
    (admit,) = hear(session, Ops((operation("bob", 0).raw,)))

    session.admitted(admit, [], 0.0)

    assert said(session) == []


def test_cut_off_amid_the_newest_a_stream_begins_anew_only_while_that_costs_little():
    session = a_session(theirs=MANY)
    session.stream_from(1, None, 0.0)
    cursors = []
    for number in range(6):
        frame = Ops((operation("bob", number, size=100_000).raw,))
        cursors += [action.cursor for action in hear(session, frame)]
    cursors += [action.cursor for action in hear(session, Ops(()))]

    start = StreamCursor(1, b"")
    assert cursors == [None, None, start, None, None, None, start]


def test_short_of_room_amid_a_stream_no_further_page_is_asked_for():
    session = streaming_session()
    session._line.shared.copies.taking = False
    hear(session, Ops((operation("bob", 0).raw,)))

    (admit,) = hear(session, Ops(()))

    assert admit.operations == (operation("bob", 0).raw,)
    assert admit.cursor is None  # the store keeps the one before: there it goes on
    assert said(session) == []
    assert session._line.shared.streams.peer_of(1) is None


def test_an_abandoned_page_without_operations_is_simply_over():
    session = streaming_session()
    session.abandon_stream(0)  # another log
    session.abandon_stream(1)

    assert hear(session, Ops(())) == []


def test_ids_said_to_be_gone_amid_a_page_are_nobodys():
    session = streaming_session()

    assert hear(session, Gone(((SOME_ID, 1),))) == []


def test_after_a_stream_that_another_peer_began_a_whole_one_is_still_worth_it():
    session = a_session(theirs=MANY)
    session._line.shared.streams.reach(1, b"c" * 68)
    session.stream_from(1, None, 0.0)
    assert said(session) == [Stream(1, b"c" * 68)]

    (admit,) = hear(session, Ops(()))

    assert admit.cursor == StreamCursor(1, None)
    assert session.wants_stream(1)
    assert session._line.shared.streams.reached(1) is None


def test_no_second_stream_of_a_log_is_begun():
    session = streaming_session()

    session._asking.stream(1, 1.0)

    assert session.actions() == []


def test_a_stream_that_serves_us_our_own_posts_ends_and_is_not_begun_again():
    session = streaming_session()
    shared = session._line.shared
    pages = 0
    while shared.streams.peer_of(1) is not None:
        hear(session, Ops((operation("bob", pages).raw,)), now=float(pages))
        (admit,) = hear(session, Ops(()), now=float(pages))
        session.admitted(admit, [], float(pages))
        pages += 1

    assert pages == limits.STREAM_IDLE_PAGES
    hear(session, Ops(()), now=20.0)  # the page that was asked for meanwhile
    weigh(session, Ping(1, MS, True, (LogDigest(1, 1 << 50, b"d" * 16),)), now=20.0)
    weigh(session, Ping(2, MS, True, (LogDigest(1, 1 << 51, b"e" * 16),)), now=30.0)
    assert not session.wants_stream(1)
    assert session.pairs[1].began_at is not None  # instead, a reconciliation does the rest


def test_a_first_sync_is_not_acknowledged_post_by_post():
    v = village((), operations("bob", *range(150)))

    v.talk_until_quiet()

    assert v.nodes[0].held == v.nodes[1].held
    assert v.nodes[1].acks == []


def test_what_is_wanted_is_taken_however_it_comes():
    session = a_session()
    many = operations("eve", *range(1_000))
    session.lack([o.id for o in many], 0.0)

    taken = []
    for at in range(0, 1_000, 100):  # pushed, far beyond what may be pushed
        taken += hear(session, Ops(tuple(o.raw for o in many[at : at + 100])))

    assert {admit.arrival for admit in taken} == {Arrival.WANTED}
    assert sum(len(admit.operations) for admit in taken) == 1_000
