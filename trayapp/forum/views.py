"""What faces show: subnets, threads, replies, people. Read from the board, never edited.

Ids are 32 bytes here; faces get them as hex (`api/json_shapes.py`). Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from trayapp.forum.bodies import Source


@dataclass(frozen=True, slots=True)
class Person:
    """An author as others see them. Without a profile `name` is the short form of the key."""

    device: bytes
    name: str
    tag: str
    colour: int


@dataclass(frozen=True, slots=True)
class SubnetView:
    """One part of the forum in the list of parts."""

    id: bytes
    title: str
    text: str
    threads: int
    unread: int
    """Threads in it with posts by others that this machine's person has not read."""
    mine: bool


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One line of a subnet's list of threads."""

    id: bytes
    subnet: bytes
    title: str
    author: Person
    source_author: str | None
    """The name an imported thread was written under elsewhere."""
    replies: int
    unread: int
    last: int
    last_author: str
    created: int


@dataclass(frozen=True, slots=True)
class Version:
    """One of several texts of a post that was edited in two places at once."""

    id: bytes
    title: str | None
    text: str
    time: int


@dataclass(frozen=True, slots=True)
class Reaction:
    """How often an emoji was given to a post, and whether by this machine."""

    emoji: str
    count: int
    mine: bool


@dataclass(frozen=True, slots=True)
class PostView:
    """One post of a thread; the opening post has the thread's own id."""

    id: bytes
    number: int
    """Its place in the thread, from 1."""
    re: bytes | None
    author: Person
    mine: bool
    time: int
    text: str
    title: str | None
    """Only on the opening post."""
    html: str
    edited: bool
    deleted: bool
    conflict: tuple[Version, ...]
    """All heads when there is more than one, the shown one first; else empty."""
    source: Source | None
    reactions: tuple[Reaction, ...]
    delivered: int
    """How many other machines are known to hold it; meaningful for own posts."""
    read: bool


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A thread and a stretch of its posts, oldest first."""

    id: bytes
    subnet: bytes
    subnet_title: str
    title: str
    posts: tuple[PostView, ...]
    total: int
    """Posts in the thread, stubs of deleted ones included."""
    first_unread: bytes | None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A post that holds the words; `snippet` marks them with \\x02 and \\x03."""

    id: bytes
    thread: bytes
    title: str
    author: str
    time: int
    snippet: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Text being typed.

    `place` is `t/ID` (a reply), `s/ID` (a new thread), `e/ID` (an edit) or `new`.
    """

    place: str
    title: str
    text: str
    saved: int
