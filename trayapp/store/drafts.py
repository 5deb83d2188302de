"""What this machine's person has not said yet, and who is known to hold what they said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from trayapp.forum.views import Draft
from trayapp.store.rows import prefixes


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


def note_acks(conn: sqlite3.Connection, device: bytes, ids: Iterable[bytes]) -> None:
    """A device says that it has these operations on its disk."""
    wanted = set(ids)
    rows = conn.execute(
        "SELECT o.rid, o.id FROM json_each(?) j CROSS JOIN op o ON o.h = j.value",
        (prefixes(wanted),),
    ).fetchall()
    conn.executemany(
        "INSERT OR IGNORE INTO ack (op, device) VALUES (?, ?)",
        [(rid, device) for rid, id_ in rows if id_ in wanted],
    )
