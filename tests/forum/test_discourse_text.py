from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.forum import prose
from trayapp.forum.discourse_text import QUOTE_DEPTH, Places, escape, retell, topic_links

HOST = "forum.example.org"
PLACES = Places(
    site="discourse",
    base=None,
    hosts=frozenset([HOST]),
    posts={(42, 1): 420, (42, 3): 423, (7, 1): 70},
    openings={42: 420, 7: 70, 9: 95},
    titles={42: "Boats & [other] things", 7: "64 bit", 9: "Late"},
)
NAMED = Places(
    site="forum.example.org/talk",
    base=f"https://{HOST}/talk",
    hosts=PLACES.hosts,
    posts=PLACES.posts,
    openings=PLACES.openings,
    titles=PLACES.titles,
)
IMAGES = {"5WYVhy": "https://cdn.example.org/original/1.png"}


def told(text: str, places: Places = PLACES) -> str:
    return retell(text, places, IMAGES)


@given(st.text(alphabet=st.characters(exclude_characters="[]<>`~/\r"), max_size=200))
def test_plain_words_stay_as_they_were_typed(text):
    assert told(text) == text.rstrip()


# --- quotes ---


def test_a_quote_names_its_author_and_links_the_quoted_post():
    text = '[quote="wise_heron, post:3, topic:42"]\nFirst.\n\nSecond.\n[/quote]\n\nI agree.'

    assert told(text) == (
        "> [wise_heron](#/i/discourse/423):\n>\n> First.\n>\n> Second.\n\nI agree."
    )


@pytest.mark.parametrize(
    ("tag", "first"),
    [
        ('[quote="ann, post:3, topic:42, full:true"]', "> [ann](#/i/discourse/423):"),
        ('[quote="ann, post:99, topic:42"]', "> [ann](#/i/discourse/420):"),
        ('[quote="ann, post:2, topic:9"]', "> [ann](#/i/discourse/95):"),
        ('[quote="ann, post:2, topic:555"]', "> ann:"),
        ('[quote="_ann_, post:2, topic:555"]', r"> \_ann\_:"),
        ('[quote="ann"]', "> ann:"),
        ("[quote=ann]", "> ann:"),
        ('[quote="post:3, topic:42"]', "> said"),
        ("[quote]", "> said"),
        ("[quote=]", "> said"),
    ],
)
def test_a_quote_says_as_much_as_is_known_of_where_it_is_from(tag, first):
    assert told(f"{tag}\nsaid\n[/quote]").splitlines()[0] == first


def test_a_quote_of_a_post_that_did_not_come_along_leads_to_the_named_site():
    text = '[quote="ann, post:2, topic:555"]\nsaid\n[/quote]'

    assert told(text, NAMED).startswith(f"> [ann](https://{HOST}/talk/t/555/2):")


def test_words_right_before_and_behind_a_quote_are_not_part_of_it():
    assert told("before\n[quote]\nsaid\n[/quote]\nbehind") == "before\n\n> said\n\nbehind"
    assert told("before [quote]said[/quote] behind") == "before\n\n> said\n\nbehind"


def test_what_follows_a_quote_keeps_its_indent():
    assert told("[quote]a[/quote]\n\n    code") == "> a\n\n    code"


def test_quotes_in_quotes_and_after_one_another_stand_apart():
    text = "[quote=a]\n[quote=b]\ninner\n[/quote]\nouter\n[/quote]\n[quote=c]\nnext\n[/quote]"

    assert told(text) == ("> a:\n>\n> > b:\n> >\n> > inner\n>\n> outer\n\n> c:\n>\n> next")


def test_code_in_a_quote_is_quoted_whole():
    text = "[quote]\n```\na\n\n[/quote] is a tag\n```\n[/quote]"

    assert told(text) == "> ```\n> a\n>\n> [/quote] is a tag\n> ```"


@pytest.mark.parametrize(
    "text",
    ["[quote]\nnever ended", "[/quote]\nnever begun", "a [quote=x] b [quote=y] c", "[quote", "]"],
)
def test_tags_without_their_other_half_stay_as_typed(text):
    assert told(text) == text


def test_of_two_quotes_the_one_that_ended_is_told():
    assert told("[quote=a]\nx\n[quote=b]\ny\n[/quote]") == "[quote=a]\nx\n\n> b:\n>\n> y"


def test_quotes_deeper_than_eight_stay_as_typed():
    depth = QUOTE_DEPTH + 2
    text = told("[quote]" * depth + "deep" + "[/quote]" * depth)

    assert text == "> " * QUOTE_DEPTH + "[quote][quote]deep[/quote][/quote]"


def test_many_quotes_in_quotes_do_not_blow_a_text_up():
    count = 7_000
    text = "[quote]" * count + "x\n" * 5_000 + "[/quote]" * count

    assert len(told(text)) < 2 * len(text)


# --- links to topics ---


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (f"[words](https://{HOST}/t/boats/42/3)", "[words](#/i/discourse/423)"),
        (f"[words](https://{HOST}/t/boats/42)", "[words](#/i/discourse/420)"),
        (f"[words](https://{HOST}/t/42/3?u=ann)", "[words](#/i/discourse/423)"),
        (f"[words](https://{HOST}/t/boats/42/#x)", "[words](#/i/discourse/420)"),
        (f"[words](https://{HOST}/t/-/42/999)", "[words](#/i/discourse/420)"),
        (f"[words](https://{HOST}/t/64-bit/7)", "[words](#/i/discourse/70)"),
        (f"[words](http://{HOST.upper()}/t/boats/42 'a')", "[words](#/i/discourse/420 'a')"),
        ("[words](/t/42/3)", "[words](#/i/discourse/423)"),
        ("[words](</t/boats/42/3>)", "[words](<#/i/discourse/423>)"),
        (f"[1]: https://{HOST}/t/boats/42/3", "[1]: #/i/discourse/423"),
        (f"[https://{HOST}/t/boats/42](https://{HOST}/t/boats/42)",
         f"[https://{HOST}/t/boats/42](#/i/discourse/420)"),
    ],
)  # fmt: skip
def test_a_link_to_a_topic_that_came_along_leads_to_it_here(typed, meant):
    assert told(f"See {typed}, please.".replace("See [1]", "[1]")) == (
        f"See {meant}, please.".replace("See [1]", "[1]")
    )


@pytest.mark.parametrize(
    ("typed", "left"),
    [("{}", ""), ("<{}>", ""), ("({})", "()"), ("{}.", "."), ("*{}*", "**"), ("- {},", "- ,")],
)
def test_a_bare_address_of_a_topic_becomes_its_title(typed, left):
    address = f"https://{HOST}/t/boats/42/3"
    link = r"[Boats & \[other\] things](#/i/discourse/423)"

    assert told(typed.format(address)).replace(link, "") == left


@pytest.mark.parametrize(
    "text",
    [
        f"https://{HOST}/t/unknown/555/2",
        f"[words](https://{HOST}/t/unknown/555)",
        "https://elsewhere.example.org/t/boats/42",
        "[words](https://elsewhere.example.org/t/boats/42)",
        f"https://web.archive.org/web/2026/https://{HOST}/t/boats/42",
        f"https://{HOST}/t/boats/42/3/print",
        f"https://{HOST}/t/boats",
        f'<a href="https://{HOST}/t/boats/42">',
        "and/or /t/42/3 in plain words",
        "[words](/t/unknown/555)",
        f"https://{HOST}/tags/42",
    ],
)
def test_other_links_stay_as_typed(text):
    assert told(text) == text


def test_a_relative_link_to_what_did_not_come_along_leads_to_the_named_site():
    assert told("[words](/t/unknown/555/2)", NAMED) == f"[words](https://{HOST}/talk/t/555/2)"


def test_a_site_in_a_folder_is_one_word_in_a_link():
    link = "#/i/forum.example.org%2Ftalk/423"

    assert told("[words](/t/42/3)", NAMED) == f"[words]({link})"
    assert f'href="{link}"' in prose.render(told("[words](/t/42/3)", NAMED))


def test_whole_links_to_topics_are_listed_with_their_titles():
    text = (
        f"[a](https://{HOST}/t/boats/42/3) https://Other.example.org/t/64-bit/7 <http://x/t/y/1> "
        f"/t/no-host/42 https://{HOST}/t/42 `https://{HOST}/t/in-code/42`"
    )

    assert list(topic_links(text)) == [
        (HOST, "boats", 42),
        ("other.example.org", "64-bit", 7),
        ("x", "y", 1),
    ]


# --- images, summaries, code ---


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("![a|690x345, 75%](upload://5WYVhy.png)",
         "![a|690x345, 75%](https://cdn.example.org/original/1.png)"),
        ("[file.pdf|attachment](upload://5WYVhy.pdf) (1 KB)",
         "[file.pdf|attachment](https://cdn.example.org/original/1.png) (1 KB)"),
        ('<img width="9" src="upload://5WYVhy.png" alt="x">',
         "![image](https://cdn.example.org/original/1.png)"),
        ("![a [b] c](upload://5WYVhy)", "![a [b] c](https://cdn.example.org/original/1.png)"),
        ("![a](upload://unknown.png)", "![a](upload://unknown.png)"),
        ('<img src="upload://unknown.png">', '<img src="upload://unknown.png">'),
    ],
)  # fmt: skip
def test_an_upload_becomes_its_address(typed, meant):
    assert told(typed) == meant


def test_an_upload_of_unknown_address_is_asked_of_the_named_site():
    meant = f"![a](https://{HOST}/talk/uploads/short-url/unknown)"

    assert told("![a](upload://unknown.png)", NAMED) == meant


def test_a_folded_part_is_told_under_its_summary():
    text = 'before\n[details="The [long] story"]\nOnce.\n[/details]\nbehind'

    assert told(text) == "before\n\n**The \\[long\\] story**\n\nOnce.\n\nbehind"
    assert told("[details]\nOnce.\n[/details]") == "Once."


CODE = f"[quote=a]x[/quote] https://{HOST}/t/boats/42 upload://5WYVhy.png [details=x]"


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{CODE}\n```",
        f"~~~ text\n{CODE}\n\n{CODE}\n~~~~",
        f"````\n```\n{CODE}\n```\n````",
        f"> ```\n> {CODE}\n> ```",
        f"  ```c++\n{CODE}\n  ```\nbehind",
        f"`{CODE}`",
        f"a ``{CODE} ` {CODE}`` b",
        f"`two\n{CODE} lines`",
    ],
)
def test_what_stands_in_code_stays_as_it_is(text):
    assert told(text) == text


@pytest.mark.parametrize("text", ["` {}", "``a` {}", "```\n{}", "```` ``` {}", "`a\n\n{}`"])
def test_code_that_never_ends_does_not_hide_what_follows(text):
    assert "[words](#/i/discourse/420)" in told(text.format(f"[words](https://{HOST}/t/b/42)"))


# --- as a whole ---


@pytest.mark.parametrize("title", ["a_b_c", "_x_ *y* `z`", "[a](b) <c> \\d", "$x$ ~~y~~ | z", "!"])
def test_words_of_others_stay_words(title):
    shown = re.sub(r"<[^>]+>", "", prose.render(f"[{escape(title)}](https://a.example.org)"))

    assert shown.strip() == title.replace("<", "&lt;").replace(">", "&gt;")


@given(
    st.lists(
        st.sampled_from(
            ["[quote]", '[quote="a, post:3, topic:42"]', "[/quote]", "\n", "```", "`", " ", "é",
             f"https://{HOST}/t/b/42/3", "[", "](", ")", "upload://5WYVhy.png", "[details=y]",
             "[/details]", "> ", "<", ">", "~~~\n", "    ", "\n\n"]
        ),
        max_size=40,
    ).map("".join)
)  # fmt: skip
def test_whatever_was_typed_comes_out_the_same_each_time_and_can_be_shown(text):
    once = told(text)

    assert told(text) == once
    assert prose.render(once) is not None
    assert once.count("é") == text.count("é")  # no word is lost


@pytest.mark.parametrize(
    "part",
    ["[quote]", "[/quote]", "[quote=a]x[/quote]", "`", "``` \n", "~~~\n", "[", "](", "<", "/t/1",
     "https://", "[details]", "upload://", "> ", "<img ", "[a]: ", "\n\n\n", "` `` ", "\t",
     "[quote=", "[details=", '[details="', "<img src=", "[a", "<https://a/t/", "https://a/t/1?b",
     " ".join("`" * n for n in range(1, 500)), "\n".join("~" * n for n in range(3, 500)),
     "\n".join(">" * n for n in range(1, 500)), '[quote="a, post:3, topic:42"]\n'],
)  # fmt: skip
def test_the_longest_text_of_any_one_sign_takes_moments(part):
    text = (part * (131_072 // len(part)))[:131_072]
    started = time.perf_counter()
    told(text)

    assert time.perf_counter() - started < 5
