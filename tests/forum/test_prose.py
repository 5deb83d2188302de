"""Markdown to HTML: what it looks like, and that nothing a post holds can do anything."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import needs
from trayapp.forum import discourse
from trayapp.forum.prose import excerpt, render
from trayapp.node.archive import open_archive

OUT = 'target="_blank" rel="noopener noreferrer"'
ID = "ab" * 32

_TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li"),
    *("em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td", "sup", "sub", "kbd"),
}
_ATTRIBUTES = {"href", "title", "target", "rel", "class", "start"}
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class _Inspector(HTMLParser):
    """Reads HTML as a page does, and stops at whatever is not known to be harmless."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        assert {name for name, _ in attrs} <= _ATTRIBUTES, attrs
        fields = dict(attrs)
        if tag == "a":
            self._link(fields)
        else:
            assert fields.keys() <= {"class", "start"}

    def _link(self, fields: dict[str, str | None]) -> None:
        href = fields.get("href") or ""
        self.links.append(href)
        if href.startswith("#/"):
            assert "target" not in fields
            return
        assert re.match(r"https?://[^/\s]|mailto:.", href, re.IGNORECASE), href
        assert (fields["target"], fields["rel"]) == ("_blank", "noopener noreferrer")

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_pi = unknown_decl = handle_comment


def inspect(html: str) -> _Inspector:
    """Fail unless the HTML can be put into any page."""
    inspector = _Inspector()
    inspector.feed(html)
    inspector.close()
    assert not _TURNING.search(html)
    # A browser's own parser, which forgives what the one above does not see, finds nothing to mend.
    assert nh3.clean(html, tags=_TAGS, attributes={"*": _ATTRIBUTES}, link_rel=None) == html
    return inspector


# --- what people type ---


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello *you* **there** ~~not~~ `x < y`", "<p>Hello <em>you</em> <strong>there</strong> "
         "<s>not</s> <code>x &lt; y</code></p>"),
        ("# Big\n\n###### Small", "<h3>Big</h3>\n<h6>Small</h6>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("```python\na < b\n```", '<pre><code class="language-python">a &lt; b\n</code></pre>'),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("a<br>b H<sub>2</sub>O <kbd>Q</kbd>", "<p>a<br>b H<sub>2</sub>O <kbd>Q</kbd></p>"),
        ("|a|b|\n|:-|-:|\n|1|2|", '<table>\n<thead>\n<tr>\n<th class="to-left">a</th>\n'
         '<th class="to-right">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td class="to-left">1</td>\n'
         '<td class="to-right">2</td>\n</tr>\n</tbody>\n</table>'),
        ("", ""),
    ],
)  # fmt: skip
def test_markdown_is_what_people_know(text: str, html: str):
    assert render(text).strip() == html
    inspect(render(text))


@pytest.mark.parametrize(
    ("text", "href", "words"),
    [
        ("[here](https://a.example/x?a=1&b=2)", "https://a.example/x?a=1&b=2", "here"),
        ("see https://a.example/x.", "https://a.example/x", "see https://a.example/x."),
        ("<https://a.example>", "https://a.example", "https://a.example"),
        ("see MAILTO:ann@a.example", "MAILTO:ann@a.example", "see MAILTO:ann@a.example"),
        ("<ann@a.example>", "mailto:ann@a.example", "ann@a.example"),
        ("https://a.example/käse", "https://a.example/k%C3%A4se", "https://a.example/käse"),
    ],
)
def test_links_out_of_the_forum_open_outside(text: str, href: str, words: str):
    page = inspect(render(text))
    assert page.links == [href]
    assert page.words.strip() == words


@pytest.mark.parametrize(
    "place",
    [
        *(f"#/t/{ID}", f"#/t/{ID}/p/{ID[:8]}", f"#/s/{ID}"),
        *("#/i/forum.example/42", "#/i/localhost%3A3000/42"),
    ],
)
def test_links_inside_the_forum_stay_in_the_page(place: str):
    assert render(f"[there]({place})") == f'<p><a href="{place}">there</a></p>\n'


@pytest.mark.parametrize(
    "target",
    [
        *("/t/42", "page.html", "//evil.example", "#top", "#/peers", "#/t/xyz", f"#/t/{ID}/x"),
        *(f"#/t/{ID}?a=b", "#/i/site", "#/i/a/b/c", "?stop", "", "ftp://a.example", "tel:123"),
        *("https://", "https:///path", "http:a", "mailto:", "https://[", "about:blank", "blob:x"),
        *("https://%5B", "https://a:b", "https://a:99999", "https://xn--a", "https://two%20words"),
        *(
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "vbscript:x",
            "data:text/html,x",
            "file:///",
        ),
        *("javascript&colon;alert(1)", "java&#x09;script:alert(1)", "\x01javascript:alert(1)"),
    ],
)
def test_a_link_that_leads_nowhere_is_words(target: str):
    for text in (f"[words]({target})", f"[words](<{target}>)", f"![words]({target})"):
        page = inspect(render(text))
        assert page.links == []
        assert "words" in page.words


@pytest.mark.parametrize("text", ["<std::string>", "<sig:key>", "vector<a:b>", "<javascript:x>"])
def test_angle_brackets_around_what_is_no_address_stay(text: str):
    page = inspect(render(text))
    assert (page.words.strip(), page.links) == (text, [])


def test_file_names_and_bare_hosts_are_no_links():
    assert inspect(render("see readme.md, node.py, example.com and 10.0.0.1")).links == []


def test_the_words_of_a_link_may_hold_tex_and_small_tags():
    words = 'H<sub>2</sub>O <code class="tex">$]$</code>'
    html = render("[H<sub>2</sub>O $]$](https://a.example)")
    assert html == f'<p><a href="https://a.example" {OUT}>{words}</a></p>\n'


def test_an_address_is_shown_as_typed_and_not_made_to_look_like_another():
    assert inspect(render("https://xn--pple-43d.com")).words.strip() == "https://xn--pple-43d.com"


# --- images ---


def test_an_image_is_a_link_that_says_where_it_lies():
    html = render("![My *chart*|690x240](https://cdn.example/a.png)")
    link = f'<a class="image" href="https://cdn.example/a.png" {OUT}>'
    assert html == f"<p>{link}My chart (cdn.example)</a></p>\n"


def test_an_image_without_a_name_is_called_one():
    assert inspect(render("![](https://cdn.example/a.png)")).words.strip() == "image (cdn.example)"


def test_an_image_in_a_link_is_the_words_of_that_link():
    html = render(
        "[![chart](https://cdn.example/a.png)](https://a.example) ![b](https://b.example)"
    )
    page = inspect(html)
    assert page.links == ["https://a.example", "https://b.example"]
    assert "></a>" not in html
    assert page.words.strip() == "chart (cdn.example) b (b.example)"


def test_an_image_that_was_not_brought_along_is_words():
    assert render("![chart|10x10](upload://abc.png)") == "<p>chart</p>\n"


def test_nothing_is_fetched_from_anywhere():
    html = render("![a](https://x.example/a.png) <img src=https://x.example/b.png>\n\n[c]: x\n![c]")
    assert "<img" not in html
    assert "src=" not in re.sub(r"&lt;.*?&gt;", "", html)


# --- TeX ---


@pytest.mark.parametrize(
    "tex", ["$a_1 * b_2 * c$", r"$\{x\}$", "$$\\sum_i *x*$$", "$$ a_1 _b_ $$", "$<b>$", r"$a\$b$"]
)
def test_tex_in_a_line_stays_what_was_typed(tex: str):
    page = inspect(render(f"so {tex} holds"))
    assert page.words.strip() == f"so {tex} holds"
    assert '<code class="tex">' in render(tex)


@pytest.mark.parametrize("text", ["$5 and $10", "costs $5, or 6$7", "a $ b $ c", "$", "$$", "$ a$"])
def test_money_is_no_tex(text: str):
    assert render(text) == f"<p>{text}</p>\n"


def test_tex_in_lines_of_its_own_is_no_markdown():
    tex = "$$\na\n= b\n\n* c < d\n- e\n$$"
    page = inspect(render(f"so\n{tex}\nholds"))
    assert page.words == f"so\n{tex}\nholds\n"
    assert "<ul>" not in render(tex)


def test_tex_in_lines_stands_in_lists_and_quotes():
    assert '<li>\n<p>a</p>\n<pre><code class="tex">$$\nx\n$$</code></pre>' in render(
        "- a\n\n  $$\n  x\n  $$\n- b"
    )
    assert render("> $$\n> - x\n> $$\n\nb").startswith(
        '<blockquote>\n<pre><code class="tex">$$\n- x\n$$</code></pre>\n</blockquote>'
    )


@pytest.mark.parametrize(
    "text", ["$$\n* a", "    $$\n    x\n    $$", "- $$\n  x\n\n$$", "- $$\n  x\n\nout\n\n  $$"]
)
def test_a_sign_that_nothing_closes_or_that_stands_in_code_begins_no_tex(text: str):
    assert 'class="tex"' not in render(text)


# --- hostile posts ---

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>x</script></svg>",
    "<iframe srcdoc='<script>x</script>'></iframe>",
    "<a href='javascript:alert(1)' onclick=x>y</a>",
    "<br onclick=alert(1)>",
    "<sup style='position:fixed'>x</sup>",
    "<kbd/onmouseover=alert(1)>x",
    "<br\n/onclick=x>",
    "<sup><sub></sup><kbd></sub>",
    "</p></blockquote><script>x</script>",
    "<!-- --><!DOCTYPE x><?php x ?><![CDATA[x]]>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=/stop><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=https://x.example'>",
    "<base href=https://x.example><link rel=stylesheet href=x>",
    '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    '[x](https://a.example/"onmouseover=alert(1))',
    "[x](https://a.example/'onmouseover=alert(1)//)",
    '![x" onerror="alert(1)](https://a.example/x)',
    "![x](https://a.example/x\"onerror=alert(1))",
    "```\"onmouseover=alert(1)\nx\n```",
    "```</code></pre><script>x</script>\nx\n```",
    "``` tex\" class=\"x\nx\n```",
    "$</code><script>x</script>$",
    "$$\n</code></pre><script>x</script>\n$$",
    "[<script>x</script>](https://a.example)",
    "[a](https://a.example)[b]: javascript:x\n\n[b]",
    "[b]: javascript:alert(1)\n\n[b]",
    "[b]: data:text/html,<script>x</script>\n\n![b]",
    "<javascript:alert(1)>",
    "|<script>|\n|-|\n|<img src=x onerror=y>|",
    "&lt;script&gt;x&lt;/script&gt; &#60;script&#62;",
    "\u202egnp.exe \u2066x\u2069 &#x202E;x&rlm;",
    "https://a.example/\u202egnp.exe <https://a.example/&#x202E;x>",
    "[paypal.example](https://paypal.example@evil.example)",
    "\x00<script>\x00x", "\ud800<script>", "\ufeff<script>x", "<scr\x00ipt>x", "<scr\u202eipt>x",
    "x" * 10 + "<" * 2000,
    "> " * 300 + "x",
    "- " * 300 + "x",
    "[" * 500 + "x" + "](https://a.example)" * 500,
    "*" * 2000 + "x" + "*" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:40])
def test_a_hostile_post_is_words(text: str):
    inspect(render(text))
    assert not _TURNING.search(excerpt(text, 200))


_PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            "&",
            '"',
            "'",
            "`",
            "```",
            "~~~",
            "$",
            "$$",
            "*",
            "_",
            "[",
            "]",
            "](",
            "(",
            ")",
        ),
        *("!", "\\", "|", "-", "#", ":", "/", "\n", "\n\n", " ", "    ", "> ", "- ", "1. ", "\t"),
        *("<script>", "</", "<br>", "<sup>", "<!--", "javascript:", "data:", "https://a.example"),
        *("#/i/a/1", "&#x202e;", "&lt;", "&colon;", "\x00", "\u202e", "\ud800", "x", "é", "😀"),
        *("[a]: ", "![", "|-|", "xn--", "@", "mailto:", "upload://x", "onerror=", "~~", "=\n"),
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_whatever_is_typed_the_page_is_safe_and_no_words_are_markup(text: str):
    inspect(render(text))
    line = excerpt(text, 40)
    assert len(line) <= 40
    assert "\n" not in line
    assert not _TURNING.search(line)


@given(
    st.text(st.characters(whitelist_categories=["L", "N"], whitelist_characters=" "), max_size=60)
)
def test_plain_words_come_out_as_they_went_in(words: str):
    assert inspect(render(words)).words.split() == words.split()


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 30_000, "![" * 20_000, "$a " * 40_000, "$$\n" * 40_000, "$$\na\n" * 15_000),
        *("<" * 100_000, "<a:" * 40_000, "a**b" * 20_000, "> " * 50_000, "| " * 60_000),
        *("https://" * 15_000, "".join("`" * n + " " for n in range(400)), "[a](b" * 10_000),
        "a|b\n-|-\n" + "|\n" * 20_000,
    ],
    ids=lambda text: ascii(text)[:12],
)
def test_no_post_keeps_the_reader_waiting(text: str):
    begun = time.perf_counter()
    html = render(text)
    excerpt(text, 100)
    assert time.perf_counter() - begun < 15  # a second or two; what is quadratic takes minutes
    assert len(html) < 20 * len(text)


# --- excerpts ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Title\n\nSome *words* and `code`.", "Title Some words and code."),
        ("> what they said\n\nmy answer", "my answer"),
        ("> only a quote", "only a quote"),
        ("a\nb  \nc<br>d H<sub>2</sub>O", "a b c d H2O"),
        ("![chart|690x240](https://a.example) [here](https://b.example)", "chart here"),
        ("```\nx = 1\n```", "x = 1"),
        ("$x$ and\n$$\ny\n$$", "$x$ and $$ y $$"),
        ("<b> & &amp; <std::x>", "<b> & & <std::x>"),
        ("- a\n- b\n\n|c|\n|-|\n|d|", "a b c d"),
        ("***", ""),
    ],
)
def test_an_excerpt_is_the_words_of_a_post_on_one_line(text: str, words: str):
    assert excerpt(text, 100) == words


def test_a_long_text_ends_in_an_ellipsis():
    assert excerpt("one two three", 13) == "one two three"
    assert excerpt("one two three", 9) == "one two…"


# --- the real posts ---


@pytest.fixture(scope="module")
def real_texts() -> list[str]:
    gathering = discourse.Gathering(discourse.site_of(None))
    with open_archive(needs.archive()) as archive:
        for post in archive:
            gathering.take(post)
    return [item.body.text for item in gathering.plan()]


def test_every_real_post_is_safe_and_linked(real_texts: list[str]):
    pages = [inspect(render(text)) for text in real_texts]
    inside = [link for page in pages for link in page.links if link.startswith("#")]
    assert len(inside) > 2_716  # so many quotes name a post that is there; links come on top
