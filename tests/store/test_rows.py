import pytest

from tests.builders import Author
from trayapp.forum import bodies
from trayapp.forum.operation import Kind
from trayapp.store import rows


def test_a_stored_operation_is_read_as_it_was_parsed():
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")

    assert rows.operation_of(boat.id, boat.header, boat.body) == boat
    assert rows.operation_of(boat.id, boat.header, None) == boat.without_body()


def test_prefixes_keep_the_order_of_ids_within_one_sign():
    low, high = bytes.fromhex("00000000000000ff"), bytes.fromhex("0100000000000000")

    assert rows.prefix(low + bytes(24)) == 255 < rows.prefix(high + bytes(24))
    assert rows.prefix(b"\xff" * 32) == -1


def test_where_a_post_comes_from_is_hashed_without_mixing_its_parts():
    assert rows.source_hash("a/b", "c") != rows.source_hash("a", "b/c")


@pytest.mark.parametrize(
    ("body", "title", "text"),
    [
        (bodies.Subnet("S", "about"), "S", "about"),
        (bodies.Thread("T", "first"), "T", "first"),
        (bodies.Reply("words"), "", "words"),
        (bodies.Imported(bodies.Source("s", "1", 1, "a", 1), "words"), "", "words"),
    ],
)
def test_words_are_read_from_an_original_and_from_an_edit(
    body: bodies.Editable, title: str, text: str
):
    kind = {
        bodies.Subnet: Kind.SUBNET, bodies.Thread: Kind.THREAD, bodies.Reply: Kind.REPLY,
        bodies.Imported: Kind.IMPORTED,
    }[type(body)]  # fmt: skip
    edit = bodies.encode(bodies.Edit((), bodies.fields_of(body)))

    for version_kind, raw in ((kind, bodies.encode(body)), (Kind.EDIT, edit)):
        read = rows.words_of(kind, version_kind, raw)
        assert read == body
        assert (rows.title_of(read), rows.text_of(read)) == (title, text)


def test_what_is_erased_or_malformed_says_nothing():
    for version_kind, raw in ((Kind.REPLY, None), (Kind.REPLY, b"\xc0"), (Kind.EDIT, b"\xc0")):
        read = rows.words_of(Kind.REPLY, version_kind, raw)
        assert (read, rows.title_of(read), rows.text_of(read)) == (None, "", "")
    assert rows.words_of(Kind.REPLY, Kind.PROFILE, bodies.encode(bodies.Profile("Ann"))) is None
