import pytest

from tests.boards import Board, fed
from tests.builders import Author, Clock
from trayapp.errors import NotFound
from trayapp.forum.operation import Operation
from trayapp.store import page, places


class Reading:
    """Ann reads a thread of Bob's with some replies of his."""

    def __init__(self, replies: int = 5) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General")
        self.boat = self.bob.thread(self.general, "Boat", "?")
        self.replies = [self.bob.reply(self.boat, f"{n}") for n in range(replies)]
        self.board = fed(self.ann, [self.general, self.boat, *self.replies])

    def read(self, post: Operation) -> bool:
        return places.mark_read(self.board.conn, self.ann.key, self.boat.id, post.id)

    @property
    def unread(self) -> int:
        return int(self.board.ask("SELECT unread FROM thread")[0][0])

    @property
    def first_unread(self) -> bytes | None:
        conn = self.board.conn
        return places.first_unread(conn, self.ann.key, places.opening(conn, self.boat.id))


def test_reading_goes_on_from_the_opening_post_to_the_last():
    reading = Reading()
    assert (reading.unread, reading.first_unread) == (6, reading.boat.id)

    assert reading.read(reading.boat)
    assert (reading.unread, reading.first_unread) == (5, reading.replies[0].id)
    assert reading.read(reading.replies[2])
    assert (reading.unread, reading.first_unread) == (2, reading.replies[3].id)
    assert reading.read(reading.replies[4])
    assert (reading.unread, reading.first_unread) == (0, None)


def test_the_mark_never_moves_back():
    reading = Reading()
    reading.read(reading.replies[3])

    assert not reading.read(reading.replies[1])
    assert not reading.read(reading.boat)
    assert reading.unread == 1


def test_a_late_post_is_the_first_unread_until_the_thread_is_read_again():
    reading = Reading()
    late = reading.bob.reply(reading.boat, "late")
    last = reading.bob.reply(reading.boat, "last")
    reading.board.take(last)
    reading.read(last)
    reading.board.take(late)
    assert (reading.unread, reading.first_unread) == (1, late.id)
    posts = page.thread_page(reading.board.conn, reading.ann.key, reading.boat.id).posts
    assert [one.id for one in posts if not one.read] == [late.id]

    assert reading.read(last)
    assert (reading.unread, reading.first_unread) == (0, None)


def test_own_posts_are_skipped_when_looking_for_the_first_unread():
    reading = Reading(replies=0)
    mine, theirs = reading.ann.reply(reading.boat, "mine"), reading.bob.reply(reading.boat, "his")
    reading.board.take(mine, theirs)
    reading.read(reading.boat)

    assert reading.first_unread == theirs.id


def test_only_posts_of_the_thread_can_be_read_in_it():
    reading = Reading()
    other = reading.bob.thread(reading.general, "Other", "?")
    answer = reading.bob.reply(other, "!")
    reading.board.take(other, answer)

    for post in (answer, other, reading.general):
        with pytest.raises(NotFound, match="in this thread"):
            reading.read(post)
    with pytest.raises(NotFound, match="There is no thread"):
        places.mark_read(reading.board.conn, reading.ann.key, answer.id, answer.id)


def test_places_tell_numbers_neighbours_and_the_total():
    reading = Reading(replies=6)
    gone = reading.bob.delete(reading.replies[1])
    reading.board.take(gone)
    conn, ids = reading.board.conn, [reading.boat.id, *(one.id for one in reading.replies)]
    thread = places.opening(conn, reading.boat.id)
    spots = [places.place_of(conn, thread, id_) for id_ in ids]

    assert [places.number(conn, thread, spot) for spot in spots] == [1, 2, 3, 4, 5, 6, 7]
    assert places.total(conn, thread) == 7
    rids = [spot.rid for spot in spots]
    assert places.behind(conn, thread, spots[2], 2) == rids[3:5]
    assert places.behind(conn, thread, places.start(thread), 99) == rids[1:]
    assert places.before(conn, thread, spots[4], 2) == rids[2:4]
    assert places.before(conn, thread, spots[0], 2) == []


def test_posts_of_one_stamp_stand_in_the_order_of_their_ids():
    authors = [Author(n) for n in range(6)]  # each with a clock of its own, all alike
    general = authors[0].subnet("General")
    boat = authors[0].thread(general, "Boat", "?")
    replies = [one.reply(boat, "!") for one in authors[1:]]
    board = Board()
    board.take(general, boat, *replies)
    thread = places.opening(board.conn, boat.id)

    ordered = sorted(one.id for one in replies)
    spots = [places.place_of(board.conn, thread, id_) for id_ in ordered]
    assert [places.number(board.conn, thread, spot) for spot in spots] == [2, 3, 4, 5, 6]
    assert places.behind(board.conn, thread, spots[1], 9) == [spot.rid for spot in spots[2:]]
    assert places.before(board.conn, thread, spots[3], 2) == [spot.rid for spot in spots[1:3]]
    latest = board.ask("SELECT o.id FROM thread t JOIN op o ON o.rid = t.last")
    assert latest == [(ordered[-1],)]


def test_reading_a_page_of_a_long_thread_walks_along_an_index():
    reading = Reading()
    statements: list[str] = []
    reading.board.conn.set_trace_callback(statements.append)
    thread = places.opening(reading.board.conn, reading.boat.id)
    spot = places.place_of(reading.board.conn, thread, reading.replies[2].id)
    places.behind(reading.board.conn, thread, spot, 2)
    reading.board.conn.set_trace_callback(None)

    plan = reading.board.ask("EXPLAIN QUERY PLAN " + statements[-1])
    told = " ".join(str(row[-1]) for row in plan)
    assert "post_place (parent=? AND (at,hlc)>" in told
    assert "USE TEMP B-TREE FOR ORDER BY" not in told
