"""The rows a board is made of, and what a fold must know of them before it can say what changes.

Operations go by number here: the order in which they arrived on this machine. Numbers are names,
short and quick; nothing is ever decided by comparing them. What the rows mean is said in `fold.py`,
how they lie on disk in `store/derived.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from trayapp.forum.bodies import Body
from trayapp.forum.happenings import Happening
from trayapp.forum.operation import Operation


class Level(IntEnum):
    """What a post is on the board; an imported one is what its `ref` makes it."""

    NOWHERE = 0
    """Inert, or what it stands on is not held (yet)."""
    SUBNET = 1
    THREAD = 2
    REPLY = 3


class State(IntEnum):
    """Whether a post is shown."""

    LIVE = 0
    INERT = 1
    """Malformed: kept and relayed, never shown."""
    TWIN = 2
    """An imported post that is also there as another operation, which is shown instead."""
    DELETED = 3
    """A stub: the header is all that is left."""


# Tuples rather than dataclasses: one is made for every operation of a first sync, and a frozen
# dataclass costs five times as much to make.


class Said(NamedTuple):
    """An operation as it came in: numbered, and its body read. `body` is None when there is none
    to go by: erased, malformed, or of a kind this version does not know."""

    number: int
    operation: Operation
    body: Body | None
    seen: int


class Post(NamedTuple):
    """A subnet, thread or reply, or an imported one of them, whatever its state."""

    number: int
    id: bytes
    kind: int
    author: bytes
    ref: bytes
    hlc: int
    seen: int
    at: int
    """The time shown, in milliseconds; posts of a thread stand in the order (at, hlc, id)."""
    level: int
    parent: int | None
    """The thread of a reply, the subnet of a thread."""
    state: int
    shown: int
    """The version shown: the post itself, or an edit of it."""
    conflict: bool
    twin: int | None
    """For a twin, the one shown in its stead."""


class ThreadRow(NamedTuple):
    """What a list of threads shows without reading the posts."""

    number: int
    subnet: int | None
    listed: bool
    replies: int
    unread: int
    last_at: int
    last_hlc: int
    last_id: bytes
    last: int


class VersionRow(NamedTuple):
    """A counting edit of a post. `head`: no other replaces it."""

    post: int
    number: int
    id: bytes
    hlc: int
    bases: tuple[bytes, ...]
    head: bool


Precedence: TypeAlias = tuple[int, int, bytes]
"""(seq, hlc, id): the largest of an author's statements on one matter counts."""


class ReactionRow(NamedTuple):
    """An author's last word on one emoji for one post, held or not."""

    ref: bytes
    author: bytes
    emoji: str
    on: bool
    precedence: Precedence


class PersonRow(NamedTuple):
    """An author's last profile."""

    author: bytes
    name: str
    bio: str
    precedence: Precedence


SourceKey: TypeAlias = tuple[bytes, str, str]
"""(importing author, site, post): what is shown once, however often it was brought in."""
Member: TypeAlias = tuple[int, bytes, int]
"""(seq, id, number) of a live imported post; the smallest of those with one key is shown."""


@dataclass(slots=True)
class Known:
    """The part of the board a batch can touch, as it stood before. More than needed does no harm.

    For each `ref` of the batch, and each target of an edit or delete: its row in `posts`, that of
    the one shown in its stead, and the counts of a thread in `threads`. The rest is said below.
    """

    posts: dict[bytes, Post] = field(default_factory=dict)
    numbered: dict[int, Post] = field(default_factory=dict)
    """The same rows by number; besides, the subnets of all threads in `threads`."""
    threads: dict[int, ThreadRow] = field(default_factory=dict)
    acts: dict[bytes, list[Said]] = field(default_factory=dict)
    """Held edits and deletes of posts that only this batch brings."""
    affected: dict[bytes, Post] = field(default_factory=dict)
    """Held posts whose place may change: what refers to a new post, to a post that dies, to any
    member of a group that changes; and what refers to an imported one of those in turn."""
    versions: dict[int, list[VersionRow]] = field(default_factory=dict)
    """Of every held post that is edited."""
    groups: dict[SourceKey, list[Member]] = field(default_factory=dict)
    """For every imported post that is new or dies; its members are in `posts`."""
    group_of: dict[int, SourceKey] = field(default_factory=dict)
    """Of held imported posts that die, while they are live."""
    reactions: dict[tuple[bytes, bytes, str], Precedence] = field(default_factory=dict)
    people: dict[bytes, Precedence] = field(default_factory=dict)

    def learn(self, post: Post) -> None:
        """Know one more row."""
        self.posts[post.id] = post
        self.numbered[post.number] = post


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch changes: write all of it, in the transaction that stores the operations."""

    new_posts: list[Post]
    changed_posts: list[Post]
    threads: list[ThreadRow]
    """Whole rows, new or changed."""
    recount: set[int]
    """Threads to count anew from the rows of their posts, after those are written."""
    versions: list[VersionRow]
    joined: list[tuple[SourceKey, int]]
    """Imported posts by number, to be found by where they come from."""
    left: list[int]
    """Imported posts no longer to be found so."""
    reactions: list[ReactionRow]
    people: list[PersonRow]
    bare: set[int]
    """Operations of the batch to store without their body."""
    erased: list[Post]
    """Posts that a delete now names: their bodies go, those of all their edits, and what was
    rendered from them."""
    reworded: list[Post]
    """Rows as they were, of posts whose words or time are no longer what search knows."""
    happenings: tuple[Happening, ...]
