"""The errands of a session: answers, pages, look-ups, reconciliation."""

import hashlib

from tests.builders import Author
from tests.peers.dict_keeper import DictKeeper
from tests.peers.visitor import SOME_ID, Visitor
from tests.sync.fake_node import operation, operations
from trayapp.errors import ErrorCode
from trayapp.forum.operation import Kind
from trayapp.sync.asking import position
from trayapp.sync.messages import (
    Ack,
    Gone,
    Have,
    LogDigest,
    NegOpen,
    Ops,
    Ping,
    Pong,
    Stream,
    Want,
)


async def test_operations_are_answered_as_asked_with_their_deletes():
    post = operation("ann", 0)
    delete = operation("ann", 1, kind=Kind.DELETE, ref=post.id)
    keeper = DictKeeper("ann", [post.without_body(), delete])
    async with Visitor(keeper) as visitor:
        await visitor.welcome()

        await visitor.ours.say(Want((post.id, SOME_ID)))

        assert (await visitor.ours.hear_a(Gone)).entries == ((SOME_ID, 1),)
        assert await visitor.ours.hear() == Ops((delete.raw, post.header))
        assert await visitor.ours.hear() == Ops(())


async def test_an_answer_holds_four_mebibytes_at_most_and_the_rest_is_not_said_to_be_gone():
    many = operations("ann", *range(30), size=200_000)
    async with Visitor(DictKeeper("ann", many)) as visitor:
        await visitor.welcome()

        await visitor.ours.say(Want(tuple(o.id for o in many)))

        got = []
        while frame := (await visitor.ours.hear_a(Ops | Gone)).operations:
            got += frame
        assert 10 < len(got) < 30
        assert sum(map(len, got)) <= 4 * 1_048_576


async def test_pages_leave_out_what_was_sent_as_the_newest():
    held = operations("ann", *range(50))
    keeper = DictKeeper("ann", held)
    async with Visitor(keeper) as visitor:
        await visitor.welcome()
        got = await stream(visitor, None)
        assert got == [o.raw for o in held[30:]]

        rest = await stream(visitor, b"")
        assert sorted(rest + got, key=position) == sorted((o.raw for o in held), key=position)
        assert await stream(visitor, position(rest[-1])) == []


async def test_a_peer_that_comes_back_with_its_cursor_is_not_sent_the_newest_again():
    held = operations("ann", *range(50))
    async with Visitor(DictKeeper("ann", held)) as visitor:
        await visitor.welcome()
        middle = sorted(position(o.raw) for o in held[:30])[10]

        rest = await stream(visitor, middle)

        assert [position(raw) for raw in rest] == sorted(position(o.raw) for o in held[11:30])


async def stream(visitor, cursor):
    """Ask for a page; return its operations."""
    await visitor.ours.say(Stream(1, cursor))
    got: list[bytes] = []
    while frame := (await visitor.ours.hear_a(Ops)).operations:
        got += frame
    return got


async def test_a_stream_goes_on_at_the_cursor_the_keeper_has():
    keeper = DictKeeper("ann")
    async with Visitor(keeper) as visitor:
        keeper.cursors[visitor.key, 1] = b"c" * 68

        await visitor.welcome([LogDigest(1, 500, b"d" * 16)])

        assert await visitor.ours.hear_a(Stream) == Stream(1, b"c" * 68)


async def test_an_author_hears_that_its_post_is_kept_each_time_it_sends_it():
    bob = Author(hashlib.sha256(b"bob").digest())
    post = bob.subnet("Sheds")
    async with Visitor(DictKeeper("ann", [post]), "bob") as visitor:
        assert visitor.key == bob.key
        await visitor.welcome()

        await visitor.ours.say(Ops((post.raw,)))

        assert await visitor.ours.hear_a(Ack) == Ack((post.id,))


async def test_what_the_peer_has_is_looked_up_and_asked_for():
    keeper = DictKeeper("ann", operations("ann", 0))
    async with Visitor(keeper) as visitor:
        await visitor.welcome([])
        await visitor.ours.say(Have((operation("ann", 0).id, SOME_ID)))

        assert await visitor.ours.hear_a(Want) == Want((SOME_ID,))


async def test_a_ping_is_answered_with_what_is_held_now():
    keeper = DictKeeper("ann")
    async with Visitor(keeper) as visitor:
        await visitor.welcome()
        keeper.ops[operation("ann", 0).id] = operation("ann", 0)
        keeper.has_room = False

        await visitor.ours.say(Ping(9, 0, True, ()))

        pong = await visitor.ours.hear_a(Pong)
        assert (pong.nonce, pong.taking) == (9, False)
        assert [digest.count for digest in pong.digests] == [1]


async def test_a_reconciliation_is_answered_from_a_snapshot():
    keeper = DictKeeper("ann", operations("ann", 0))
    async with Visitor(keeper) as visitor:
        await visitor.welcome()

        await visitor.ours.say(NegOpen(2, 1, b"\x61\x00\x00\x02\x00"))  # "I hold nothing"

        answer = await visitor.ours.hear()
        assert operation("ann", 0).id in answer.message


async def test_a_malformed_reconciliation_ends_the_link():
    async with Visitor(DictKeeper("ann")) as visitor:
        await visitor.welcome()

        await visitor.ours.say(NegOpen(2, 1, b"\x61\xff"))

        assert (await visitor.heard_to_the_end())[-1].code == ErrorCode.BAD_FRAME
