"""One post of a Discourse forum, as its own API gives it: read into what an import needs of it.

What is no post, or was not for everybody to read there, says why instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trayapp.forum.bodies import EMOJI_CHARS, TEXT_BYTES, TITLE_CHARS

NO_CATEGORY = 0
"""Where topics go that name no category; Discourse begins to count at 1."""


class Reason(StrEnum):
    """Why a post was not written; from TWO_TITLES on: what was odd about one that was."""

    NOT_JSON = "not JSON"
    NO_POST = "not a post"
    NO_TEXT = "no text"
    HIDDEN_THERE = "hidden there"
    TOO_LONG = "text over 128 KiB"
    MET_TWICE = "met twice"
    ALREADY_HERE = "already here"
    TWO_TITLES = "topic with two titles"
    TWO_CATEGORIES = "topic in two categories"
    NO_OPENING = "topic without its first post"
    MISSING_ANSWERED = "answers a missing post"


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it stood there. Times are in milliseconds."""

    id: int
    topic: int
    title: str
    """The topic's title when this post was fetched, at most 200 characters."""
    slug: str
    """The topic's title as it stands in links; may be empty."""
    category: int
    number: int
    """Its place in the topic, from 1, with gaps."""
    answers: int | None
    """The number of the post it replies to, always smaller than its own."""
    author: str
    time: int
    updated: int
    version: int
    text: str
    """As typed there; `discourse_text.py` makes it ours."""
    images: tuple[tuple[str, str], ...]
    """Names behind `upload://`, with the absolute addresses they stand for."""
    counts: tuple[tuple[str, int], ...]


class _UnusableError(Exception):
    """Carries the reason out of a field's reader. Never leaves this module."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def read(post: object) -> Post | Reason:
    """Read a decoded JSON value, whatever it is. Never raises."""
    if not isinstance(post, Mapping):
        return Reason.NOT_JSON if post is None else Reason.NO_POST
    try:
        return _read(post)
    except _UnusableError as error:
        return error.reason


def milliseconds(text: object) -> int | None:
    """The moment an ISO 8601 text names, `2026-07-14T21:26:54.062Z`, as milliseconds since 1970."""
    found = _ISO.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    fraction = (found["fraction"] or "").ljust(3, "0")[:3]
    minutes = (_days(year, month, day) * 24 + hour) * 60 + minute - _offset(found["zone"])
    return (minutes * 60 + second) * 1000 + int(fraction)


def cut(text: str, chars: int) -> str:
    """One line of at most so many characters; a longer one ends after a word, with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= chars:
        return line
    whole = line[: chars - 1]
    words = whole.rpartition(" ")[0]
    # One endless word is cut anywhere rather than away.
    return (words if len(words) > chars // 2 else whole).rstrip() + "…"


_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)",
    re.ASCII,
)
_SLUG = re.compile(r"[\w-]{1,255}")
_UPLOAD = re.compile(r"upload://([0-9A-Za-z]{1,40})")
_STORED = re.compile(r"(?:https?:)?//[^\s\"'<>,]*/(?=([0-9a-f]{40}))[^\s\"'<>,]*")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REGULAR, _MODERATOR = 1, 2
_MOST_COUNTS = 64


def _read(post: Mapping[str, Any]) -> Post:
    # What its author deleted stays: Discourse left "(post deleted by author)" in its place.
    gone = post.get("deleted_at") or post.get("hidden")
    if gone or post.get("post_type", _REGULAR) not in (_REGULAR, _MODERATOR):
        raise _UnusableError(Reason.HIDDEN_THERE)
    number = _number(post, "post_number")
    time = _time(post, "created_at")
    text = _text(post)
    return Post(
        id=_number(post, "id"),
        topic=_number(post, "topic_id"),
        title=cut(_words(post, "topic_title"), TITLE_CHARS),
        slug=_slug(post.get("topic_slug")),
        category=_category(post.get("category_id")),
        number=number,
        answers=_answers(post.get("reply_to_post_number"), number),
        author=cut(_words(post, "username"), TITLE_CHARS),
        time=time,
        updated=_time(post, "updated_at") if "updated_at" in post else time,
        version=_number(post, "version") if "version" in post else 1,
        text=text,
        images=_images(text, post.get("cooked")),
        counts=_counts(post.get("reactions")),
    )


def _whole(value: object) -> int | None:
    """A number from 0, also one that came as text: exports do both."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        return None
    return value


def _number(post: Mapping[str, Any], name: str) -> int:
    value = _whole(post.get(name))
    if value is None:
        raise _UnusableError(Reason.NO_POST)
    return value


def _time(post: Mapping[str, Any], name: str) -> int:
    value = milliseconds(post.get(name))
    if value is None or value < 0:
        raise _UnusableError(Reason.NO_POST)
    return value


def _words(post: Mapping[str, Any], name: str) -> str:
    value = post.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _UnusableError(Reason.NO_POST)
    return _unicode(value)


def _text(post: Mapping[str, Any]) -> str:
    text = post.get("raw")
    if not isinstance(text, str):
        raise _UnusableError(Reason.NO_POST)
    if not text.strip():
        raise _UnusableError(Reason.NO_TEXT)
    text = _unicode(text)
    if len(text.encode()) > TEXT_BYTES:
        raise _UnusableError(Reason.TOO_LONG)
    return text.replace("\r\n", "\n")


def _unicode(text: str) -> str:
    """Half a character, which JSON can hold, becomes a question mark: nobody can write it down."""
    return text.encode("utf-8", "replace").decode()


def _slug(value: object) -> str:
    return value if isinstance(value, str) and _SLUG.fullmatch(value) else ""


def _category(value: object) -> int:
    if value is None:
        return NO_CATEGORY
    number = _whole(value)
    if number is None:
        raise _UnusableError(Reason.NO_POST)
    return number


def _answers(value: object, number: int) -> int | None:
    """Only an earlier post can be answered: what else is said there is no answer."""
    answered = _whole(value)
    return answered if answered is not None and answered < number else None


def _counts(reactions: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(reactions, list):
        return ()
    counts: dict[str, int] = {}
    for reaction in reactions[:_MOST_COUNTS]:
        name = reaction.get("id") if isinstance(reaction, Mapping) else None
        count = _whole(reaction.get("count")) if isinstance(name, str) else None
        if isinstance(name, str) and 0 < len(name) <= EMOJI_CHARS and count:
            counts[_unicode(name)] = count
    return tuple(sorted(counts.items()))


def _images(text: str, cooked: object) -> tuple[tuple[str, str], ...]:
    """Find what `upload://` stands for: a name is the SHA-1 that the stored file is called by."""
    names = sorted(set(_UPLOAD.findall(text)))
    if not names or not isinstance(cooked, str):
        return ()
    stored: dict[str, str] = {}
    for found in _STORED.finditer(_unicode(cooked)):
        address, sha1 = found.group(), found[1]
        if sha1 not in stored or ("/original/" in address and "/original/" not in stored[sha1]):
            stored[sha1] = f"https:{address}" if address.startswith("//") else address
    hashes = ((name, f"{_base62(name):040x}") for name in names)
    return tuple((name, stored[sha1]) for name, sha1 in hashes if sha1 in stored)


def _base62(name: str) -> int:
    value = 0
    for letter in name:
        value = value * 62 + _DIGITS.index(letter)
    return value


def _offset(zone: str) -> int:
    """How many minutes a time zone is ahead."""
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; years are counted from March, so that a leap day comes last."""
    year -= month < 3
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + of_year - 719_468
