"""Markdown as people type it, made into HTML that is safe in every face. One sanitiser for all.

Nothing here fetches anything: an image becomes a link that names where it lies. The page may link
inside the forum (`#/t/…`, `#/i/…`); every other link opens outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

RENDERER = 1
"""Part of the key under which HTML is kept: a change of what `render` writes changes it."""

_SCHEMES = {"http", "https", "mailto"}
_OUTSIDE = 'target="_blank" rel="noopener noreferrer"'
_INSIDE = re.compile(
    r"#/(?:t/[0-9a-f]{8,64}(?:/p/[0-9a-f]{8,64})?|s/[0-9a-f]{8,64}|i/[^/\s]{1,200}/[^/\s]{1,200})\Z"
)
# Characters that turn the direction of what follows, or hide: a name or a link could pretend.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TEX = re.compile(r"\$\$[^$]{1,4000}\$\$|\$(?=[^\s$])(?:[^$\\\n]|\\[^\n]){1,500}?(?<=\S)\$(?!\d)")
_SMALL_HTML = re.compile(r"<(br)\s*/?>|<(/?)(sup|sub|kbd)>", re.IGNORECASE)
_TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li"),
    *("em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td", "sup", "sub", "kbd"),
}
_ATTRIBUTES = {
    "a": {"href", "title", "target", "rel", "class"},
    "code": {"class"},
    "ol": {"start"},
    "td": {"class"},
    "th": {"class"},
}


def render(text: str) -> str:
    """Render a post.

    Args:
        text: Markdown as typed: CommonMark, tables, strikethrough, bare links, TeX between dollars.
            Whatever it holds, the result is safe to be put into a page.

    Returns:
        HTML of a few harmless tags. Links that open outside carry `target` and `rel`.
    """
    # Turning characters go twice: `&#x202E;` is one only after it was read.
    return _TURNING.sub("", _cleaner().clean(_parser().render(_readable(text))))


def excerpt(text: str, chars: int) -> str:
    """The words of a post on one line, without markup and, if it has words of its own, quotes.

    Args:
        chars: the most characters to return; a longer text ends in an ellipsis.
    """
    tokens = _parser().parse(_readable(text))
    line = _one_line(_words(tokens, quotes=False)) or _one_line(_words(tokens, quotes=True))
    return line if len(line) <= chars else line[: chars - 1].rstrip() + "…"


def _readable(text: str) -> str:
    """The text without turning characters, and without half ones, which no page can hold."""
    return _TURNING.sub("", text.encode("utf-8", "replace").decode())


def _one_line(words: Iterator[str]) -> str:
    return " ".join(_TURNING.sub("", "".join(words)).split())


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
        strip_comments=True,
    )


@cache
def _parser() -> MarkdownIt:
    parser = _Markdown("commonmark", {"html": False, "linkify": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough", "linkify"])
    assert parser.linkify is not None
    # "readme.md" and "node.py" are files here, not hosts.
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    # Its own quick look is a third of the time that a page takes.
    parser.linkify.pretest = _may_hold_an_address
    parser.block.ruler.before(
        "fence", "tex_block", _tex_block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.inline.ruler.before("escape", "tex", _tex)
    parser.inline.ruler.before("html_inline", "small_html", _small_html)
    parser.core.ruler.push("links", _links)
    return parser


def _may_hold_an_address(words: str) -> bool:
    return "//" in words or "mailto:" in words.lower()


class _Markdown(MarkdownIt):
    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        """Show an address as it was typed: `xn--…` written out would look like another host."""
        return link


class _Renderer(RendererHTML):
    """How the tokens that are not plain HTML are written. The parser sets the arguments."""

    def image(
        self,
        tokens: Sequence[Token],
        index: int,
        options: OptionsDict,
        env: MutableMapping[str, Any],
    ) -> str:
        """An image as a link that says where it lies: nobody learns who reads by it."""
        token = tokens[index]
        label = _label(self.renderInlineAsText(token.children, options, env))
        href = str(token.attrs.get("src", ""))
        place = _foreign_host(href)
        shown = _escape(f"{label} ({place})" if place else label)
        if place is None or token.meta.get("linked"):
            return shown
        return f'<a class="image" href="{_escape(href)}" {_OUTSIDE}>{shown}</a>'

    def tex(
        self,
        tokens: Sequence[Token],
        index: int,
        _options: OptionsDict,
        _env: MutableMapping[str, Any],
    ) -> str:
        """TeX stays what was typed: readable, and untouched by Markdown's own signs."""
        return f'<code class="tex">{_escape(tokens[index].content)}</code>'

    def tex_block(
        self,
        tokens: Sequence[Token],
        index: int,
        _options: OptionsDict,
        _env: MutableMapping[str, Any],
    ) -> str:
        """TeX in lines of its own."""
        return f'<pre><code class="tex">{_escape(tokens[index].content)}</code></pre>\n'

    def small_html(
        self,
        tokens: Sequence[Token],
        index: int,
        _options: OptionsDict,
        _env: MutableMapping[str, Any],
    ) -> str:
        """One of the four tags that people type in plain text."""
        return tokens[index].content


def _tex(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    found = _TEX.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("tex", "code", 0).content = found.group()
    state.pos = found.end()
    return True


def _tex_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$`, lines that are no Markdown, `$$`."""
    if state.is_code_block(start) or _line(state, start) != "$$":
        return False
    closing = _tex_end(state, start, end)
    if closing is None:
        return False
    if not silent:
        token = state.push("tex_block", "pre", 0)
        token.content = state.getLines(start, closing + 1, state.sCount[start], False)
        token.map = [start, closing + 1]
        state.line = closing + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _tex_end(state: StateBlock, start: int, end: int) -> int | None:
    """The line that closes what this one opens."""
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return None  # a line further left ends the list that this stands in
        if _line(state, line) == "$$":
            return line
    return None


def _small_html(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    found = _SMALL_HTML.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("small_html", "", 0).content = found.group().lower()
    state.pos = found.end()
    return True


def _links(state: StateCore) -> None:
    """Make headings fit into the page; open foreign links outside; drop those that lead nowhere."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs = {"class": str(token.attrs["style"]).replace("text-align:", "to-")}
        if token.type == "inline" and token.children:
            token.children = list(_checked_links(token.children))


def _checked_links(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens without links that lead nowhere: their words stay as typed."""
    inside = False
    for token in tokens:
        if token.type == "link_open":
            inside = _prepare_link(token)
        elif token.type == "image":
            token.meta["linked"] = inside  # a link in a link would tear both apart
        if inside or token.type not in ("link_open", "link_close"):
            yield token
        elif token.markup == "autolink":  # `<std::string>` is none
            bracket = "<" if token.type == "link_open" else ">"
            yield Token("text", "", 0, content=bracket)
        if token.type == "link_close":
            inside = False


def _prepare_link(token: Token) -> bool:
    """Set how a link opens; False when it is none that we follow."""
    href = str(token.attrs.get("href", ""))
    if _INSIDE.match(href):
        return True
    if _foreign_host(href) is None:
        return False
    token.attrs.update({"target": "_blank", "rel": "noopener noreferrer"})
    return True


def _foreign_host(href: str) -> str | None:
    """Where an address outside leads, in a word; None when it is not one that may be opened."""
    if not _is_address(href):
        return None
    parts = urlsplit(href)
    if parts.scheme == "mailto":
        return parts.path or None
    return parts.hostname if parts.scheme in _SCHEMES else None


def _is_address(href: str) -> bool:
    """Whether the cleaner, which reads addresses as browsers do, would leave it in a link."""
    return "href" in _cleaner().clean(f'<a href="{_escape(href)}">')


def _words(tokens: Sequence[Token], *, quotes: bool) -> Iterator[str]:
    depth = 0
    for token in tokens:
        if token.type == "blockquote_open":
            depth += 1
        elif token.type == "blockquote_close":
            depth -= 1
        elif depth and not quotes:
            continue
        elif token.type == "inline":
            yield from (_word(child) for child in token.children or [])
            yield " "
        elif token.type in ("fence", "code_block", "tex_block"):
            yield f"{token.content} "


def _word(token: Token) -> str:
    match token.type:
        case "text" | "code_inline" | "tex":
            return token.content
        case "image":
            return _label(token.content)
        case "softbreak" | "hardbreak":
            return " "
        case "small_html" if token.content.startswith("<br"):
            return " "
        case _:
            return ""


def _label(words: str) -> str:
    """What an image is called, without the size that Discourse puts behind a bar."""
    return words.partition("|")[0].strip() or "image"


def _escape(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
