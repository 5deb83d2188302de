"""Opens the forum's file, keeps one writer and a few readers, and holds the data directory.

The only place that knows aiosqlite: it lends a thread to each connection, and whole functions over
the plain `sqlite3.Connection` are handed to it. Errors of SQLite become sentences here, once.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import aiosqlite
import filelock
import msgspec

from trayapp.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreInUse,
    StoreReadOnly,
)
from trayapp.store.schema import READER_CACHE_KIB, prepare, set_pragmas

FILE = "forum.db"
LOCK_FILE = "node.lock"
READERS = 3

_BUSY_MS = 5_000
_LEAST_BYTES = 65_536
_CHECKPOINT_BUSY_MS = 250

_logger = logging.getLogger(__name__)

T = TypeVar("T")


class Database:
    """One forum's file. Made by `open`; ends with its block."""

    def __init__(self, path: Path, writer: Writer, readers: list[aiosqlite.Connection]) -> None:
        self.path = path
        self._writer = writer
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @classmethod
    @asynccontextmanager
    async def open(cls, data_dir: Path) -> AsyncIterator[Database]:
        """Open `forum.db` in a directory, both made where missing, and bring it up to date.

        Raises:
            StoreTooNew, StoreReadOnly, StoreFull, StoreDamaged: each says what to do.
        """
        path = data_dir / FILE
        async with AsyncExitStack() as stack:
            with translated(path):
                _make_owner_only(path)
                writer = await stack.enter_async_context(_connected(path))
                await _run(writer, prepare)
                readers = [
                    await stack.enter_async_context(_connected(path)) for _ in range(READERS)
                ]
                for reader in readers:
                    await _run(reader, _only_read)
            yield cls(path, Writer(writer), readers)

    async def write(self, fn: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> T:
        """Run `fn` in one transaction, after all writes asked for before.

        Args:
            fn: called in the writer's thread. What it raises undoes all it did.
            durable: come back only when the disk has it, and all that was written before, even if
                the power fails then.
        """
        with translated(self.path):
            return await self._writer.run(lambda conn: _in_transaction(conn, fn, durable))

    async def read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn` on a connection that only reads; it sees one moment, beside any write."""
        reader = await self._readers.get()
        try:
            with translated(self.path):
                return await _run(reader, lambda conn: _at_one_moment(conn, fn))
        finally:
            self._readers.put_nowait(reader)


class Writer:
    """The one connection that writes, for one function at a time."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._lock = asyncio.Lock()

    async def run(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Hand a whole function to the connection's thread: one await, however many rows."""
        async with self._lock:
            return await _run(self._connection, fn)


class DirectoryLock:
    """Held by the one node that serves a data directory. Released at the latest when it dies."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        # Not bound to the thread that took it: a tray's node ends in another one.
        self._lock = filelock.FileLock(data_dir / LOCK_FILE, thread_local=False)

    def acquire(self, timeout_s: float = 0) -> None:
        """Take the lock, waiting at most so long.

        Raises:
            StoreInUse: another node holds it.
            StoreReadOnly: the directory cannot be made or written.
        """
        path = self._data_dir / LOCK_FILE
        try:
            with translated(path):
                self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._lock.acquire(timeout=timeout_s)
        except filelock.Timeout as error:
            raise StoreInUse(
                f"Another Brothernet{_holder(self._data_dir)} is running on {self._data_dir}. "
                "Use that one, end it, or choose another directory with --data."
            ) from error

    def release(self) -> None:
        """Let go; also when it was not held."""
        self._lock.release()

    def __enter__(self) -> DirectoryLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into ours, fit to show; bugs pass through."""
    try:
        yield
    except sqlite3.Error as error:
        ours = _error_of_sqlite(error, path)
        if ours is None:
            raise
        raise ours from error
    except OSError as error:
        ours = _error_of_disk(error, path)
        if ours is None:
            raise
        raise ours from error


def _error_of_sqlite(error: sqlite3.Error, path: Path) -> StoreError | None:
    ours: StoreError | None = None
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            ours = _full(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            ours = _read_only(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            ours = StoreDamaged(
                f"{path} is damaged. Move it away and start again: the forum comes back from the "
                "other machines, and your key is kept in a file of its own."
            )
        # Its shared memory, once the disk is full, is an I/O error to SQLite.
        case sqlite3.SQLITE_IOERR if _has_no_room(path.parent):
            ours = _full(path)
        case sqlite3.SQLITE_IOERR:
            ours = StoreError(f"The disk that holds {path} fails to read or write: {error}.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            ours = StoreInUse(f"Another program is using {path}. Close it and try again.")
        case _:
            pass  # a bug of ours: it has no sentence
    return ours


def _error_of_disk(error: OSError, path: Path) -> StoreError | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(path)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return _read_only(path)
    if error.errno == errno.ENAMETOOLONG:
        return StoreError("This name is too long for a directory. Choose another with --data.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return StoreError(f"{path.parent} cannot hold the forum: something else is in its place.")
    return None


def _has_no_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_BYTES
    except OSError:
        return False


def _full(path: Path) -> StoreFull:
    return StoreFull(
        f"The disk that holds {path.parent} is full. Nothing was lost; make room and try again."
    )


def _read_only(path: Path) -> StoreReadOnly:
    return StoreReadOnly(
        f"{path.parent} cannot be written. Allow this user to write there, or choose another "
        "directory with --data."
    )


def _holder(data_dir: Path) -> str:
    """Which process holds the lock, as far as it said so itself."""
    try:
        told = msgspec.json.decode((data_dir / "api.json").read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    pid = told.get("pid")
    return f" (process {pid})" if isinstance(pid, int) else ""


def _make_owner_only(path: Path) -> None:
    """SQLite gives its side files the rights of the main one: nobody else reads the forum."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _connected(path: Path) -> aiosqlite.Connection:
    return aiosqlite.connect(
        path, isolation_level=None, cached_statements=256, timeout=_BUSY_MS / 1000
    )


async def _run(connection: aiosqlite.Connection, fn: Callable[[sqlite3.Connection], T]) -> T:
    """Run a function in the connection's own thread.

    aiosqlite offers one await per statement only, which reaches 3,000 rows a second; its own
    `_execute` takes any function. A test pins that it still does.
    """
    result: T = await connection._execute(fn, connection._conn)  # type: ignore[no-untyped-call]
    return result


def _only_read(conn: sqlite3.Connection) -> None:
    set_pragmas(conn, READER_CACHE_KIB)
    conn.execute("PRAGMA query_only = ON")


def _at_one_moment(conn: sqlite3.Connection, fn: Callable[[sqlite3.Connection], T]) -> T:
    conn.execute("BEGIN")
    try:
        return fn(conn)
    finally:
        conn.rollback()


def _in_transaction(
    conn: sqlite3.Connection, fn: Callable[[sqlite3.Connection], T], durable: bool
) -> T:
    conn.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    conn.execute("BEGIN IMMEDIATE")
    before = conn.total_changes
    try:
        result = fn(conn)
        if durable and conn.total_changes == before:
            _change_something(conn)
        conn.execute("COMMIT")
    except BaseException:  # whatever it was, half a transaction must not stay open
        conn.rollback()
        raise
    empty_log_if_owed(conn)
    return result


def _change_something(conn: sqlite3.Connection) -> None:
    """Write what stands there already: a commit without a change waits for no disk."""
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    conn.execute(f"PRAGMA user_version = {version}")


def empty_log_if_owed(conn: sqlite3.Connection) -> None:
    """After an erasure: what was erased must not stay readable in the write-ahead log.

    A reader in the middle of its reading can be in the way; it stays owed then, over a crash too.
    """
    if not conn.execute("SELECT 1 FROM chore WHERE name = 'truncate'").fetchone():
        return
    conn.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_BUSY_MS}")
    try:
        (busy, _, _) = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            conn.execute("DELETE FROM chore WHERE name = 'truncate'")
    except sqlite3.OperationalError as error:
        # What was written is committed, and must not look as if it had failed.
        _logger.warning("The write-ahead log could not be emptied, and will be later: %s", error)
    finally:
        conn.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
