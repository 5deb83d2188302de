import pytest

from tests.boards import fed
from tests.builders import Author, Clock
from trayapp.errors import NotFound
from trayapp.forum import bodies, prose
from trayapp.forum.operation import ZERO
from trayapp.forum.views import PostView, Reaction, ThreadPage
from trayapp.store import page, places
from trayapp.store.page import Stretch


class Thread:
    def __init__(self, replies: int = 0) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General")
        self.boat = self.ann.thread(self.general, "Boat", "Who is **in**?")
        self.replies = [self.bob.reply(self.boat, f"{n}") for n in range(replies)]
        self.board = fed(
            self.ann, [self.bob.profile("Bob"), self.general, self.boat, *self.replies]
        )

    def page(self, **stretch: int | bytes) -> ThreadPage:
        return page.thread_page(
            self.board.conn,
            self.ann.key,
            self.boat.id,
            Stretch(**stretch),  # type: ignore[arg-type]
        )

    def post(self, id_: bytes) -> PostView:
        return next(one for one in self.page().posts if one.id == id_)


def texts(found: ThreadPage) -> list[str]:
    return [one.text for one in found.posts]


def test_a_thread_opens_with_its_title_and_all_posts_in_order():
    thread = Thread(replies=3)

    found = thread.page()

    assert (found.title, found.subnet_title, found.total) == ("Boat", "General", 4)
    assert (found.id, found.subnet) == (thread.boat.id, thread.general.id)
    assert [(one.number, one.text) for one in found.posts] == [
        (1, "Who is **in**?"), (2, "0"), (3, "1"), (4, "2")
    ]  # fmt: skip
    first, second = found.posts[:2]
    assert (first.title, second.title) == ("Boat", None)
    assert first.html == prose.render("Who is **in**?")
    assert (first.mine, second.mine, second.author.name) == (True, False, "Bob")
    assert found.first_unread == thread.replies[0].id


def test_a_stretch_is_cut_by_number_after_a_post_or_round_it():
    thread = Thread(replies=9)
    ids = [thread.boat.id, *(one.id for one in thread.replies)]

    def numbers(**stretch: int | bytes) -> list[int]:
        return [one.number for one in thread.page(**stretch).posts]

    assert numbers(limit=3) == [1, 2, 3]
    assert numbers(limit=3, after=ids[0]) == [2, 3, 4]
    assert numbers(limit=3, after=ids[4]) == [6, 7, 8]
    assert numbers(after=ids[-1]) == []
    assert numbers(limit=4, around=ids[5]) == [4, 5, 6, 7]
    assert numbers(limit=4, around=ids[0]) == [1, 2, 3, 4]
    assert numbers(limit=4, around=ids[1]) == [1, 2, 3, 4]
    assert numbers(limit=4, around=ids[9]) == [8, 9, 10]
    assert numbers(limit=1, around=ids[5]) == [6]
    assert numbers(limit=1, around=ids[0]) == [1]
    assert numbers(limit=0) == [1]
    assert numbers(limit=3, before=ids[5]) == [3, 4, 5]
    assert numbers(limit=9, before=ids[2]) == [1, 2]
    assert numbers(before=ids[0]) == []
    assert numbers(limit=3, last=True) == [8, 9, 10]
    assert numbers(last=True) == [*range(1, 11)]
    for place in ("after", "around", "before"):
        with pytest.raises(NotFound):
            thread.page(**{place: thread.general.id})


def test_a_post_tells_what_it_answers_and_who_thinks_what_of_it():
    thread = Thread(replies=1)
    reply = thread.replies[0]
    answer = thread.ann.reply(thread.boat, "Good.", re=reply)
    reactions = [
        thread.ann.react(reply, "+1"),
        thread.bob.react(reply, "+1"),
        thread.bob.react(reply, "eyes"),
        thread.ann.react(reply, "tada"),
        thread.ann.react(reply, "tada", on=False),
    ]
    thread.board.take(answer, *reactions)

    assert thread.post(answer.id).re == reply.id
    assert thread.post(reply.id).reactions == (Reaction("+1", 2, True), Reaction("eyes", 1, False))


def test_an_edited_post_shows_its_newest_text_and_its_first_time():
    thread = Thread(replies=1)
    reply = thread.replies[0]
    thread.board.take(thread.bob.edit(reply, bodies.Reply("better")))

    post = thread.post(reply.id)

    assert (post.text, post.edited, post.conflict) == ("better", True, ())
    assert post.time == reply.timestamp_ms
    assert "better" in post.html


def test_a_conflict_shows_all_texts_the_shown_one_first():
    thread = Thread()
    edits = [thread.ann.edit(thread.boat, bodies.Thread(f"T{n}", f"text {n}")) for n in range(3)]
    thread.board.take(*edits)

    found = thread.page()

    assert found.title == "T2"
    assert [(one.title, one.text) for one in found.posts[0].conflict] == [
        ("T2", "text 2"), ("T1", "text 1"), ("T0", "text 0")
    ]  # fmt: skip
    assert found.posts[0].conflict[0].time == edits[2].timestamp_ms


def test_a_deleted_post_leaves_a_stub_that_keeps_its_number():
    thread = Thread(replies=3)
    gone = thread.replies[1]
    thread.board.take(thread.ann.react(gone, "+1"), thread.bob.delete(gone))

    found = thread.page()

    stub = found.posts[2]
    assert (stub.number, stub.deleted, stub.read, found.total) == (3, True, True, 4)
    assert (stub.text, stub.html, stub.reactions) == ("", "", ())
    assert texts(found)[3] == "2"


def test_a_deleted_thread_can_still_be_read_for_its_answers():
    thread = Thread(replies=1)
    thread.board.take(thread.ann.delete(thread.boat))

    found = thread.page()

    assert (found.title, found.posts[0].deleted, found.posts[0].title) == ("", True, "")
    assert texts(found) == ["", "0"]


def test_an_imported_post_says_where_it_comes_from():
    ann = Author("ann")
    general = ann.imported(ZERO, "c", title="General")
    topic = ann.imported(general, "1", "Hello", title="Topic", author="Quill", counts=(("+1", 3),))
    twin = ann.imported(general, "1", "Hello", title="Topic", author="Quill")
    answer = ann.imported(topic, "2", "Answer", re=twin)
    board = fed(ann, ann.said)

    found = page.thread_page(board.conn, ann.key, twin.id)

    assert found.id == topic.id
    source = found.posts[0].source
    assert source is not None
    assert (source.author, source.counts) == ("Quill", (("+1", 3),))
    assert (found.posts[1].id, found.posts[1].re) == (answer.id, topic.id)


def test_a_thread_whose_subnet_is_missing_can_be_read():
    thread = Thread()
    alone = fed(thread.ann, [thread.boat])

    found = page.thread_page(alone.conn, thread.ann.key, thread.boat.id)

    assert (found.subnet, found.subnet_title, found.title) == (b"", "", "Boat")
    with pytest.raises(NotFound):
        page.thread_page(alone.conn, thread.ann.key, thread.general.id)


def test_what_was_rendered_is_kept_for_the_next_reading():
    thread = Thread(replies=2)
    conn, fresh = thread.board.conn, dict[int, str]()
    page.thread_page(conn, thread.ann.key, thread.boat.id, None, fresh)
    assert len(fresh) == 3

    page.keep_html(conn, fresh)

    again = dict[int, str]()
    found = page.thread_page(conn, thread.ann.key, thread.boat.id, None, again)
    assert again == {}
    assert found.posts[0].html == prose.render("Who is **in**?")


def test_what_was_erased_while_it_was_rendered_is_not_kept():
    thread = Thread(replies=1)
    conn, fresh = thread.board.conn, dict[int, str]()
    page.thread_page(conn, thread.ann.key, thread.boat.id, None, fresh)
    thread.board.take(thread.bob.delete(thread.replies[0]))

    page.keep_html(conn, fresh)

    assert len(thread.board.ask("SELECT * FROM html")) == 1


def test_read_posts_are_told_from_unread_ones():
    thread = Thread(replies=3)
    places.mark_read(thread.board.conn, thread.ann.key, thread.boat.id, thread.replies[1].id)

    assert [one.read for one in thread.page().posts] == [True, True, True, False]


def test_a_page_asks_the_same_few_questions_however_many_posts_it_has():
    counts = []
    for replies in (3, 60):
        thread = Thread(replies)
        thread.board.take(*(thread.ann.react(one, "+1") for one in thread.replies))
        statements: list[str] = []
        thread.board.conn.set_trace_callback(statements.append)
        thread.page()
        thread.board.conn.set_trace_callback(None)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 20
