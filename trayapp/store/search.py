"""Full-text search over what posts say now. Words go in in bulk; the newest posts come first.

The index keeps no text of its own: a row is numbered by its time and its post, and to take one out
the words it was made from are needed once more. So a post stands in `unindexed`, or is indexed with
exactly what it shows.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from trayapp.forum.operation import ZERO, Kind
from trayapp.forum.rows import Level, Post, State
from trayapp.forum.views import SearchHit
from trayapp.store.people import People
from trayapp.store.rows import text_of, title_of, words_of

MARK, UNMARK = "\x02", "\x03"

_RID_BITS = 31
_RID_MASK = (1 << _RID_BITS) - 1
_SECONDS_LIMIT = (1 << 32) - 1
_SNIPPET_CHARS = 160
_LEAD_CHARS = 40
_LEAST_PREFIX = 2
_TERMS = 16
_MERGE_PAGES = 500
_WORD = re.compile(r"[^\W_]+")

_WORDS = (
    "SELECT p.rid, p.at, o.kind, v.kind, v.body FROM post p JOIN op o ON o.rid = p.rid "
    "JOIN op v ON v.rid = p.shown"
)
_HIT = (
    "SELECT o.id, o.kind, v.kind, v.body, p.at, p.a, t.id, t.kind, tv.kind, tv.body FROM post p "
    "JOIN op o ON o.rid = p.rid JOIN op v ON v.rid = p.shown "
    "JOIN post tp ON tp.rid = CASE p.level WHEN 2 THEN p.rid ELSE p.parent END "
    "JOIN op t ON t.rid = tp.rid JOIN op tv ON tv.rid = tp.shown "
    "WHERE p.rid = ? AND p.state = ? AND p.level >= ?"
)


def expect(conn: sqlite3.Connection, posts: Iterable[Post]) -> None:
    """Note posts whose words are to go in."""
    conn.executemany(
        "INSERT OR IGNORE INTO unindexed VALUES (?)",
        [(post.number,) for post in posts if _has_words(post)],
    )


def forget(conn: sqlite3.Connection, posts: Iterable[Post]) -> None:
    """Take out the words of posts, given as they were when the words went in."""
    for post in posts:
        if conn.execute("DELETE FROM unindexed WHERE rid = ?", (post.number,)).rowcount:
            continue
        if not _has_words(post):
            continue
        shown = conn.execute("SELECT kind, body FROM op WHERE rid = ?", (post.shown,)).fetchone()
        body = words_of(post.kind, *shown)
        conn.execute(
            "INSERT INTO search (search, rowid, title, text) VALUES ('delete', ?, ?, ?)",
            (_row_number(post.at, post.number), title_of(body), text_of(body)),
        )


def index_pending(conn: sqlite3.Connection, limit: int = 5_000) -> int:
    """Put in the words of up to `limit` posts that wait; returns how many they were.

    About 10 us a post. Call it after each batch, until it returns 0.
    """
    rows = conn.execute(
        f"{_WORDS} WHERE p.rid IN (SELECT rid FROM unindexed ORDER BY rid LIMIT ?)", (limit,)
    ).fetchall()
    entries = []
    for rid, at, kind, version_kind, raw in rows:
        body = words_of(kind, version_kind, raw)
        entries.append((_row_number(at, rid), title_of(body), text_of(body)))
    # In ascending order: FTS5 writes out what it gathered whenever a row number falls back.
    entries.sort()
    conn.executemany("INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)", entries)
    conn.executemany("DELETE FROM unindexed WHERE rid = ?", [(row[0],) for row in rows])
    return len(rows)


def tidy(conn: sqlite3.Connection) -> bool:
    """Do a slice of what is owed after an erasure, a few milliseconds; True: there is more.

    FTS5 keeps the words of what was taken out until its segments are merged into one. Call it when
    idle, within a day.
    """
    if conn.execute("DELETE FROM chore WHERE name = 'optimize'").rowcount:
        conn.execute("INSERT OR IGNORE INTO chore VALUES ('optimizing')")
        pages = -_MERGE_PAGES  # begins to merge everything; a positive number goes on with it
    elif conn.execute("SELECT 1 FROM chore WHERE name = 'optimizing'").fetchone():
        pages = _MERGE_PAGES
    else:
        return False
    before = conn.total_changes
    conn.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (pages,))
    if conn.total_changes - before >= 2:
        return True
    conn.execute("DELETE FROM chore WHERE name = 'optimizing'")
    # What was merged away is still in the write-ahead log.
    conn.execute("INSERT OR IGNORE INTO chore VALUES ('truncate')")
    return False


def search(conn: sqlite3.Connection, words: str, limit: int = 20) -> list[SearchHit]:
    """The newest posts that hold all the words; the last word may be unfinished.

    Args:
        words: whatever a person typed; nothing in it is an operator.
    """
    terms = _terms(words)
    query = _query(terms)
    if not query:
        return []
    people, hits = People(conn), list[SearchHit]()
    for rid in _matches(conn, query):
        row = conn.execute(_HIT, (rid, State.LIVE, Level.THREAD)).fetchone()
        if row is not None:
            hits.append(_hit(row, people, terms))
            if len(hits) >= limit:
                break
    return hits


def _matches(conn: sqlite3.Connection, query: str) -> Iterator[int]:
    """Posts that match, newest first, read only as far as they are asked for."""
    rows = conn.execute(
        "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC", (query,)
    )
    for (row_number,) in rows:
        yield row_number & _RID_MASK


def _hit(row: tuple[Any, ...], people: People, terms: list[str]) -> SearchHit:
    id_, kind, version_kind, raw, at, a, thread, thread_kind, thread_version, thread_raw = row
    body = words_of(kind, version_kind, raw)
    title = title_of(words_of(thread_kind, thread_version, thread_raw))
    author = people.wrote(a, body)
    return SearchHit(id_, thread, title, author, at, snippet(text_of(body), terms))


def snippet(text: str, terms: list[str]) -> str:
    """A stretch of the text round the first of the words, with the words marked."""
    whole = {_plain(word) for term in terms for word in _WORD.findall(term)}
    unfinished = next(reversed(_WORD.findall(_plain(terms[-1]))), None) if terms else None
    text = " ".join(text.replace(MARK, "").replace(UNMARK, "").split())
    found = [
        one.span()
        for one in _WORD.finditer(text)
        if (word := _plain(one.group())) in whole
        or (unfinished is not None and word.startswith(unfinished))
    ]
    begin = max(0, found[0][0] - _LEAD_CHARS) if found else 0
    end = min(len(text), begin + _SNIPPET_CHARS)
    pieces, last = ["…" if begin else ""], begin
    for first, after in found:
        if first >= begin and after <= end:
            pieces += text[last:first], MARK, text[first:after], UNMARK
            last = after
    return "".join((*pieces, text[last:end], "…" if end < len(text) else ""))


def _has_words(post: Post) -> bool:
    """Subnets are found by their list, deleted and malformed posts not at all."""
    is_subnet = post.kind == Kind.SUBNET or (post.kind == Kind.IMPORTED and post.ref == ZERO)
    return not is_subnet and post.state in (State.LIVE, State.TWIN)


def _row_number(at: int, rid: int) -> int:
    """Newer posts have larger numbers, and a number tells its post."""
    return min(at // 1000, _SECONDS_LIMIT) << _RID_BITS | rid


def _terms(words: str) -> list[str]:
    """What stands between spaces, without what FTS5 could stumble over."""
    printable = "".join(one if one.isprintable() else " " for one in words)
    return [term for term in printable.split() if _WORD.search(term)][:_TERMS]


def _query(terms: list[str]) -> str:
    """Each term quoted, so that nothing in it means anything; the last one as a beginning."""
    quoted = ['"' + term.replace('"', '""') + '"' for term in terms]
    if quoted and len(terms[-1]) >= _LEAST_PREFIX:
        quoted[-1] += " *"
    return " ".join(quoted)


def _plain(word: str) -> str:
    """Lower case without accents, nearly as FTS5 sees it."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))
