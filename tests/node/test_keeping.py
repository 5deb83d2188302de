from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import Author, Clock
from tests.node.nodes import Ear, author, general, open_node, stored
from trayapp.events import BoardChanged, PostChanged, ReplyArrived
from trayapp.forum.network import write_invite
from trayapp.forum.operation import HEADER_BYTES, Kind, Log, parse
from trayapp.node import founding, publishing, reading
from trayapp.node.budget import Budget
from trayapp.node.keeping import Keeping
from trayapp.node.node import Node
from trayapp.node.reading import Wanted
from trayapp.peers.keeper import Arrival, Keeper, StreamCursor
from trayapp.sync.fingerprints import digest16

POSITION = bytes(range(68))


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        yield node


@pytest.fixture
async def joined(node: Node, tmp_path: Path) -> AsyncIterator[Node]:
    """Somebody else's node, that just joined the forum of `node`."""
    async with open_node(tmp_path / "dan", "dan") as newcomer:
        await founding.join(newcomer, write_invite(node.network), "dan")
        yield newcomer


@pytest.fixture
def keeper(node: Node) -> Keeper:
    return Keeping(node, _budget(node))


def _budget(node: Node, daily_bytes: int = 10**9) -> Budget:
    room = (10**12, 10**12)
    return Budget(node.data_dir, now_ms=node.now_ms, daily_bytes=daily_bytes, free=lambda _: room)


async def test_good_operations_are_stored_and_bad_ones_refused_each_with_a_sentence(
    node: Node, keeper: Keeper
):
    bob, stranger = author(node, "bob"), Author("cat")
    good, foreign = bob.subnet("Sheds"), stranger.subnet("Elsewhere")
    flipped = bytearray(bob.subnet("Pond").raw)
    flipped[150] ^= 1

    admitted = await keeper.admit_from(
        bob.key, [good.raw, foreign.raw, bytes(flipped), b"short"], arrival=Arrival.PUSHED
    )

    assert admitted.stored == (good.id,)
    assert len(admitted.refused) == 3
    assert all("sign" in why for why in admitted.refused[:2])
    assert (await stored(node))[-1] == good.id


async def test_what_was_deleted_before_it_came_is_handed_on_without_its_text(
    node: Node, keeper: Keeper
):
    bob = author(node, "bob")
    thread = bob.thread(bob.subnet("Sheds"), "Roof", "It leaks.")
    delete = bob.delete(thread)
    await keeper.admit_from(bob.key, [delete.raw], arrival=Arrival.PUSHED)

    admitted = await keeper.admit_from(bob.key, [thread.raw], arrival=Arrival.PUSHED)

    assert (admitted.stored, admitted.raws) == ((thread.id,), (thread.header,))


async def test_what_is_held_already_is_told_apart_from_what_is_ignored(node: Node, keeper: Keeper):
    bob = author(node, "bob")
    subnet = bob.subnet("Sheds")
    thread = bob.thread(subnet, "Roof", "It leaks.")
    await keeper.admit_from(b"e" * 32, [subnet.raw], arrival=Arrival.PUSHED)

    admitted = await keeper.admit_from(bob.key, [subnet.raw, thread.header], arrival=Arrival.PUSHED)

    assert (admitted.stored, admitted.held, admitted.ignored) == ((), (subnet.id,), (thread.id,))


async def test_a_large_batch_is_checked_as_strictly_as_a_small_one(node: Node, keeper: Keeper):
    bob, stranger = author(node, "bob"), Author("cat")
    batch = [bob.subnet(f"number {n}").raw for n in range(100)]
    batch.insert(50, stranger.subnet("Elsewhere").raw)

    admitted = await keeper.admit_from(bob.key, batch, arrival=Arrival.WANTED)

    assert len(admitted.stored) == 100
    assert len(admitted.refused) == 1


async def test_digests_are_those_of_what_is_stored(node: Node, keeper: Keeper):
    ids = await stored(node)

    control, content = await keeper.digests()

    total = sum(int.from_bytes(id_, "little") for id_ in ids) % 2**256
    assert control == (0, digest16(0, 0))
    assert content == (len(ids), digest16(total, len(ids)))


async def test_a_first_sync_is_told_as_one_and_keeps_its_cursor(joined: Node):
    node, keeper = joined, Keeping(joined, _budget(joined))
    bob, ear = author(node, "bob"), Ear(node)
    cursor = StreamCursor(Log.CONTENT, POSITION)

    await keeper.admit_from(
        bob.key, [bob.subnet("Sheds").raw], arrival=Arrival.STREAMED, cursor=cursor
    )
    assert await ear.heard() == [BoardChanged()]
    assert await keeper.stream_cursor(bob.key, Log.CONTENT) == POSITION
    assert await keeper.stream_cursor(bob.key, Log.CONTROL) is None

    over = StreamCursor(Log.CONTENT, None)
    await keeper.admit_from(bob.key, [], arrival=Arrival.STREAMED, cursor=over)
    assert await keeper.stream_cursor(bob.key, Log.CONTENT) is None


async def test_what_is_missing_and_what_is_held(node: Node, keeper: Keeper):
    [first, *_] = await stored(node)
    unknown = b"u" * 32

    assert await keeper.missing([unknown, first]) == [unknown]
    held = await keeper.raw_of([first, unknown])
    assert list(held) == [first]
    assert parse(held[first]).id == first


async def test_an_erased_post_goes_with_the_delete_that_excuses_it(node: Node, keeper: Keeper):
    subnet = await general(node)
    thread = await publishing.publish_thread(node, subnet, "Boat trip", "Who is in?")
    delete = await publishing.delete(node, thread.id.hex())

    sent = list((await keeper.raw_of([thread.id])).values())

    assert [parse(raw).kind for raw in sent] == [Kind.DELETE, Kind.THREAD]
    assert len(sent[1]) == HEADER_BYTES
    assert parse(sent[0]).id == delete.id


async def test_pages_hold_everything_once_and_then_end(node: Node, keeper: Keeper):
    bob = author(node, "bob")
    batch = [bob.subnet(f"number {n}").raw for n in range(30)]
    await keeper.admit_from(bob.key, batch, arrival=Arrival.WANTED)

    newest, start = await keeper.stream_page(Log.CONTENT, None, 10**6)
    assert start == b""
    assert {parse(raw).id for raw in newest} == set(await stored(node))

    cursor, seen = b"", []
    while True:
        page, cursor = await keeper.stream_page(Log.CONTENT, cursor, 2_000)
        if not page:
            break
        seen += [parse(raw).id for raw in page]
    assert sorted(seen) == sorted(await stored(node))
    assert len((await keeper.stream_page(Log.CONTENT, None, 1_000))[0]) < 32


async def test_one_snapshot_serves_until_the_log_changes(node: Node, keeper: Keeper):
    first = await keeper.inventory(Log.CONTENT)
    assert await keeper.inventory(Log.CONTENT) is first

    await publishing.publish_subnet(node, "Sheds")

    assert (await keeper.inventory(Log.CONTENT)) is not first


async def test_a_stream_to_a_machine_that_held_all_once_counts_and_tells(joined: Node):
    keeper = Keeping(joined, _budget(joined, daily_bytes=500))
    made = await publishing.publish_subnet(joined, "Boats")
    mine = await publishing.publish_thread(joined, made.id.hex(), "Boat trip", "Hm?")
    await keeper.agreed(b"b" * 32, await keeper.digests())
    bob, ear = author(joined, "bob", Clock(joined.now_ms() + 1_000)), Ear(joined)

    again = Keeping(joined, _budget(joined, daily_bytes=100))
    reply = bob.reply(mine.id, "I am in.")
    await again.admit_from(bob.key, [reply.raw], arrival=Arrival.STREAMED)

    assert any(isinstance(event, ReplyArrived) for event in await ear.heard())
    assert not again.taking()


async def test_the_daily_budget_counts_what_was_not_asked_for(joined: Node):
    node = joined
    keeper = Keeping(node, _budget(node, daily_bytes=500))
    bob = author(node, "bob")
    streamed, pushed = bob.subnet("x" * 200).raw, bob.subnet("y" * 200).raw
    third = bob.subnet("z" * 200).raw

    await keeper.admit_from(bob.key, [streamed], arrival=Arrival.STREAMED)
    await keeper.admit_from(bob.key, [pushed], arrival=Arrival.PUSHED)
    assert keeper.taking()
    await keeper.admit_from(bob.key, [third], arrival=Arrival.PUSHED)
    assert not keeper.taking()


async def test_a_change_of_a_link_makes_the_status_stale(node: Node, keeper: Keeper):
    node.stale.clear()

    keeper.links_changed()

    await asyncio.wait_for(node.stale.wait(), 1)


async def test_on_how_many_machines_a_post_is_shown_and_told(node: Node, keeper: Keeper):
    thread = await publishing.publish_thread(node, await general(node), "Boat trip", "Hm?")
    ear = Ear(node)

    await keeper.acked(b"b" * 32, [thread.id, b"u" * 32])
    await keeper.agreed(b"b" * 32, await keeper.digests())
    await keeper.agreed(b"c" * 32, await keeper.digests())

    assert await ear.heard() == [PostChanged(thread.id, thread.id)] * 2
    page = await reading.thread(node, thread.id.hex(), Wanted())
    assert page.posts[0].delivered == 2


async def test_what_is_said_after_the_copies_were_compared_is_not_agreed_on(
    node: Node, keeper: Keeper
):
    compared = await keeper.digests()
    thread = await publishing.publish_thread(node, await general(node), "Boat trip", "Hm?")
    ear = Ear(node)

    await keeper.agreed(b"b" * 32, compared)

    assert await ear.heard() == []
    page = await reading.thread(node, thread.id.hex(), Wanted())
    assert page.posts[0].delivered == 0


async def test_a_machine_that_takes_over_many_posts_is_told_as_one(node: Node, keeper: Keeper):
    thread = await publishing.publish_thread(node, await general(node), "Boat trip", "Hm?")
    for number in range(60):
        await publishing.publish_reply(node, thread.id.hex(), str(number))
    ear = Ear(node)

    await keeper.agreed(b"b" * 32, await keeper.digests())

    assert await ear.heard() == [BoardChanged()]


def test_it_is_what_the_links_ask_for(node: Node):
    keeper: Keeper = Keeping(node, _budget(node))

    assert keeper.identity is node.identity
    assert keeper.network is node.network
    assert keeper.now_ms() == node.now_ms()
