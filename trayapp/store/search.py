"""Full-text search over what posts say now. Words go in in bulk; the newest posts come first.

The index keeps no text of its own: to take a post out, the words that went in are needed again. So
a post stands in `unindexed`, or is indexed with exactly what it shows. A row is numbered by the day
of its post, then by the post: near enough to newest first that a search reads little, near enough
to counting that the numbers pack well.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from typing import Any

from trayapp.forum.bodies import Editable
from trayapp.forum.operation import ZERO, Kind
from trayapp.forum.rows import Level, Post, State
from trayapp.forum.views import SearchHit
from trayapp.store.people import People
from trayapp.store.rows import numbers, text_of, title_of, words_of

MARK, UNMARK = "\x02", "\x03"

_RID_BITS = 31
_RID_MASK = (1 << _RID_BITS) - 1
_DAY_MS = 86_400_000
_SNIPPET_CHARS = 160
_LEAD_CHARS = 40
_LEAST_PREFIX = 2
_QUERY_CHARS = 200
_MERGE_PAGES = 500
_WORD = re.compile(r"[^\W_]+")

_WAITING = (
    "SELECT p.rid, p.at, o.kind, v.kind, v.body FROM unindexed u JOIN post p ON p.rid = u.rid "
    "JOIN op o ON o.rid = p.rid JOIN op v ON v.rid = p.shown ORDER BY u.rid LIMIT ?"
)
_HITS = (
    "SELECT o.id, o.kind, v.kind, v.body, p.at, p.a, t.id, t.kind, tv.kind, tv.body "
    "FROM json_each(?) j CROSS JOIN post p ON p.rid = j.value "
    "JOIN op o ON o.rid = p.rid JOIN op v ON v.rid = p.shown "
    "JOIN post tp ON tp.rid = CASE p.level WHEN 2 THEN p.rid ELSE p.parent END "
    "JOIN op t ON t.rid = tp.rid JOIN op tv ON tv.rid = tp.shown "
    "WHERE p.state = ? AND p.level >= ? ORDER BY p.at DESC, p.hlc DESC, o.id DESC LIMIT ?"
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
        conn.execute(
            "INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)",
            (_row_number(post.at, post.number), _words(words_of(post.kind, *shown))),
        )


def index_pending(conn: sqlite3.Connection, limit: int = 5_000) -> int:
    """Put in the words of up to `limit` posts that wait; returns how many they were.

    About 10 us a post. Call it after each batch, until it returns 0.
    """
    entries = [
        (_row_number(at, rid), _words(words_of(*said)))
        for rid, at, *said in conn.execute(_WAITING, (limit,))
    ]
    # In ascending order: FTS5 writes out what it gathered whenever a row number falls back.
    entries.sort()
    conn.executemany("INSERT INTO search (rowid, words) VALUES (?, ?)", entries)
    conn.executemany(
        "DELETE FROM unindexed WHERE rid = ?", [(row & _RID_MASK,) for row, _ in entries]
    )
    return len(entries)


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
    tokens = _tokens(words[:_QUERY_CHARS])
    if not tokens:
        return []
    people, hits = People(conn), list[SearchHit]()
    for day in _matches_by_day(conn, _query(tokens)):
        rows = conn.execute(
            _HITS, (numbers(day), State.LIVE, Level.THREAD, limit - len(hits))
        ).fetchall()
        hits += [_hit(row, people, tokens) for row in rows]
        if len(hits) >= limit:
            break
    return hits


def snippet(text: str, tokens: list[str]) -> str:
    """A stretch of the text round the first of the words, with the words marked."""
    whole, unfinished = set(tokens), tuple(tokens[-1:])
    text = " ".join(text.replace(MARK, "").replace(UNMARK, "").split())
    found = [
        one.span()
        for one in _WORD.finditer(text)
        if (word := _plain(one.group())) in whole or word.startswith(unfinished)
    ]
    begin = max(0, found[0][0] - _LEAD_CHARS) if found else 0
    end = min(len(text), begin + _SNIPPET_CHARS)
    pieces, last = ["…" if begin else ""], begin
    for first, after in found:
        if after <= end:
            pieces += text[last:first], MARK, text[first:after], UNMARK
            last = after
    return "".join((*pieces, text[last:end], "…" if end < len(text) else ""))


def _matches_by_day(conn: sqlite3.Connection, query: str) -> Iterator[list[int]]:
    """Posts that match, a day at a time, the newest day first; read only as far as asked for."""
    rows = conn.execute(
        "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC", (query,)
    )
    for _, day in groupby(rows, key=lambda row: row[0] >> _RID_BITS):
        yield [row_number & _RID_MASK for (row_number,) in day]


def _hit(row: tuple[Any, ...], people: People, tokens: list[str]) -> SearchHit:
    id_, kind, version_kind, raw, at, a, thread, *opening = row
    body = words_of(kind, version_kind, raw)
    author, title = people.wrote(a, body), title_of(words_of(*opening))
    return SearchHit(id_, thread, title, author, at, snippet(text_of(body), tokens))


def _has_words(post: Post) -> bool:
    """Subnets are found by their list, deleted and malformed posts not at all."""
    is_subnet = post.kind == Kind.SUBNET or (post.kind == Kind.IMPORTED and post.ref == ZERO)
    return not is_subnet and post.state in (State.LIVE, State.TWIN)


def _words(body: Editable | None) -> str:
    return f"{title_of(body)}\n{text_of(body)}"


def _row_number(at: int, rid: int) -> int:
    return at // _DAY_MS << _RID_BITS | rid


def _tokens(text: str) -> list[str]:
    """The words of a text exactly as the index sees them: its own tokenizer says it, aside."""
    typed = "".join(one if one.isprintable() else " " for one in text)
    with closing(sqlite3.connect(":memory:")) as aside:
        aside.execute(
            "CREATE VIRTUAL TABLE typed USING fts5 "
            "(words, tokenize = 'unicode61 remove_diacritics 2')"
        )
        aside.execute("CREATE VIRTUAL TABLE token USING fts5vocab (typed, instance)")
        aside.execute("INSERT INTO typed VALUES (?)", (typed,))
        found = aside.execute("SELECT term FROM token ORDER BY offset").fetchall()
    return [token for (token,) in found]


def _query(tokens: list[str]) -> str:
    """Each token quoted, so that nothing in it means anything; the last one as a beginning."""
    quoted = [f'"{token}"' for token in tokens]
    if len(tokens[-1]) >= _LEAST_PREFIX:
        quoted[-1] += " *"
    return " ".join(quoted)


def _plain(word: str) -> str:
    """Lower case without accents, nearly as the index sees it."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))
