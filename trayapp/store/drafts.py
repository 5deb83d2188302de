"""What this machine's person has not said yet, and who is known to hold what they said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from trayapp.forum.operation import Log
from trayapp.forum.views import Draft
from trayapp.store.operations import digest, me_number
from trayapp.store.rows import numbers, prefixes


def save_draft(conn: sqlite3.Connection, draft: Draft) -> None:
    """Keep text being typed; an empty one forgets what was kept for the place."""
    conn.execute("DELETE FROM draft WHERE place = ?", (draft.place,))
    if draft.title or draft.text:
        conn.execute(
            "INSERT INTO draft (place, title, text, saved) VALUES (?, ?, ?, ?)",
            (draft.place, draft.title, draft.text, draft.saved),
        )


def drafts(conn: sqlite3.Connection) -> list[Draft]:
    """Everything that is being typed, the latest first."""
    rows = conn.execute("SELECT place, title, text, saved FROM draft ORDER BY saved DESC, place")
    return [Draft(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A post that one more device is known to hold."""

    post: bytes
    thread: bytes


def note_acks(conn: sqlite3.Connection, device: bytes, ids: Iterable[bytes]) -> list[Delivered]:
    """A device says that it has these operations of ours on its disk; returns the new posts."""
    wanted = set(ids)
    rows = conn.execute(
        "SELECT o.rid, o.id FROM json_each(?) j CROSS JOIN op o ON o.h = j.value WHERE o.a = ?",
        (prefixes(wanted), me_number(conn)),
    ).fetchall()
    return _note(conn, device, [rid for rid, id_ in rows if id_ in wanted])


def note_agreed(
    conn: sqlite3.Connection, device: bytes, agreed: tuple[tuple[int, bytes], tuple[int, bytes]]
) -> list[Delivered]:
    """A device holds what was held here when both logs had these digests, so all of mine too.

    Nothing is noted when more came in since: it was not agreed on. What was there at the last
    agreement is not looked at again.

    Returns:
        The posts that are new to it.
    """
    if agreed != tuple(_digest(conn, of) for of in (Log.CONTROL, Log.CONTENT)):
        return []
    name = f"agreed/{device.hex()}"
    row = conn.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    last = 0 if row is None else int.from_bytes(row[0], "big")
    (newest,) = conn.execute("SELECT coalesce(max(rid), 0) FROM op").fetchone()
    conn.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, newest.to_bytes(8, "big")))
    # +a: by number, for few are new; the index on a holds all of mine.
    mine = conn.execute("SELECT rid FROM op WHERE rid > ? AND +a = ?", (last, me_number(conn)))
    return _note(conn, device, [rid for (rid,) in mine])


def has_agreed(conn: sqlite3.Connection) -> bool:
    """Whether any device ever held exactly what was held here."""
    row = conn.execute("SELECT 1 FROM meta WHERE name BETWEEN 'agreed/' AND 'agreed0' LIMIT 1")
    return row.fetchone() is not None


def _digest(conn: sqlite3.Connection, of: Log) -> tuple[int, bytes]:
    now = digest(conn, of)
    return now.count, now.digest16


def _note(conn: sqlite3.Connection, device: bytes, rids: list[int]) -> list[Delivered]:
    known = conn.execute(
        "SELECT x.op FROM json_each(?) j CROSS JOIN ack x ON x.op = j.value WHERE x.device = ?",
        (numbers(rids), device),
    ).fetchall()
    new = set(rids).difference(rid for (rid,) in known)
    conn.executemany("INSERT INTO ack (op, device) VALUES (?, ?)", [(rid, device) for rid in new])
    posts = conn.execute(
        "SELECT o.id, t.id FROM json_each(?) j CROSS JOIN post p ON p.rid = j.value "
        "JOIN op o ON o.rid = p.rid "
        "JOIN op t ON t.rid = CASE p.level WHEN 2 THEN p.rid ELSE p.parent END "
        "WHERE p.level >= 2",
        (numbers(new),),
    )
    return [Delivered(post, thread) for post, thread in posts]
