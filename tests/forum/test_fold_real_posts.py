import random
from pathlib import Path

import pytest

from tests.boards import Board
from tests.builders import Author, Clock
from tests.naive_board import NaiveBoard
from tests.worlds import deliveries
from trayapp.forum import bodies
from trayapp.forum.discourse import Gathering, Site
from trayapp.forum.operation import ZERO, Kind, Operation
from trayapp.node.archive import open_archive
from trayapp.store import operations, page, search


@pytest.fixture(scope="module")
def said(forum_archive: Path) -> list[Operation]:
    """The archive as one device imports it; then people answer, change and delete some of it."""
    gathering = Gathering(Site())
    with open_archive(forum_archive) as archive:
        for post in archive:
            gathering.take(post)
    clock = Clock()
    importer, guest = Author("importer", clock=clock), Author("guest", clock=clock)
    ids: dict[str, bytes] = {}
    imported = []
    for item in gathering.plan():
        source = item.body.source
        answered = None if item.re is None else ids[item.re]
        body = bodies.Imported(source, item.body.text, item.body.title, answered)
        one = importer.say(Kind.IMPORTED, ids[item.parent] if item.parent else ZERO, body)
        ids[item.key] = one.id
        imported.append(one)
    dice = random.Random(1)
    later = []
    for one in dice.sample(imported, 60):
        later.append(guest.reply(one, "I remember this."))
        again = bodies.Imported(bodies.Source("discourse", "0", 9, "q", 1), "a newer text", "T")
        later.append(importer.edit(one, again))
    later += [importer.delete(one) for one in dice.sample(imported, 40)]
    later += [guest.react(one, "+1") for one in dice.sample(imported, 40)]
    return imported + later


@pytest.mark.parametrize("seed", [1, 2])
def test_real_posts_make_the_same_board_in_any_order(said: list[Operation], seed: int):
    board, ignored = Board(), set[bytes]()
    for batch in deliveries(said, random.Random(seed), sizes=(1, 30, 500, 2_000)):
        ignored.update(board.take(*batch).ignored)
    for _ in range(2):  # an edit may be met before what it edits
        board.take(*(one.without_body() for one in said if one.id in ignored))

    assert board.shown() == NaiveBoard(said).shown()
    before = board.rows()
    assert board.refolded() == before


def test_every_real_thread_can_be_read_and_its_words_found(said: list[Operation]):
    board = Board()
    board.take(*said)
    while search.index_pending(board.conn):
        pass
    threads = board.ask("SELECT o.id, t.replies FROM thread t JOIN op o USING (rid) WHERE listed")

    for thread, replies in threads[:50]:
        found = page.thread_page(board.conn, board.me, thread, page.Stretch(limit=20))
        assert found.total > replies
        assert [one.number for one in found.posts] == list(range(1, len(found.posts) + 1))
    assert len(search.search(board.conn, "remember this")) == 20
    assert operations.digest(board.conn, 1).count == len(said)
