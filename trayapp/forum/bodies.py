"""What each kind of operation carries, its limits, and its one encoding.

Decoding is strict: a body that is not exactly what `canonical.py` would have written, or a text
over its limit, says nothing; its operation is kept and inert (PROTOCOL.md section 3).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from trayapp.errors import InvalidBody
from trayapp.forum import canonical
from trayapp.forum.operation import ID_BYTES, Kind

TEXT_BYTES = 131_072
TITLE_CHARS = 200
NAME_CHARS = 40
EMOJI_CHARS = 32
TAG_CHARS = 40
TAGS = 8
EDIT_BASES = 16


@dataclass(frozen=True, slots=True)
class Profile:
    """How an author wants to be called."""

    name: str
    bio: str = ""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A part of the forum."""

    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread and its opening post; `ref` is the subnet."""

    title: str
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A post in a thread (`ref`); `re` is the id of the post it answers."""

    text: str
    re: bytes | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an imported post came from. `time` is in milliseconds, `counts` are its reactions."""

    site: str
    post: str
    version: int
    author: str
    time: int
    url: str | None = None
    counts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """A post brought in from another forum. Its `ref` says what it is.

    Zero: a subnet; a subnet: a thread; a thread: a reply.
    """

    source: Source
    text: str
    title: str | None = None
    re: bytes | None = None


Editable: TypeAlias = Subnet | Thread | Reply | Imported


@dataclass(frozen=True, slots=True)
class Edit:
    """A whole new body for the operation in `ref`; replaces it and every id in `base`.

    `fields` is untyped here: what it must look like is decided by the target's kind.
    """

    base: tuple[bytes, ...]
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Final. No body at all."""


@dataclass(frozen=True, slots=True)
class React:
    """One emoji of one author on one post, switched on or off."""

    emoji: str
    on: bool


Body: TypeAlias = Profile | Subnet | Thread | Reply | Edit | Delete | React | Imported


def encode(body: Body) -> bytes:
    """Write a body as it is signed; a delete has none."""
    match body:
        case Delete():
            return b""
        case Profile(name, bio):
            return canonical.pack({"name": name} | _given(bio=bio))
        case Edit(base, fields):
            return canonical.pack({"base": list(base), "fields": fields})
        case React(emoji, on):
            return canonical.pack({"emoji": emoji, "on": on})
        case Subnet() | Thread() | Reply() | Imported():
            return canonical.pack(fields_of(body))
        case _:
            assert_never(body)


def fields_of(body: Editable) -> dict[str, Any]:
    """A body as the map that an edit carries in its `fields`."""
    match body:
        case Subnet(title, text):
            return {"title": title} | _given(text=text)
        case Thread(title, text, tags):
            return {"title": title, "text": text} | _given(tags=list(tags))
        case Reply(text, re):
            return {"text": text} | _given(re=re)
        case Imported(source, text, title, re):
            return {"source": _source_fields(source), "text": text} | _given(title=title, re=re)
        case _:
            assert_never(body)


def decode(kind: int, raw: bytes) -> Body | None:
    """Read the body of an operation of this kind.

    Returns:
        None for a malformed body, a text over its limit, or a kind that has no body here. It never
        raises: whatever a peer signed, its operation is kept.
    """
    if kind == Kind.DELETE:
        return Delete() if not raw else None
    reader = _READERS.get(kind)
    fields = canonical.unpack(raw) if reader else None
    return _read(reader, fields) if reader and fields is not None else None


def decode_fields(target_kind: int, fields: dict[str, Any]) -> Editable | None:
    """Read what an edit says of an operation of this kind; None as in `decode`."""
    reader = _EDITABLE.get(target_kind)
    return _read(reader, fields) if reader else None


def check(body: Body) -> None:
    """See whether what a person typed can be said.

    Raises:
        InvalidBody: a text is empty or over its limit; the sentence names it and both sizes.
    """
    _check_unicode(body)
    match body:
        case Subnet(title, text):
            _check_line("title", title, TITLE_CHARS)
            _check_bytes(text)
        case Thread(title, text, tags):
            _check_line("title", title, TITLE_CHARS)
            _check_bytes(text)
            _check_tags(tags)
        case Reply(text) | Imported(_, text, None):
            _check_words("reply", text)
            _check_bytes(text)
        case Imported(_, text, title):
            _check_line("title", title or "", TITLE_CHARS)
            _check_bytes(text)
        case React(emoji):
            _check_line("emoji", emoji, EMOJI_CHARS)
        case Profile(name, bio):
            _check_line("name", name, NAME_CHARS)
            _check_bytes(bio)
        case Edit() | Delete():
            pass
        case _:
            assert_never(body)


def is_one_line(text: str) -> bool:
    """Whether a name or a title can be shown: a line's end or a NUL in it would break the place."""
    return not any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in text)


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that say something: there is no nil, and nothing empty, in a body."""
    return {name: value for name, value in fields.items() if value}


def _source_fields(source: Source) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "site": source.site,
        "post": source.post,
        "version": source.version,
        "author": source.author,
        "time": source.time,
    }
    return fields | _given(url=source.url, counts=dict(source.counts))


class _MalformedError(Exception):
    """A field is missing, of another type, or over its limit. Never leaves this module."""


_Fields: TypeAlias = dict[str, Any]


def _read(reader: Callable[[_Fields], Any], fields: _Fields) -> Any:
    try:
        return reader(fields)
    except _MalformedError:
        return None


def _profile(fields: _Fields) -> Profile:
    return Profile(_chars(fields, "name", NAME_CHARS), _text(fields, "bio", ""))


def _subnet(fields: _Fields) -> Subnet:
    return Subnet(_chars(fields, "title", TITLE_CHARS), _text(fields, "text", ""))


def _thread(fields: _Fields) -> Thread:
    tags = fields.get("tags", [])
    if not isinstance(tags, list) or len(tags) > TAGS:
        raise _MalformedError
    if not all(isinstance(tag, str) and len(tag) <= TAG_CHARS for tag in tags):
        raise _MalformedError
    return Thread(_chars(fields, "title", TITLE_CHARS), _text(fields, "text"), tuple(tags))


def _reply(fields: _Fields) -> Reply:
    return Reply(_text(fields, "text"), _optional_id(fields, "re"))


def _edit(fields: _Fields) -> Edit:
    base, new = fields.get("base"), fields.get("fields")
    if not isinstance(base, list) or len(base) > EDIT_BASES or not all(map(_is_id, base)):
        raise _MalformedError
    if not isinstance(new, dict):
        raise _MalformedError
    return Edit(tuple(base), new)


def _react(fields: _Fields) -> React:
    on = fields.get("on")
    if not isinstance(on, bool):
        raise _MalformedError
    emoji = _chars(fields, "emoji", EMOJI_CHARS)
    if not emoji:
        raise _MalformedError
    return React(emoji, on)


def _imported(fields: _Fields) -> Imported:
    source = fields.get("source")
    if not isinstance(source, dict):
        raise _MalformedError
    title = _chars(fields, "title", TITLE_CHARS) if "title" in fields else None
    return Imported(_source(source), _text(fields, "text"), title, _optional_id(fields, "re"))


def _source(fields: _Fields) -> Source:
    counts = fields.get("counts", {})
    if not isinstance(counts, dict) or not all(_is_count(number) for number in counts.values()):
        raise _MalformedError
    return Source(
        _chars(fields, "site", TITLE_CHARS),
        _chars(fields, "post", TITLE_CHARS),
        _number(fields, "version"),
        _chars(fields, "author", TITLE_CHARS),
        _number(fields, "time"),
        _text(fields, "url") if "url" in fields else None,
        tuple(counts.items()),
    )


_EDITABLE: dict[int, Callable[[_Fields], Editable]] = {
    Kind.SUBNET: _subnet,
    Kind.THREAD: _thread,
    Kind.REPLY: _reply,
    Kind.IMPORTED: _imported,
}
_READERS: dict[int, Callable[[_Fields], Body]] = {
    **_EDITABLE,
    Kind.PROFILE: _profile,
    Kind.EDIT: _edit,
    Kind.REACT: _react,
}


def _chars(fields: _Fields, name: str, limit: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > limit:
        raise _MalformedError
    return value


def _text(fields: _Fields, name: str, absent: str | None = None) -> str:
    value = fields.get(name, absent)
    if not isinstance(value, str) or len(value.encode()) > TEXT_BYTES:
        raise _MalformedError
    return value


def _number(fields: _Fields, name: str) -> int:
    value: Any = fields.get(name)
    if not _is_count(value):
        raise _MalformedError
    return int(value)


def _optional_id(fields: _Fields, name: str) -> bytes | None:
    value = fields.get(name)
    if value is None:
        return None
    if not _is_id(value):
        raise _MalformedError
    return bytes(value)


def _is_id(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == ID_BYTES


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _check_line(what: str, text: str, limit: int) -> None:
    _check_words(what, text)
    if not is_one_line(text):
        raise InvalidBody(f"The {what} holds a control character; type it again.")
    if len(text) > limit:
        raise InvalidBody(f"The {what} has {len(text)} characters; at most {limit} are possible.")


def _check_words(what: str, text: str) -> None:
    if not text.strip():
        raise InvalidBody(f"The {what} is empty.")


def _check_bytes(text: str) -> None:
    size = len(text.encode())
    if size > TEXT_BYTES:
        raise InvalidBody(
            f"The text has {size:,} bytes; at most {TEXT_BYTES:,} are possible. "
            "Split it into two posts."
        )


def _check_unicode(body: Body) -> None:
    """A lone surrogate can be typed into JSON, and is no text in any encoding."""
    try:
        encode(body)
    except UnicodeEncodeError as error:
        raise InvalidBody("The text holds half a character; type that part again.") from error


def _check_tags(tags: tuple[str, ...]) -> None:
    if len(tags) > TAGS:
        raise InvalidBody(f"There are {len(tags)} tags; at most {TAGS} are possible.")
    for tag in tags:
        _check_line("tag", tag, TAG_CHARS)
