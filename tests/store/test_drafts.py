from tests.boards import Board, fed
from tests.builders import Author
from trayapp.forum.views import Draft
from trayapp.store import drafts, page
from trayapp.store.drafts import Delivered


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


def test_a_machine_that_holds_the_same_holds_all_of_mine():
    ann, bob = Author("ann"), Author("bob")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    theirs = bob.reply(boat, "!")
    board = fed(ann, [*ann.said, theirs])
    drafts.note_acks(board.conn, b"x", [general.id])

    assert drafts.note_agreed(board.conn, b"x") == [Delivered(boat.id, boat.id)]
    assert drafts.note_agreed(board.conn, b"x") == []
    mine = ann.reply(boat, "me too")
    board.take(mine)
    assert drafts.note_agreed(board.conn, b"x") == [Delivered(mine.id, boat.id)]

    posts = page.thread_page(board.conn, ann.key, boat.id).posts
    assert [(post.id, post.delivered) for post in posts] == [
        (boat.id, 1),
        (theirs.id, 0),
        (mine.id, 1),
    ]
