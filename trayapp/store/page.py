"""Reads one thread: a stretch of its posts in order, each as it is shown now."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trayapp.forum import prose
from trayapp.forum.bodies import Editable, Imported, Reply
from trayapp.forum.operation import Kind
from trayapp.forum.rows import State
from trayapp.forum.timestamp import milliseconds
from trayapp.forum.views import PostView, Reaction, ThreadPage, Version
from trayapp.store import places
from trayapp.store.people import People
from trayapp.store.places import Opening, Place
from trayapp.store.rows import author_number, numbers, prefixes, text_of, title_of, words_of

_POSTS = (
    "SELECT p.rid, o.id, o.kind, p.at, p.hlc, p.a, p.state, p.shown, p.conflict, v.kind, v.body, "
    "h.html FROM json_each(?) j CROSS JOIN post p ON p.rid = j.value "
    "JOIN op o ON o.rid = p.rid JOIN op v ON v.rid = p.shown "
    f"LEFT JOIN html h ON h.op = p.shown AND h.renderer = {prose.RENDERER}"
)
_HEADS = (
    "SELECT x.post, o.id, o.hdr, o.body FROM json_each(?) j CROSS JOIN version x "
    "ON x.post = j.value JOIN op o ON o.rid = x.rid WHERE x.head"
)
_REACTIONS = (
    "SELECT r.ref, r.emoji, count(*), max(r.a = ?) FROM json_each(?) j "
    "CROSS JOIN reaction r ON r.ref8 = j.value WHERE r.given GROUP BY r.ref, r.emoji "
    "ORDER BY count(*) DESC, r.emoji"
)
_SHOWN_INSTEAD = (
    "SELECT o.id, s.id FROM json_each(?) j CROSS JOIN op o ON o.h = j.value "
    "JOIN post p ON p.rid = o.rid JOIN op s ON s.rid = p.twin"
)
_ACKS = "SELECT x.op, count(*) FROM json_each(?) j CROSS JOIN ack x ON x.op = j.value GROUP BY x.op"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which posts of a thread: the first ones, or those by one of these."""

    limit: int = 200
    after: bytes | None = None
    before: bytes | None = None
    around: bytes | None = None
    last: bool = False
    """Those at the end of the thread."""


def thread_page(
    conn: sqlite3.Connection,
    me: bytes,
    thread: bytes,
    stretch: Stretch | None = None,
    fresh: dict[int, str] | None = None,
) -> ThreadPage:
    """A thread and some of its posts.

    Args:
        fresh: takes what had to be rendered, for `keep_html`; rendering takes a quarter of a
            millisecond a post.

    Raises:
        NotFound: no such thread, or no such post in it.
    """
    found = places.opening(conn, thread)
    rids, first = _reach(conn, found, stretch or Stretch())
    subnet, subnet_words = _shown(conn, found.subnet)
    return ThreadPage(
        found.id,
        subnet,
        title_of(subnet_words),
        title_of(_shown(conn, found.rid)[1]),
        _Page(conn, me, found, {} if fresh is None else fresh).posts(rids, first),
        places.total(conn, found),
        places.first_unread(conn, me, found),
    )


def keep_html(conn: sqlite3.Connection, fresh: dict[int, str]) -> None:
    """Keep what was rendered, unless its text was erased meanwhile."""
    conn.executemany(
        "INSERT OR REPLACE INTO html (op, renderer, html) SELECT rid, ?, ? FROM op "
        "WHERE rid = ? AND body IS NOT NULL",
        [(prose.RENDERER, html, rid) for rid, html in fresh.items()],
    )


def _reach(conn: sqlite3.Connection, thread: Opening, stretch: Stretch) -> tuple[list[int], int]:
    """The posts to show, and the number of the first of them."""
    limit = max(1, stretch.limit)
    if stretch.after is not None:
        place = places.place_of(conn, thread, stretch.after)
        rids = places.behind(conn, thread, place, limit)
        return rids, places.number(conn, thread, place) + 1
    if stretch.around is not None:
        place = places.place_of(conn, thread, stretch.around)
        lead = places.before(conn, thread, place, limit // 2)
        if len(lead) == limit // 2:
            rest = places.behind(conn, thread, place, limit - len(lead) - 1)
            return [*lead, place.rid, *rest], places.number(conn, thread, place) - len(lead)
    if stretch.before is not None:
        return _up_to(conn, thread, places.place_of(conn, thread, stretch.before), limit)
    if stretch.last:
        return _up_to(conn, thread, places.END, limit)
    rest = places.behind(conn, thread, places.start(thread), limit - 1)
    return [thread.rid, *rest], 1


def _up_to(
    conn: sqlite3.Connection, thread: Opening, end: Place, limit: int
) -> tuple[list[int], int]:
    """The posts just before a place."""
    if end == places.start(thread):
        return [], 1
    rids = places.before(conn, thread, end, limit)
    if len(rids) < limit:
        return [thread.rid, *rids], 1
    return rids, places.number(conn, thread, end) - len(rids)


def _shown(conn: sqlite3.Connection, rid: int | None) -> tuple[bytes, Editable | None]:
    """The id of a post and what it says now; nothing for a subnet that is not held yet."""
    row = conn.execute(
        "SELECT o.id, o.kind, v.kind, v.body FROM post p JOIN op o ON o.rid = p.rid "
        "JOIN op v ON v.rid = p.shown WHERE p.rid = ?",
        (rid,),
    ).fetchone()
    return (b"", None) if row is None else (row[0], words_of(*row[1:]))


class _Row(NamedTuple):
    rid: int
    id: bytes
    kind: int
    at: int
    hlc: int
    a: int
    state: int
    shown: int
    conflict: int
    version_kind: int
    body: bytes | None
    html: str | None


class _Page:
    """One page in the making: each question is put to the database once for all its posts."""

    def __init__(
        self, conn: sqlite3.Connection, me: bytes, thread: Opening, fresh: dict[int, str]
    ) -> None:
        self._conn = conn
        self._thread = thread
        self._fresh = fresh
        self._people = People(conn)
        self._me = author_number(conn, me)
        self._mark = places.mark(conn, thread)
        self._instead: dict[bytes, bytes] = {}
        self._acks: dict[int, int] = {}
        self._reactions: dict[bytes, list[Reaction]] = {}
        self._heads: dict[int, list[Version]] = {}

    def posts(self, rids: Sequence[int], first: int) -> tuple[PostView, ...]:
        """The posts in this order, numbered from `first`."""
        listed = numbers(rids)
        rows = {row.rid: row for row in map(_Row._make, self._conn.execute(_POSTS, (listed,)))}
        words = {rid: words_of(row.kind, row.version_kind, row.body) for rid, row in rows.items()}
        self._read_reactions([row.id for row in rows.values()])
        self._read_heads([row for row in rows.values() if row.conflict])
        self._read_instead(
            body.re for body in words.values() if isinstance(body, Reply | Imported) and body.re
        )
        self._acks.update(self._conn.execute(_ACKS, (listed,)))
        return tuple(
            self._post(number, rows[rid], words[rid]) for number, rid in enumerate(rids, first)
        )

    def _post(self, number: int, row: _Row, body: Editable | None) -> PostView:
        deleted = row.state == State.DELETED
        re = body.re if isinstance(body, Reply | Imported) else None
        return PostView(
            id=row.id,
            number=number,
            re=None if re is None else self._instead.get(re, re),
            author=self._people.numbered(row.a),
            mine=row.a == self._me,
            time=row.at,
            text=text_of(body),
            title=title_of(body) if row.rid == self._thread.rid else None,
            html="" if deleted else self._html(row, body),
            edited=row.shown != row.rid,
            deleted=deleted,
            conflict=tuple(self._heads.get(row.rid, ())),
            source=body.source if isinstance(body, Imported) else None,
            reactions=() if deleted else tuple(self._reactions.get(row.id, ())),
            delivered=self._acks.get(row.rid, 0),
            read=deleted or row.a == self._me or self._is_read(row),
        )

    def _is_read(self, row: _Row) -> bool:
        if self._mark is None:
            return False
        return row.rid == self._thread.rid or self._mark.covers(row.rid, row.at, row.hlc)

    def _html(self, row: _Row, body: Editable | None) -> str:
        if row.html is not None:
            return row.html
        html = self._fresh[row.shown] = prose.render(text_of(body))
        return html

    def _read_reactions(self, ids: list[bytes]) -> None:
        rows = self._conn.execute(_REACTIONS, (self._me, prefixes(ids)))
        for ref, emoji, count, mine in rows:
            self._reactions.setdefault(ref, []).append(Reaction(emoji, count, bool(mine)))

    def _read_heads(self, rows: list[_Row]) -> None:
        """All texts of posts edited in two places at once, the one shown first."""
        kinds = {row.rid: row.kind for row in rows}
        found: dict[int, list[tuple[int, bytes, Version]]] = {}
        for rid, id_, header, raw in self._conn.execute(_HEADS, (numbers(kinds),)):
            hlc = int.from_bytes(header[8:16], "big")
            body = words_of(kinds[rid], Kind.EDIT, raw)
            version = Version(id_, title_of(body) or None, text_of(body), milliseconds(hlc))
            found.setdefault(rid, []).append((hlc, id_, version))
        for rid, heads in found.items():
            self._heads[rid] = [one for _, _, one in sorted(heads, key=lambda h: h[:2])[::-1]]

    def _read_instead(self, ids: Iterable[bytes]) -> None:
        """What is shown in the stead of posts that are answered."""
        self._instead.update(self._conn.execute(_SHOWN_INSTEAD, (prefixes(ids),)))
