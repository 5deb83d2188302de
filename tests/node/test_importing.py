from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.generated import posts, write_posts
from tests.node.nodes import Ear, QuietLinks, general, open_node, stored
from trayapp.errors import ImportRefused
from trayapp.events import BoardChanged, ImportProgress, ReplyArrived
from trayapp.forum.discourse import Report
from trayapp.node import founding, importing, publishing, reading
from trayapp.node.node import Node
from trayapp.node.reading import Wanted

TOPICS = 40
COUNT = len(posts(TOPICS))


async def _import(node: Node, path: Path, site: str | None = None) -> Report:
    return await importing.import_discourse(node, path, site, given_up=lambda: False)


async def test_every_post_comes_in_under_the_name_it_was_written_under(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments", "ann")

        report = await _import(node, archive, "https://forum.example")

        assert report == Report(COUNT, COUNT, 0, {})
        found, more = await reading.threads(node, None, 500, None)
        assert (len(found), more) == (TOPICS, False)
        first = posts(TOPICS)[0]
        id_, thread = await reading.find_imported(node, "forum.example", str(first["id"]))
        shown = (await reading.thread(node, thread.hex(), Wanted())).posts[0]
        assert (shown.id, shown.text) == (id_, first["raw"])
        assert shown.source is not None
        assert shown.source.author == first["username"]


async def test_a_second_import_writes_nothing(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        await _import(node, archive)
        before = await stored(node)

        report = await _import(node, archive)

        assert (report.read, report.written, report.skipped) == (COUNT, 0, COUNT)
        assert sum(report.reasons.values()) == COUNT
        assert await stored(node) == before


async def test_a_newer_version_becomes_an_edit_of_the_post(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        await _import(node, archive)
        changed = posts(TOPICS)[1] | {"version": 2, "raw": "Frost got all of them."}
        _rewrite(archive, changed)

        report = await _import(node, archive)
        again = await _import(node, archive)

        assert (report.written, report.skipped) == (1, COUNT - 1)
        assert again.written == 0
        id_, thread = await reading.find_imported(node, "discourse", str(changed["id"]))
        page = await reading.thread(node, thread.hex(), Wanted(around=id_.hex(), limit=1))
        [post] = page.posts
        assert (post.id, post.text, post.edited, post.conflict) == (
            id_,
            "Frost got all of them.",
            True,
            (),
        )


def _rewrite(archive: Path, post: dict) -> None:
    [path] = archive.rglob(f"{post['id']}-{post['topic_id']}.json")
    path.write_text(json.dumps(post), encoding="utf-8")


async def test_new_posts_of_known_threads_find_their_place(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        await _import(node, archive)
        last = posts(TOPICS)[-1]
        later = last | {
            "id": 90_001,
            "post_number": last["post_number"] + 1,
            "reply_to_post_number": last["post_number"],
            "raw": "I saw it too.",
        }
        (archive / "later.json").write_text(json.dumps(later), encoding="utf-8")

        assert (await _import(node, archive)).written == 1

        id_, thread = await reading.find_imported(node, "discourse", "90001")
        answered, _ = await reading.find_imported(node, "discourse", str(last["id"]))
        page = await reading.thread(node, thread.hex(), Wanted(last=True, limit=1))
        assert [(p.id, p.re) for p in page.posts] == [(id_, answered)]


async def test_what_was_deleted_here_stays_away(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        await _import(node, archive)
        post = str(posts(TOPICS)[1]["id"])
        id_, _ = await reading.find_imported(node, "discourse", post)
        await publishing.delete(node, id_.hex())

        assert (await _import(node, archive)).written == 0


async def test_it_is_told_as_progress_and_never_post_by_post(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments", "ann")
        node.links = links = QuietLinks()
        ear = Ear(node)

        await _import(node, archive)

        told = await ear.heard()
        assert not [event for event in told if isinstance(event, ReplyArrived)]
        progress = [event for event in told if isinstance(event, ImportProgress)]
        assert progress[-1].done == progress[-1].total >= COUNT
        assert BoardChanged() in told
        assert len(told) < 20
        assert len(links.announced) >= COUNT


async def test_given_up_it_ends_between_batches_and_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importing, "BATCH", 20)
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        ear = Ear(node)
        written: list[ImportProgress] = []

        async def watch() -> None:
            while len(written) < 2:
                told = await ear.heard()
                written.extend(e for e in told if isinstance(e, ImportProgress) and e.total)
                await asyncio.sleep(0)

        watching = asyncio.ensure_future(watch())
        await importing.import_discourse(node, archive, None, given_up=lambda: len(written) >= 2)
        await watching
        held = len(await stored(node))
        assert 1 < held < COUNT

        await _import(node, archive)

        found, _ = await reading.threads(node, None, 500, None)
        assert len(found) == TOPICS
        assert sum(thread.replies + 1 for thread in found) == COUNT


async def test_one_at_a_time(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")

        outcomes = await asyncio.gather(
            _import(node, archive), _import(node, archive), return_exceptions=True
        )

        assert [type(outcome) for outcome in outcomes] == [Report, ImportRefused]


async def test_posts_typed_meanwhile_keep_the_chain_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importing, "BATCH", 20)
    archive = write_posts(tmp_path / "archive", TOPICS)
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        subnet = await general(node)

        await asyncio.gather(
            _import(node, archive),
            *(publishing.publish_thread(node, subnet, f"Thread {n}", "Text") for n in range(5)),
        )

        seqs = await node.database.read(
            lambda conn: [seq for (seq,) in conn.execute("SELECT seq FROM op ORDER BY seq")]
        )
        assert seqs == list(range(len(seqs)))


@pytest.mark.parametrize("kind", ["missing", "empty", "torn"])
async def test_a_broken_archive_is_refused_and_changes_nothing(tmp_path: Path, kind: str):
    archive = tmp_path / "archive.tar.xz"
    if kind == "empty":
        archive.mkdir()
    elif kind == "torn":
        archive.write_bytes(b"\xfd7zXZ\0 and then nothing")
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")
        before = await stored(node)

        with pytest.raises(ImportRefused):
            await _import(node, archive)

        assert await stored(node) == before
        assert not node.importing.locked()


async def test_a_file_that_is_no_post_is_counted(tmp_path: Path):
    archive = write_posts(tmp_path / "archive", 2)
    (archive / "torn.json").write_text('{"id": 1', encoding="utf-8")
    async with open_node(tmp_path / "node") as node:
        await founding.create(node, "Allotments")

        report = await _import(node, archive)

        assert report.skipped == 1
        assert report.read == report.written + 1
