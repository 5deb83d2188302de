"""What somebody typed on a Discourse forum, as Markdown that stands on its own here.

Quotes become Markdown quotes that name and link the quoted post; links to topics point inside where
the topic came along; `upload://` becomes the image's address. What stands in code stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

QUOTE_DEPTH = 8
"""Quotes within quotes deeper than this stay as typed: every level costs two characters a line."""

_TOPIC = (
    r"(?:https?://(?P<host{n}>[^\s/<>()\[\]\"'\\]{{1,255}}))?/t/"
    r"(?:(?=\d*[^\d\s/])(?P<slug{n}>[^\s/<>()\[\]\"'?#\\]+)/)?"  # with a letter in it
    r"(?P<topic{n}>\d{{1,18}})(?:/(?P<number{n}>\d{{1,18}}))?/?"
    r"(?:\?[\w=&%-]*)?(?:\#[\w-]*)?(?![\w/])"
)
# In the order in which they are tried where several could begin. The limits within are there so
# that a text made of beginnings alone is gone through in moments.
_SPECIAL = re.compile(
    r"(?P<code>^[ \t>]*(?P<fence>`{3,}+|~{3,}+)[^`\n]*\n(?:[^\n]*\n)*?[ \t>]*(?P=fence)[`~]*[ \t]*$"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,4000}?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<open>\[quote(?:=(?P<quoted>[^\]\n]{0,300}))?\])"
    r"|(?P<close>\[/quote\])"
    r"|(?P<details>\[details(?:=\"?(?P<summary>(?<=\")[^\"\n]{0,300}|[^\]\"\n]{0,300})\"?)?\]"
    r"|\[/details\])"
    r"|(?P<img><img\b[^<>\n]{0,300}?\bsrc=\"upload://(?P<shown>[0-9A-Za-z]{1,40})[^<>\n]{0,300}>)"
    r"|upload://(?P<upload>[0-9A-Za-z]{1,40})(?:\.\w{1,10})?"
    rf"|(?P<label>(?:\]\(|^ {{0,3}}\[[^\[\]\n]+\]:)\s*<?)(?:{_TOPIC.format(n=1)})?"
    rf"|(?P<text>\[[^\[\]\n]*(?=\]\())"
    rf"|<{_TOPIC.format(n=2)}>"
    rf"|(?<![\w/\"'=\[]){_TOPIC.format(n=3)}",
    re.MULTILINE | re.DOTALL | re.ASCII,
)
_LABELLED = 1
"""Which of the three ways to write a link to a topic has words of its own."""
_POST, _OF_TOPIC = re.compile(r"\bpost:(\d{1,18})"), re.compile(r"\btopic:(\d{1,18})")
_SIGNS = re.compile(r"([\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_]))")
_AFTER_BLOCK = re.compile(r"\A\s*\n|\A[ \t]+")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the posts of an archive are to be found, here and there."""

    site: str
    """The name of the forum there, as in `source.site`."""
    base: str | None
    """Its address, without a slash at the end, where it is known."""
    hosts: frozenset[str]
    """Hosts that its own links name."""
    posts: Mapping[tuple[int, int], int]
    """(topic, number in it) -> the post's id."""
    openings: Mapping[int, int]
    """Topic -> the id of the post that opens it here."""
    titles: Mapping[int, str]

    def post(self, post: int) -> str:
        """The link to a post that came along."""
        return f"#/i/{quote(self.site, safe='')}/{post}"

    def find(self, topic: int, number: int | None) -> str | None:
        """The link to a post, else to the opening of its topic, else to the site it came from."""
        found = self.posts.get((topic, number or 1), self.openings.get(topic))
        if found is not None:
            return self.post(found)
        if self.base is None:
            return None
        return f"{self.base}/t/{topic}" + (f"/{number}" if number else "")


def retell(text: str, places: Places, images: Mapping[str, str]) -> str:
    """Make a post's text ours.

    Args:
        text: Markdown with Discourse's own signs in it.
        images: the absolute address for each name behind `upload://`, where it is known.

    Returns:
        Markdown. It depends on the arguments alone, so that a second import finds it unchanged.
    """
    told = _Told(places)
    done = 0
    for found in _SPECIAL.finditer(text):
        told.add(text[done : found.start()])
        done = found.end()
        match found.lastgroup:
            case "open":
                told.open_quote(found.group(), found["quoted"])
            case "close":
                told.close_quote(found.group())
            case "details":
                told.add_block(f"**{escape(found['summary'])}**" if found["summary"] else "")
            case _:
                told.add(_inline(found, places, images))
    told.add(text[done:])
    return told.text()


def topic_links(text: str) -> Iterator[tuple[str, str, int]]:
    """What the whole links to topics in a text name: host, title as links spell it, topic."""
    for found in _SPECIAL.finditer(text):
        for n in (1, 2, 3):
            host, topic, slug = found[f"host{n}"], found[f"topic{n}"], found[f"slug{n}"]
            if host and slug:
                yield host.lower(), slug, int(topic)


def escape(text: str) -> str:
    """Plain words as Markdown that says just them."""
    return _SIGNS.sub(r"\\\1", text.strip())


@dataclass(slots=True)
class _Quote:
    """A quote being read: the tag that began it, who said it, and what was said so far."""

    tag: str = ""
    said: str = ""
    parts: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "".join(self.parts)


class _Told:
    """A text being put together; quotes are gathered until they end."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._quotes = [_Quote()]
        self._too_deep = 0
        self._after_block = False

    def add(self, text: str) -> None:
        if not text:
            return
        if self._after_block:
            # Without the empty line the next words would go on with the quote.
            text = _AFTER_BLOCK.sub("", text)
            if not text:
                return
            self._end_block()
        self._quotes[-1].parts.append(text)

    def add_block(self, text: str) -> None:
        """Add lines that stand apart from what is before and after them."""
        quote_ = self._quotes[-1]
        before = quote_.text().rstrip(" \t\n")
        quote_.parts = [before, "\n\n" if before and text else "", text]
        self._after_block = True

    def open_quote(self, tag: str, quoted: str | None) -> None:
        if len(self._quotes) > QUOTE_DEPTH:
            self._too_deep += 1
            self.add(tag)
            return
        self._end_block()
        self._quotes.append(_Quote(tag, _attribution(quoted or "", self._places)))

    def close_quote(self, tag: str) -> None:
        if self._too_deep or len(self._quotes) == 1:
            self._too_deep = max(0, self._too_deep - 1)
            self.add(tag)
            return
        self._after_block = False
        ended = self._quotes.pop()
        words = ended.text().strip("\n").rstrip()
        lines = [*([ended.said, ""] if ended.said else []), *words.split("\n")]
        self.add_block("\n".join(f"> {line}".rstrip() for line in lines))

    def _end_block(self) -> None:
        if self._after_block and self._quotes[-1].text():
            self._quotes[-1].parts.append("\n\n")
        self._after_block = False

    def text(self) -> str:
        """All of it; a quote that nobody ended stays as it was typed."""
        whole = "".join(quote_.tag + quote_.text() for quote_ in self._quotes)
        return whole.rstrip()


def _attribution(quoted: str, places: Places) -> str:
    """Who is quoted, with a link to the post: `user, post:3, topic:42`, as a line of Markdown."""
    quoted = quoted.strip().strip('"“”')
    who = escape(quoted.partition(",")[0])
    post, topic = _POST.search(quoted), _OF_TOPIC.search(quoted)
    if not who or ":" in who:
        return ""
    link = places.find(int(topic[1]), int(post[1])) if post and topic else None
    return f"[{who}]({link}):" if link else f"{who}:"


def _inline(found: re.Match[str], places: Places, images: Mapping[str, str]) -> str:
    """A match that stays in its line; as it was typed where there is nothing better to say."""
    typed = found.group()
    if name := found["shown"] or found["upload"]:
        address = _image(name, places, images)
        if address is not None:
            return f"![image]({address})" if found["shown"] else address
    for n in (1, 2, 3):
        if found[f"topic{n}"]:
            return _topic_link(found, n, places) or typed
    return typed


def _image(name: str, places: Places, images: Mapping[str, str]) -> str | None:
    if name in images:
        return images[name]
    return f"{places.base}/uploads/short-url/{name}" if places.base else None


def _topic_link(found: re.Match[str], n: int, places: Places) -> str | None:
    """A link to a topic, led to where it is now; None where it stays as it is."""
    host, topic, number = found[f"host{n}"], int(found[f"topic{n}"]), found[f"number{n}"]
    if host is None and n != _LABELLED:
        return None  # "/t/42" in plain words is no link
    if host is not None and host.lower() not in places.hosts:
        return None
    link = places.find(topic, int(number) if number else None)
    if link is None or (host is not None and topic not in places.openings):
        return None
    if n == _LABELLED:
        return f"{found['label']}{link}"
    return f"[{escape(places.titles[topic])}]({link})"
