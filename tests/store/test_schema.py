import sqlite3
from pathlib import Path

import pytest

from tests.boards import Board, fed
from tests.builders import Author
from tests.worlds import World
from trayapp.errors import StoreTooNew
from trayapp.store import schema


def test_any_connection_can_be_made_ready_more_than_once():
    conn = sqlite3.connect(":memory:")

    schema.prepare(conn)
    schema.prepare(conn)

    assert conn.execute("PRAGMA user_version").fetchone() == (schema.migrations()[-1][0],)
    assert conn.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert not conn.in_transaction


def test_migrations_are_numbered_without_a_gap():
    assert [number for number, _ in schema.migrations()] == [
        n for n, _ in enumerate(schema.migrations(), 1)
    ]


def test_migrations_not_applied_yet_are_applied_in_order_each_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
):
    board = fed(None, [Author("ann").subnet("General")])
    broken = "CREATE TABLE later (x);\nINSERT INTO nobody VALUES (1);\n"
    steps = [*schema.migrations(), (2, "CREATE TABLE two (x);\n"), (3, broken)]
    monkeypatch.setattr(schema, "migrations", lambda: steps)

    with pytest.raises(sqlite3.OperationalError, match="no such table: nobody"):
        schema.prepare(board.conn)

    assert board.ask("PRAGMA user_version") == [(2,)]
    tables = {name for (name,) in board.ask("SELECT name FROM sqlite_schema")}
    assert "two" in tables
    assert "later" not in tables
    assert board.ask("SELECT count(*) FROM op") == [(1,)]


def test_a_newer_format_is_refused_before_anything_is_touched():
    conn = sqlite3.connect(":memory:")
    conn.execute("PRAGMA user_version = 999")

    with pytest.raises(StoreTooNew, match="999"):
        schema.prepare(conn)

    assert conn.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_changed_rules_of_the_fold_fold_everything_anew(monkeypatch: pytest.MonkeyPatch):
    world = World(5)
    board = fed(world.authors[1], world.said)
    before = board.rows()
    board.conn.execute("DELETE FROM thread")
    schema.prepare(board.conn)
    assert board.ask("SELECT * FROM thread") == []

    monkeypatch.setattr("trayapp.forum.fold.RULES", 10**6)
    schema.prepare(board.conn)

    assert board.rows() == before


def test_what_is_only_known_here_survives_a_refold():
    ann = Author("ann")
    general = ann.subnet("General")
    board = Board(ann)
    board.take(general)
    local = ("mark", "draft", "ack", "stream_cursor", "gone_import", "met", "invited", "html")
    board.conn.execute("INSERT INTO mark VALUES (1, 2, 3, 4)")
    board.conn.execute("INSERT INTO draft VALUES ('new', 'T', 'x', 1)")
    board.conn.execute("INSERT INTO ack VALUES (1, x'0d')")
    board.conn.execute("INSERT INTO stream_cursor VALUES (x'0d', 1, x'0c')")
    board.conn.execute("INSERT INTO gone_import VALUES ('s', 'p', 1)")
    board.conn.execute("INSERT INTO met VALUES (x'0d', 'a', 'lan', 1)")
    board.conn.execute("INSERT INTO invited VALUES ('a')")
    board.conn.execute("INSERT INTO html VALUES (1, 1, '<p>')")
    before = {name: board.ask(f"SELECT * FROM {name}") for name in local}
    seen = board.ask("SELECT rid, seen FROM op")

    board.refolded()

    assert {name: board.ask(f"SELECT * FROM {name}") for name in local} == before
    assert board.ask("SELECT rid, seen FROM op") == seen


def test_the_schema_lies_beside_the_code_as_data():
    folder = Path(schema.__file__).parent

    assert (folder / "derived.sql").is_file()
    assert [path.name for path in (folder / "migrations").glob("*.sql")] == ["0001_initial.sql"]
