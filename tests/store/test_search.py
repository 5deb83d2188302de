import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.boards import Board, fed, indexed_words
from tests.builders import Author, Clock
from trayapp.forum import bodies
from trayapp.forum.operation import ZERO
from trayapp.store import search

DAY_MS = 86_400_000


class Library:
    def __init__(self) -> None:
        self.clock = Clock()
        self.ann = Author("ann", clock=self.clock)
        self.bob = Author("bob", clock=self.clock)
        self.general = self.ann.subnet("General", "about oysters")
        self.boat = self.ann.thread(self.general, "Boat trip on Saturday", "Who is in?")
        self.board = fed(self.ann, [self.ann.profile("Ann"), self.general, self.boat])

    def hits(self, words: str, limit: int = 20) -> list[bytes]:
        while search.index_pending(self.board.conn):
            pass
        return [hit.id for hit in search.search(self.board.conn, words, limit)]


def test_a_post_is_found_by_its_words_and_a_thread_by_its_title():
    library = Library()
    reply = library.bob.reply(library.boat, "I bring the **oysters**, and a Käsekuchen.")
    library.board.take(reply)

    assert library.hits("oysters bring") == [reply.id]
    assert library.hits("kasekuch") == [reply.id]  # unfinished, and without its dots
    assert library.hits("saturday") == [library.boat.id]
    assert library.hits("oysters saturday") == []


def test_a_hit_says_where_it_stands_and_marks_the_words():
    library = Library()
    reply = library.bob.reply(library.boat, "x " * 100 + "I bring\n\nthe oysters " + "y " * 200)
    library.board.take(reply)
    library.hits("oysters")

    (hit,) = search.search(library.board.conn, "the OYST")

    assert (hit.id, hit.thread, hit.title) == (reply.id, library.boat.id, "Boat trip on Saturday")
    assert hit.time == reply.timestamp_ms
    assert "I bring \x02the\x03 \x02oysters\x03 y" in hit.snippet
    assert hit.snippet[0] == hit.snippet[-1] == "…"
    assert len(hit.snippet) < 200


def test_the_marks_cannot_be_forged_by_a_text():
    assert search.snippet("a \x02fake\x03 word", ["word"]) == "a fake \x02word\x03"
    assert search.snippet("no such thing", []) == "no such thing"


def test_the_newest_posts_come_first_in_whatever_order_they_arrived():
    library = Library()
    posts = []
    for _ in range(30):
        library.clock.advance(DAY_MS // 3)
        posts.append(library.bob.reply(library.boat, "ahoy"))
    for batch in (posts[20:], posts[:10][::-1], posts[10:20]):
        library.board.take(*batch)
        search.index_pending(library.board.conn)

    assert library.hits("ahoy", limit=25) == [one.id for one in posts[::-1]][:25]


def test_an_edited_post_is_found_by_its_new_words_alone():
    library = Library()
    reply = library.bob.reply(library.boat, "herring")
    library.board.take(reply)
    assert library.hits("herring") == [reply.id]

    library.board.take(library.bob.edit(reply, bodies.Reply("mackerel")))

    assert library.hits("herring") == []
    assert library.hits("mackerel") == [reply.id]


def test_a_deleted_post_is_found_no_more_indexed_or_not():
    library = Library()
    indexed, waiting = (library.bob.reply(library.boat, "herring") for _ in "12")
    library.board.take(indexed)
    library.hits("herring")

    library.board.take(waiting, library.bob.delete(indexed))
    library.board.take(library.bob.delete(waiting))

    assert library.hits("herring") == []
    assert "herring" not in {row[0] for row in indexed_words(library.board.conn)}


def test_posts_out_of_sight_are_not_found_until_they_are_in_sight():
    library = Library()
    ship = library.ann.thread(library.general, "Ship", "ahoy")
    reply = library.bob.reply(ship, "ahoy")
    broken = library.ann.say(19, library.boat, b"\xc0")
    library.board.take(reply, broken)
    assert library.hits("ahoy") == []

    library.board.take(ship)

    assert library.hits("ahoy") == [reply.id, ship.id]


def test_of_an_import_made_twice_one_post_is_found():
    ann = Author("ann")
    general = ann.imported(ZERO, "c", title="herring")
    first = ann.imported(general, "1", "herring", title="T", author="Elsewhere")
    ann.imported(general, "1", "herring", title="T")
    board = fed(None, ann.said)
    search.index_pending(board.conn)

    assert [(hit.id, hit.author) for hit in search.search(board.conn, "herring")] == [
        (first.id, "Elsewhere")
    ]


@pytest.mark.parametrize(
    "words", ["", " ", '"', "*", "-", "(", "NEAR", "\0", "a" * 10_000, "\ud800"]
)
def test_words_that_could_mean_something_mean_nothing(words: str):
    library = Library()

    assert library.hits(words) == []


@settings(max_examples=200, deadline=None)
@given(words=st.text(max_size=30))
def test_any_text_can_be_searched_for(words: str):
    board = Board()

    assert search.search(board.conn, words) == []


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_a_word_of_a_post_finds_the_post(text: str):
    library = Library()
    reply = library.bob.reply(library.boat, text)
    library.board.take(reply)

    for word in text.split():
        found = library.hits(word)
        assert found == [] or reply.id in found
        if word.isascii() and word.isalnum():
            assert reply.id in found


def test_waiting_posts_go_in_a_few_at_a_time():
    library = Library()
    library.board.take(*(library.bob.reply(library.boat, f"n{n}") for n in range(7)))
    conn = library.board.conn

    assert [search.index_pending(conn, 5) for _ in range(3)] == [5, 3, 0]


def test_tidying_has_nothing_to_do_unless_something_was_erased():
    library = Library()
    reply = library.bob.reply(library.boat, "herring")
    library.board.take(reply)
    library.hits("herring")
    conn = library.board.conn
    assert not search.tidy(conn)

    library.board.take(library.bob.delete(reply))
    assert b"herring" in index_bytes(library.board)
    while search.tidy(conn):
        pass

    assert b"herring" not in index_bytes(library.board)
    assert not search.tidy(conn)


def index_bytes(board: Board) -> bytes:
    return b"".join(block for (block,) in board.ask("SELECT block FROM search_data"))
