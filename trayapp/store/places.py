"""Where posts stand in a thread, and how far it is read.

A thread's order is (at, hlc, id), the opening post before all others. A read mark is a place in
that order and a moment: what arrived after it was set is unread wherever it stands.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from trayapp.errors import NotFound
from trayapp.forum.rows import Level, State
from trayapp.store.changes import recount
from trayapp.store.rows import author_number, prefix

_STUBS_TOO = f"r.state IN ({int(State.LIVE)}, {int(State.DELETED)})"
_POST = (
    "SELECT s.rid, s.parent, s.at, s.hlc, so.id FROM op o JOIN post p ON p.rid = o.rid "
    "JOIN post s ON s.rid = coalesce(p.twin, p.rid) JOIN op so ON so.rid = s.rid "
    "WHERE o.h = ? AND o.id = ? AND s.level = ?"
)


class Opening(NamedTuple):
    """A thread that can be read."""

    rid: int
    subnet: int | None
    id: bytes


class Place(NamedTuple):
    """Where a post stands in its thread."""

    at: int
    hlc: int
    id: bytes
    rid: int


END = Place(1 << 62, 0, b"", 0)
"""Behind every post."""


def opening(conn: sqlite3.Connection, thread: bytes) -> Opening:
    """Find a thread; of an import that is there twice, the one shown.

    Raises:
        NotFound: there is no such thread.
    """
    row = conn.execute(_POST, (prefix(thread), thread, Level.THREAD)).fetchone()
    if row is None:
        raise NotFound(f"There is no thread {thread.hex()[:16]} here.")
    return Opening(row[0], row[1], row[4])


def start(thread: Opening) -> Place:
    """The place of the opening post."""
    return Place(-1, 0, b"", thread.rid)


def place_of(conn: sqlite3.Connection, thread: Opening, post: bytes) -> Place:
    """Where a post stands in a thread.

    Raises:
        NotFound: it does not stand there.
    """
    if post == thread.id:
        return start(thread)
    row = conn.execute(_POST, (prefix(post), post, Level.REPLY)).fetchone()
    if row is None or row[1] != thread.rid:
        raise NotFound(f"There is no post {post.hex()[:16]} in this thread.")
    rid, _, at, hlc, id_ = row
    return Place(at, hlc, id_, rid)


def behind(conn: sqlite3.Connection, thread: Opening, place: Place, limit: int) -> list[int]:
    """The next posts after a place, stubs of deleted ones included."""
    rows = conn.execute(
        "SELECT r.rid FROM post r JOIN op o ON o.rid = r.rid "
        f"WHERE r.parent = ? AND {_STUBS_TOO} AND (r.at, r.hlc) >= (?, ?) "
        "AND ((r.at, r.hlc) > (?, ?) OR o.id > ?) ORDER BY r.at, r.hlc, o.id LIMIT ?",
        (thread.rid, *place[:2], *place[:3], limit),
    )
    return [rid for (rid,) in rows]


def before(conn: sqlite3.Connection, thread: Opening, place: Place, limit: int) -> list[int]:
    """The last replies before a place, in order; the opening post is never among them."""
    rows = conn.execute(
        "SELECT r.rid FROM post r JOIN op o ON o.rid = r.rid "
        f"WHERE r.parent = ? AND {_STUBS_TOO} AND (r.at, r.hlc) <= (?, ?) "
        "AND ((r.at, r.hlc) < (?, ?) OR o.id < ?) "
        "ORDER BY r.at DESC, r.hlc DESC, o.id DESC LIMIT ?",
        (thread.rid, *place[:2], *place[:3], limit),
    )
    return [rid for (rid,) in rows][::-1]


def number(conn: sqlite3.Connection, thread: Opening, place: Place) -> int:
    """The number of a post in its thread; the opening post is number 1."""
    if place == start(thread):
        return 1
    (earlier,) = conn.execute(
        f"SELECT count(*) FROM post r WHERE r.parent = ? AND {_STUBS_TOO} "
        "AND (r.at, r.hlc) < (?, ?)",
        (thread.rid, *place[:2]),
    ).fetchone()
    (tied,) = conn.execute(
        "SELECT count(*) FROM post r JOIN op o ON o.rid = r.rid "
        f"WHERE r.parent = ? AND {_STUBS_TOO} AND r.at = ? AND r.hlc = ? AND o.id < ?",
        (thread.rid, *place[:3]),
    ).fetchone()
    return 2 + int(earlier) + int(tied)


def total(conn: sqlite3.Connection, thread: Opening) -> int:
    """How many posts a thread has, stubs included."""
    row = conn.execute(
        f"SELECT count(*) FROM post r WHERE r.parent = ? AND {_STUBS_TOO}", (thread.rid,)
    ).fetchone()
    return 1 + int(row[0])


class Mark(NamedTuple):
    """How far a thread was read."""

    at: int
    hlc: int
    upto: int

    def covers(self, rid: int, at: int, hlc: int) -> bool:
        """Whether a reply was read."""
        return (at, hlc) <= (self.at, self.hlc) and rid <= self.upto


def mark(conn: sqlite3.Connection, thread: Opening) -> Mark | None:
    """The read mark; None when the thread was never opened."""
    row = conn.execute("SELECT at, hlc, upto FROM mark WHERE thread = ?", (thread.rid,)).fetchone()
    return None if row is None else Mark(*row)


def first_unread(conn: sqlite3.Connection, me: bytes, thread: Opening) -> bytes | None:
    """The first post by somebody else that was not read yet, in the order of the thread."""
    a, read = author_number(conn, me), mark(conn, thread)
    if read is None:
        row = conn.execute(
            "SELECT 1 FROM post r WHERE r.rid = ? AND r.state = 0 AND r.a <> ?", (thread.rid, a)
        ).fetchone()
        if row is not None:
            return thread.id
    row = conn.execute(
        "SELECT o.id FROM post r JOIN op o ON o.rid = r.rid WHERE r.parent = ? AND r.state = 0 "
        "AND r.a <> ? AND ((r.at, r.hlc) > (?, ?) OR r.rid > ?) ORDER BY r.at, r.hlc, o.id LIMIT 1",
        (thread.rid, a, *(read or Mark(-1, 0, -1))),
    ).fetchone()
    return None if row is None else row[0]


def mark_read(conn: sqlite3.Connection, me: bytes, thread: bytes, post: bytes) -> bool:
    """Move the read mark on to a post; it never moves back. Returns whether it moved.

    Raises:
        NotFound: no such thread, or no such post in it.
    """
    found = opening(conn, thread)
    place, old = place_of(conn, found, post), mark(conn, found)
    (upto,) = conn.execute(
        "SELECT max(?1, coalesce(max(r.rid), 0)) FROM post r WHERE r.parent = ?1", (found.rid,)
    ).fetchone()
    new = Mark(*max(place[:2], old[:2] if old else (-1, 0)), upto)
    if new == old:
        return False
    conn.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?)", (found.rid, *new))
    recount(conn, [found.rid], author_number(conn, me))
    return True
