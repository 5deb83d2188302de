"""What a Discourse forum becomes: rule by rule in small archives, then the real one as a whole."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import needs
from tests.generated import posts
from trayapp.errors import ImportRefused
from trayapp.forum import bodies
from trayapp.forum.discourse import Gathering, Item, Plan, Report, Site, site_of
from trayapp.forum.discourse_post import Reason
from trayapp.forum.operation import Kind
from trayapp.node.archive import open_archive


def post(number: int = 1, topic: int = 42, **fields: Any) -> dict[str, Any]:
    """A post object as the API gives it; its id is its topic and its number."""
    return {
        "id": topic * 100 + number,
        "topic_id": topic,
        "topic_title": f"About {topic}",
        "topic_slug": f"about-{topic}",
        "category_id": 7,
        "post_number": number,
        "reply_to_post_number": None,
        "username": "quill",
        "created_at": f"2024-05-01T12:{number:02}:00.000Z",
        "updated_at": f"2024-05-01T12:{number:02}:00.000Z",
        "version": 1,
        "raw": f"Post {number} of topic {topic}.",
        "cooked": "",
        "reactions": [],
        **fields,
    }


def plan(taken: Iterable[object], site: str | None = None) -> Plan:
    gathering = Gathering(site_of(site))
    for one in taken:
        gathering.take(one)
    return gathering.plan()


def items(taken: Iterable[object], site: str | None = None) -> dict[str, Item]:
    return {item.key: item for item in plan(taken, site)}


def text(raw: str, *others: dict[str, Any], site: str | None = None, cooked: str = "") -> str:
    """What becomes of a text in an archive that also holds topic 42, post 1."""
    told = post(9, topic=90, raw=raw, cooked=cooked)
    return items([told, post(), *others], site)["9009"].body.text


def test_a_category_becomes_a_subnet_under_its_number():
    subnet = items([post()])["category/7"]
    assert (subnet.parent, subnet.re) == (None, None)
    assert subnet.body.title == "Category 7"
    assert subnet.body.source.post == "category/7"
    assert subnet.body.source.version == 1


def test_a_topic_without_a_category_has_a_subnet_too():
    made = items([post(category_id=None)])
    assert made["4201"].parent == "category/0"
    assert made["category/0"].body.title == "No category"


def test_a_topic_becomes_a_thread_that_is_its_opening_post():
    thread = items([post(), post(2)])["4201"]
    assert thread.parent == "category/7"
    assert thread.body.title == "About 42"
    assert thread.body.text == "Post 1 of topic 42."
    assert thread.body.source.post == "4201"


def test_other_posts_become_replies_to_the_thread_and_name_what_they_answer():
    made = items(
        [post(), post(2), post(3, reply_to_post_number=2), post(4, reply_to_post_number=1)]
    )
    assert [made[key].parent for key in ("4202", "4203", "4204")] == ["4201"] * 3
    assert [made[key].re for key in ("4202", "4203", "4204")] == [None, "4202", "4201"]
    assert made["4203"].body.title is None
    assert made["4203"].body.re is None  # the id is known to whoever signs


def test_a_reply_to_a_number_as_text_is_understood():
    assert items([post(), post(2, reply_to_post_number="1")])["4202"].re == "4201"


def test_the_source_says_who_when_and_how_often_it_was_liked():
    reactions = [{"id": "heart", "count": 2}, {"id": "+1", "count": 3}, {"id": "eyes", "count": 0}]
    source = items([post(version=4, reactions=reactions)])["4201"].body.source
    assert (source.site, source.author, source.version) == ("discourse", "quill", 4)
    assert source.time == 1_714_564_860_000
    assert source.counts == (("+1", 3), ("heart", 2))
    assert source.url is None


def test_a_named_site_gives_every_post_its_address():
    made = items([post(), post(2, topic_slug="")], "https://Forum.Example/")
    assert made["4201"].body.source.site == "forum.example"
    assert made["4201"].body.source.url == "https://forum.example/t/about-42/42/1"
    assert made["4202"].body.source.url == "https://forum.example/t/42/2"
    assert made["category/7"].body.source.url is None


@pytest.mark.parametrize(
    ("given", "site"),
    [
        (None, Site("discourse", None)),
        ("forum.example", Site("forum.example", "https://forum.example")),
        (" http://localhost:3000 ", Site("localhost:3000", "http://localhost:3000")),
        ("https://example.org/forum/?x#y", Site("example.org", "https://example.org/forum")),
    ],
)
def test_a_site_is_an_address_or_a_host(given: str | None, site: Site):
    assert site_of(given) == site


@pytest.mark.parametrize(
    "given",
    ["", "ftp://forum.example", "two words", "https://", "https://[", "a" * 300],
)
def test_what_is_no_site_is_refused(given: str):
    with pytest.raises(ImportRefused, match="no address of a forum"):
        site_of(given)


# --- irregularities ---


def test_a_topic_without_its_first_post_is_opened_by_the_oldest_present():
    made = plan([post(5, reply_to_post_number=2), post(3), post(4, reply_to_post_number=3)])
    thread, *replies = [item for item in made if item.parent]
    assert thread.key == "4203"
    assert thread.body.title == "About 42"
    assert [(reply.key, reply.parent, reply.re) for reply in replies] == [
        ("4204", "4203", "4203"),
        ("4205", "4203", None),
    ]
    assert made.report.reasons == {Reason.NO_OPENING: 1, Reason.MISSING_ANSWERED: 1}


def test_of_two_titles_and_categories_the_newest_is_taken():
    old = post(2, topic_title="Old", category_id=8, updated_at="2024-05-02T00:00:00Z")
    new = post(1, topic_title="New", category_id=9, updated_at="2024-05-03T00:00:00Z")
    made = plan([new, old, post(3, topic_title="Older", category_id=8)])
    thread = {item.key: item for item in made}["4201"]
    assert (thread.body.title, thread.parent) == ("New", "category/9")
    assert "category/8" not in {item.key for item in made}
    assert made.report.reasons == {Reason.TWO_TITLES: 1, Reason.TWO_CATEGORIES: 1}


def test_of_a_post_met_twice_the_highest_version_is_taken():
    forms = [post(version=1, raw="one"), post(version=3, raw="three"), post(version=2, raw="two")]
    for order in ([0, 1, 2], [1, 2, 0], [2, 1, 0]):
        made = plan(forms[index] for index in order)
        assert [item.body.text for item in made if item.key == "4201"] == ["three"]
        assert made.report == Report(3, 1, 2, {Reason.MET_TWICE: 2})


def test_a_post_that_moved_to_another_topic_is_there_once():
    moved = post(1, topic=43, id=4202, version=2)
    made = plan([post(), post(2), moved])
    assert [item.key for item in made] == ["category/7", "4201", "4202"]
    assert {item.key: item.parent for item in made}["4202"] == "category/7"


def test_a_title_over_the_limit_is_cut():
    title = items([post(topic_title="word " * 100)])["4201"].body.title
    assert title is not None
    assert len(title) <= bodies.TITLE_CHARS
    assert title.endswith("word…")


def test_a_text_over_the_limit_is_skipped_and_the_next_post_opens_the_thread():
    made = plan([post(raw="x" * (bodies.TEXT_BYTES + 1)), post(2)])
    assert [item.key for item in made] == ["category/7", "4202"]
    assert made.report.skipped == 1
    assert made.report.reasons[Reason.TOO_LONG] == 1


def test_a_text_that_grows_over_the_limit_stays_as_typed():
    raw = "[quote]\n" + "a\n" * (bodies.TEXT_BYTES // 2 - 100) + "[/quote]"
    assert text(raw) == raw


@pytest.mark.parametrize(
    ("taken", "reason"),
    [
        (None, Reason.NOT_JSON),
        ([], Reason.NO_POST),
        ("post", Reason.NO_POST),
        ({}, Reason.NO_POST),
        ({key: value for key, value in post().items() if key != "topic_id"}, Reason.NO_POST),
        (post(id=True), Reason.NO_POST),
        (post(raw=None), Reason.NO_POST),
        (post(created_at="yesterday"), Reason.NO_POST),
        (post(username=7), Reason.NO_POST),
        (post(raw=" \n"), Reason.NO_TEXT),
        (post(deleted_at="2024-05-02T00:00:00Z"), Reason.HIDDEN_THERE),
        (post(hidden=True), Reason.HIDDEN_THERE),
        (post(post_type=4), Reason.HIDDEN_THERE),
    ],
)
def test_what_cannot_be_brought_in_is_skipped_and_counted(taken: object, reason: Reason):
    made = plan([post(2), taken])
    assert [item.key for item in made] == ["category/7", "4202"]
    assert made.report.read == 2
    assert made.report.skipped == made.report.reasons[reason] == 1


def test_nothing_to_bring_in_is_an_empty_plan():
    made = plan([None])
    assert list(made) == []
    assert made.report == Report(1, 0, 1, {Reason.NOT_JSON: 1})


def test_the_report_of_a_second_import_says_what_was_there():
    made = plan([post(), post(2), None]).report
    assert made.without(0) == made
    assert made.without(2) == Report(3, 0, 3, {Reason.NOT_JSON: 1, Reason.ALREADY_HERE: 2})


# --- order ---


def assert_each_follows_what_it_names(ordered: Iterable[Item]) -> None:
    seen: set[str] = set()
    for item in ordered:
        assert item.parent is None or item.parent in seen
        assert item.re is None or item.re in seen
        assert item.key not in seen
        seen.add(item.key)


def test_posts_come_as_they_were_said_there_and_each_after_what_it_names():
    backwards = [
        post(1, created_at="2024-05-09T00:00:00Z"),
        post(2, created_at="2024-05-01T00:00:00Z", reply_to_post_number=1),
        post(1, topic=50, created_at="2024-05-02T00:00:00Z"),
    ]
    ordered = list(plan(backwards))
    assert [item.key for item in ordered] == ["category/7", "5001", "4201", "4202"]
    assert_each_follows_what_it_names(ordered)


def test_two_posts_under_one_number_are_both_brought_in():
    made = items([post(), post(2), post(2, id=1), post(3, reply_to_post_number=2)])
    assert made["4203"].re == "1"
    assert len(made) == 5


def test_the_order_of_files_changes_nothing():
    taken = [*posts(topics=20), post(version=2), post(version=2, raw="another form"), post(2), None]
    first = plan(taken)
    for seed in range(20):
        shuffled = taken[:]
        random.Random(seed).shuffle(shuffled)
        again = plan(shuffled)
        assert list(again) == list(first)
        assert again.report == first.report


_values: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats()
)
_values |= st.lists(st.dictionaries(st.sampled_from(["id", "count"]), _values), max_size=3)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(post())), _values, max_size=4), max_size=8))
def test_whatever_fields_hold_a_plan_comes_out_and_can_be_signed(changes: list[dict[str, Any]]):
    taken = [post(number, **fields) for number, fields in enumerate(changes, 1)]
    made = plan(taken)
    ordered = list(made)
    assert_each_follows_what_it_names(ordered)
    assert made.report.read == len(taken) == made.report.written + made.report.skipped
    assert len(made) == len(ordered)
    for item in ordered:
        assert bodies.decode(Kind.IMPORTED, bodies.encode(item.body)) == item.body


# --- texts (the rules of `discourse_text.py` have tests of their own) ---


def test_a_quote_names_and_links_the_post_it_is_from():
    raw = '[quote="quill, post:1, topic:42"]\nfirst\n\nsecond\n[/quote]\nanswer'
    assert text(raw) == "> [quill](#/i/discourse/4201):\n>\n> first\n>\n> second\n\nanswer"


def test_an_upload_becomes_the_address_it_was_shown_at():
    sha1 = "f75694ab9a4d6d60e60bab9df7b8fb20e9e41b68"
    address = f"https://cdn.example/uploads/default/original/1X/{sha1}.png"
    raw = "![chart|690x240](upload://zi3qSIdDYIwYhP55EWB9RAUJY0w.png)"
    assert address in text(raw, cooked=f'<img src="{address}">')
    assert "upload://" not in text(raw, cooked=f'<img src="{address}">')


def test_links_of_the_named_site_lead_to_the_posts_that_are_here():
    raw = (
        "See [this](https://forum.example/t/about-42/42/1) and [that](https://else.example/t/x/42)."
    )
    told = text(raw, site="forum.example")
    assert "[this](#/i/forum.example/4201)" in told
    assert "[that](https://else.example/t/x/42)" in told


def test_the_site_of_an_unnamed_archive_is_seen_from_its_links():
    raw = "[a](https://forum.example/t/about-42/42) [b](https://else.example/t/other/42)"
    told = text(raw)
    assert "[a](#/i/discourse/4201)" in told
    assert "[b](https://else.example/t/other/42)" in told


def test_a_link_without_the_right_title_does_not_make_its_host_the_site():
    raw = "[b](https://else.example/t/other/42)"
    assert text(raw) == raw


# --- the real archive ---


@pytest.fixture(scope="module")
def real_posts() -> list[Any]:
    with open_archive(needs.archive()) as archive:
        return list(archive)


def test_the_real_archive_comes_in_whole_with_every_irregularity_counted(real_posts: list[Any]):
    made = plan(real_posts)
    ordered = list(made)
    assert made.report == Report(
        read=4_661,
        written=4_661,
        skipped=0,
        reasons={
            Reason.NO_OPENING: 6,
            Reason.TWO_TITLES: 18,
            Reason.TWO_CATEGORIES: 5,
            Reason.MISSING_ANSWERED: 6,
        },
    )
    kinds = Counter(
        "subnet" if not i.parent else "thread" if i.body.title else "reply" for i in ordered
    )
    assert kinds == {"subnet": 8, "thread": 635, "reply": 4_661 - 635}
    assert len({item.body.source.author for item in ordered if item.parent}) == 460
    assert_each_follows_what_it_names(ordered)
    for item in ordered:
        assert bodies.decode(Kind.IMPORTED, bodies.encode(item.body)) == item.body


def test_the_real_archive_gives_the_same_plan_whatever_its_order(real_posts: list[Any]):
    shuffled = real_posts[:]
    random.Random(7).shuffle(shuffled)
    assert list(plan(shuffled, "delvingbitcoin.org")) == list(
        plan(real_posts, "delvingbitcoin.org")
    )


def test_the_real_texts_keep_no_quote_tag_and_no_upload_outside_code(real_posts: list[Any]):
    made = list(plan(real_posts))
    fence = re.compile(r"^[ >]*(```|~~~).*?^[ >]*\1", re.DOTALL | re.MULTILINE)
    told = [re.sub(r"`[^`\n]*`", "", fence.sub("", item.body.text)) for item in made]
    assert not [words for words in told if "upload://" in words]
    assert not [words for words in told if re.search(r"\[/?quote\b", words)]
    linked = sum(words.count("#/i/discourse/") for words in told)
    assert linked > 2_716  # as many quotes name a post that is there; links come on top


def test_planning_the_real_archive_takes_seconds(real_posts: list[Any]):
    begun = time.perf_counter()
    assert len(list(plan(real_posts))) == 4_669
    assert time.perf_counter() - begun < 10
