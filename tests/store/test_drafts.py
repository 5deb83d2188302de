from tests.boards import Board, fed
from tests.builders import Author
from trayapp.forum.operation import Log
from trayapp.forum.views import Draft
from trayapp.store import drafts, page
from trayapp.store.drafts import Delivered
from trayapp.store.operations import digest


def test_a_draft_is_kept_by_its_place_until_it_is_empty():
    conn = Board().conn
    drafts.save_draft(conn, Draft("t/1", "", "Hel", 1))
    drafts.save_draft(conn, Draft("s/2", "Title", "", 2))
    drafts.save_draft(conn, Draft("t/1", "", "Hello", 3))
    assert drafts.drafts(conn) == [Draft("t/1", "", "Hello", 3), Draft("s/2", "Title", "", 2)]

    drafts.save_draft(conn, Draft("t/1", "", "", 4))

    assert drafts.drafts(conn) == [Draft("s/2", "Title", "", 2)]


def test_each_machine_that_holds_a_post_counts_once():
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    board = fed(ann, ann.said)

    told = [
        drafts.note_acks(board.conn, device, [boat.id, general.id, b"\7" * 32])
        for device in (b"x", b"y", b"x")
    ]

    assert told == [[Delivered(boat.id, boat.id)]] * 2 + [[]]
    assert page.thread_page(board.conn, ann.key, boat.id).posts[0].delivered == 2


def _digests(board: Board) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    control, content = digest(board.conn, Log.CONTROL), digest(board.conn, Log.CONTENT)
    return (control.count, control.digest16), (content.count, content.digest16)


def test_an_ack_for_what_another_said_says_nothing():
    ann, bob = Author("ann"), Author("bob")
    boat = bob.thread(bob.subnet("General"), "Boat", "?")
    board = fed(ann, bob.said)

    assert drafts.note_acks(board.conn, b"x", [boat.id]) == []
    assert page.thread_page(board.conn, ann.key, boat.id).posts[0].delivered == 0


def test_a_machine_that_holds_the_same_holds_all_of_mine():
    ann, bob = Author("ann"), Author("bob")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    theirs = bob.reply(boat, "!")
    board = fed(ann, [*ann.said, theirs])
    drafts.note_acks(board.conn, b"x", [general.id])

    assert drafts.note_agreed(board.conn, b"x", _digests(board)) == [Delivered(boat.id, boat.id)]
    assert drafts.note_agreed(board.conn, b"x", _digests(board)) == []
    mine = ann.reply(boat, "me too")
    board.take(mine)
    assert drafts.note_agreed(board.conn, b"x", _digests(board)) == [Delivered(mine.id, boat.id)]

    posts = page.thread_page(board.conn, ann.key, boat.id).posts
    assert [(post.id, post.delivered) for post in posts] == [
        (boat.id, 1),
        (theirs.id, 0),
        (mine.id, 1),
    ]
