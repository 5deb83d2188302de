from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.node.nodes import Ear, author, general, open_node
from trayapp.errors import NotFound
from trayapp.events import ReadMarkMoved
from trayapp.node import founding, publishing, reading
from trayapp.node.node import Node
from trayapp.node.reading import Wanted


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments", "ann")
        yield node


async def _thread(node: Node, replies: int) -> bytes:
    said = await publishing.publish_thread(node, await general(node), "Boat trip", "number 1")
    bob = author(node, "bob")
    posts = [bob.reply(said.id, f"number {n + 2}") for n in range(replies)]
    await node.admit(posts, source=bob.key)
    return said.id


async def _numbers(node: Node, thread: bytes, wanted: Wanted) -> list[int]:
    page = await reading.thread(node, thread.hex(), wanted)
    assert [f"number {post.number}" for post in page.posts] == [post.text for post in page.posts]
    return [post.number for post in page.posts]


async def test_a_thread_is_read_in_stretches_from_any_place(node: Node):
    thread = await _thread(node, 9)
    page = await reading.thread(node, thread.hex(), Wanted())
    fifth = page.posts[4].id.hex()

    assert page.total == 10
    assert await _numbers(node, thread, Wanted(limit=3)) == [1, 2, 3]
    assert await _numbers(node, thread, Wanted(limit=3, after=fifth)) == [6, 7, 8]
    assert await _numbers(node, thread, Wanted(limit=3, before=fifth)) == [2, 3, 4]
    assert await _numbers(node, thread, Wanted(limit=3, around=fifth)) == [4, 5, 6]
    assert await _numbers(node, thread, Wanted(limit=1, around=fifth)) == [5]
    assert await _numbers(node, thread, Wanted(limit=3, last=True)) == [8, 9, 10]
    assert await _numbers(node, thread, Wanted(limit=30, last=True)) == list(range(1, 11))
    assert await _numbers(node, thread, Wanted(limit=30, before=fifth)) == [1, 2, 3, 4]
    assert await _numbers(node, thread, Wanted(limit=3, before=thread.hex())) == []


async def test_a_limit_beyond_reason_is_cut(node: Node):
    thread = await _thread(node, 3)

    assert await _numbers(node, thread, Wanted(limit=-5)) == [1]
    assert len(await _numbers(node, thread, Wanted(limit=10**9))) == 4


async def test_rendered_html_is_kept_for_the_next_reader(node: Node):
    thread = await _thread(node, 2)

    def kept(conn):
        return conn.execute("SELECT count(*) FROM html").fetchone()[0]

    assert await node.database.read(kept) == 0
    page = await reading.thread(node, thread.hex(), Wanted())
    assert page.posts[0].html == "<p>number 1</p>\n"
    assert await node.database.read(kept) == 3


async def test_reading_moves_the_mark_and_is_told_once(node: Node):
    thread = await _thread(node, 3)
    posts = (await reading.thread(node, thread.hex(), Wanted())).posts
    ear = Ear(node)

    await reading.mark_read(node, thread.hex(), posts[2].id.hex())
    await reading.mark_read(node, thread.hex(), posts[2].id.hex())

    assert await ear.heard() == [ReadMarkMoved(thread)]
    page = await reading.thread(node, thread.hex(), Wanted())
    assert [post.read for post in page.posts] == [True, True, True, False]
    assert page.first_unread == posts[3].id


async def test_what_came_in_just_now_is_found(node: Node):
    thread = await _thread(node, 1)

    hits = await reading.search(node, "number 2", 20)

    assert [hit.thread for hit in hits] == [thread]
    assert await reading.search(node, 'anything" OR (', 20) == []


async def test_drafts_are_kept_and_forgotten(node: Node):
    await reading.save_draft(node, "new", "A title", "half a sent")
    assert [(d.place, d.title, d.text) for d in await reading.drafts(node)] == [
        ("new", "A title", "half a sent")
    ]

    await reading.save_draft(node, "new", "", "")
    assert await reading.drafts(node) == []


async def test_threads_are_listed_by_subnet_and_page_by_page(node: Node):
    subnet = await general(node)
    ids = [
        (await publishing.publish_thread(node, subnet, f"Thread {n}", "Text")).id for n in range(3)
    ]
    other = (await publishing.publish_subnet(node, "Sheds")).id

    found, more = await reading.threads(node, subnet[:8], 2, None)
    rest, no_more = await reading.threads(node, subnet, 2, found[-1].id.hex())

    assert {t.id for t in (*found, *rest)} == set(ids)
    assert (more, no_more) == (True, False)
    assert await reading.threads(node, other.hex(), 2, None) == ([], False)
    with pytest.raises(NotFound):
        await reading.threads(node, "00000000", 2, None)


async def test_everybody_who_said_something_is_listed(node: Node):
    bob = author(node, "bob")
    await node.admit([bob.profile("bob")], source=bob.key)

    assert [person.name for person in await reading.people(node)] == ["ann", "bob"]
    with pytest.raises(NotFound, match="not brought into this forum"):
        await reading.find_imported(node, "discourse", "7")
    assert await reading.thread_id(node, (await _thread(node, 0)).hex()[:8])
