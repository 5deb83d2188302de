from tests.boards import Board, fed
from tests.builders import Author, Clock
from trayapp.forum import bodies
from trayapp.forum.happenings import PostAppeared, PostTouched, SubnetTouched, ThreadTouched
from trayapp.forum.rows import Known, Level, Post, State
from trayapp.forum.tally import Tally
from trayapp.store import places


def test_a_thread_counts_its_replies_and_knows_the_last_of_them():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    early, late = bob.reply(boat, "early"), bob.reply(boat, "late")
    board = fed(ann, [general, boat], [late], [early])

    assert board.shown()["threads"][boat.id] == (general.id, True, 2, late.id)

    board.take(bob.delete(late))
    assert board.shown()["threads"][boat.id] == (general.id, True, 1, early.id)
    board.take(bob.delete(early))
    assert board.shown()["threads"][boat.id] == (general.id, True, 0, boat.id)


def test_a_deleted_thread_is_listed_only_while_others_answers_stand_in_it():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    yes = bob.reply(boat, "yes")
    board = fed(ann, [general, boat, yes], [ann.delete(boat)])

    assert board.shown()["threads"][boat.id][1]
    board.take(bob.delete(yes))
    assert not board.shown()["threads"][boat.id][1]


def test_own_and_deleted_posts_are_never_unread():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    boat = bob.thread(general, "Boat", "?")
    mine, theirs = ann.reply(boat, "mine"), bob.reply(boat, "theirs")
    board = fed(ann, [general, boat, mine, theirs])

    assert unread(board) == 2
    board.take(bob.delete(theirs))
    assert unread(board) == 1
    board.take(bob.delete(boat))
    assert unread(board) == 0


def test_what_arrives_after_reading_is_unread_wherever_it_stands_in_the_thread():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    early, late = bob.reply(boat, "early"), bob.reply(boat, "late")
    board = fed(ann, [general, boat, late])
    places.mark_read(board.conn, ann.key, boat.id, late.id)
    assert unread(board) == 0

    board.take(early)

    assert unread(board) == 1
    assert board.refolded()["thread"][0][4] == 1


def unread(board: Board) -> int:
    return int(board.ask("SELECT unread FROM thread")[0][0])


def test_changes_far_from_any_thread_are_told_as_far_as_they_show():
    ann = Author("ann")
    general = ann.subnet("General")
    lost = ann.reply(b"\7" * 32, "Where am I?")
    board = Board(ann)

    assert board.take(general, lost).happenings == (SubnetTouched(general.id),)
    assert board.take(ann.react(lost, "+1")).happenings == ()
    assert board.take(ann.react(b"\7" * 32, "+1")).happenings == ()


def test_a_thread_and_its_edit_are_told_as_a_post_and_as_a_line_in_the_list():
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    board = fed(ann, [general, boat])

    told = board.take(ann.edit(boat, bodies.Thread("Ship", "?"))).happenings

    assert told == (PostTouched(boat.id, boat.id), ThreadTouched(boat.id, general.id))


def test_a_post_that_finds_its_place_appears_then_and_only_then():
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    yes = ann.reply(boat, "yes")
    board = Board(ann)

    assert board.take(yes).happenings == ()
    appeared = [one for one in board.take(boat).happenings if isinstance(one, PostAppeared)]
    assert {one.post for one in appeared} == {boat.id, yes.id}
    assert not [one for one in board.take(general).happenings if isinstance(one, PostAppeared)]


def test_a_post_in_sight_whose_thread_row_is_not_known_is_not_told():
    tally = Tally(Known(), b"me", {})
    reply = Post(
        2, b"r", 19, b"a", b"t", 0, 0, 0, Level.REPLY, 1, State.LIVE, 2, False, None
    )  # fmt: skip

    tally.count(None, reply)

    assert tally.recount == {1}
    assert tally.happenings(()) == ()
