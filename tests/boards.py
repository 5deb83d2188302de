"""A board in memory for tests: the real store on `:memory:`, and what it holds in plain values."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from tests.builders import START_MS, Author
from trayapp.forum.operation import Operation
from trayapp.forum.rows import State
from trayapp.store import operations, search
from trayapp.store.rows import text_of, title_of, words_of
from trayapp.store.schema import prepare

DERIVED = ("post", "thread", "version", "reaction", "person", "source")
LATE_MS = START_MS + 10**12
"""Later than any stamp the builders give: nothing is ahead of this clock."""


class Board:
    """A store of its own, read and written in one thread."""

    def __init__(self, me: Author | None = None) -> None:
        self.conn = sqlite3.connect(":memory:")
        self.me = (me or Author("nobody")).key
        prepare(self.conn)

    def take(self, *batch: Operation, seen_ms: int = LATE_MS) -> operations.Appended:
        """One transaction, as the writer does it."""
        self.conn.execute("BEGIN IMMEDIATE")
        appended = operations.append(self.conn, batch, me=self.me, seen_ms=seen_ms)
        self.conn.execute("COMMIT")
        return appended

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.conn.execute(sql, values).fetchall()

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every derived row as it is: the same before and after a refold."""
        found = {name: sorted(self.ask(f"SELECT * FROM {name}")) for name in DERIVED}
        found["search"] = indexed_words(self.conn)
        return found

    def refolded(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows after dropping and folding everything anew."""
        self.conn.execute("DELETE FROM meta WHERE name = 'derived'")
        prepare(self.conn)
        return self.rows()

    def shown(self) -> dict[str, Any]:
        """All that a face could see, by id: the same on every machine."""
        return {
            "posts": self._posts(),
            "threads": self._threads(),
            "people": dict(self.ask("SELECT k.pk, p.name FROM person p JOIN key k USING (a)")),
            "reactions": {
                (ref, author, emoji): bool(given)
                for ref, author, emoji, given in self.ask(
                    "SELECT r.ref, k.pk, r.emoji, r.given FROM reaction r JOIN key k USING (a)"
                )
            },
            "bare": {id_ for (id_,) in self.ask("SELECT id FROM op WHERE body IS NULL")},
            "digests": [operations.digest(self.conn, log).digest16 for log in (0, 1)],
        }

    def _posts(self) -> dict[bytes, tuple[Any, ...]]:
        heads: dict[int, set[bytes]] = {}
        for rid, id_ in self.ask(
            "SELECT v.post, o.id FROM version v JOIN op o USING (rid) WHERE v.head"
        ):
            heads.setdefault(rid, set()).add(id_)
        found = {}
        for rid, id_, kind, level, state, at, parent, twin, shown, vkind, raw, conflict in self.ask(
            "SELECT p.rid, o.id, o.kind, p.level, p.state, p.at, a.id, t.id, v.id, v.kind, v.body, "
            "p.conflict FROM post p JOIN op o USING (rid) JOIN op v ON v.rid = p.shown "
            "LEFT JOIN op a ON a.rid = p.parent LEFT JOIN op t ON t.rid = p.twin"
        ):
            body = None if state == State.INERT else words_of(kind, vkind, raw)
            found[id_] = (
                level, state, at, parent, twin, shown, title_of(body), text_of(body),
                bool(conflict), frozenset(heads.get(rid, ())),
            )  # fmt: skip
        return found

    def _threads(self) -> dict[bytes, tuple[Any, ...]]:
        return {
            id_: (subnet, bool(listed), replies, last)
            for id_, subnet, listed, replies, last in self.ask(
                "SELECT o.id, s.id, t.listed, t.replies, l.id FROM thread t JOIN op o USING (rid) "
                "JOIN op l ON l.rid = t.last LEFT JOIN op s ON s.rid = t.subnet"
            )
        }


def indexed_words(conn: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Every word in the index, with where it stands, once all that waits is in."""
    while search.index_pending(conn):
        pass
    conn.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab(main, search, instance)"
    )
    return sorted(conn.execute("SELECT term, doc, col, offset FROM temp.words").fetchall())


def fed(me: Author | None, *batches: Sequence[Operation]) -> Board:
    """A board that took these batches."""
    board = Board(me)
    for batch in batches:
        board.take(*batch)
    return board
