import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.boards import Board, fed
from tests.builders import START_MS, Author, Clock
from tests.naive_board import NaiveBoard
from tests.worlds import World, deliveries
from trayapp.forum import bodies, fold
from trayapp.forum.happenings import PersonTouched, PostAppeared, PostTouched, SubnetTouched
from trayapp.forum.operation import ZERO, Kind, Log, Operation
from trayapp.forum.rows import Known, Level, State
from trayapp.store import places

YEAR_MS = 365 * 86_400_000


def deliver(board: Board, said: list[Operation], dice: random.Random) -> None:
    """Feed everything in some order; what was ignored is met again until it is taken."""
    ignored: list[bytes] = []
    for batch in deliveries(said, dice):
        ignored += board.take(*batch).ignored
        read_something(board, dice)
    by_id = {one.id: one for one in said}
    for _ in range(3):
        again = [by_id[id_].without_body() for id_ in ignored]
        ignored = list(board.take(*again).ignored)
    assert not ignored


def read_something(board: Board, dice: random.Random) -> None:
    """Now and then somebody reads a thread to some post."""
    shown = board.ask(
        "SELECT t.id, o.id FROM post p JOIN op o USING (rid) JOIN op t ON t.rid = p.parent "
        "WHERE p.level = 3 AND p.state IN (0, 3) ORDER BY o.id"
    )
    if shown and dice.random() < 0.3:
        places.mark_read(board.conn, board.me, *dice.choice(shown))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), dice=st.randoms(use_true_random=False))
def test_the_board_is_the_same_in_any_order_of_arrival(seed: int, dice: random.Random):
    world = World(seed)
    board = Board(world.authors[1])

    deliver(board, world.said, dice)

    assert board.shown() == NaiveBoard(world.said).shown()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), dice=st.randoms(use_true_random=False))
def test_folding_everything_anew_gives_the_same_rows(seed: int, dice: random.Random):
    world = World(seed)
    board = Board(world.authors[1])
    deliver(board, world.said, dice)
    before = board.rows()

    assert board.refolded() == before


class Forum:
    """Ann's thread with one reply of Bob's."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General")
        self.boat = self.ann.thread(self.general, "Boat trip", "Who is in?")
        self.yes = self.bob.reply(self.boat, "I am.")
        self.said = [self.general, self.boat, self.yes]

    def text(self, board: Board, post: Operation) -> str:
        return str(board.shown()["posts"][post.id][7])

    def state(self, board: Board, post: Operation) -> int:
        return int(board.shown()["posts"][post.id][1])


def test_a_reply_that_came_before_its_thread_stands_in_it_once_it_comes():
    forum = Forum()
    board = fed(None, [forum.yes])
    assert board.shown()["posts"][forum.yes.id][0] == Level.NOWHERE

    board.take(forum.boat)
    board.take(forum.general)

    assert board.shown()["threads"][forum.boat.id] == (forum.general.id, True, 1, forum.yes.id)


def test_a_delete_beats_an_edit_made_after_it():
    forum = Forum()
    gone = forum.bob.delete(forum.yes)
    edit = forum.bob.edit(forum.yes, bodies.Reply("Not any more."))

    for order in ([gone, edit], [edit, gone]):
        board = fed(None, forum.said, *[[one] for one in order])
        assert forum.state(board, forum.yes) == State.DELETED
        assert board.shown()["bare"] == {forum.yes.id, edit.id}


def test_a_delete_that_came_first_keeps_the_body_out():
    forum = Forum()
    gone = forum.bob.delete(forum.yes)

    board = fed(None, [gone], forum.said)

    assert forum.state(board, forum.yes) == State.DELETED
    assert board.shown()["bare"] == {forum.yes.id}
    assert board.shown()["threads"][forum.boat.id][2] == 0


def test_a_strangers_edit_and_delete_are_kept_and_do_nothing():
    forum = Forum()
    edit = forum.ann.edit(forum.yes, bodies.Reply("I am a fool."))
    gone = forum.ann.delete(forum.yes)

    board = fed(None, [gone, edit], forum.said)

    assert forum.text(board, forum.yes) == "I am."
    assert board.ask("SELECT count(*) FROM op") == [(5,)]


def test_a_strangers_edit_of_a_deleted_post_is_kept_without_its_words():
    forum = Forum()
    edit = forum.ann.edit(forum.yes, bodies.Reply("He wrote: I am."))
    gone = forum.bob.delete(forum.yes)

    for batches in ([forum.said, [gone], [edit]], [forum.said, [edit], [gone]], [[edit, gone]]):
        board = fed(None, *batches, forum.said)
        assert board.shown()["bare"] == {forum.yes.id, edit.id}


def test_two_edits_made_apart_are_a_conflict_until_one_names_both():
    forum = Forum()
    here = forum.bob.edit(forum.yes, bodies.Reply("here"))
    there = forum.bob.edit(forum.yes, bodies.Reply("there"))
    merged = forum.bob.edit(forum.yes, bodies.Reply("both"), base=[here, there])

    board = fed(None, forum.said, [there], [here])
    assert board.shown()["posts"][forum.yes.id][8:] == (True, {here.id, there.id})
    assert forum.text(board, forum.yes) == "there"

    board.take(merged)
    assert board.shown()["posts"][forum.yes.id][8:] == (False, {merged.id})
    assert forum.text(board, forum.yes) == "both"


def test_of_two_edits_with_one_stamp_the_larger_id_is_shown_on_every_machine():
    forum = Forum()
    edits = [
        forum.bob.signed(
            Kind.EDIT, forum.yes, bodies.Edit((), bodies.fields_of(bodies.Reply(text))),
            seq=1, prev=forum.yes.id, hlc=forum.bob.hlc + 1,
        )
        for text in ("here", "there")
    ]  # fmt: skip
    shown = max(edits, key=lambda one: one.id)

    for order in (edits, edits[::-1]):
        board = fed(None, forum.said, *[[one] for one in order])
        assert board.shown()["posts"][forum.yes.id][5] == shown.id


def test_an_edit_stamped_years_ahead_is_beaten_by_an_edit_that_names_it():
    forum = Forum()
    edit = bodies.Edit((), bodies.fields_of(bodies.Reply("from the future")))
    ahead = forum.bob.signed(
        Kind.EDIT, forum.yes, edit, seq=1, prev=forum.yes.id,
        hlc=forum.bob.hlc + (11 * YEAR_MS << 16),
    )  # fmt: skip
    after = forum.bob.edit(forum.yes, bodies.Reply("now"), base=[ahead])

    for order in ([ahead, after], [after, ahead]):
        assert forum.text(fed(None, forum.said, *[[one] for one in order]), forum.yes) == "now"


def test_an_edit_that_says_what_its_target_cannot_say_does_not_count():
    forum = Forum()
    edit = forum.bob.say(Kind.EDIT, forum.yes, bodies.Edit((), {"text": 7}))

    board = fed(None, forum.said, [edit])

    assert forum.text(board, forum.yes) == "I am."
    assert board.ask("SELECT * FROM version") == []


def test_a_bare_operation_is_ignored_until_its_delete_is_there():
    forum = Forum()
    gone = forum.bob.delete(forum.yes)
    edit = forum.bob.edit(forum.yes, bodies.Reply("so"))
    bare, bare_edit = forum.yes.without_body(), edit.without_body()
    board = fed(None, [forum.general, forum.boat])

    assert board.take(bare, bare_edit).ignored == (bare.id, bare_edit.id)
    assert board.take(bare_edit, gone).ignored == (bare_edit.id,)  # whose post is it?
    assert board.take(bare_edit, bare).ignored == ()
    assert forum.state(board, forum.yes) == State.DELETED


def test_a_bare_operation_is_not_excused_by_a_strangers_delete():
    forum = Forum()
    gone = forum.ann.delete(forum.yes)
    edit = forum.bob.edit(forum.yes, bodies.Reply("so"))
    react = forum.ann.react(forum.yes, "+1")
    odd = forum.ann.edit(react, bodies.Reply("so"))

    board = fed(None, [forum.general, forum.boat, gone])
    ignored = [one.without_body() for one in (forum.yes, edit, react, odd)]

    assert board.take(*ignored).ignored == tuple(one.id for one in ignored)
    assert board.take(forum.yes, react).ignored == ()
    assert board.take(edit.without_body(), odd.without_body()).stored == ()


def test_bare_operations_of_the_control_log_and_of_unknown_kinds_are_never_stored():
    ann = Author("ann")
    unknown = ann.say(999, ZERO, b"\x80")
    control = ann.signed(1, ZERO, b"\x80", seq=0, prev=ZERO, log=Log.CONTROL)
    whole = Board()

    assert whole.take(unknown, control).ignored == ()
    assert len(Board().take(unknown.without_body(), control.without_body()).ignored) == 2


def test_a_malformed_body_leaves_a_post_inert_and_what_stands_on_it_nowhere():
    forum = Forum()
    broken = forum.ann.say(Kind.THREAD, forum.general, b"\x81\xa5title\x07")
    lost = forum.bob.reply(broken, "Can you read this?")
    edit = forum.ann.edit(broken, bodies.Thread("Whole", "again"))
    odd = forum.ann.say(Kind.SUBNET, forum.general, bodies.Subnet("below a subnet"))

    board = fed(None, forum.said, [broken, lost, edit, odd])
    posts = board.shown()["posts"]
    assert [posts[one.id][:2] for one in (broken, lost, odd)] == [
        (Level.NOWHERE, State.INERT), (Level.NOWHERE, State.LIVE), (Level.NOWHERE, State.INERT)
    ]  # fmt: skip

    board.take(forum.ann.delete(broken))  # a stub has a place: nobody can tell what it said
    assert board.shown()["threads"][broken.id] == (forum.general.id, True, 1, lost.id)


def test_an_import_is_shown_once_and_replies_to_either_of_two_stand_together():
    clock = Clock()
    here = Author("importer", clock=clock)
    there = here.clone()
    boards = []
    for twin in (here, there):
        category = twin.imported(ZERO, "category/1", title="Café")
        topic = twin.imported(category, "1", "Opening", title="Hello")
        answer = twin.imported(topic, "2", "Answer")
        boards.append((category, topic, answer))
    guests = Author("guest", clock=clock)
    answers = [guests.reply(topic, "Me too") for _, topic, _ in boards]
    first = [min(pair, key=lambda one: (one.seq, one.id)) for pair in zip(*boards, strict=True)]

    board = fed(None, boards[0], answers, boards[1])

    category, topic, answer = first
    assert board.shown()["threads"][topic.id][:3] == (category.id, True, 3)
    listed = [one for one in board.shown()["threads"].values() if one[1]]
    assert len(listed) == 1
    assert forum_texts(board, topic) == ["Answer", "Me too", "Me too"]


def forum_texts(board: Board, thread: Operation) -> list[str]:
    posts = board.shown()["posts"].values()
    return sorted(one[7] for one in posts if one[3] == thread.id and one[1] == State.LIVE)


def test_when_the_shown_twin_is_deleted_the_other_takes_its_place():
    here = Author("importer")
    general = here.subnet("General")
    first = here.imported(general, "1", "old", title="T")
    second = here.imported(general, "1", "new", title="T")
    reply = here.reply(second, "to the second")

    board = fed(None, here.said)
    assert board.shown()["posts"][reply.id][3] == first.id

    board.take(here.delete(first))
    assert board.shown()["posts"][second.id][1] == State.LIVE
    assert board.shown()["posts"][reply.id][3] == second.id
    assert not board.shown()["threads"][first.id][1]


def test_two_importers_of_one_site_are_two_forums():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)

    board = fed(None, [ann.imported(ZERO, "c/1", title="A"), bob.imported(ZERO, "c/1", title="A")])

    assert {one[1] for one in board.shown()["posts"].values()} == {State.LIVE}


def test_an_imported_post_is_shown_at_the_time_it_had_elsewhere_but_never_later():
    ann = Author("ann")
    old = ann.imported(ZERO, "1", time=START_MS - YEAR_MS)
    future = ann.imported(ZERO, "2", time=START_MS + YEAR_MS)

    posts = fed(None, ann.said).shown()["posts"]

    assert posts[old.id][2] == START_MS - YEAR_MS
    assert posts[future.id][2] == future.timestamp_ms


def test_a_post_ahead_of_our_clock_is_shown_as_of_when_it_was_seen():
    ann = Author("ann", clock=Clock(START_MS + YEAR_MS))
    board = Board()

    board.take(ann.subnet("From the future"), seen_ms=START_MS)

    assert board.ask("SELECT at FROM post") == [(START_MS,)]
    assert board.refolded()["post"][0][3] == START_MS


def test_the_larger_seq_of_an_author_wins_over_the_later_stamp():
    ann = Author("ann")
    post = ann.subnet("S")
    later = ann.signed(
        Kind.REACT, post, bodies.React("+1", True), seq=1, prev=post.id, hlc=ann.hlc + (1 << 30)
    )
    off = ann.signed(Kind.REACT, post, bodies.React("+1", False), seq=2, prev=later.id)
    name = ann.signed(Kind.PROFILE, ann.key, bodies.Profile("Old"), seq=3, prev=off.id)
    renamed = ann.signed(Kind.PROFILE, ann.key, bodies.Profile("New"), seq=4, prev=name.id)
    theirs = Author("bob").say(Kind.PROFILE, ann.key, bodies.Profile("Fool"))

    board = fed(None, [post], [off, renamed], [later, name, theirs])

    assert board.shown()["reactions"] == {(post.id, ann.key, "+1"): False}
    assert board.shown()["people"] == {ann.key: "New"}


def test_what_happened_is_told_once_in_the_words_of_the_forum():
    forum = Forum()
    board = Board(forum.ann)

    assert SubnetTouched(forum.general.id) in board.take(forum.general).happenings
    appeared = board.take(forum.boat, forum.yes, forum.yes).happenings
    assert [one for one in appeared if isinstance(one, PostAppeared)] == [
        PostAppeared(forum.boat.id, forum.boat.id, forum.general.id, forum.ann.key, Kind.THREAD),
        PostAppeared(forum.yes.id, forum.boat.id, forum.general.id, forum.bob.key, Kind.REPLY),
    ]
    edit = forum.bob.edit(forum.yes, bodies.Reply("Yes."))
    for act in (edit, forum.ann.react(forum.yes, "+1"), forum.bob.delete(forum.yes)):
        assert PostTouched(forum.yes.id, forum.boat.id) in board.take(act).happenings
    named = board.take(forum.bob.profile("Bob"))
    assert named.happenings == (PersonTouched(forum.bob.key),)
    assert board.take(*forum.said).happenings == ()


def test_folding_nothing_changes_nothing():
    changes = fold.fold([], Known(), b"")

    assert not changes.new_posts
    assert not changes.happenings
    assert fold.accept([], Known()) == ([], [])
