"""The word for each peer, and the one for all."""

from types import SimpleNamespace

from tests.sync.fake_node import MS, device
from tests.sync.one_end import DIFFERENT, MANY, ME, SOME_ID, hear, weigh
from trayapp.peers.outlook import behind, peer_status, problem, sync_status
from trayapp.status import PeerPath, SyncState
from trayapp.sync.copies import BARREN_LIMIT
from trayapp.sync.fingerprints import EMPTY
from trayapp.sync.limits import ASK_NEXT_S
from trayapp.sync.line import Shared
from trayapp.sync.messages import Have, Ping, Role, Welcome
from trayapp.sync.session import Session


def a_session(shared, name, theirs=(), *, ready=True):
    session = Session(ME, device(name).key, shared, 0.0, lambda: 0.5)
    session.greet("", Role.PEER)
    if ready:
        weigh(session, Welcome(tuple(theirs), "", Role.PEER))
    return session


def word(shared, *sessions):
    return sync_status(shared, sessions, connecting=True)


def test_without_a_ready_peer_we_are_offline_or_connecting():
    assert sync_status(Shared(), (), connecting=False).state is SyncState.OFFLINE
    assert sync_status(Shared(), (), connecting=True).state is SyncState.CONNECTING


def test_one_settled_peer_is_enough_to_be_synced():
    shared = Shared()

    status = word(shared, a_session(shared, "bob"))

    assert (status.state, status.problem) == (SyncState.SYNCED, "")


def test_one_that_differs_is_enough_to_be_syncing():
    shared = Shared()
    shared.copies.hold([(0, EMPTY), (400, b"o" * 16)])
    bob, eve = a_session(shared, "bob", MANY), a_session(shared, "eve", shared.copies.listed)

    status = word(shared, bob, eve)

    assert (status.state, status.done, status.total) == (SyncState.SYNCING, 400, 1_000)
    assert behind(bob, shared) == 600
    assert behind(eve, shared) == 0


def test_two_copies_of_one_size_that_differ_are_one_behind_at_least():
    shared = Shared()
    shared.copies.hold([(0, EMPTY), (1, b"o" * 16)])

    assert behind(a_session(shared, "bob", DIFFERENT), shared) == 1


def test_open_wants_count_as_still_to_come():
    shared = Shared()
    bob = a_session(shared, "bob")
    shared.wants.offer(bob.peer, [SOME_ID])

    status = word(shared, bob)

    assert (status.state, status.done, status.total) == (SyncState.SYNCING, 0, 1)


def test_a_peer_that_leaves_wants_unanswered_does_not_count_and_is_named():
    shared = Shared()
    bob, eve = a_session(shared, "bob"), a_session(shared, "eve")
    hear(bob, Have((SOME_ID,)))
    bob.lack([SOME_ID], 0.0)
    shared.wants.expire(ASK_NEXT_S)

    assert "unanswered" in problem(bob, shared)
    assert word(shared, bob, eve).state is SyncState.SYNCED
    assert word(shared, bob, eve).problem == problem(bob, shared)
    alone = word(shared, bob)
    assert (alone.state, alone.problem) == (SyncState.ATTENTION, problem(bob, shared))


def test_a_peer_whose_reconciliations_give_nothing_does_not_count():
    shared = Shared()
    bob = a_session(shared, "bob", DIFFERENT)
    bob.pairs[1].barren = BARREN_LIMIT

    assert "does not give" in problem(bob, shared)
    assert word(shared, bob).state is SyncState.ATTENTION


def test_a_peer_short_of_room_is_named_only_while_it_lacks_something():
    shared = Shared()
    bob = a_session(shared, "bob")
    hear(bob, Ping(1, MS, False, ()))
    assert problem(bob, shared) == ""

    bob.pairs[1].settled = False
    assert "short of room" in problem(bob, shared)


def test_short_of_room_ourselves_we_ask_for_attention():
    shared = Shared()
    bob = a_session(shared, "bob", DIFFERENT)
    shared.copies.hold([(0, EMPTY), (0, EMPTY)], taking=False)

    status = word(shared, bob)

    assert status.state is SyncState.ATTENTION
    assert "This machine" in status.problem


def test_a_peer_is_connecting_then_syncing_then_connected():
    shared = Shared()
    states = []
    for session in (
        a_session(shared, "bob", ready=False),
        a_session(shared, "bob", DIFFERENT),
        a_session(shared, "eve"),
    ):
        link = SimpleNamespace(session=session, peer=session.peer, address="there", heard_ms=MS)
        status = peer_status(link, PeerPath.LAN, shared)  # type: ignore[arg-type]
        states.append(status.state)
        assert (status.address, status.path, status.latency_ms) == ("there", PeerPath.LAN, None)

    assert states == ["connecting", "syncing", "connected"]


def test_the_round_trip_is_told_in_milliseconds():
    shared = Shared()
    bob = a_session(shared, "bob")
    bob._pulse.latency_s = 0.0126
    link = SimpleNamespace(session=bob, peer=bob.peer, address="", heard_ms=MS)

    assert peer_status(link, PeerPath.LAN, shared).latency_ms == 13  # type: ignore[arg-type]
