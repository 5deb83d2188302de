"""Brings a database up to date: numbered migrations for what is true, a fresh fold for the rest."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from importlib import resources

from trayapp.errors import StoreTooNew
from trayapp.forum import fold
from trayapp.store.operations import refold

WRITER_CACHE_KIB = 8_192
READER_CACHE_KIB = 2_048

_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


def prepare(conn: sqlite3.Connection) -> None:
    """Make any connection, a new file's or one in memory, ready for all the store does.

    Raises:
        StoreTooNew: a newer Brothernet wrote this file; nothing was changed.
    """
    conn.isolation_level = None  # transactions are begun and ended in so many words
    _refuse_newer(conn)
    set_pragmas(conn)
    migrate(conn)
    fold_anew_if_changed(conn)


def set_pragmas(conn: sqlite3.Connection, cache_kib: int = WRITER_CACHE_KIB) -> None:
    """Settings that a connection forgets; WAL mode stays with the file."""
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute("PRAGMA secure_delete = ON")
    conn.execute("PRAGMA temp_store = MEMORY")
    conn.execute(f"PRAGMA cache_size = -{cache_kib}")
    conn.execute("PRAGMA journal_size_limit = 4194304")


def migrations() -> list[tuple[int, str]]:
    """Number and text of each migration, in order."""
    folder = resources.files("trayapp.store") / "migrations"
    found = [
        (int(match[1]), file.read_text("utf-8"))
        for file in folder.iterdir()
        if (match := _MIGRATION.fullmatch(file.name))
    ]
    return sorted(found)


def migrate(conn: sqlite3.Connection) -> None:
    """Apply what is missing, each migration in a transaction of its own."""
    version = _version(conn)
    for number, script in migrations():
        if number > version:
            with conn:
                conn.execute("BEGIN IMMEDIATE")
                run_script(conn, script)
                conn.execute(f"PRAGMA user_version = {number}")


def fold_anew_if_changed(conn: sqlite3.Connection) -> None:
    """Make the derived tables anew when their shape or the rules of the fold are not those of the
    version that wrote them."""
    script = (resources.files("trayapp.store") / "derived.sql").read_text("utf-8")
    wanted = hashlib.sha256(f"{fold.RULES}\n{script}".encode()).digest()
    row = conn.execute("SELECT value FROM meta WHERE name = 'derived'").fetchone()
    if row is not None and row[0] == wanted:
        return
    with conn:
        conn.execute("BEGIN IMMEDIATE")
        run_script(conn, script)
        refold(conn)
        conn.execute("INSERT OR REPLACE INTO meta VALUES ('derived', ?)", (wanted,))


def _version(conn: sqlite3.Connection) -> int:
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(conn: sqlite3.Connection) -> None:
    version, newest = _version(conn), migrations()[-1][0]
    if version > newest:
        raise StoreTooNew(
            f"A newer Brothernet wrote this data directory (its format is {version}, this version "
            f"knows {newest}). Update Brothernet, or choose another directory with --data."
        )


def run_script(conn: sqlite3.Connection, script: str) -> None:
    """Run statements inside the open transaction; `executescript` would commit it first."""
    for statement in _statements(script):
        conn.execute(statement)


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
