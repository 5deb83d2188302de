from tests.boards import Board, fed
from tests.builders import Author, Clock
from trayapp.forum import bodies, fold
from trayapp.forum.operation import ZERO, Operation
from trayapp.forum.rows import Known
from trayapp.store.known import gather
from trayapp.store.rows import prefix


def known_for(board: Board, *batch: Operation) -> Known:
    return gather(board.conn, fold.read(batch, 1_000, 0), 1_000)


class Forum:
    def __init__(self) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General")
        self.boat = self.ann.thread(self.general, "Boat", "?")
        self.yes = self.bob.reply(self.boat, "yes")
        self.board = fed(None, [self.general, self.boat, self.yes])


def test_a_reply_needs_its_thread_with_its_counts_and_the_subnet():
    forum = Forum()

    known = known_for(forum.board, forum.bob.reply(forum.boat, "more"))

    assert known.posts.keys() == {forum.boat.id, forum.general.id}
    (counts,) = known.threads.values()
    assert (counts.replies, counts.last_id) == (1, forum.yes.id)
    assert not known.affected


def test_an_edit_needs_its_target_where_it_stands_and_the_other_edits():
    forum = Forum()
    first = forum.bob.edit(forum.yes, bodies.Reply("first"))
    forum.board.take(first)

    known = known_for(forum.board, forum.bob.edit(forum.yes, bodies.Reply("second")))

    assert known.posts.keys() == {forum.yes.id, forum.boat.id, forum.general.id}
    assert [one.id for versions in known.versions.values() for one in versions] == [first.id]


def test_a_new_post_needs_the_edits_and_deletes_that_came_before_it():
    forum = Forum()
    late = forum.bob.reply(forum.boat, "late")
    edit, gone = forum.bob.edit(late, bodies.Reply("!")), forum.bob.delete(late)
    forum.board.take(edit, gone)

    known = known_for(forum.board, late)

    assert {one.operation.id for one in known.acts[late.id]} == {edit.id, gone.id}
    assert known_for(forum.board, late).acts[late.id][0].body is not None


def test_what_shares_eight_bytes_of_an_id_is_not_mistaken_for_it():
    forum = Forum()
    board = forum.board
    # Nobody finds such an id by luck: give the stored thread another tail.
    other = forum.boat.id[:8] + bytes(24)
    board.conn.execute("UPDATE op SET id = ? WHERE kind = 18", (other,))

    known = known_for(board, forum.bob.reply(forum.boat, "more"))
    assert forum.boat.id not in known.posts

    fresh = forum.ann.thread(forum.general, "Ship", "?")
    board.conn.execute("UPDATE op SET ref8 = ? WHERE kind = 19", (prefix(fresh.id),))
    assert not known_for(board, fresh).affected


def test_an_import_that_is_here_needs_its_group_and_what_stands_on_it():
    ann = Author("ann")
    general = ann.subnet("General")
    topic = ann.imported(general, "1", title="T")
    answers = [ann.imported(topic, "2"), ann.reply(topic, "own")]
    board = fed(None, ann.said)

    known = known_for(board, ann.imported(general, "1", title="T"))

    ((key, members),) = known.groups.items()
    assert key == (ann.key, "discourse", "1")
    assert [id_ for _, id_, _ in members] == [topic.id]
    assert known.affected.keys() == {one.id for one in answers}


def test_what_is_numbered_from_a_point_on_counts_as_not_held():
    forum = Forum()
    said = fold.read([forum.boat], 2, 0)

    known = gather(forum.board.conn, said, 2)

    assert forum.yes.id not in known.affected  # number 3
    assert gather(forum.board.conn, said, 4).affected.keys() == {forum.yes.id}


def test_the_last_words_on_a_matter_are_known():
    forum = Forum()
    react, name = forum.bob.react(forum.yes, "+1"), forum.bob.profile("Bob")
    forum.board.take(react, name)

    known = known_for(
        forum.board, forum.bob.react(forum.yes, "+1", on=False), forum.bob.profile("Robert")
    )

    assert known.reactions == {(forum.yes.id, forum.bob.key, "+1"): (1, react.hlc, react.id)}
    assert known.people == {forum.bob.key: (2, name.hlc, name.id)}


def test_nothing_is_known_of_what_refers_to_nothing():
    board = Board()
    ann = Author("ann")

    assert known_for(board, ann.subnet("General"), ann.say(999, ZERO, b"")) == Known()
