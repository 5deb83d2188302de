import pytest

from tests.boards import Board, fed
from tests.builders import Author, Clock
from trayapp.errors import NotFound
from trayapp.forum import bodies, timestamp
from trayapp.forum.operation import ZERO, Kind
from trayapp.store import board as views
from trayapp.store import places


class Forum:
    def __init__(self) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General", "All things")
        self.art = self.bob.subnet("art")
        self.boat = self.bob.thread(self.general, "Boat", "Who is in?")
        self.tea = self.ann.thread(self.general, "Tea", "Milk?")
        self.yes = self.bob.reply(self.boat, "Nobody?")
        self.board = fed(
            self.ann,
            [self.bob.profile("Bob"), self.general, self.art, self.boat, self.tea, self.yes],
        )

    @property
    def conn(self):
        return self.board.conn

    def titles(self, subnet: bytes | None = None, **kwargs: object) -> list[str]:
        return [one.title for one in views.threads(self.conn, subnet, **kwargs)[0]]  # type: ignore[arg-type]


def test_subnets_are_listed_by_title_with_their_threads_and_what_is_unread():
    forum = Forum()

    listed = views.subnets(forum.conn, forum.ann.key)

    assert [(one.title, one.threads, one.unread, one.mine) for one in listed] == [
        ("art", 0, 0, False), ("General", 2, 1, True)
    ]  # fmt: skip
    assert listed[1].text == "All things"
    places.mark_read(forum.conn, forum.ann.key, forum.boat.id, forum.yes.id)
    assert [one.unread for one in views.subnets(forum.conn, forum.ann.key)] == [0, 0]


def test_two_subnets_of_one_name_are_two_subnets():
    forum = Forum()
    forum.board.take(forum.bob.subnet("General"))

    titles = [one.title for one in views.subnets(forum.conn, forum.ann.key)]

    assert titles == ["art", "General", "General"]


def test_a_deleted_subnet_goes_unless_threads_stand_in_it():
    forum = Forum()

    forum.board.take(forum.bob.delete(forum.art), forum.ann.delete(forum.general))

    (left,) = views.subnets(forum.conn, forum.ann.key)
    assert (left.id, left.title, left.text, left.threads) == (forum.general.id, "", "", 2)


def test_threads_are_listed_by_the_last_post_in_them():
    forum = Forum()

    boat, tea = views.threads(forum.conn, forum.general.id)[0]

    assert (boat.id, boat.title, boat.replies, boat.unread) == (forum.boat.id, "Boat", 1, 2)
    assert (boat.author.name, boat.last_author) == ("Bob", "Bob")
    assert (boat.created, boat.last) == (forum.boat.timestamp_ms, forum.yes.timestamp_ms)
    assert (tea.id, tea.subnet, tea.unread) == (forum.tea.id, forum.general.id, 0)
    assert forum.titles(forum.art.id) == []
    forum.board.take(forum.ann.edit(forum.tea, bodies.Thread("Coffee", "!")))
    assert forum.titles() == ["Boat", "Coffee"]


@pytest.mark.parametrize("first", [0, 1])
def test_threads_of_one_moment_stand_in_one_order_however_they_came(first: int):
    ann, bob, clock = Author("ann"), Author("bob"), Clock()
    general = ann.subnet("General")
    stamp = (clock.now_ms + 60_000) << timestamp.COUNTER_BITS
    one, two = (
        author.signed(Kind.THREAD, general, bodies.Thread(title, "!"), seq=0, prev=ZERO, hlc=stamp)
        for author, title in ((bob, "one"), (Author("cy"), "two"))
    )
    board = fed(ann, [general])

    for thread in (one, two) if first == 0 else (two, one):
        board.take(thread)

    expected = [t.id for t in sorted((one, two), key=lambda t: t.id, reverse=True)]
    listed, _ = views.threads(board.conn, None)
    assert [t.id for t in listed] == expected
    page, more = views.threads(board.conn, None, limit=1)
    assert ([t.id for t in page], more) == (expected[:1], True)
    rest, more = views.threads(board.conn, None, limit=1, before=expected[0])
    assert ([t.id for t in rest], more) == (expected[1:], False)


def test_lists_go_on_where_the_last_page_ended():
    forum = Forum()
    more = [forum.ann.thread(forum.art, f"T{n}", "?") for n in range(5)]
    forum.board.take(*more)

    first, is_more = views.threads(forum.conn, None, limit=4)
    assert ([one.title for one in first], is_more) == (["T4", "T3", "T2", "T1"], True)
    rest, is_more = views.threads(forum.conn, None, limit=4, before=first[-1].id)
    assert ([one.title for one in rest], is_more) == (["T0", "Boat", "Tea"], False)
    assert views.threads(forum.conn, forum.art.id, limit=5)[1] is False


def test_lists_of_nothing_known_say_so():
    forum = Forum()

    with pytest.raises(NotFound, match="There is no subnet"):
        views.threads(forum.conn, forum.boat.id)
    with pytest.raises(NotFound, match="There is no thread"):
        views.threads(forum.conn, None, before=forum.general.id)


def test_an_imported_thread_is_listed_under_the_names_of_elsewhere():
    ann = Author("ann")
    general = ann.imported(ZERO, "c", title="General")
    topic = ann.imported(general, "1", title="Topic", author="Quill")
    ann.imported(topic, "2", author="Bo")
    twin = ann.imported(ZERO, "c", title="General")
    board = fed(ann, ann.said)

    (thread,) = views.threads(board.conn, twin.id)[0]

    assert (thread.source_author, thread.last_author, thread.unread) == ("Quill", "Bo", 0)
    assert len(views.subnets(board.conn, ann.key)) == 1


def test_the_list_of_recent_threads_reads_no_more_than_it_shows():
    forum = Forum()

    statements: list[str] = []
    forum.conn.set_trace_callback(statements.append)
    views.threads(forum.conn, None)
    forum.conn.set_trace_callback(None)
    plan = forum.board.ask("EXPLAIN QUERY PLAN " + statements[0])

    told = " ".join(str(row[-1]) for row in plan)
    assert "thread_recent" in told
    # Threads of one moment may be sorted by id; all others come in order from the index.
    assert "USE TEMP B-TREE FOR ORDER BY" not in told


def test_subnets_are_counted_from_indexes_alone():
    forum = Forum()
    statements: list[str] = []
    forum.conn.set_trace_callback(statements.append)
    views.subnets(forum.conn, forum.ann.key)
    forum.conn.set_trace_callback(None)
    counting = next(one for one in statements if "GROUP BY" in one)

    told = " ".join(str(row[-1]) for row in forum.board.ask("EXPLAIN QUERY PLAN " + counting))
    assert "USING COVERING INDEX thread_in_subnet" in told
    assert "USING COVERING INDEX thread_unread" in told


def test_a_brief_tells_what_a_notice_needs():
    forum = Forum()

    brief = views.brief(forum.conn, forum.ann.key, forum.yes.id)

    assert brief == views.Brief(
        thread=forum.boat.id,
        subnet=forum.general.id,
        title="Boat",
        author=forum.bob.key,
        author_name="Bob",
        text="Nobody?",
        imported=False,
        follows=False,
    )
    lost = forum.bob.reply(b"\7" * 32, "?")
    forum.board.take(forum.bob.delete(forum.yes), lost)
    assert views.brief(forum.conn, forum.ann.key, forum.yes.id) is None
    assert views.brief(forum.conn, forum.ann.key, lost.id) is None


def test_a_person_follows_what_they_started_posted_in_or_are_called_in():
    forum = Forum()
    ann = forum.ann
    called = forum.bob.reply(forum.boat, "What about you, @ann K.?")
    answer = forum.bob.reply(forum.tea, "Milk.")
    forum.board.take(ann.profile("Ann K."), called, answer)

    def follows(post: bytes) -> bool:
        brief = views.brief(forum.conn, ann.key, post)
        assert brief is not None
        return brief.follows

    assert [follows(one.id) for one in (forum.yes, called, answer)] == [False, True, True]
    mine = ann.reply(forum.boat, "Me!")
    forum.board.take(mine)
    assert follows(forum.yes.id)
    forum.board.take(ann.delete(mine))
    assert not follows(forum.yes.id)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@ann?", True), ("hey @ANN", True), ("(@Ann)", True), ("@Ann's boat", True),
        ("@anna", False), ("me@ann.example", False), ("ann", False), ("@ ann", False),
    ],
)  # fmt: skip
def test_a_mention_is_the_whole_name_behind_an_at_sign(text: str, called: bool):
    assert views.mentions(text, "Ann") is called


def test_an_imported_post_is_found_by_where_it_comes_from():
    clock = Clock()
    ann, bob = Author("ann", clock=clock), Author("bob", clock=clock)
    general = ann.imported(ZERO, "category/1", title="General")
    topic = ann.imported(general, "1", title="Topic")
    answer = ann.imported(topic, "2")
    again = bob.imported(general, "1", title="Topic")
    board = fed(ann, [*ann.said, again])

    assert views.find_imported(board.conn, "discourse", "1") == (topic.id, topic.id)
    assert views.find_imported(board.conn, "discourse", "2") == (answer.id, topic.id)
    for site, post in (("discourse", "3"), ("elsewhere", "1"), ("discourse", "category/1")):
        with pytest.raises(NotFound, match="was not brought"):
            views.find_imported(board.conn, site, post)
    board.take(ann.delete(answer))
    with pytest.raises(NotFound):
        views.find_imported(board.conn, "discourse", "2")


def test_a_second_import_learns_what_is_here_in_which_version_and_what_was_deleted():
    ann, bob = Author("ann"), Author("bob")
    general = ann.imported(ZERO, "category/1", title="General")
    topic = ann.imported(general, "1", title="Topic")
    answer = ann.imported(topic, "2")
    source = bodies.Source("discourse", "1", 4, "quill", 5)
    ann.edit(topic, bodies.Imported(source, "new", "Topic"))
    foreign = bob.imported(ZERO, "9", title="Not mine")
    board = fed(ann, [*ann.said, foreign], [ann.delete(answer)])

    assert views.imported_keys(board.conn, ann.key, "discourse") == {
        "category/1": (general.id, 1),
        "1": (topic.id, 4),
        "2": (answer.id, views.GONE_VERSION),
    }
    assert views.imported_keys(board.conn, ann.key, "elsewhere") == {}
    assert views.imported_keys(Board().conn, ann.key, "discourse") == {}
