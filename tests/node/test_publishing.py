from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.builders import Author, Clock, seed_of
from tests.node.nodes import author, general, open_node, stored
from trayapp.errors import InvalidBody, NoForum, NotFound, NotPermitted
from trayapp.forum import bodies
from trayapp.forum.operation import ZERO, Kind, Operation
from trayapp.forum.views import PostView
from trayapp.node import founding, publishing, reading
from trayapp.node.node import Node
from trayapp.node.reading import Wanted
from trayapp.store.rows import operation_of


async def _operations(node: Node) -> list[Operation]:
    return await node.database.read(
        lambda conn: [
            operation_of(*row) for row in conn.execute("SELECT id, hdr, body FROM op ORDER BY rid")
        ]
    )


async def _post(node: Node, thread: bytes, at: int = 0) -> PostView:
    return (await reading.thread(node, thread.hex(), Wanted())).posts[at]


async def _started(node: Node) -> bytes:
    await founding.create(node, "Allotments", "ann")
    said = await publishing.publish_thread(node, await general(node), "Boat trip", "Who is in?")
    assert said.thread == said.id
    return said.id


async def test_a_subnet_a_thread_and_a_reply_can_be_read(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        reply = await publishing.publish_reply(node, thread.hex()[:8], "I am.", re=thread.hex()[:9])

        page = await reading.thread(node, thread.hex()[:8], Wanted())

        assert page.title == "Boat trip"
        assert [(p.id, p.re, p.text, p.author.name) for p in page.posts] == [
            (thread, None, "Who is in?", "ann"),
            (reply.id, thread, "I am.", "ann"),
        ]


async def test_own_operations_form_one_chain_even_when_said_at_the_same_moment(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = (await _started(node)).hex()

        await asyncio.gather(
            *(publishing.publish_reply(node, thread, f"number {n}") for n in range(20))
        )

        chain = await _operations(node)
        assert [op.seq for op in chain] == list(range(23))
        assert [op.prev for op in chain] == [ZERO, *(op.id for op in chain[:-1])]
        stamps = [op.hlc for op in chain]
        assert stamps == sorted(set(stamps))


async def test_a_stamp_is_later_than_all_seen_but_not_than_one_years_ahead(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        ahead = author(node, "bob", Clock(node.now_ms() + 5 * 60_000))
        mad = author(node, "cat", Clock(node.now_ms() + 11 * 365 * 86_400_000))
        theirs = ahead.reply(thread, "my clock is five minutes fast")
        await node.admit([theirs], source=ahead.key)
        await node.admit([mad.reply(thread, "mine by eleven years")], source=mad.key)

        said = await publishing.publish_reply(node, thread.hex(), "Mine is right.")

        mine = next(op for op in await _operations(node) if op.id == said.id)
        assert mine.hlc == theirs.hlc + 1


async def test_an_edit_replaces_the_text_and_may_replace_the_title(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)

        said = await publishing.edit(node, thread.hex(), "Who is in? Sunday.", "Boat, 12 May")

        post = await _post(node, thread)
        assert said.thread == thread
        assert said.id != thread
        assert (post.text, post.title, post.edited) == (
            "Who is in? Sunday.",
            "Boat, 12 May",
            True,
        )


async def test_a_subnet_can_be_edited_and_belongs_to_no_thread(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")

        said = await publishing.edit(node, await general(node), "All the rest.", "Odds and ends")

        [view] = await reading.subnets(node)
        assert (view.title, view.text, said.thread) == ("Odds and ends", "All the rest.", None)


async def test_an_edit_keeps_what_a_reply_answers(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        reply = await publishing.publish_reply(node, thread.hex(), "I am.", re=thread.hex())

        await publishing.edit(node, reply.id.hex(), "I am in.")

        post = await _post(node, thread, 1)
        assert (post.text, post.re) == ("I am in.", thread)


async def test_edits_at_the_same_moment_put_nobody_in_conflict_with_themselves(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)

        await asyncio.gather(
            *(publishing.edit(node, thread.hex(), f"version {n}") for n in range(5))
        )

        post = await _post(node, thread)
        assert (post.text, post.conflict) == ("version 4", ())


async def test_after_a_delete_of_the_same_moment_nothing_is_signed(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        before = len(await stored(node))

        outcomes = await asyncio.gather(
            publishing.delete(node, thread.hex()),
            publishing.edit(node, thread.hex(), "too late"),
            publishing.react(node, thread.hex(), "🚣"),
            publishing.delete(node, thread.hex()),
            publishing.publish_reply(node, thread.hex(), "too late"),
            return_exceptions=True,
        )

        assert [type(outcome) for outcome in outcomes[1:]] == [NotFound] * 4
        assert len(await stored(node)) == before + 1


async def test_nobody_puts_words_into_the_mouth_of_who_wrote_an_imported_post(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await _started(node)
        subnet = bytes.fromhex(await general(node))
        mine = await _imported(node, subnet)
        before = await stored(node)

        with pytest.raises(NotPermitted, match="under another name"):
            await publishing.edit(node, mine.hex(), "I never said this")

        assert await stored(node) == before


async def test_an_imported_subnet_may_be_renamed_within_the_limits_of_any(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await _started(node)
        mine = await _imported(node, ZERO)
        before = await stored(node)

        with pytest.raises(InvalidBody, match="at most 200"):
            await publishing.edit(node, mine.hex(), "", "t" * 201)
        assert await stored(node) == before
        await publishing.edit(node, mine.hex(), "", "Gardening")

        listed = await reading.subnets(node)
        assert "Gardening" in [one.title for one in listed]


async def _imported(node: Node, ref: bytes) -> bytes:
    source = bodies.Source("forum.example", "7/1", 1, "zoe", 1_000, None, (("heart", 2),))
    told = bodies.Imported(source, "Old text", "Old title")
    said = await publishing.say(node, lambda _: publishing.Statement(Kind.IMPORTED, ref, told))
    return said.id


async def test_what_no_machine_could_read_is_not_signed(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await _started(node)
        before = await stored(node)
        endless = bodies.Source("s" * 201, "1", 1, "zoe", 1_000)
        told = bodies.Imported(endless, "x", "t")

        with pytest.raises(InvalidBody, match="could not read"):
            await publishing.say(node, lambda _: publishing.Statement(Kind.IMPORTED, ZERO, told))

        assert await stored(node) == before


async def test_an_edit_resolves_a_conflict(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        original = next(op for op in await _operations(node) if op.id == thread)
        twin = Author(seed_of("ann"), node.network.id, Clock(node.now_ms() + 60_000))
        new = [
            twin.edit(original, bodies.Thread("Boat trip", text)) for text in ("by train", "by car")
        ]
        await node.admit(new, source=b"b" * 32)
        assert len((await _post(node, thread)).conflict) == 2

        await publishing.edit(node, thread.hex(), "by train and by car")

        post = await _post(node, thread)
        assert (post.text, post.conflict) == ("by train and by car", ())


async def test_a_deleted_post_is_gone_from_the_disk_at_once(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        secret = "the key is under the third flowerpot"
        reply = await publishing.publish_reply(node, thread.hex(), secret)
        await publishing.edit(node, reply.id.hex(), f"{secret}, I mean it")
        await reading.thread(node, thread.hex(), Wanted())
        await reading.search(node, "flowerpot", 20)
        assert _on_disk(tmp_path, secret)

        said = await publishing.delete(node, reply.id.hex())

        assert said.thread == thread
        assert (await _post(node, thread, 1)).deleted
        assert not _on_disk(tmp_path, secret)


def _on_disk(folder: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in folder.glob("forum.db*"))


async def test_a_reaction_is_given_and_taken_back(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)

        await publishing.react(node, thread.hex(), "🚣")
        [given] = (await _post(node, thread)).reactions
        await publishing.react(node, thread.hex(), "🚣", on=False)

        assert (given.emoji, given.count, given.mine) == ("🚣", 1, True)
        assert (await _post(node, thread)).reactions == ()


async def test_others_posts_cannot_be_edited_or_deleted_and_nothing_is_signed(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        bob = author(node, "bob")
        reply = bob.reply(thread, "I am in.")
        await node.admit([reply], source=bob.key)
        before = await stored(node)

        with pytest.raises(NotPermitted, match="Only its author can edit"):
            await publishing.edit(node, reply.id.hex(), "He is not.")
        with pytest.raises(NotPermitted, match="Only its author can delete"):
            await publishing.delete(node, reply.id.hex())

        assert await stored(node) == before


async def test_unknown_and_ambiguous_ids_are_refused(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        subnet = await general(node)

        for wrong in ("0" * 64, "00000000", thread.hex()[:7], "not an id", ""):
            with pytest.raises(NotFound):
                await publishing.publish_reply(node, wrong, "Hello?")
        with pytest.raises(NotFound, match="no thread"):
            await publishing.publish_reply(node, subnet, "Hello?")
        with pytest.raises(NotFound, match="no subnet"):
            await publishing.publish_thread(node, thread.hex(), "Boat", "Hello?")


async def test_an_answer_stands_in_the_thread_of_what_it_answers(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        other = await publishing.publish_thread(node, await general(node), "Compost", "Bags?")

        with pytest.raises(NotFound, match="does not stand in this thread"):
            await publishing.publish_reply(node, thread.hex(), "I am.", re=other.id.hex())


async def test_a_deleted_post_takes_no_more(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        reply = (await publishing.publish_reply(node, thread.hex(), "I am.")).id.hex()
        await publishing.delete(node, reply)

        for act in (
            publishing.delete(node, reply),
            publishing.edit(node, reply, "I am still."),
            publishing.react(node, reply, "🚣"),
        ):
            with pytest.raises(NotFound, match="was deleted"):
                await act


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "reply is empty"),
        ("  \n", "reply is empty"),
        ("x" * 131_073, "131,073 bytes; at most 131,072"),
        ("ä" * 65_537, "131,074 bytes"),
        ("half \ud800 a character", "half a character"),
    ],
)
async def test_a_text_that_does_not_fit_is_refused_in_words(
    tmp_path: Path, text: str, sentence: str
):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        before = await stored(node)

        with pytest.raises(InvalidBody, match=sentence):
            await publishing.publish_reply(node, thread.hex(), text)
        with pytest.raises(InvalidBody):
            await publishing.edit(node, thread.hex(), "fine", title="y" * 201)

        assert await stored(node) == before


async def test_a_reply_has_no_title_to_edit(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)
        reply = await publishing.publish_reply(node, thread.hex(), "I am.")

        with pytest.raises(InvalidBody, match="no title"):
            await publishing.edit(node, reply.id.hex(), "I am in.", title="Me")


async def test_another_name_is_shown_over_every_post(tmp_path: Path):
    async with open_node(tmp_path) as node:
        thread = await _started(node)

        await publishing.set_profile(node, " Anna ", "I have the keys.")

        assert (await _post(node, thread)).author.name == "Anna"
        with pytest.raises(InvalidBody, match="at most 40"):
            await publishing.set_profile(node, "A" * 41)


async def test_without_a_forum_nothing_is_said(tmp_path: Path):
    async with open_node(tmp_path) as node:
        with pytest.raises(NoForum):
            await publishing.publish_subnet(node, "Sheds")
