"""What a batch does to the counts of threads, and what of it is worth telling.

A thread that only grew is counted on from its row; where a post went, moved or lost its place the
thread is to be counted anew, which costs a look at all its posts.
"""

from __future__ import annotations

from collections.abc import Iterable

from trayapp.forum.happenings import (
    Happening,
    PersonTouched,
    PostAppeared,
    PostTouched,
    SubnetTouched,
    ThreadTouched,
)
from trayapp.forum.rows import Known, Level, Post, State, ThreadRow


class Tally:
    """Fed with every row of a batch, old and new; then asked for rows and happenings."""

    def __init__(self, known: Known, me: bytes, rows: dict[int, Post]) -> None:
        """Start counting. `rows` holds the posts of this batch by number, as they now stand."""
        self.recount: set[int] = set()
        self._known = known
        self._me = me
        self._rows = rows
        self._grown: dict[int, ThreadRow] = {}
        self._told: list[Happening] = []
        self._touched: dict[Happening, None] = {}

    def count(self, old: Post | None, row: Post) -> None:
        """Take one post's change into account."""
        if row == old:
            return
        if row.level == Level.THREAD or (old is not None and old.level == Level.THREAD):
            self._count_thread(old, row)
        before, after = _thread_of(old), _thread_of(row)
        if old is None and after is not None:
            self._grow(after, row)
        elif (before, _order(old)) != (after, _order(row)):
            self.recount.update(one for one in (before, after) if one is not None)
        self._tell(old, row)

    def touch(self, post: bytes) -> None:
        """A post in sight looks different: somebody reacted to it."""
        held = self._known.posts.get(post)
        row = held and self._rows.get(held.number, held)
        if row is not None:
            self._tell(row, row)

    def rows(self) -> list[ThreadRow]:
        """The threads that only grew, as they now stand."""
        return [row for row in self._grown.values() if row.number not in self.recount]

    def happenings(self, people: Iterable[bytes]) -> tuple[Happening, ...]:
        """Everything worth telling, each once: posts in the order they were counted, then lists."""
        return (*self._told, *self._touched, *map(PersonTouched, people))

    def _count_thread(self, old: Post | None, row: Post) -> None:
        if old is not None:
            self.recount.add(row.number)
            return
        is_live = row.state == State.LIVE
        self._grown[row.number] = ThreadRow(
            row.number,
            row.parent,
            is_live and row.parent is not None,
            0,
            int(is_live and row.author != self._me),
            row.at,
            row.hlc,
            row.id,
            row.number,
        )

    def _grow(self, thread: int, row: Post) -> None:
        """One reply more, unread unless it is mine: whatever arrives was not on screen yet."""
        was = self._grown.get(thread) or self._known.threads.get(thread)
        if was is None:  # a held post that this batch makes a thread
            self.recount.add(thread)
            return
        last = (was.last_at, was.last_hlc, was.last_id, was.last)
        mine = (row.at, row.hlc, row.id, row.number)
        # The opening post is the last one only while there is no reply.
        newest = max(last, mine) if was.replies else mine
        unread = was.unread + (row.author != self._me)
        self._grown[thread] = ThreadRow(
            thread, was.subnet, was.subnet is not None, was.replies + 1, unread, *newest
        )

    def _tell(self, old: Post | None, row: Post) -> None:
        if row.level == Level.SUBNET or (old is not None and old.level == Level.SUBNET):
            self._touched[SubnetTouched(row.id)] = None
        thread = self._thread_post(row) or (old and self._thread_post(old))
        if not thread or (row.state not in _SEEN and (old is None or old.state not in _SEEN)):
            return
        subnet = self._subnet_id(thread)
        if _is_in_sight(row) and not _is_in_sight(old):
            self._told.append(PostAppeared(row.id, thread.id, subnet, row.author, row.kind))
        else:
            self._told.append(PostTouched(row.id, thread.id))
        self._touched[ThreadTouched(thread.id, subnet)] = None

    def _thread_post(self, row: Post) -> Post | None:
        """The opening post of the thread a post stands in."""
        if row.level == Level.THREAD:
            return row
        return None if row.level != Level.REPLY or row.parent is None else self._post(row.parent)

    def _subnet_id(self, thread: Post) -> bytes:
        """The subnet of a thread; while it is missing, the id it goes by."""
        subnet = None if thread.parent is None else self._post(thread.parent)
        return thread.ref if subnet is None else subnet.id

    def _post(self, number: int) -> Post | None:
        return self._rows.get(number) or self._known.numbered.get(number)


_SEEN = (State.LIVE, State.DELETED)


def _is_in_sight(row: Post | None) -> bool:
    return row is not None and row.state == State.LIVE and row.level >= Level.THREAD


def _thread_of(row: Post | None) -> int | None:
    """The thread that counts this row among its replies."""
    if row is None or row.level != Level.REPLY or row.state != State.LIVE:
        return None
    return row.parent


def _order(row: Post | None) -> tuple[int, int] | None:
    return None if row is None else (row.at, row.hlc)
