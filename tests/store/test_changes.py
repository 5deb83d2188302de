from tests.boards import Board, fed
from tests.builders import Author, Clock
from trayapp.forum import bodies
from trayapp.store import changes


def test_authors_keep_their_numbers():
    board = Board()

    first = changes.author_numbers(board.conn, [b"a" * 32, b"b" * 32, b"a" * 32])
    again = changes.author_numbers(board.conn, [b"b" * 32, b"c" * 32])

    assert first[b"b" * 32] == again[b"b" * 32]
    assert len({*first.values(), *again.values()}) == 3


def test_counting_anew_gives_what_counting_on_gave():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    threads = [bob.thread(general, f"{n}", "?") for n in range(4)]
    replies = [who.reply(one, "!") for one in threads for who in (ann, bob, bob)]
    board = fed(ann, [general, *threads], replies[:7], replies[7:])
    before = board.ask("SELECT * FROM thread")
    rids = [row[0] for row in before]
    me = board.ask("SELECT a FROM key WHERE pk = ?", ann.key)[0][0]

    board.conn.execute("UPDATE thread SET replies = 9, unread = 9, last = rid, listed = 0")
    changes.recount(board.conn, rids, me)

    assert board.ask("SELECT * FROM thread") == before


def test_a_post_that_is_no_thread_any_more_loses_its_line():
    ann = Author("ann")
    general = ann.subnet("General")
    ann.thread(general, "Boat", "?")
    board = fed(ann, ann.said)
    board.conn.execute("UPDATE post SET level = 0 WHERE level = 2")

    changes.recount(board.conn, [2], 1)

    assert board.ask("SELECT * FROM thread") == []


def test_erasing_one_post_leaves_the_edits_of_another_with_the_same_prefix():
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    ann.edit(general, bodies.Subnet("Particular"))
    board = fed(ann, ann.said)
    board.conn.execute("UPDATE op SET ref8 = (SELECT h FROM op WHERE kind = 18) WHERE kind = 20")

    board.take(ann.delete(boat))

    assert board.ask("SELECT kind FROM op WHERE body IS NULL") == [(18,)]
