from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.forum.bodies import TEXT_BYTES, TITLE_CHARS
from trayapp.forum.discourse_post import NO_CATEGORY, Post, Reason, cut, milliseconds, read

WHOLE: dict[str, Any] = {
    "id": 8074,
    "username": "wise_heron",
    "created_at": "2026-07-14T21:26:54.062Z",
    "updated_at": "2026-07-15T00:00:00.000Z",
    "post_number": 13,
    "post_type": 1,
    "reply_to_post_number": 12,
    "topic_id": 2249,
    "topic_slug": "bitcoin-pipes-v2",
    "topic_title": "Bitcoin PIPEs v2",
    "category_id": 7,
    "version": 2,
    "raw": "Words.\r\n\r\nMore.",
    "cooked": "<p>Words.</p><p>More.</p>",
    "deleted_at": None,
    "user_deleted": False,
    "hidden": False,
    "reactions": [{"id": "heart", "type": "emoji", "count": 2}, {"id": "+1", "count": "3"}],
}
SHA1 = "29b5ba0845eb7d61f44aeefab5246acb49c01664"
NAME = "5WYVhyOiGqneuX2RcSsHJ9gM0pS"
STORE = "https://cdn.example.org/uploads/default"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "count", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def whole(**changes: Any) -> Post:
    post = read(WHOLE | changes)
    assert isinstance(post, Post)
    return post


def with_upload(cooked: object) -> tuple[tuple[str, str], ...]:
    return whole(raw=f"![a](upload://{NAME}.png)", cooked=cooked).images


def test_a_post_is_read_as_its_api_gives_it():
    assert read(WHOLE) == Post(
        id=8074,
        topic=2249,
        title="Bitcoin PIPEs v2",
        slug="bitcoin-pipes-v2",
        category=7,
        number=13,
        answers=12,
        author="wise_heron",
        time=1_784_064_414_062,
        updated=1_784_073_600_000,
        version=2,
        text="Words.\n\nMore.",
        images=(),
        counts=(("+1", 3), ("heart", 2)),
    )


@pytest.mark.parametrize("missing", ["id", "topic_id", "post_number", "created_at", "username"])
def test_a_post_lacks_nothing_that_places_it(missing):
    assert read({name: value for name, value in WHOLE.items() if name != missing}) == Reason.NO_POST


def test_what_a_post_may_lack_has_a_plain_meaning():
    optional = {"updated_at", "version", "reactions", "reply_to_post_number", "category_id"}
    optional |= {"topic_slug", "cooked", "post_type", "hidden", "deleted_at", "user_deleted"}
    post = read({name: value for name, value in WHOLE.items() if name not in optional})

    assert isinstance(post, Post)
    assert (post.updated, post.version, post.counts) == (post.time, 1, ())
    assert (post.answers, post.category, post.slug) == (None, NO_CATEGORY, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": -1}, Reason.NO_POST),
        ({"id": 1.5}, Reason.NO_POST),
        ({"id": True}, Reason.NO_POST),
        ({"id": 2**63}, Reason.NO_POST),
        ({"id": "x"}, Reason.NO_POST),
        ({"id": "٣"}, Reason.NO_POST),
        ({"topic_id": None}, Reason.NO_POST),
        ({"category_id": "general"}, Reason.NO_POST),
        ({"version": []}, Reason.NO_POST),
        ({"created_at": "yesterday"}, Reason.NO_POST),
        ({"created_at": "1969-12-31T23:59:59Z"}, Reason.NO_POST),
        ({"updated_at": 7}, Reason.NO_POST),
        ({"username": " "}, Reason.NO_POST),
        ({"topic_title": 7}, Reason.NO_POST),
        ({"raw": None}, Reason.NO_POST),
        ({"raw": " \n\t"}, Reason.NO_TEXT),
        ({"raw": "x" * (TEXT_BYTES + 1)}, Reason.TOO_LONG),
        ({"raw": "€" * (TEXT_BYTES // 3 + 1)}, Reason.TOO_LONG),
        ({"hidden": True}, Reason.HIDDEN_THERE),
        ({"deleted_at": "2026-07-14T21:26:54.062Z"}, Reason.HIDDEN_THERE),
        ({"post_type": 3}, Reason.HIDDEN_THERE),
        ({"post_type": 4, "raw": "a whisper"}, Reason.HIDDEN_THERE),
        ({"post_type": []}, Reason.HIDDEN_THERE),
    ],
)
def test_what_cannot_be_brought_in_says_why(changes, reason):
    assert read(WHOLE | changes) == reason


@pytest.mark.parametrize("value", [[], "post", 7, True, [WHOLE]])
def test_json_of_another_shape_is_not_a_post(value):
    assert read(value) == Reason.NO_POST
    assert read(None) == Reason.NOT_JSON


def test_what_its_author_deleted_there_stays_as_discourse_left_it():
    assert whole(user_deleted=True, raw="(post deleted by author)").text


def test_a_moderators_post_is_a_post():
    assert whole(post_type=2).id == 8074


def test_a_text_of_exactly_the_limit_is_brought_in():
    assert len(whole(raw="x" * TEXT_BYTES).text) == TEXT_BYTES


def test_numbers_may_come_as_text():
    changed = whole(id="8074", topic_id="2249", post_number="13", version="2", category_id="7")

    assert changed == whole()


@pytest.mark.parametrize(
    ("given_", "answered"),
    [(12, 12), ("12", 12), (None, None), ("", None), ("?", None), (13, None), (14, None), (0, 0)],
)
def test_only_an_earlier_post_is_answered(given_, answered):
    assert whole(reply_to_post_number=given_).answers == answered


def test_half_a_character_becomes_a_question_mark():
    post = whole(raw="half \ud83d", topic_title="\udfff x", username="a\ud800", reactions=[])

    assert (post.text, post.title, post.author) == ("half ?", "? x", "a?")


def test_a_name_over_the_limit_is_cut():
    assert len(whole(username="x" * 300).author) == TITLE_CHARS


def test_reactions_that_count_nothing_are_left_out():
    strange = [
        {"id": "eyes", "count": 0},
        {"id": "", "count": 1},
        {"id": "x" * 33, "count": 1},
        {"id": 7, "count": 1},
        {"id": "clap"},
        {"id": "tada", "count": True},
        "heart",
        None,
        {"id": "rocket", "count": 4},
    ]

    assert whole(reactions=strange).counts == (("rocket", 4),)
    assert whole(reactions={"heart": 2}).counts == ()
    assert len(whole(reactions=[{"id": str(n), "count": 1} for n in range(999)]).counts) == 64


# --- images ---


def test_an_upload_is_found_by_the_hash_that_its_name_stands_for():
    address = f"{STORE}/original/2X/2/{SHA1}.png"

    assert with_upload(f'<img src="{address}" width="9">') == ((NAME, address),)


def test_the_original_is_taken_rather_than_a_smaller_copy():
    small, original = f"{STORE}/optimized/2X/2/{SHA1}_2_400x500.png", f"{STORE}/original/{SHA1}.png"

    for cooked in (f'<img src="{small}"><a href="{original}">', f'"{original}" "{small}"'):
        assert with_upload(cooked) == ((NAME, original),)
    assert with_upload(f'<img srcset="{small}, {small} 2x">') == ((NAME, small),)


@pytest.mark.parametrize("kind", ["original", "optimized"])
def test_of_two_addresses_as_good_as_each_other_the_first_is_taken(kind):
    first, second = (f"{STORE}/{kind}/{n}/{SHA1}.png" for n in (1, 2))

    assert with_upload(f'<img src="{first}"><img src="{second}">') == ((NAME, first),)


def test_an_address_without_a_scheme_is_opened_safely():
    cooked = f"<img src='//cdn.example.org/original/{SHA1}.png'>"

    assert with_upload(cooked) == ((NAME, f"https://cdn.example.org/original/{SHA1}.png"),)


@pytest.mark.parametrize(
    "cooked",
    [None, 7, "", "<p>no image</p>", f"{STORE}/original/{'0' * 40}.png", f"/uploads/{SHA1}.png"],
)
def test_an_upload_that_is_not_shown_has_no_address(cooked):
    assert with_upload(cooked) == ()


# --- times, titles ---


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)))  # noqa: DTZ001
def test_a_time_is_read_as_the_calendar_has_it(moment):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    expected = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)

    assert milliseconds(moment.isoformat(timespec="milliseconds")) == expected
    assert milliseconds(f"{moment:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")) == expected // 1000 * 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-07-14T21:26:54.062Z", 1_784_064_414_062),
        ("2026-07-14T23:26:54.062+02:00", 1_784_064_414_062),
        ("2026-07-14 17:26:54,0629-0400", 1_784_064_414_062),
        ("2024-02-29T12:00:00.5Z", 1_709_208_000_500),
        ("2026-13-01T00:00:00Z", None),
        ("2026-01-00T00:00:00Z", None),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:60:00Z", None),
        ("2026-01-01T00:00:61Z", None),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01", None),
        ("٢٠٢٦-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
        (1_784_064_414, None),
    ],
)
def test_times_in_other_ways_to_write_them(text, expected):
    assert milliseconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("  a\n line ", "a line"),
        ("a bc def", "a bc def"),
        ("a bcd efgh", "a bcd…"),
        ("abcdefghij", "abcdefg…"),
        ("a bcdefghij", "a bcdef…"),
    ],
)
def test_a_title_is_cut_after_a_word_and_says_so(text, expected):
    assert cut(text, 8) == expected


@given(st.text(max_size=60), st.integers(1, 50))
def test_what_is_cut_is_never_longer_than_asked(text, chars):
    shown = cut(text, chars)

    assert len(shown) <= chars
    assert "\n" not in shown


@given(st.dictionaries(st.sampled_from(list(WHOLE)), json_values, max_size=6))
def test_any_post_with_strange_fields_is_read_or_says_why(changes):
    assert isinstance(read(WHOLE | changes), Post | Reason)


@given(json_values)
def test_any_json_is_read_or_says_why(value):
    assert isinstance(read(value), Post | Reason)
