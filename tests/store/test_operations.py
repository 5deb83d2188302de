import random

import pytest

from tests.boards import Board, fed
from tests.builders import START_MS, Author, Clock
from trayapp.errors import NotFound
from trayapp.forum import bodies, timestamp
from trayapp.forum.operation import ZERO, Kind, Log
from trayapp.forum.rows import Level
from trayapp.store import operations
from trayapp.store.operations import Sought
from trayapp.sync.fingerprints import RunningDigest


class Forum:
    def __init__(self) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General")
        self.boat = self.ann.thread(self.general, "Boat trip", "Who is in?")
        self.yes = self.bob.reply(self.boat, "I am.")
        self.board = fed(self.ann, [self.general, self.boat, self.yes])


def test_appending_twice_stores_once():
    forum = Forum()

    again = forum.board.take(forum.yes, forum.yes)

    assert again == operations.Appended((), (), ())
    assert forum.board.ask("SELECT count(*) FROM op") == [(3,)]


def test_of_a_whole_and_a_bare_copy_in_one_batch_the_whole_one_is_kept():
    forum = Forum()
    no = forum.bob.reply(forum.boat, "No.")

    for batch in ([no, no.without_body()], [no.without_body(), no]):
        assert fed(None, batch).ask("SELECT body FROM op") == [(no.body,)]


def test_what_is_stored_is_told_as_it_is_stored():
    forum = Forum()
    maybe = forum.bob.reply(forum.boat, "Maybe.")
    gone = forum.bob.delete(maybe)
    forum.board.take(gone)

    stored = forum.board.take(maybe).stored

    assert [(one.id, one.body) for one in stored] == [(maybe.id, None)]


def test_deleting_erases_the_body_its_edits_and_what_was_rendered():
    forum = Forum()
    mine = forum.bob.edit(forum.yes, bodies.Reply("Still in."))
    theirs = forum.ann.edit(forum.yes, bodies.Reply("He said: I am."))
    board = forum.board
    board.take(mine, theirs)
    board.conn.execute("INSERT INTO html SELECT rid, 1, 'x' FROM op")

    board.take(forum.bob.delete(forum.yes))

    bare = {id_ for (id_,) in board.ask("SELECT id FROM op WHERE body IS NULL")}
    assert bare == {forum.yes.id, mine.id, theirs.id}
    assert board.ask("SELECT count(*) FROM html") == [(2,)]  # General, Boat trip
    assert ("truncate",) in board.ask("SELECT name FROM chore")


def test_the_digest_is_that_of_all_ids_in_the_log():
    forum = Forum()
    control = forum.ann.signed(1, ZERO, b"\x80", seq=0, prev=ZERO, log=Log.CONTROL)
    forum.board.take(control)

    ids = [id_ for (id_,) in forum.board.ask("SELECT id FROM op WHERE log = 1")]
    assert operations.digest(forum.board.conn, 1) == RunningDigest().with_ids(ids)
    assert operations.digest(forum.board.conn, 0) == RunningDigest().with_ids([control.id])


def test_held_and_missing_part_a_list_of_ids():
    forum = Forum()
    no = forum.bob.reply(forum.boat, "No.")
    conn = forum.board.conn

    assert operations.held(conn, [no.id, forum.yes.id]) == {forum.yes.id}
    assert operations.missing(conn, [no.id, forum.yes.id, no.id]) == [no.id]


def test_ids_with_a_common_prefix_are_told_apart():
    forum = Forum()
    other = forum.yes.id[:8] + bytes(24)

    assert operations.missing(forum.board.conn, [other]) == [other]
    with pytest.raises(NotFound):
        operations.target(forum.board.conn, other)


def test_the_tip_is_the_largest_seq_of_an_author():
    forum = Forum()
    conn = forum.board.conn

    assert operations.tip(conn, forum.ann.key, Log.CONTENT) == (1, forum.boat.id)
    assert operations.tip(conn, forum.ann.key, Log.CONTROL) is None
    assert operations.tip(conn, b"\7" * 32, Log.CONTENT) is None


def test_the_latest_stamp_leaves_out_those_too_far_ahead():
    forum = Forum()
    far = forum.bob.signed(
        Kind.REPLY, forum.boat, bodies.Reply("!"), seq=1, prev=forum.yes.id,
        hlc=START_MS + 86_400_000 << timestamp.COUNTER_BITS,
    )  # fmt: skip
    assert operations.latest_hlc(Board().conn) == 0
    forum.board.take(far)

    assert operations.latest_hlc(forum.board.conn) == far.hlc
    assert operations.latest_hlc(forum.board.conn, forum.clock.now_ms) == forum.yes.hlc


def test_with_a_clock_before_the_build_the_own_last_stamp_still_counts():
    ann = Author("ann")
    ann.hlc = timestamp.tick(0, 0)
    said = ann.signed(Kind.SUBNET, ZERO, bodies.Subnet("s"), seq=0, prev=ZERO, hlc=ann.hlc)
    board = fed(ann, [said])

    latest = operations.latest_hlc(board.conn, now_ms=0)

    assert latest == said.hlc
    assert timestamp.tick(latest, 0) > said.hlc


def test_a_target_tells_all_that_an_answer_or_an_edit_must_know():
    forum = Forum()
    edit = forum.bob.edit(forum.yes, bodies.Reply("Yes."))
    forum.board.take(edit)
    conn = forum.board.conn

    reply = operations.target(conn, forum.yes.id)
    assert (reply.kind, reply.author, reply.level) == (Kind.REPLY, forum.bob.key, Level.REPLY)
    assert (reply.thread, reply.subnet) == (forum.boat.id, forum.general.id)
    assert (reply.heads, reply.body) == ((edit.id,), bodies.Reply("Yes."))
    thread = operations.target(conn, forum.boat.id)
    assert (thread.thread, thread.subnet, thread.heads) == (forum.boat.id, forum.general.id, ())
    subnet = operations.target(conn, forum.general.id)
    assert (subnet.thread, subnet.subnet) == (None, forum.general.id)

    forum.board.take(forum.bob.delete(forum.yes))
    gone = operations.target(conn, forum.yes.id)
    assert (gone.deleted, gone.body, gone.heads) == (True, None, ())


def test_what_is_no_post_is_no_target():
    forum = Forum()
    react = forum.bob.react(forum.yes, "+1")
    broken = forum.bob.say(Kind.REPLY, forum.boat, b"\xc0")
    forum.board.take(react, broken)

    for id_ in (react.id, broken.id, b"\7" * 32):
        with pytest.raises(NotFound, match="There is no post"):
            operations.target(forum.board.conn, id_)


def test_eight_digits_of_an_id_are_enough():
    forum = Forum()
    conn = forum.board.conn
    general, boat, yes = forum.general.id, forum.boat.id, forum.yes.id

    assert operations.resolve(conn, yes.hex()[:8]) == yes
    assert operations.resolve(conn, yes.hex().upper()) == yes
    assert operations.resolve(conn, boat.hex()[:9], Sought.THREAD) == boat
    assert operations.resolve(conn, general.hex()[:20], Sought.SUBNET) == general
    assert operations.resolve(conn, general.hex()[:20], Sought.ANY) == general
    for text, sought in ((yes.hex()[:8], Sought.THREAD), (boat.hex()[:16] + "0" * 9, Sought.POST)):
        with pytest.raises(NotFound, match=f"There is no {sought}"):
            operations.resolve(conn, text, sought)


@pytest.mark.parametrize("text", ["", "1234567", "no-hex-here", "0" * 65, "²" * 8])
def test_what_cannot_be_an_id_says_so(text: str):
    with pytest.raises(NotFound, match="is no id"):
        operations.resolve(Board().conn, text)


def test_a_prefix_of_two_posts_asks_for_more_digits():
    forum = Forum()
    # Nobody finds two such ids by luck: give a stored one the beginning of another.
    twin = forum.yes.id[:5] + b"\7" * 27
    forum.board.conn.execute(
        "UPDATE op SET id = ?, h = ? WHERE id = ?",
        (twin, int.from_bytes(twin[:8], "big", signed=True), forum.boat.id),
    )

    with pytest.raises(NotFound, match="2 posts"):
        operations.resolve(forum.board.conn, forum.yes.id.hex()[:10])


def test_of_two_imports_of_one_post_the_one_shown_is_found():
    ann = Author("ann")
    general = ann.subnet("General")
    first = ann.imported(general, "1", title="T")
    second = ann.imported(general, "1", title="T")
    board = fed(ann, ann.said)

    assert operations.resolve(board.conn, second.id.hex(), Sought.THREAD) == first.id


def test_with_another_device_key_own_posts_are_told_anew():
    forum = Forum()
    board = forum.board
    assert board.ask("SELECT unread FROM thread") == [(1,)]

    board.me = forum.bob.key  # a restored copy: another device reads on
    board.take(forum.bob.profile("Bob"))

    assert board.ask("SELECT unread FROM thread") == [(1,)]  # now Ann's opening post
    board.take(forum.ann.reply(forum.boat, "Fine."))
    assert board.ask("SELECT unread FROM thread") == [(2,)]
    assert board.refolded()["thread"][0][4] == 2


def test_an_own_import_that_is_deleted_is_remembered_as_gone():
    ann = Author("ann")
    general = ann.subnet("General")
    topic = ann.imported(general, "42", title="T")
    board = fed(ann, ann.said)

    board.take(ann.delete(topic))

    assert board.ask("SELECT site, post FROM gone_import") == [("discourse", "42")]


def test_a_clock_before_the_build_date_does_not_throw_posts_into_the_past():
    ann = Author("ann")
    board = Board()

    board.take(ann.subnet("General"), seen_ms=0)

    assert board.ask("SELECT at FROM post") == [(timestamp.BUILD_MS,)]


def test_a_batch_costs_the_same_few_statements_however_long_it_is():
    clock = Clock()
    authors = [Author(n, clock=clock) for n in range(5)]
    general = authors[0].subnet("General")
    threads = [authors[0].thread(general, f"T{n}") for n in range(20)]
    board = fed(None, [general, *threads])
    dice = random.Random(1)

    counts = []
    for size in (20, 400):
        statements: list[str] = []
        replies = [dice.choice(authors).reply(dice.choice(threads), "!") for _ in range(size)]
        board.conn.set_trace_callback(statements.append)
        board.take(*replies)
        board.conn.set_trace_callback(None)
        counts.append(len([one for one in statements if one.lstrip().startswith("SELECT")]))

    assert counts[1] <= counts[0] <= 20
