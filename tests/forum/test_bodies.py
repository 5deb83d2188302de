from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.errors import InvalidBody
from trayapp.forum import bodies, canonical
from trayapp.forum.bodies import (
    Body,
    Delete,
    Edit,
    Editable,
    Imported,
    Profile,
    React,
    Reply,
    Source,
    Subnet,
    Thread,
)
from trayapp.forum.operation import Kind

ID = bytes(range(32))
LIMIT = bodies.TEXT_BYTES
SOURCE = Source("discourse", "42", 1, "quill", 1_700_000_000_000)
KINDS: dict[type, Kind] = {
    Profile: Kind.PROFILE,
    Subnet: Kind.SUBNET,
    Thread: Kind.THREAD,
    Reply: Kind.REPLY,
    Edit: Kind.EDIT,
    Delete: Kind.DELETE,
    React: Kind.REACT,
    Imported: Kind.IMPORTED,
}

words = st.text(min_size=1, max_size=30)
texts = st.text(max_size=60)
ids = st.none() | st.binary(min_size=32, max_size=32)
counts = st.dictionaries(st.text(max_size=8), st.integers(0, 2**63 - 1), max_size=3)
sources = st.builds(
    Source,
    site=words,
    post=words,
    version=st.integers(0, 2**63 - 1),
    author=texts,
    time=st.integers(0, 2**63 - 1),
    url=st.none() | words,
    counts=counts.map(lambda given: tuple(sorted(given.items()))),
)
editables = st.one_of(
    st.builds(Subnet, words, texts),
    st.builds(Thread, words, texts, st.lists(words, max_size=8).map(tuple)),
    st.builds(Reply, texts, ids),
    st.builds(Imported, sources, texts, st.none() | words, ids),
)
some_bodies = st.one_of(
    editables,
    st.builds(Profile, words, texts),
    st.builds(
        Edit,
        st.lists(st.binary(min_size=32, max_size=32), max_size=16).map(tuple),
        editables.map(bodies.fields_of),
    ),
    st.builds(React, words, st.booleans()),
    st.just(Delete()),
)
anything = st.recursive(
    st.one_of(st.text(max_size=8), st.binary(max_size=40), st.booleans(), st.integers(-9, 2**63)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*"ab", "text", "counts"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ("name", "bio", "title", "text", "tags", "re", "base", "fields", "emoji", "on", "source")


@given(some_bodies)
def test_what_is_written_is_read_back(body):
    assert bodies.decode(KINDS[type(body)], bodies.encode(body)) == body


@given(editables)
def test_an_edit_carries_the_whole_new_body(new):
    edit = Edit((ID,), bodies.fields_of(new))
    read = bodies.decode(Kind.EDIT, bodies.encode(edit))

    assert isinstance(read, Edit)
    assert bodies.decode_fields(KINDS[type(new)], read.fields) == new


@given(some_bodies)
def test_fields_of_a_later_version_are_passed_over(body):
    if isinstance(body, Delete):
        return
    raw = bodies.encode(body)
    fields = canonical.unpack(raw)
    assert fields is not None
    later = canonical.pack(fields | {"from the future": [1, {"deep": b"x"}]})

    assert bodies.decode(KINDS[type(body)], later) == body


@given(st.integers(0, 30), st.binary(max_size=200))
def test_reading_any_bytes_never_raises(kind, raw):
    bodies.decode(kind, raw)


@given(
    st.sampled_from(list(Kind)),
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=5),
)
def test_fields_of_any_shape_are_a_body_or_none(kind, fields):
    body = bodies.decode(kind, canonical.pack(fields))

    if body is not None:
        assert KINDS[type(body)] == kind
        assert bodies.decode(kind, bodies.encode(body)) == body


def test_a_delete_has_no_bytes_at_all():
    assert bodies.encode(Delete()) == b""
    assert bodies.decode(Kind.DELETE, b"\x80") is None
    assert bodies.decode(Kind.REPLY, b"") is None


@pytest.mark.parametrize("kind", [0, 1, 23, 24, 26, 65_535])
def test_an_unknown_kind_has_no_body_here(kind):
    assert bodies.decode(kind, canonical.pack({"text": "x", "title": "x"})) is None
    assert bodies.decode_fields(kind, {"text": "x"}) is None


@pytest.mark.parametrize("kind", [Kind.PROFILE, Kind.EDIT, Kind.DELETE, Kind.REACT])
def test_what_cannot_be_edited_has_no_new_fields(kind):
    assert bodies.decode_fields(kind, {"name": "x", "text": "x", "emoji": "x", "on": True}) is None


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Kind.PROFILE, {}),
        (Kind.PROFILE, {"name": b"bytes"}),
        (Kind.PROFILE, {"name": "x" * 41}),
        (Kind.PROFILE, {"name": "x", "bio": 1}),
        (Kind.SUBNET, {"text": "no title"}),
        (Kind.SUBNET, {"title": "x" * 201}),
        (Kind.THREAD, {"title": "no text"}),
        (Kind.THREAD, {"title": "x", "text": "x", "tags": "no list"}),
        (Kind.THREAD, {"title": "x", "text": "x", "tags": ["x"] * 9}),
        (Kind.THREAD, {"title": "x", "text": "x", "tags": ["x" * 41]}),
        (Kind.THREAD, {"title": "x", "text": "x", "tags": [b"bytes"]}),
        (Kind.REPLY, {"text": ["no text"]}),
        (Kind.REPLY, {"text": "x", "re": "no id"}),
        (Kind.REPLY, {"text": "x", "re": bytes(31)}),
        (Kind.EDIT, {"base": [ID]}),
        (Kind.EDIT, {"fields": {}}),
        (Kind.EDIT, {"base": [ID] * 17, "fields": {}}),
        (Kind.EDIT, {"base": [b"short"], "fields": {}}),
        (Kind.EDIT, {"base": [ID], "fields": []}),
        (Kind.REACT, {"emoji": "+1", "on": 1}),
        (Kind.REACT, {"emoji": "", "on": True}),
        (Kind.REACT, {"emoji": "x" * 33, "on": True}),
        (Kind.IMPORTED, {"text": "no source"}),
        (Kind.IMPORTED, {"text": "x", "source": {}}),
        (Kind.IMPORTED, {"text": "x", "source": [1]}),
    ],
)
def test_a_field_that_is_missing_of_another_type_or_too_long_makes_a_body_inert(kind, fields):
    assert bodies.decode(kind, canonical.pack(fields)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": 1},
        {"site": "x" * 201},
        {"post": 42},
        {"version": -1},
        {"version": True},
        {"version": 2**63},
        {"author": b"quill"},
        {"time": "today"},
        {"url": 1},
        {"counts": [1]},
        {"counts": {"+1": -1}},
        {"counts": {"+1": True}},
        {"counts": {"+1": "many"}},
    ],
)
def test_a_source_that_is_not_whole_makes_an_imported_body_inert(wrong):
    fields = bodies.fields_of(Imported(SOURCE, "x"))
    fields["source"] |= wrong

    assert bodies.decode_fields(Kind.IMPORTED, fields) is None


@pytest.mark.parametrize(
    ("whole", "over"),
    [
        (Profile("n" * 40), Profile("n" * 41)),
        (Profile("n", "b" * LIMIT), Profile("n", "b" * (LIMIT + 1))),
        (Subnet("t" * 200), Subnet("t" * 201)),
        (Subnet("t", "x" * LIMIT), Subnet("t", "x" * (LIMIT + 1))),
        (Thread("t" * 200, ""), Thread("t" * 201, "")),
        (Thread("t", "x" * LIMIT), Thread("t", "x" * (LIMIT + 1))),
        (Thread("t", "", ("g" * 40,) * 8), Thread("t", "", ("g",) * 9)),
        (Thread("t", "", ("g" * 40,)), Thread("t", "", ("g" * 41,))),
        (Reply("€" * (LIMIT // 3)), Reply("€" * (LIMIT // 3) + "€")),
        (React("e" * 32, True), React("e" * 33, True)),
    ],
    ids=lambda body: type(body).__name__,
)
def test_a_limit_is_the_same_for_who_types_and_for_who_reads(whole, over):
    kind = KINDS[type(whole)]

    bodies.check(whole)
    assert bodies.decode(kind, bodies.encode(whole)) == whole
    with pytest.raises(InvalidBody, match="at most"):
        bodies.check(over)
    assert bodies.decode(kind, bodies.encode(over)) is None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (Reply("x" * 131_073), "The text has 131,073 bytes; at most 131,072 are possible."),
        (Subnet("x" * 201), "The title has 201 characters; at most 200 are possible."),
        (Thread("  \n", "x"), "The title is empty."),
        (Reply(" \n\t"), "The reply is empty."),
        (React("", True), "The emoji is empty."),
        (Profile(" "), "The name is empty."),
        (Profile("x" * 41), "The name has 41 characters; at most 40 are possible."),
        (Thread("x", "", ("a", " ")), "The tag is empty."),
        (Thread("x", "", ("a",) * 9), "There are 9 tags; at most 8 are possible."),
        (Reply("half of one \ud83d"), "The text holds half a character; type that part again."),
        (Imported(SOURCE, "x", "t" * 201), "The title has 201 characters; at most 200"),
        (Imported(SOURCE, "x", ""), "The title is empty."),
        (Imported(SOURCE, " "), "The reply is empty."),
        (Imported(SOURCE, "x" * 131_073), "The text has 131,073 bytes"),
        (React("\0", True), "The emoji holds a control character; type it again."),
        (Subnet("one\ntwo"), "The title holds a control character"),
        (Thread("one\u2028two", ""), "The title holds a control character"),
        (Profile("\0stdin"), "The name holds a control character"),
        (Imported(SOURCE, "x", "\x1b[2J"), "The title holds a control character"),
        (Profile("\udfff"), "The text holds half a character; type that part again."),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(body, sentence):
    with pytest.raises(InvalidBody) as refused:
        bodies.check(body)

    assert str(refused.value).startswith(sentence)


@given(editables, st.sampled_from([Delete(), Edit((ID,), {"text": "checked as what it changes"})]))
def test_whatever_passes_the_check_is_understood_by_those_who_read_it(body, other):
    bodies.check(other)
    try:
        bodies.check(body)
    except InvalidBody:
        return

    assert bodies.decode(KINDS[type(body)], bodies.encode(body)) == body


@pytest.mark.parametrize("emoji", ["🚣", "👩‍🌾", "❤️", "1️⃣", "🏳️‍🌈"])
def test_an_emoji_of_several_characters_is_no_control_character(emoji: str):
    bodies.check(React(emoji, True))


def test_a_thread_may_say_all_in_its_title():
    bodies.check(Thread("Anyone here?", ""))


@pytest.mark.parametrize(
    "body", [Subnet("t"), Profile("n"), Thread("t", ""), Reply("x"), Imported(SOURCE, "")]
)
def test_what_is_empty_is_absent_from_the_bytes(body: Body):
    fields = canonical.unpack(bodies.encode(body))

    assert fields is not None
    assert {"tags", "re", "bio", "url", "counts"}.isdisjoint(fields | fields.get("source", {}))


def test_equal_bodies_have_equal_bytes_whatever_order_their_counts_were_in():
    one = Imported(replace(SOURCE, counts=(("+1", 3), ("heart", 1))), "x")
    other: Editable = Imported(replace(SOURCE, counts=(("heart", 1), ("+1", 3))), "x")

    assert bodies.encode(one) == bodies.encode(other)
