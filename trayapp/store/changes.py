"""Writes a batch and what its fold says has changed: many rows, few statements, one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from trayapp.forum.operation import Kind
from trayapp.forum.rows import Changes, Post, Said
from trayapp.store import search
from trayapp.store.rows import numbers, prefix, source_hash

_RECOUNT = """
INSERT OR REPLACE INTO thread (rid, subnet, listed, replies, unread, last_at, last_hlc, last)
SELECT c.rid, c.parent,
       c.parent IS NOT NULL AND (c.state = 0 OR (c.state = 3 AND c.replies > 0)),
       c.replies, c.unread, l.at, l.hlc, l.rid
FROM (
    SELECT t.rid, t.parent, t.state,
        (SELECT count(*) FROM post r WHERE r.parent = t.rid AND r.state = 0) AS replies,
        (SELECT count(*) FROM post r WHERE r.parent = t.rid AND r.state = 0 AND r.a <> :me
            AND (m.thread IS NULL OR (r.at, r.hlc) > (m.at, m.hlc) OR r.rid > m.upto))
        + (t.state = 0 AND t.a <> :me AND m.thread IS NULL) AS unread,
        coalesce((SELECT r.rid FROM post r JOIN op o ON o.rid = r.rid
            WHERE r.parent = t.rid AND r.state = 0
            ORDER BY r.at DESC, r.hlc DESC, o.id DESC LIMIT 1), t.rid) AS last
    FROM json_each(:touched) j CROSS JOIN post t ON t.rid = j.value
    LEFT JOIN mark m ON m.thread = t.rid
    WHERE t.level = 2
) c JOIN post l ON l.rid = c.last
"""
_UNTHREAD = (
    "DELETE FROM thread WHERE rid IN (SELECT value FROM json_each(?)) "
    "AND NOT EXISTS (SELECT 1 FROM post p WHERE p.rid = thread.rid AND p.level = 2)"
)


def author_numbers(conn: sqlite3.Connection, authors: Iterable[bytes]) -> dict[bytes, int]:
    """The short numbers of authors, given now where they have none."""
    found = {}
    for author in set(authors):
        row = conn.execute("SELECT a FROM key WHERE pk = ?", (author,)).fetchone()
        if row is None:
            row = (conn.execute("INSERT INTO key (pk) VALUES (?)", (author,)).lastrowid,)
        found[author] = row[0]
    return found


def write_operations(
    conn: sqlite3.Connection, said: Sequence[Said], bare: set[int], a_of: dict[bytes, int]
) -> None:
    """Store operations; those in `bare` without their body."""
    rows = []
    for one in said:
        o = one.operation
        body = None if one.number in bare else o.body
        rows.append(
            (one.number, o.id, prefix(o.id), o.hlc >> 16, o.log, o.kind, a_of[o.author], o.seq,
             prefix(o.ref), o.header, body, one.seen)
        )  # fmt: skip
    conn.executemany(
        "INSERT INTO op (rid, id, h, ts, log, kind, a, seq, ref8, hdr, body, seen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def write_board(
    conn: sqlite3.Connection, changes: Changes, a_of: dict[bytes, int], me: int
) -> None:
    """Write every row the fold gave; erases nothing."""
    search.forget(conn, changes.reworded)
    _write_posts(conn, changes, a_of)
    _write_sources(conn, changes)
    conn.executemany(
        "INSERT OR REPLACE INTO version (post, rid, bases, head) VALUES (?, ?, ?, ?)",
        [(one.post, one.number, b"".join(one.bases), one.head) for one in changes.versions],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO reaction (ref8, a, emoji, ref, given, seq, hlc, id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (prefix(one.ref), a_of[one.author], one.emoji, one.ref, one.on, *one.precedence)
            for one in changes.reactions
        ],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO person (a, name, bio, seq, hlc, id) VALUES (?, ?, ?, ?, ?, ?)",
        [(a_of[one.author], one.name, one.bio, *one.precedence) for one in changes.people],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO thread "
        "(rid, subnet, listed, replies, unread, last_at, last_hlc, last) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*one[:7], one.last) for one in changes.threads],
    )
    recount(conn, changes.recount, me)


def recount(conn: sqlite3.Connection, threads: Iterable[int], me: int) -> None:
    """Count threads anew from the rows of their posts."""
    touched = numbers(threads)
    if touched != "[]":
        conn.execute(_UNTHREAD, (touched,))
        conn.execute(_RECOUNT, {"touched": touched, "me": me})


def erase(conn: sqlite3.Connection, posts: Sequence[Post]) -> None:
    """Take away the bodies of deleted posts and of all their edits, and what was made from them."""
    for post in posts:
        edits = conn.execute(
            "SELECT rid FROM op WHERE ref8 = ? AND log = 1 AND kind = ? "
            "AND substr(hdr, 81, 32) = ? AND body IS NOT NULL",
            (prefix(post.id), Kind.EDIT, post.id),
        )
        erased = [post.number, *(rid for (rid,) in edits)]
        conn.executemany("UPDATE op SET body = NULL WHERE rid = ?", [(rid,) for rid in erased])
        conn.executemany("DELETE FROM html WHERE op = ?", [(rid,) for rid in erased])
        conn.execute("DELETE FROM version WHERE post = ?", (post.number,))
    if posts:
        conn.execute("INSERT OR IGNORE INTO chore VALUES ('truncate'), ('optimize')")


def _write_posts(conn: sqlite3.Connection, changes: Changes, a_of: dict[bytes, int]) -> None:
    conn.executemany(
        "INSERT INTO post (rid, level, parent, at, hlc, a, state, shown, conflict, twin) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (one.number, one.level, one.parent, one.at, one.hlc, a_of[one.author], one.state,
             one.shown, one.conflict, one.twin)
            for one in changes.new_posts
        ],
    )  # fmt: skip
    conn.executemany(
        "UPDATE post SET level = ?, parent = ?, at = ?, state = ?, shown = ?, conflict = ?, "
        "twin = ? WHERE rid = ?",
        [
            (one.level, one.parent, one.at, one.state, one.shown, one.conflict, one.twin,
             one.number)
            for one in changes.changed_posts
        ],
    )  # fmt: skip
    search.expect(conn, changes.new_posts)
    reworded = {one.number for one in changes.reworded}
    search.expect(conn, [one for one in changes.changed_posts if one.number in reworded])


def _write_sources(conn: sqlite3.Connection, changes: Changes) -> None:
    conn.executemany(
        "INSERT INTO source (rid, h, site, post) VALUES (?, ?, ?, ?)",
        [
            (number, source_hash(site, post), site, post)
            for (_, site, post), number in changes.joined
        ],
    )
    conn.executemany("DELETE FROM source WHERE rid = ?", [(one,) for one in changes.left])


def remember_gone_imports(conn: sqlite3.Connection, left: Iterable[int], me: int) -> None:
    """Note own imported posts that go, so that the next import does not bring them back."""
    conn.executemany(
        "INSERT OR REPLACE INTO gone_import (site, post, op) SELECT s.site, s.post, s.rid "
        "FROM source s JOIN op o ON o.rid = s.rid WHERE s.rid = ? AND o.a = ?",
        [(number, me) for number in left],
    )
