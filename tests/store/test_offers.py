import random

from tests.boards import Board, fed
from tests.builders import Author, Clock
from tests.worlds import World
from trayapp.forum import bodies
from trayapp.forum.operation import HEADER_BYTES, Operation, parse
from trayapp.store import offers, operations


def forum_of(count: int) -> tuple[list[Operation], Board]:
    """A forum of three authors with so many replies."""
    clock = Clock()
    authors = [Author(n, clock=clock) for n in range(3)]
    general = authors[0].subnet("General")
    threads = [authors[1].thread(general, f"T{n}") for n in range(4)]
    dice = random.Random(7)
    replies = [dice.choice(authors).reply(dice.choice(threads), "!") for _ in range(count)]
    said = [general, *threads, *replies]
    return said, fed(None, said)


def test_the_bytes_sent_are_the_bytes_received():
    said, board = forum_of(5)

    raw = offers.raw_of(board.conn, [one.id for one in said])

    assert list(raw.items()) == [(one.id, one.raw) for one in said]
    assert offers.raw_of(board.conn, [b"\7" * 32]) == {}


def test_an_answer_keeps_to_its_size_but_holds_one_operation_at_least():
    said, board = forum_of(300)
    ids = [one.id for one in said]

    assert list(offers.raw_of(board.conn, ids, max_bytes=1)) == ids[:1]
    some = offers.raw_of(board.conn, ids, max_bytes=50_000)
    assert 45_000 < sum(len(raw) + 4 for raw in some.values()) <= 50_000
    assert list(some) == ids[: len(some)]


def test_before_an_erased_operation_stands_what_excuses_it():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    yes = bob.reply(boat, "yes")
    edit = ann.edit(yes, bodies.Reply("quoted"))
    gone = bob.delete(yes)
    stranger = ann.delete(yes)
    board = fed(None, [general, boat, yes, edit, stranger, gone])

    sent = offers.raw_of(board.conn, [edit.id])

    assert list(sent) == [gone.id, yes.id, edit.id]
    assert {len(raw) for raw in sent.values()} == {HEADER_BYTES}
    newcomer = Board()
    assert newcomer.take(*(parse(raw) for raw in sent.values())).ignored == ()
    assert list(offers.raw_of(board.conn, [yes.id, gone.id])) == [gone.id, yes.id]


def test_the_inventory_holds_every_id_of_a_log_in_order():
    said, board = forum_of(20)

    inventory = offers.inventory(board.conn, 1)

    ordered = sorted((one.timestamp_ms, one.id) for one in said)
    assert [inventory.item(n) for n in range(inventory.size())] == ordered
    digest = operations.digest(board.conn, 1).digest16
    assert inventory.fingerprint(0, inventory.size()) == digest
    assert offers.inventory(board.conn, 0).size() == 0


def test_the_newest_page_begins_with_names_and_subnets_and_leaves_no_ref_dangling():
    clock = Clock()
    ann = Author("ann", clock=clock)
    name, general = ann.profile("Ann"), ann.subnet("General")
    old = ann.thread(general, "Old", "?")
    fill = [ann.thread(general, f"T{n}") for n in range(10)]
    reply = ann.reply(old, "still here")
    edit = ann.edit(reply, bodies.Reply("still"))
    lost = ann.reply(b"\7" * 32, "to nobody")
    board = fed(None, ann.said)

    page = offers.newest_page(board.conn, 1, clock.now_ms, limit=3)

    assert page[:2] == [name.id, general.id]
    assert set(page) == {one.id for one in (name, general, old, reply, edit, lost)}
    for low, high in ((general, old), (old, reply), (reply, edit)):
        assert page.index(low.id) < page.index(high.id)
    assert fill[0].id not in page
    assert offers.newest_page(board.conn, 0, clock.now_ms) == []


def test_the_newest_page_leaves_out_what_is_stamped_ahead_of_now():
    said, board = forum_of(5)

    page = offers.newest_page(board.conn, 1, said[3].timestamp_ms)

    assert set(page) == {one.id for one in said[:4]}


def test_a_long_line_of_edits_on_edits_does_not_make_the_newest_page_long():
    ann = Author("ann")
    line = [ann.subnet("General")]
    for _ in range(50):
        line.append(ann.edit(line[-1], bodies.Subnet("again")))
    board = fed(None, line)

    page = offers.newest_page(board.conn, 1, ann.clock.now_ms, limit=1)

    assert len(page) <= 6


def test_pages_hold_every_operation_once_in_order_of_author_and_seq():
    said, board = forum_of(60)
    cursor, pages = b"", []

    while True:
        page, cursor = offers.page_after(board.conn, 1, cursor, 2_000)
        if not page:
            break
        pages.append(page)

    ordered = sorted(said, key=lambda one: (one.author, one.seq, one.id))
    assert [id_ for page in pages for id_ in page] == [one.id for one in ordered]
    assert len(pages) > 5
    assert cursor == ordered[-1].author + ordered[-1].seq.to_bytes(4, "big") + ordered[-1].id


def test_a_page_keeps_to_its_size_but_is_never_empty_before_the_end():
    said, board = forum_of(30)
    size_of = {one.id: len(one.raw) + 4 for one in said}

    page, _ = offers.page_after(board.conn, 1, offers.CURSOR_START, 3_000)
    assert 2_000 < sum(size_of[id_] for id_ in page) <= 3_000
    assert len(offers.page_after(board.conn, 1, b"", 1)[0]) == 1


def test_forks_of_one_seq_are_both_in_the_pages():
    ann = Author("ann")
    twin = ann.clone()
    said = [ann.subnet("here"), twin.subnet("there")]
    board = fed(None, said)

    first, cursor = offers.page_after(board.conn, 1, b"", 1)
    second, _ = offers.page_after(board.conn, 1, cursor, 1)

    assert {*first, *second} == {one.id for one in said}


def test_a_page_is_found_by_its_cursor_without_reading_what_lies_before():
    _, board = forum_of(3)

    plan = board.ask("EXPLAIN QUERY PLAN " + offers.CHAIN, 0, 1, 1, 5, 5, b"")

    told = " ".join(str(row[-1]) for row in plan)
    assert "USING INDEX op_chain (a=? AND log=? AND seq>?)" in told
    assert "USE TEMP B-TREE FOR ORDER BY" not in told


def test_whole_worlds_travel_by_pages_and_end_equal():
    for seed in range(20):
        world = World(seed)
        there, here = fed(None, world.said), Board()
        cursor = b""
        while True:
            page, cursor = offers.page_after(there.conn, 1, cursor, 1_500)
            if not page:
                break
            raw = offers.raw_of(there.conn, page)
            assert here.take(*map(parse, raw.values())).ignored == ()
        log0 = [id_ for (id_,) in there.ask("SELECT id FROM op WHERE log = 0")]
        here.take(*map(parse, offers.raw_of(there.conn, log0).values()))

        assert here.shown() == there.shown()


def test_the_cursor_of_a_stream_is_kept_for_each_peer_and_log():
    board = Board()

    assert offers.stream_cursor(board.conn, b"p", 1) is None
    offers.set_stream_cursor(board.conn, b"p", 1, b"x" * 68)
    offers.set_stream_cursor(board.conn, b"p", 1, b"y" * 68)
    assert offers.stream_cursor(board.conn, b"p", 1) == b"y" * 68
    assert offers.stream_cursor(board.conn, b"p", 0) is None
    offers.set_stream_cursor(board.conn, b"p", 1, None)
    assert offers.stream_cursor(board.conn, b"p", 1) is None
