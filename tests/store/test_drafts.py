from tests.boards import Board, fed
from tests.builders import Author
from trayapp.forum.views import Draft
from trayapp.store import drafts, page


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

    for device in (b"x", b"y", b"x"):
        drafts.note_acks(board.conn, device, [boat.id, b"\7" * 32])

    assert page.thread_page(board.conn, ann.key, boat.id).posts[0].delivered == 2
