from tests.boards import fed
from tests.builders import Author, Clock
from trayapp.forum import bodies
from trayapp.forum.operation import ZERO, Kind
from trayapp.forum.placing import Placing
from trayapp.forum.rows import Known, Level, Post, State


def row(number: int, kind: int, ref: bytes, twin: int | None = None) -> Post:
    state = State.LIVE if twin is None else State.TWIN
    id_ = number.to_bytes(32, "big")
    return Post(
        number, id_, kind, b"a", ref, 0, 0, 0, Level.NOWHERE, None, state, number, False, twin
    )


def test_an_import_is_what_its_ref_makes_it_however_late_that_comes():
    ann = Author("ann")
    general = ann.subnet("General")
    topic = ann.imported(general, "1", title="Topic")
    answer = ann.imported(topic, "2")
    above = ann.imported(answer, "3")

    posts = fed(None, [above], [answer], [topic], [general]).shown()["posts"]

    assert posts[topic.id][:1] + posts[topic.id][3:4] == (Level.THREAD, general.id)
    assert posts[answer.id][:1] + posts[answer.id][3:4] == (Level.REPLY, topic.id)
    assert posts[above.id][:1] + posts[above.id][3:4] == (Level.NOWHERE, None)


def test_a_thread_whose_subnet_is_missing_can_be_read_and_is_listed_when_it_comes():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    yes = bob.reply(boat, "yes")

    board = fed(None, [boat, yes])
    assert board.shown()["threads"][boat.id] == (None, False, 1, yes.id)

    board.take(general)
    assert board.shown()["threads"][boat.id] == (general.id, True, 1, yes.id)


def test_a_thread_does_not_stand_in_a_reply_nor_a_reply_in_a_subnet():
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    yes = ann.reply(boat, "yes")
    odd_thread = ann.thread(yes, "In a reply", "?")
    odd_reply = ann.reply(general, "In a subnet")

    posts = fed(None, ann.said).shown()["posts"]

    assert posts[odd_thread.id][:1] + posts[odd_thread.id][3:4] == (Level.THREAD, None)
    assert posts[odd_reply.id][0] == Level.NOWHERE


def test_imports_that_refer_to_each_other_in_a_circle_stand_nowhere():
    # B's stand-in A was said on B, and B is shown as A: only the lowest level starts from nothing.
    first, second = (
        row(1, Kind.IMPORTED, (2).to_bytes(32, "big")),
        row(2, Kind.IMPORTED, (1).to_bytes(32, "big")),
    )

    rows = Placing(Known(), [first, second], [], {}).rows()

    assert {one.level for one in rows} == {Level.NOWHERE}


def test_a_long_chain_of_imports_is_walked_without_recursion():
    rows = [row(1, Kind.IMPORTED, ZERO)]
    rows += [row(n, Kind.IMPORTED, (n - 1).to_bytes(32, "big")) for n in range(2, 50_000)]

    placed = Placing(Known(), rows[::-1], [], {}).rows()

    assert {one.number: one.level for one in placed if one.level} == {1: 1, 2: 2, 3: 3}


def test_a_subnet_that_comes_last_makes_places_for_two_levels_of_imports():
    ann = Author("ann")
    category = ann.imported(ZERO, "c", title="C")
    topic = ann.imported(category, "1", title="T")
    answers = [ann.imported(topic, str(n)) for n in range(2, 5)]
    edit = ann.edit(answers[0], bodies.Imported(bodies.Source("discourse", "2", 2, "q", 5), "new"))

    board = fed(None, [*answers, edit], [topic], [category])

    assert board.shown()["threads"][topic.id][:3] == (category.id, True, 3)
    assert board.shown()["posts"][answers[0].id][7] == "new"
