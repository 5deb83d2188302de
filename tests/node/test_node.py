from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.node.nodes import Ear, QuietLinks, author, general, ids_of, open_node, stored
from trayapp.errors import NoForum
from trayapp.events import BoardChanged, ForumOpened, ReplyArrived, ShowPage, ThreadChanged
from trayapp.node import founding, publishing
from trayapp.node.node import HERE, Node
from trayapp.node.telling import Arrived


async def _thread(node: Node, title: str = "Boat trip") -> bytes:
    said = await publishing.publish_thread(node, await general(node), title, "Who is in?")
    return said.id


async def test_what_a_peer_sends_is_stored_and_told_and_not_announced_by_the_node(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        thread = await _thread(node)
        bob = author(node, "bob")
        reply = bob.reply(thread, "I am in.")
        node.links = links = QuietLinks()
        ear = Ear(node)

        admitted = await node.admit([reply], source=bob.key)

        assert ids_of(admitted.stored) == [reply.id]
        assert reply.id in await stored(node)
        told = [event for event in await ear.heard() if isinstance(event, ReplyArrived)]
        assert [(e.post, e.thread, e.title, e.text) for e in told] == [
            (reply.id, thread, "Boat trip", "I am in.")
        ]
        assert [(e.follows, e.by_me, e.imported, e.first_sync) for e in told] == [
            (True, False, False, False)
        ]
        assert links.announced == []


async def test_what_is_typed_here_is_stored_before_it_is_announced(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        held_when_announced: list[bool] = []

        class Watching(QuietLinks):
            def announce(self, operations):
                count = node_file_count(tmp_path)
                held_when_announced.append(count == 4)
                super().announce(operations)

        node.links = links = Watching()
        thread = await _thread(node)
        said = await publishing.publish_reply(node, thread.hex(), "Me too.")

        assert links.announced == [thread, said.id]
        assert held_when_announced == [False, True]


def node_file_count(folder: Path) -> int:
    """What another process would find in the file at this moment."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "forum.db")) as db:
        return int(db.execute("SELECT count(*) FROM op").fetchone()[0])


async def test_the_same_operation_twice_changes_and_tells_nothing(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        bob = author(node, "bob")
        subnet = bob.subnet("Sheds")
        await node.admit([subnet], source=bob.key)
        ear, before = Ear(node), await stored(node)

        again = await node.admit([subnet, subnet], source=bob.key)

        assert again.stored == ()
        assert await stored(node) == before
        assert await ear.heard() == []


async def test_many_at_once_are_told_as_one_and_only_replies_to_me_besides(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        mine = await _thread(node)
        bob = author(node, "bob")
        theirs = bob.thread(bytes.fromhex(await general(node)), "Compost")
        batch = [theirs, bob.reply(mine, "I am in.")]
        batch += [bob.reply(theirs, f"number {n}") for n in range(60)]
        ear = Ear(node)

        await node.admit(batch, source=bob.key)

        told = await ear.heard()
        assert [type(event) for event in told] == [BoardChanged, ReplyArrived]
        assert isinstance(told[1], ReplyArrived)
        assert told[1].thread == mine


async def test_a_first_sync_is_told_as_one_even_when_it_brings_replies_to_me(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        thread = await _thread(node)
        bob = author(node, "bob")
        ear = Ear(node)

        await node.admit(
            [bob.reply(thread, "I am in.")], source=bob.key, arrived=Arrived.FIRST_SYNC
        )

        assert await ear.heard() == [BoardChanged()]


async def test_a_mention_in_a_post_from_before_i_joined_is_no_news(tmp_path: Path):
    async with open_node(tmp_path) as node:
        bob_before = None
        await founding.create(node, "Allotments", "ann")
        bob = author(node, "bob")
        bob.clock.now_ms = node.now_ms() - 86_400_000
        bob_before = bob.thread(bytes.fromhex(await general(node)), "Rota", "ask @ann")
        bob.clock.now_ms = node.now_ms() + 1_000
        bob_after = bob.reply(bob_before, "and @ann again")
        ear = Ear(node)

        await node.admit([bob_before, bob_after], source=bob.key)

        told = {e.post: e for e in await ear.heard() if isinstance(e, ReplyArrived)}
        assert told[bob_before.id].first_sync
        assert not told[bob_after.id].first_sync
        assert told[bob_after.id].follows


async def test_what_else_belongs_to_a_batch_is_done_with_it_or_not_at_all(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        bob, before = author(node, "bob"), await stored(node)

        def fails(conn):
            raise OSError("no such luck")

        with pytest.raises(OSError, match="no such luck"):
            await node.admit([bob.subnet("Sheds")], source=bob.key, also=fails)

        assert await stored(node) == before


async def test_a_node_without_a_forum_says_so(tmp_path: Path):
    async with open_node(tmp_path) as node:
        with pytest.raises(NoForum, match="brothernet create"):
            _ = node.network


async def test_a_forum_that_opens_is_told(tmp_path: Path):
    async with open_node(tmp_path) as node:
        ear = Ear(node)

        network = await founding.create(node, "Allotments")

        assert ForumOpened(network.id, "Allotments") in await ear.heard()
        assert node.opened.is_set()


async def test_a_page_wanted_without_a_window_waits_for_the_next_one(tmp_path: Path):
    async with open_node(tmp_path) as node:
        ear = Ear(node)

        node.show_page("/t/1")
        with node.audience.visit() as window:
            assert node.audience.attach(window) == "/t/1"
            node.show_page("/t/2")
            with node.audience.visit() as second:
                assert node.audience.attach(second) == ""

        assert await ear.heard() == [ShowPage("/t/1"), ShowPage("/t/2")]


async def test_own_posts_are_told_as_mine(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        ear = Ear(node)

        thread = await _thread(node)

        told = await ear.heard()
        arrived = [e for e in told if isinstance(e, ReplyArrived)]
        assert [(e.post, e.by_me, e.author_name) for e in arrived] == [(thread, True, "ann")]
        assert any(isinstance(e, ThreadChanged) and e.thread == thread for e in told)


async def test_own_operations_survive_the_power_failing(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        modes: list[int] = []

        def note(conn):
            modes.append(conn.execute("PRAGMA synchronous").fetchone()[0])

        bob = author(node, "bob")
        sheds, pond = bob.subnet("Sheds"), bob.subnet("Pond")
        await node.admit([sheds], source=bob.key, also=note)
        await node.admit([pond], source=b"c" * 32, also=note)
        await node.admit([], source=HERE, also=note)

        full, normal = 2, 1
        assert modes == [full, normal, full]


async def test_what_is_stored_is_told_even_if_the_link_it_came_by_ends_meanwhile(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        thread = await _thread(node)
        bob, ear = author(node, "bob"), Ear(node)
        reply = bob.reply(thread, "I am in.")
        started, finish = threading.Event(), threading.Event()

        def slow(conn):
            started.set()
            finish.wait(5)

        link = asyncio.ensure_future(node.admit([reply], source=bob.key, also=slow))
        await asyncio.to_thread(started.wait, 5)
        link.cancel()
        with pytest.raises(asyncio.CancelledError):
            await link
        finish.set()
        await node.settled()

        told = [event.post for event in await ear.heard() if isinstance(event, ReplyArrived)]
        assert told == [reply.id]
