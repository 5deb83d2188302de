"""Reads the board: lists of subnets and threads, what a notice needs, where an import went.

The posts of one thread are in `page.py`, places and read marks in `places.py`.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from trayapp.errors import NotFound
from trayapp.forum.bodies import Imported
from trayapp.forum.operation import Kind
from trayapp.forum.rows import Level, State
from trayapp.forum.views import SubnetView, ThreadView
from trayapp.store.people import People, person
from trayapp.store.rows import (
    author_number,
    prefix,
    source_hash,
    text_of,
    title_of,
    words_of,
)

BRIEF_CHARS = 500
GONE_VERSION = 2**63 - 1
"""The version of an imported post that was deleted here: nothing elsewhere is newer."""

_SUBNETS = (
    "SELECT p.rid, o.id, o.kind, v.kind, v.body, p.a, p.state, coalesce(c.threads, 0), "
    "coalesce(u.threads, 0) FROM post p JOIN op o ON o.rid = p.rid JOIN op v ON v.rid = p.shown "
    "LEFT JOIN (SELECT subnet, count(*) AS threads FROM thread WHERE listed GROUP BY subnet) c "
    "ON c.subnet = p.rid "
    "LEFT JOIN (SELECT subnet, count(*) AS threads FROM thread WHERE listed AND unread > 0 "
    "GROUP BY subnet) u ON u.subnet = p.rid "
    "WHERE p.level = 1 AND (p.state = 0 OR (p.state = 3 AND c.threads > 0))"
)
_THREADS = (
    "SELECT o.id, s.id, t.replies, t.unread, t.last_at, p.at, p.a, o.kind, v.kind, v.body, "
    "l.a, lo.kind, lv.kind, CASE WHEN lo.kind = 25 THEN lv.body END "
    "FROM thread t JOIN post p ON p.rid = t.rid JOIN op o ON o.rid = t.rid "
    "JOIN op v ON v.rid = p.shown JOIN op s ON s.rid = t.subnet JOIN post l ON l.rid = t.last "
    "JOIN op lo ON lo.rid = l.rid JOIN op lv ON lv.rid = l.shown "
    "WHERE t.listed {where} ORDER BY t.last_at DESC, t.last_hlc DESC, o.id DESC LIMIT :limit"
)
_POST = (
    "SELECT p.rid, p.level, p.a, o.kind, v.kind, v.body, tp.rid, t.id, t.kind, tv.kind, tv.body, "
    "coalesce(s.id, substr(t.hdr, 81, 32)) "
    "FROM op o JOIN post p ON p.rid = o.rid JOIN op v ON v.rid = p.shown "
    "JOIN post tp ON tp.rid = CASE p.level WHEN 2 THEN p.rid ELSE p.parent END "
    "JOIN op t ON t.rid = tp.rid JOIN op tv ON tv.rid = tp.shown "
    "LEFT JOIN op s ON s.rid = tp.parent "
    "WHERE o.h = ? AND o.id = ? AND p.level >= 2 AND p.state = 0"
)


def subnets(conn: sqlite3.Connection, me: bytes) -> list[SubnetView]:
    """All subnets by title. A deleted one stays, without a title, while threads stand in it."""
    mine = author_number(conn, me)
    views = []
    for _, id_, kind, version_kind, raw, a, _, threads, unread in conn.execute(_SUBNETS):
        body = words_of(kind, version_kind, raw)
        views.append(SubnetView(id_, title_of(body), text_of(body), threads, unread, a == mine))
    return sorted(views, key=lambda view: (view.title.casefold(), view.id))


def threads(
    conn: sqlite3.Connection,
    subnet: bytes | None,
    *,
    limit: int = 50,
    before: bytes | None = None,
) -> tuple[list[ThreadView], bool]:
    """The threads of a subnet, or of all, the one written in last first.

    Args:
        before: the last thread of the page before; None begins.

    Returns:
        At most `limit` threads, and whether there are more.

    Raises:
        NotFound: no such subnet, or no such thread to go on from.
    """
    where, values = "", dict[str, Any](limit=limit + 1)
    if subnet is not None:
        where += "AND t.subnet = :subnet "
        values["subnet"] = _subnet_number(conn, subnet)
    if before is not None:
        where += "AND (t.last_at, t.last_hlc, o.id) < (:last_at, :last_hlc, :before) "
        values |= _last_in_list(conn, before)
    people = People(conn)
    rows = conn.execute(_THREADS.format(where=where), values).fetchall()
    return [_thread_view(row, people) for row in rows[:limit]], len(rows) > limit


@dataclass(frozen=True, slots=True)
class Brief:
    """A post as a notice or an event tells of it."""

    thread: bytes
    subnet: bytes
    title: str
    author: bytes
    author_name: str
    text: str
    """As typed, at most 500 characters."""
    imported: bool
    follows: bool
    """I started the thread, posted in it, or am mentioned in this post."""


def brief(conn: sqlite3.Connection, me: bytes, post: bytes) -> Brief | None:
    """A post in few words; None when it is not in sight any more."""
    row = conn.execute(_POST, (prefix(post), post)).fetchone()
    if row is None:
        return None
    _, _, a, kind, version_kind, raw, thread_rid, thread, *opening, subnet = row
    people, body = People(conn), words_of(kind, version_kind, raw)
    text = text_of(body)
    return Brief(
        thread=thread,
        subnet=subnet,
        title=title_of(words_of(*opening)),
        author=people.numbered(a).device,
        author_name=people.wrote(a, body),
        text=text[:BRIEF_CHARS],
        imported=isinstance(body, Imported),
        follows=_posted_in(conn, me, thread_rid) or mentions(text, person(conn, me).name),
    )


def mentions(text: str, name: str) -> bool:
    """Whether a text calls somebody: `@name` as a whole word, capitals aside."""
    pattern = rf"(?<!\w)@{re.escape(name.casefold())}(?!\w)"
    return re.search(pattern, text.casefold()) is not None


def find_imported(conn: sqlite3.Connection, site: str, post: str) -> tuple[bytes, bytes]:
    """Where a post of another forum stands here: its id and its thread's.

    Raises:
        NotFound: it was not brought in, or it was deleted.
    """
    row = conn.execute(
        "SELECT o.id, coalesce(t.id, o.id) FROM source s JOIN post p ON p.rid = s.rid "
        "JOIN op o ON o.rid = p.rid LEFT JOIN op t ON t.rid = p.parent AND p.level = :reply "
        "WHERE s.h = :h AND s.site = :site AND s.post = :post AND p.state = :live "
        "AND p.level >= :thread ORDER BY p.hlc, o.id LIMIT 1",
        {
            "h": source_hash(site, post),
            "site": site,
            "post": post,
            "live": State.LIVE,
            "thread": Level.THREAD,
            "reply": Level.REPLY,
        },
    ).fetchone()
    if row is None:
        raise NotFound(f"Post {post} of {site} was not brought into this forum.")
    return row[0], row[1]


def imported_keys(conn: sqlite3.Connection, me: bytes, site: str) -> dict[str, tuple[bytes, int]]:
    """What this machine brought in from a site: the post there -> id here and version shown.

    A post deleted here has `GONE_VERSION`, so that it is not brought in again.
    """
    mine = author_number(conn, me)
    found = {
        post: (id_, GONE_VERSION)
        for post, id_ in conn.execute(
            "SELECT g.post, o.id FROM gone_import g JOIN op o ON o.rid = g.op WHERE g.site = ?",
            (site,),
        )
    }
    rows = conn.execute(
        "SELECT s.post, o.id, v.kind, v.body FROM source s JOIN post p ON p.rid = s.rid "
        "JOIN op o ON o.rid = s.rid JOIN op v ON v.rid = p.shown "
        "WHERE s.site = ? AND p.a = ? AND p.state = ?",
        (site, mine, State.LIVE),
    )
    for post, id_, version_kind, raw in rows:
        body = words_of(Kind.IMPORTED, version_kind, raw)
        if isinstance(body, Imported):
            found[post] = (id_, body.source.version)
    return found


def _thread_view(row: tuple[Any, ...], people: People) -> ThreadView:
    id_, subnet, replies, unread, last_at, at, a, kind, version_kind, raw, *last = row
    last_a, last_kind, last_version, last_raw = last
    body = words_of(kind, version_kind, raw)
    return ThreadView(
        id=id_,
        subnet=subnet,
        title=title_of(body),
        author=people.numbered(a),
        source_author=body.source.author if isinstance(body, Imported) else None,
        replies=replies,
        unread=unread,
        last=last_at,
        last_author=people.wrote(last_a, words_of(last_kind, last_version, last_raw)),
        created=at,
    )


def _subnet_number(conn: sqlite3.Connection, subnet: bytes) -> int:
    row = conn.execute(
        "SELECT coalesce(p.twin, p.rid) FROM op o JOIN post p ON p.rid = o.rid "
        "WHERE o.h = ? AND o.id = ? AND p.level = ?",
        (prefix(subnet), subnet, Level.SUBNET),
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no subnet {subnet.hex()[:16]} here.")
    return int(row[0])


def _last_in_list(conn: sqlite3.Connection, thread: bytes) -> dict[str, Any]:
    row = conn.execute(
        "SELECT t.last_at, t.last_hlc FROM op o JOIN thread t ON t.rid = o.rid "
        "WHERE o.h = ? AND o.id = ?",
        (prefix(thread), thread),
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no thread {thread.hex()[:16]} here.")
    return {"last_at": row[0], "last_hlc": row[1], "before": thread}


def _posted_in(conn: sqlite3.Connection, me: bytes, thread: int) -> bool:
    row = conn.execute(
        "SELECT 1 FROM post r WHERE r.rid = ?1 AND r.a = ?2 AND r.state = 0 UNION ALL "
        "SELECT 1 FROM post r WHERE r.parent = ?1 AND r.a = ?2 AND r.state = 0 LIMIT 1",
        (thread, author_number(conn, me)),
    ).fetchone()
    return row is not None
