"""The shell round one session: order, back-pressure, errors, and the end of a link."""

import asyncio

from tests.peers.dict_keeper import DictKeeper, a_swarm, linked, pipe
from tests.peers.friends import identity, until
from tests.peers.visitor import SOME_ID, Visitor
from tests.sync.fake_node import MS, NETWORK, operation, operations
from trayapp.errors import ErrorCode, StoreDamaged, StoreFull
from trayapp.forum.operation import Draft, Kind, sign
from trayapp.peers import link as link_module
from trayapp.peers.greeting import CLOSE_BASE
from trayapp.status import PeerPath
from trayapp.sync import limits
from trayapp.sync.actions import Arrival
from trayapp.sync.address_record import SignedRecord
from trayapp.sync.asking import position
from trayapp.sync.messages import (
    Ack,
    Announce,
    Err,
    Have,
    LogDigest,
    Ops,
    Role,
    Stream,
    Want,
    Welcome,
)


async def test_the_link_is_ready_once_both_have_said_welcome():
    async with Visitor(DictKeeper("ann", operations("ann", 0))) as visitor:
        welcome = await visitor.ours.hear()
        assert [digest.count for digest in welcome.digests] == [1]
        assert welcome.observed == "192.0.2.7"
        assert not visitor.theirs.ready

        await visitor.ours.say(Welcome((), "", Role.PEER))

        await until(lambda: visitor.theirs.ready)
        assert list(visitor.swarm.linked()) == [visitor.key]


async def test_a_page_is_stored_with_its_cursor_and_the_next_one_asked_for_meanwhile():
    keeper, page = DictKeeper("ann"), operations("bob", 0, 1)
    async with Visitor(keeper) as visitor:
        await visitor.welcome([LogDigest(1, 500, b"d" * 16)])
        assert await visitor.ours.hear_a(Stream) == Stream(1, None)
        await visitor.ours.say(Ops((page[1].raw,)))
        await visitor.ours.say(Ops(()))
        assert await visitor.ours.hear() == Stream(1, b"")
        await until(lambda: keeper.cursors == {(visitor.key, 1): b""})

        keeper.gate.clear()
        await visitor.ours.say(Ops((page[0].raw, page[1].raw)))
        await visitor.ours.say(Ops(()))
        assert await visitor.ours.hear() == Stream(1, position(page[1].raw))
        assert page[0].id not in keeper.ops
        keeper.gate.set()

        await until(lambda: keeper.cursors == {(visitor.key, 1): position(page[1].raw)})
        assert keeper.held == {page[0].id, page[1].id}


async def test_an_ack_goes_to_the_author_only_after_the_commit():
    keeper = DictKeeper("ann")
    async with Visitor(keeper, name="bob") as visitor:
        await visitor.welcome()
        keeper.gate.clear()
        post = operation_of(visitor)
        await visitor.ours.say(Ops((post.raw,)))
        await keeper.admitting.wait()
        await visitor.ours.say(Want(()))
        assert visitor.ours._frames.empty()

        keeper.gate.set()

        assert await visitor.ours.hear_a(Ack) == Ack((post.id,))
        assert keeper.received == [(post.id, Arrival.PUSHED)]


def operation_of(visitor, number=0):
    """An operation signed by the visitor itself."""
    draft = Draft(
        kind=Kind.REPLY, seq=0, hlc=(MS + number) << 16, prev=bytes(32), ref=bytes(32), body=b"x"
    )
    return sign(draft, identity("bob"), NETWORK)


async def test_garbage_ends_the_link_with_a_sentence():
    async with Visitor(DictKeeper("ann")) as visitor:
        await visitor.welcome()

        await visitor.ours.send(b"\x42garbage")

        (err,) = [one for one in await visitor.heard_to_the_end() if isinstance(one, Err)]
        assert (err.code, err.text[-1]) == (ErrorCode.BAD_FRAME, ".")
        assert visitor.ours.close_code == CLOSE_BASE + ErrorCode.BAD_FRAME


async def test_an_operation_nobody_signed_ends_the_link():
    keeper = DictKeeper("ann")
    keeper.signed_for = keeper.network.id
    async with Visitor(keeper) as visitor:
        await visitor.welcome()

        await visitor.ours.say(Ops((operation("bob", 0).raw,)))  # signed for another forum

        err = (await visitor.heard_to_the_end())[-1]
        assert "not signed by its author" in err.text
        assert keeper.held == set()


async def test_a_forged_address_record_ends_the_link():
    async with Visitor(DictKeeper("ann")) as visitor:
        await visitor.welcome()

        await visitor.ours.say(Announce(SignedRecord(b"\x80", bytes(64))))

        assert (await visitor.heard_to_the_end())[-1].code == ErrorCode.BAD_FRAME


async def test_a_full_disk_ends_the_link_and_nothing_else():
    keeper = DictKeeper("ann")
    keeper.broken = StoreFull("The disk is full.")
    async with Visitor(keeper) as visitor:
        await visitor.welcome()

        await visitor.ours.say(Ops((operation("bob", 0).raw,)))

        assert (await visitor.heard_to_the_end())[-1].code == ErrorCode.BUSY


async def test_a_bug_of_ours_ends_the_link_and_is_raised():
    keeper = DictKeeper("ann")
    keeper.broken = KeyError("a bug")
    ours, theirs = pipe(DictKeeper("bob").key, keeper.key)
    swarm = a_swarm(keeper)
    async with asyncio.TaskGroup() as tasks:
        adopting = tasks.create_task(raises_group(swarm.adopt(theirs, PeerPath.INBOUND, "x")))
        await ours.say(Welcome((), "", Role.PEER))
        await ours.say(Ops((operation("bob", 0).raw,)))
        assert isinstance((await adopting).exceptions[0], KeyError)
    assert swarm.statuses() == ()


async def test_a_bug_met_by_the_clock_ends_that_link_alone_and_is_logged_once(caplog):
    async with Visitor(DictKeeper("ann")) as visitor:
        await visitor.welcome()
        link = visitor.swarm._links[visitor.key]

        def stumble(_now):
            raise OverflowError("a bug")

        link.session._reconciling.tick = stumble
        for _ in range(3):
            visitor.swarm.tick()

        assert (await visitor.heard_to_the_end())[-1].code == ErrorCode.BUSY
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "OverflowError" in caplog.text


async def raises_group(work):
    try:
        await work
    except BaseExceptionGroup as group:
        return group
    raise AssertionError("it did not raise")


async def test_what_is_being_stored_when_the_link_ends_is_stored():
    keeper = DictKeeper("ann")
    keeper.gate.clear()
    async with Visitor(keeper) as visitor:
        await visitor.welcome()
        await visitor.ours.say(Ops((operation("bob", 0).raw,)))
        await keeper.admitting.wait()
        visitor.swarm._links[visitor.key].end(ErrorCode.DUPLICATE, "another link")
        await until(lambda: visitor.ours.close_code is not None)
        assert not visitor.task.done()

        keeper.gate.set()
        async with asyncio.timeout(5):
            await visitor.task

    assert keeper.held == {operation("bob", 0).id}
    assert operation("bob", 0).id in visitor.swarm.shared.seen


async def test_a_peer_that_asks_but_does_not_read_costs_no_more_than_a_few_answers():
    many = operations("ann", *range(40), size=200_000)
    keeper = DictKeeper("ann", many)
    async with Visitor(keeper) as visitor:
        await visitor.welcome()
        fetched = 0
        original = keeper.raw_of

        async def counting(ids):
            nonlocal fetched
            fetched += 1
            return await original(ids)

        keeper.raw_of = counting  # type: ignore[method-assign]
        visitor.ours.stalled.clear()
        wanted = tuple(o.id for o in many[:15])
        for _ in range(limits.PENDING_REQUESTS):
            await visitor.ours.say(Want(wanted))
        link = visitor.swarm._links[visitor.key]
        await until(lambda: link.session.unsent_bytes > link_module.DRAINED_BYTES)
        await visitor.ours.say(Have((SOME_ID,)))  # frames are still read
        await until(lambda: len(visitor.swarm.shared.wants) == 1)

        assert fetched == 1
        assert link.session.unsent_bytes < 4_500_000
        visitor.ours.stalled.set()
        ends = 0
        while ends < limits.PENDING_REQUESTS:
            ends += (await visitor.ours.hear_a(Ops)).operations == ()
        assert fetched == limits.PENDING_REQUESTS


async def test_a_live_post_overtakes_an_answer_in_progress():
    many = operations("ann", *range(15), size=200_000)
    keeper = DictKeeper("ann", many)
    async with Visitor(keeper) as visitor:
        await visitor.welcome()
        visitor.ours.stalled.clear()
        await visitor.ours.say(Want(tuple(o.id for o in many)))
        link = visitor.swarm._links[visitor.key]
        await until(lambda: link.session.unsent_bytes > 1_000_000)

        post = operation("ann", 99)
        visitor.swarm.announce([(post.id, post.raw)])
        visitor.ours.stalled.set()

        before = 0
        while (await visitor.ours.hear_a(Ops)).operations != (post.raw,):
            before += 1
        assert before < 8


async def test_two_nodes_end_with_the_same_operations():
    ann = DictKeeper("ann", operations("ann", *range(300)))
    bob = DictKeeper("bob", operations("bob", *range(3)))
    one, other = a_swarm(ann), a_swarm(bob)
    async with linked(one, other):
        await until(lambda: ann.held == bob.held)
        await until(lambda: bool(ann.agreements) and bool(bob.agreements))

    assert len(ann.held) == 303
    assert len(bob.received) == 300
    assert one.linked() == other.linked() == {}


async def test_a_store_that_cannot_be_read_ends_the_link():
    keeper = DictKeeper("ann")

    async def broken(*_args):
        raise StoreDamaged("The file is not what we wrote.")

    keeper.raw_of = broken  # type: ignore[method-assign]
    async with Visitor(keeper) as visitor:
        await visitor.welcome()

        await visitor.ours.say(Want((SOME_ID,)))

        assert (await visitor.heard_to_the_end())[-1].code == ErrorCode.BUSY


async def test_a_peer_that_reads_nothing_at_all_cannot_hold_up_the_end():
    async with Visitor(DictKeeper("ann")) as visitor:
        await visitor.welcome()
        visitor.ours.stalled.clear()
        link = visitor.swarm._links[visitor.key]
        link.session.ping(0.0, 0)
        link.wake()
        await asyncio.sleep(0)

        link.end(ErrorCode.BUSY, "no room")

        async with asyncio.timeout(link_module.GOODBYE_S + 2):
            await visitor.task
        assert visitor.ours.close_code == CLOSE_BASE + ErrorCode.BUSY
