"""What the faces are told about operations that were just stored.

A few are told one by one. Many at once are told as one BoardChanged, and then only the replies
that concern this person.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from sqlite3 import Connection
from typing import assert_never

from trayapp.events import (
    BoardChanged,
    Event,
    PersonChanged,
    PostChanged,
    ReplyArrived,
    SubnetChanged,
    ThreadChanged,
)
from trayapp.forum.happenings import (
    Happening,
    PersonTouched,
    PostAppeared,
    PostTouched,
    SubnetTouched,
    ThreadTouched,
)
from trayapp.node.bus import Bus
from trayapp.store import board
from trayapp.store.database import Database
from trayapp.store.operations import Appended

TOLD_SINGLY = 50


class Arrived(Enum):
    """How operations came."""

    LIVE = "live"
    """Typed here, or sent by a peer that we follow."""
    FIRST_SYNC = "first sync"
    """This machine takes over a forum it did not hold before."""
    IMPORT = "import"
    """Brought in from another forum, here and now."""


async def tell(
    database: Database,
    bus: Bus,
    me: bytes,
    appended: Appended,
    arrived: Arrived,
    joined_ms: int,
) -> None:
    """Emit the events for what was stored.

    Args:
        joined_ms: when this machine entered the forum; what is older is no news.
    """
    if arrived is Arrived.IMPORT:
        return  # the import itself says BoardChanged, once for many
    many = arrived is Arrived.FIRST_SYNC or len(appended.stored) > TOLD_SINGLY
    if many:
        bus.emit(BoardChanged())
    if arrived is Arrived.FIRST_SYNC:
        return
    old = {op.id for op in appended.stored if op.timestamp_ms < joined_ms}

    def read(conn: Connection) -> list[Event]:
        found = (_event(conn, me, happening, old) for happening in appended.happenings)
        return [event for event in found if event is not None]

    for event in await database.read(read):
        if not many or (isinstance(event, ReplyArrived) and event.follows):
            bus.emit(event)


def _event(
    conn: Connection, me: bytes, happening: Happening, old: Collection[bytes]
) -> Event | None:
    match happening:
        case SubnetTouched(subnet):
            return SubnetChanged(subnet)
        case ThreadTouched(thread, subnet):
            return ThreadChanged(thread, subnet)
        case PostAppeared(post):
            return _reply_arrived(conn, me, post, post in old)
        case PostTouched(post, thread):
            return PostChanged(post, thread)
        case PersonTouched(device):
            return PersonChanged(device)
        case _:
            assert_never(happening)


def _reply_arrived(conn: Connection, me: bytes, post: bytes, old: bool) -> ReplyArrived | None:
    brief = board.brief(conn, me, post)
    if brief is None:  # gone again already
        return None
    return ReplyArrived(
        post=post,
        thread=brief.thread,
        subnet=brief.subnet,
        title=brief.title,
        author=brief.author,
        author_name=brief.author_name,
        text=brief.text,
        by_me=brief.author == me,
        imported=brief.imported,
        first_sync=old,
        follows=brief.follows,
    )
