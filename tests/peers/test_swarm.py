"""Many links: one per device, gossip, streams that change hands, and real sockets."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

from tests.peers.dict_keeper import NOW_MS, DictKeeper, a_swarm, linked, pipe
from tests.peers.friends import identity, passport, until
from tests.peers.visitor import SOME_ID, Visitor
from tests.sync.fake_node import operation, operations
from trayapp.errors import ErrorCode
from trayapp.forum.operation import Kind
from trayapp.peers.channel import dial
from trayapp.peers.finder import parse_address
from trayapp.peers.greeting import CLOSE_BASE
from trayapp.peers.listener import Listener
from trayapp.peers.swarm import TICK_S
from trayapp.status import PeerPath, SyncState
from trayapp.sync import limits
from trayapp.sync.actions import Arrival
from trayapp.sync.messages import Err, Have, LogDigest, Ops, Ping, Stream, Want, Welcome

LOWER, HIGHER = sorted(["ann", "bob"], key=lambda name: identity(name).key)
MANY = LogDigest(1, 500, b"d" * 16)


class SlowClock:
    """A swarm's clock that a test can move forward."""

    def __init__(self, swarm):
        self.ahead = 0.0
        original = swarm.now
        swarm.now = lambda: original() + self.ahead

    def advance(self, seconds, *swarms):
        """Move on in steps as `run` would make them."""
        for _ in range(int(seconds / TICK_S)):
            self.ahead += TICK_S
            for swarm in swarms:
                swarm.tick()


async def several(keeper, *names):
    """A node and so many visitors, all READY."""
    visitors = [Visitor(keeper, name) for name in names]
    for visitor in visitors[1:]:
        visitor.swarm = visitors[0].swarm
    return visitors


@asynccontextmanager
async def visited(keeper, *names):
    """A node with visitors that have said WELCOME."""
    async with AsyncExitStack() as stack:
        visitors = await several(keeper, *names)
        for visitor in visitors:
            await stack.enter_async_context(visitor)
            await visitor.welcome()
        yield visitors[0].swarm, visitors


# --- one link per device ---


async def test_of_two_links_the_one_dialled_by_the_lower_key_stays():
    lower, higher = DictKeeper(LOWER), DictKeeper(HIGHER)
    one, other = a_swarm(lower), a_swarm(higher)
    async with linked(other, one) as (wrong, _):
        await until(lambda: bool(one.linked()) and bool(other.linked()))
        async with linked(one, other) as (right, _):
            await until(lambda: wrong.close_code == CLOSE_BASE + ErrorCode.DUPLICATE)
            await until(lambda: bool(one.linked()) and bool(other.linked()))
            assert right.close_code is None
            assert len(one.statuses()) == len(other.statuses()) == 1


async def test_a_link_dialled_by_the_higher_key_is_turned_away_where_a_better_one_stands():
    lower, higher = DictKeeper(LOWER), DictKeeper(HIGHER)
    one, other = a_swarm(lower), a_swarm(higher)
    async with linked(one, other) as (right, _):
        await until(lambda: bool(one.linked()) and bool(other.linked()))
        late, at_one = pipe(higher.key, lower.key)
        await one.adopt(at_one, PeerPath.INBOUND, "192.0.2.7")

        assert (await late.hear()).code == ErrorCode.DUPLICATE
        assert at_one.close_code == CLOSE_BASE + ErrorCode.DUPLICATE
        assert right.close_code is None


async def test_of_two_links_dialled_by_the_same_end_the_newer_stays():
    lower, higher = DictKeeper(LOWER), DictKeeper(HIGHER)
    one, other = a_swarm(lower), a_swarm(higher)
    async with linked(other, one) as (older, _):
        await until(lambda: bool(one.linked()) and bool(other.linked()))
        async with linked(other, one) as (newer, _):
            await until(lambda: older.close_code is not None and newer.ready)
            assert newer.close_code is None


async def test_a_replaced_link_leaves_nothing_behind_that_the_new_one_trips_over():
    keeper = DictKeeper(LOWER)
    async with Visitor(keeper, HIGHER) as visitor:
        await visitor.welcome([MANY])
        assert await visitor.ours.hear_a(Stream) == Stream(1, None)
        again = Visitor(keeper, HIGHER)
        again.swarm = visitor.swarm
        async with again:
            await again.welcome([MANY])
            assert await again.ours.hear_a(Stream) == Stream(1, None)  # the log is free again
            assert visitor.ours.close_code == CLOSE_BASE + ErrorCode.DUPLICATE


# --- gossip ---


async def test_a_post_made_here_goes_to_four_peers_and_the_others_hear_of_it():
    names = [f"n{number}" for number in range(7)]
    async with visited(DictKeeper("ann"), *names) as (swarm, visitors):
        post = operation("ann", 0)
        swarm.announce([(post.id, post.raw)])
        swarm.announce([(post.id, post.raw)])  # harmless

        heard = [await visitor.ours.hear_a(Ops | Have) for visitor in visitors]

        assert heard.count(Ops((post.raw,))) == 4
        assert heard.count(Have((post.id,))) == 3
        assert all(visitor.ours._frames.empty() for visitor in visitors)


async def test_a_post_from_a_peer_is_passed_on_to_all_but_that_peer():
    async with visited(DictKeeper("ann"), "bob", "eve") as (swarm, (bob, eve)):
        post = operation("joe", 0)
        await bob.ours.say(Ops((post.raw,)))

        assert await eve.ours.hear_a(Ops) == Ops((post.raw,))
        assert bob.ours._frames.empty()
        await eve.ours.say(Ops((post.raw,)))  # an echo
        await eve.ours.say(Want((SOME_ID,)))
        await eve.ours.hear_a(Ops)
        assert len(swarm._keeper.received) == 1


async def test_a_text_that_comes_after_its_delete_is_not_passed_on():
    post = operation("joe", 0)
    delete = operation("joe", 1, kind=Kind.DELETE, ref=post.id)
    async with visited(DictKeeper("ann", [delete]), "bob", "eve") as (_, (bob, eve)):
        await bob.ours.say(Ops((post.raw,)))

        assert await eve.ours.hear_a(Ops | Have) == Have((post.id,))
        await eve.ours.say(Want((post.id,)))
        assert await eve.ours.hear_a(Ops) == Ops((delete.raw, post.header))


async def test_a_batch_from_a_stream_is_not_pushed_on_but_shows_in_a_ping():
    keeper = DictKeeper("ann")
    async with visited(keeper, "eve") as (swarm, (eve,)):
        bob = Visitor(keeper, "bob")
        bob.swarm = swarm
        async with bob:
            await bob.welcome([MANY])
            await bob.ours.hear_a(Stream)
            await bob.ours.say(Ops(tuple(o.raw for o in operations("joe", 0, 1))))
            await bob.ours.say(Ops(()))
            await until(lambda: len(keeper.ops) == 2)

            SlowClock(swarm).advance(2, swarm)

            ping = await eve.ours.hear()
            assert isinstance(ping, Ping)
            assert [digest.count for digest in ping.digests] == [2]


async def test_nothing_is_announced_before_both_have_said_welcome():
    async with Visitor(DictKeeper("ann")) as visitor:
        await visitor.ours.hear_a(Welcome)
        post = operation("ann", 0)
        visitor.swarm.announce([(post.id, post.raw)])

        assert visitor.ours._frames.empty()


# --- time ---


async def test_the_next_peer_is_asked_after_ten_seconds_of_silence():
    async with visited(DictKeeper("ann"), "bob", "eve") as (swarm, (bob, eve)):
        for visitor in (bob, eve):
            await visitor.ours.say(Have((SOME_ID,)))
        await until(lambda: swarm.shared.wants.offered(eve.key) == 1)
        assert await bob.ours.hear_a(Want) == Want((SOME_ID,))
        assert eve.ours._frames.empty()

        SlowClock(swarm).advance(limits.ASK_NEXT_S + 1, swarm)

        assert await eve.ours.hear_a(Want) == Want((SOME_ID,))
        assert "unanswered" in status_of(swarm, bob).problem
        assert status_of(swarm, eve).problem == ""


def status_of(swarm, visitor):
    return next(status for status in swarm.statuses() if status.device == visitor.key)


async def test_a_stream_without_a_byte_moves_to_the_next_peer_at_its_cursor():
    keeper = DictKeeper("ann")
    async with AsyncExitStack() as stack:
        bob, eve = await several(keeper, "bob", "eve")
        for visitor in (bob, eve):
            await stack.enter_async_context(visitor)
            await visitor.welcome([MANY])
        swarm, page = bob.swarm, operations("joe", 0)
        for cursor in (None, b""):
            assert (await bob.ours.hear_a(Stream)).cursor == cursor
            await bob.ours.say(Ops((page[0].raw,)))
            await bob.ours.say(Ops(()))
        reached = (await bob.ours.hear_a(Stream)).cursor
        await until(lambda: swarm.shared.streams.reached(1) == reached)

        SlowClock(swarm).advance(limits.STREAM_WINDOW_S + 1, swarm)

        assert await eve.ours.hear_a(Stream) == Stream(1, reached)
        assert bob.ours.close_code is None


async def test_a_slow_stream_goes_on_where_nobody_else_could():
    async with Visitor(DictKeeper("ann")) as bob:
        await bob.welcome([MANY])
        await bob.ours.hear_a(Stream)
        await bob.ours.say(Ops((operation("joe", 0).raw,)))
        await until(lambda: len(bob.keeper.ops) == 1)

        clock = SlowClock(bob.swarm)
        clock.advance(limits.STREAM_WINDOW_S + 1, bob.swarm)
        assert bob.swarm.shared.streams.peer_of(1) == bob.key

        clock.advance(limits.STREAM_SILENT_S, bob.swarm)
        assert bob.swarm.shared.streams.peer_of(1) is None


async def test_our_own_slowness_is_not_held_against_a_peer():
    keeper = DictKeeper("ann")
    async with Visitor(keeper) as bob:
        await bob.welcome([MANY])
        await bob.ours.hear_a(Stream)
        keeper.gate.clear()
        await bob.ours.say(Ops((operation("joe", 0).raw,)))
        await keeper.admitting.wait()

        SlowClock(bob.swarm).advance(200, bob.swarm)
        keeper.gate.set()
        await until(lambda: len(keeper.ops) == 1)

        assert bob.swarm.shared.streams.peer_of(1) == bob.key
        assert bob.ours.close_code is None


async def test_a_peer_that_answers_no_ping_is_dropped_with_a_reason():
    async with visited(DictKeeper("ann"), "bob") as (swarm, (bob,)):
        clock = SlowClock(swarm)
        clock.advance(46, swarm)
        assert isinstance(await bob.ours.hear(), Ping)

        clock.advance(46, swarm)

        assert (await bob.ours.hear_a(Err)).code == ErrorCode.TIMEOUT
        await until(lambda: swarm.linked() == {})


async def test_run_ticks_and_takes_notice_of_posts_made_here():
    keeper = DictKeeper("ann")
    async with visited(keeper, "bob") as (swarm, _):
        keeper.ops[operation("ann", 0).id] = operation("ann", 0)
        swarm.announce([(operation("ann", 0).id, operation("ann", 0).raw)])
        running = asyncio.ensure_future(swarm.run())
        try:
            await until(lambda: swarm.shared.copies.count == 1)
        finally:
            running.cancel()


# --- status ---


async def test_the_state_goes_from_offline_over_connecting_to_synced():
    keeper = DictKeeper("ann")
    dialing = False
    swarm = a_swarm(keeper, dialing=lambda: dialing)
    assert swarm.sync_status().state is SyncState.OFFLINE
    dialing = True
    assert swarm.sync_status().state is SyncState.CONNECTING
    bob = Visitor(keeper)
    bob.swarm = swarm
    async with bob:
        await bob.ours.hear_a(Welcome)
        assert swarm.sync_status().state is SyncState.CONNECTING
        assert [status.state for status in swarm.statuses()] == ["connecting"]
        await bob.welcome_back()
        await until(lambda: swarm.sync_status().state is SyncState.SYNCED)
        status = status_of(swarm, bob)
        assert (status.state, status.behind, status.path) == ("connected", 0, PeerPath.INBOUND)
        assert status.last_seen == NOW_MS
    assert keeper.changes > 0


async def test_while_a_log_streams_in_the_status_counts():
    keeper = DictKeeper("ann", operations("ann", 0))
    async with Visitor(keeper) as bob:
        await bob.welcome([MANY])
        await bob.ours.hear_a(Stream)
        await bob.ours.say(Ops(tuple(o.raw for o in operations("joe", *range(9)))))
        await until(lambda: bob.swarm.shared.copies.count == 10)

        status = bob.swarm.sync_status()

        assert (status.state, status.done, status.total) == (SyncState.SYNCING, 10, 500)
        assert status_of(bob.swarm, bob).behind == 490


async def test_an_inbound_link_is_shown_as_the_finder_found_it():
    swarm = a_swarm(
        DictKeeper("ann"),
        path_to=lambda device, host: PeerPath.LAN if host == "192.0.2.7" else None,
    )
    bob = Visitor(DictKeeper("ann"))
    bob.swarm = swarm
    async with bob:
        await bob.welcome()
        assert status_of(swarm, bob).path is PeerPath.LAN


# --- real sockets ---


async def test_over_real_sockets_two_nodes_agree_and_a_post_comes_live():
    ann = DictKeeper("ann", operations("ann", *range(250), size=2_000))
    bob = DictKeeper("bob", operations("bob", 0))
    one, other = a_swarm(ann), a_swarm(bob)
    async with Listener(passport("ann"), one, host="127.0.0.1", port=0) as listener:
        address = parse_address(listener.listening[0], PeerPath.FILE)
        channel = await dial(address, passport("bob"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(other.adopt(channel, PeerPath.FILE, address.url))
            await until(lambda: ann.held == bob.held)
            await until(lambda: bool(ann.agreements) and bool(bob.agreements))
            assert one.sync_status().state is other.sync_status().state is SyncState.SYNCED

            post = operation("bob", 1)
            bob.ops[post.id] = post
            other.announce([(post.id, post.raw)])
            await until(lambda: post.id in ann.ops)
            assert ann.received[-1] == (post.id, Arrival.PUSHED)
            await channel.close()
        await until(lambda: one.linked() == {})


async def test_over_real_sockets_a_reason_arrives():
    ann = DictKeeper("ann")
    one = a_swarm(ann)
    async with Listener(passport("ann"), one, host="127.0.0.1", port=0) as listener:
        channel = await dial(parse_address(listener.listening[0], PeerPath.FILE), passport("bob"))
        bob = Visitor(DictKeeper("bob"))
        bob.theirs, bob.key = channel, ann.key
        one_link = asyncio.ensure_future(bob.swarm.adopt(channel, PeerPath.FILE, "x"))
        await until(lambda: bool(one.linked()) and bool(bob.swarm.linked()))

        one._links[identity("bob").key].end(ErrorCode.BUSY, "no room")
        async with asyncio.timeout(5):
            await one_link

        assert channel.close_code == CLOSE_BASE + ErrorCode.BUSY
