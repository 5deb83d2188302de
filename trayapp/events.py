"""What the node tells its faces. Frozen values; `node/bus.py` numbers them.

An event says what changed, not what it looks like now: faces ask again for what they show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from trayapp.status import Status


@dataclass(frozen=True, slots=True)
class ForumOpened:
    """A forum was started or joined on this machine."""

    network: bytes
    name: str


@dataclass(frozen=True, slots=True)
class SubnetChanged:
    """A subnet is new, or its title or text changed."""

    subnet: bytes


@dataclass(frozen=True, slots=True)
class ThreadChanged:
    """A thread is new, or its title, counts or last post changed."""

    thread: bytes
    subnet: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyArrived:
    """A post appeared in a thread, the opening post of a new thread included."""

    post: bytes
    thread: bytes
    subnet: bytes
    title: str
    author: bytes
    author_name: str
    text: str
    """The post as typed, at most 500 characters. For notices and the page, never for logs."""
    by_me: bool
    imported: bool
    first_sync: bool
    """It came while this machine took over a forum it had not held before."""
    follows: bool
    """I started the thread, posted in it, or am mentioned in this post."""


@dataclass(frozen=True, slots=True)
class PostChanged:
    """A post was edited, deleted or reacted to, or more machines hold it now."""

    post: bytes
    thread: bytes


@dataclass(frozen=True, slots=True)
class PersonChanged:
    """Somebody took another name."""

    device: bytes


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """So much changed at once that a face had better read everything again."""


@dataclass(frozen=True, slots=True)
class ReadMarkMoved:
    """This machine's person read further in a thread, here or in another face."""

    thread: bytes


@dataclass(frozen=True, slots=True)
class PeersChanged:
    """A link came or went, or a peer's state did."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The status as a whole, at most ten times a second."""

    status: Status


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come; `total` is 0 until it is known."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ShowPage:
    """Bring the window forward, at `path` (`/t/THREAD/p/POST`, or empty: as it is)."""

    path: str


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """The node is going down: windows close."""


Event: TypeAlias = (
    ForumOpened
    | SubnetChanged
    | ThreadChanged
    | ReplyArrived
    | PostChanged
    | PersonChanged
    | BoardChanged
    | ReadMarkMoved
    | PeersChanged
    | StatusChanged
    | ImportProgress
    | ShowPage
    | CloseWindow
)
