import asyncio
import errno
import inspect
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from tests.builders import START_MS, Author
from tests.needs import ROOT
from trayapp.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreInUse,
    StoreReadOnly,
    StoreTooNew,
)
from trayapp.forum.operation import Operation
from trayapp.store import operations, search
from trayapp.store.database import (
    FILE,
    READERS,
    Database,
    DirectoryLock,
    empty_log_if_owed,
    translated,
)
from trayapp.store.schema import prepare


async def test_what_is_written_is_there_after_closing_and_opening_again(tmp_path: Path):
    ann = Author("ann")
    general = ann.subnet("General")

    async with Database.open(tmp_path / "new" / "folder") as db:
        await db.write(
            lambda conn: operations.append(conn, [general], me=ann.key, seen_ms=START_MS)
        )
    async with Database.open(tmp_path / "new" / "folder") as db:
        assert await db.read(lambda conn: operations.held(conn, [general.id])) == {general.id}


async def test_an_error_undoes_the_whole_transaction_and_the_next_one_works(tmp_path: Path):
    def half(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO invited VALUES ('a')")
        raise ValueError("half way")

    async with Database.open(tmp_path) as db:
        with pytest.raises(ValueError, match="half way"):
            await db.write(half)
        await db.write(lambda conn: conn.execute("INSERT INTO invited VALUES ('b')"))

        assert await db.read(invited) == ["b"]


def invited(conn: sqlite3.Connection) -> list[str]:
    return [address for (address,) in conn.execute("SELECT address FROM invited")]


async def test_a_reader_sees_one_moment_beside_a_write(tmp_path: Path):
    begun, go_on = threading.Event(), threading.Event()

    def look_twice(conn: sqlite3.Connection) -> tuple[list[str], list[str]]:
        first = invited(conn)
        begun.set()
        assert go_on.wait(10)
        return first, invited(conn)

    async with Database.open(tmp_path) as db, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(db.read(look_twice))
        await asyncio.to_thread(begun.wait, 10)
        await db.write(lambda conn: conn.execute("INSERT INTO invited VALUES ('a')"))
        go_on.set()

        assert await reading == ([], [])
        assert await db.read(invited) == ["a"]


async def test_readers_cannot_write(tmp_path: Path):
    async with Database.open(tmp_path) as db:
        with pytest.raises(StoreReadOnly):
            await db.read(lambda conn: conn.execute("INSERT INTO invited VALUES ('a')"))


async def test_several_readers_read_at_once_and_more_than_there_are_wait(tmp_path: Path):
    together = threading.Barrier(READERS)

    async with Database.open(tmp_path) as db:
        await asyncio.gather(*(db.read(lambda _: together.wait(10)) for _ in range(READERS)))
        answers = await asyncio.gather(*(db.read(invited) for _ in range(5 * READERS)))

    assert answers == [[]] * (5 * READERS)


async def test_a_cancelled_write_is_whole_and_does_not_stop_the_next(tmp_path: Path):
    begun, go_on = threading.Event(), threading.Event()

    def slow(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO invited VALUES ('a')")
        begun.set()
        assert go_on.wait(10)

    async with Database.open(tmp_path) as db, asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait, 10)
        writing.cancel()
        go_on.set()
        await db.write(lambda conn: conn.execute("INSERT INTO invited VALUES ('b')"))

        assert await db.read(invited) == ["a", "b"]


async def test_own_posts_are_on_the_disk_and_others_on_their_way(tmp_path: Path):
    def synchronous(conn: sqlite3.Connection) -> int:
        return int(conn.execute("PRAGMA synchronous").fetchone()[0])

    async with Database.open(tmp_path) as db:
        assert await db.write(synchronous, durable=True) == 2
        assert await db.write(synchronous) == 1


async def test_what_was_on_its_way_is_on_the_disk_once_a_durable_write_has_nothing_to_add(
    tmp_path: Path,
):
    def written() -> int:
        return (tmp_path / "forum.db-wal").stat().st_size

    async with Database.open(tmp_path) as db:
        await db.write(lambda conn: conn.execute("INSERT INTO invited VALUES ('a')"))
        before = written()
        await db.write(lambda _: None)
        assert written() == before

        await db.write(lambda _: None, durable=True)

        assert written() > before  # only what grows the log makes SQLite wait for the disk


async def test_aiosqlite_still_runs_a_whole_function_in_its_thread(tmp_path: Path):
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters)[:2] == ["self", "fn"]

    async with Database.open(tmp_path) as db:
        writers = {await db.write(lambda _: threading.get_ident()) for _ in range(3)}
        reader = await db.read(lambda _: threading.get_ident())

    assert len(writers) == 1
    assert threading.get_ident() not in writers
    assert reader not in writers


async def test_closing_leaves_no_thread_behind(tmp_path: Path):
    before = threading.active_count()

    async with Database.open(tmp_path):
        assert threading.active_count() > before

    # One of an earlier test may still have been ending when they were counted.
    await until(lambda: threading.active_count() <= before)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_process_killed_in_a_transaction_leaves_nothing_of_it(tmp_path: Path):
    script = (
        "import asyncio, os, pathlib\n"
        "from trayapp.store.database import Database\n"
        "def die(conn):\n"
        "    conn.execute(\"INSERT INTO invited VALUES ('half')\")\n"
        "    os.kill(os.getpid(), 9)\n"
        "async def main():\n"
        f"    async with Database.open(pathlib.Path({str(tmp_path)!r})) as db:\n"
        "        await db.write(lambda conn: conn.execute(\"INSERT INTO invited VALUES ('a')\"))\n"
        "        await db.write(die)\n"
        "asyncio.run(main())\n"
    )
    died = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=ROOT)
    assert await died.wait() == -9

    async with Database.open(tmp_path) as db:
        assert await db.read(invited) == ["a"]


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def test_nothing_erased_can_be_read_from_any_file(tmp_path: Path):
    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat", "?")
    secret = ann.reply(boat, "The xylophone is under the boathouse.")
    gone = ann.delete(secret)
    others = [ann.reply(boat, f"word{n} " * 20) for n in range(50)]

    def take(conn: sqlite3.Connection, *batch: Operation) -> None:
        operations.append(conn, batch, me=ann.key, seen_ms=START_MS)

    async with Database.open(tmp_path) as db:
        await db.write(lambda conn: take(conn, general, boat, secret), durable=True)
        await db.write(search.index_pending)
        await db.write(lambda conn: take(conn, *others), durable=True)
        await db.write(lambda conn: take(conn, gone), durable=True)
        await db.write(search.index_pending)
        text = bytes_on_disk(tmp_path)
        assert b"xylophone is under" not in text

        while await db.write(search.tidy):
            pass
        assert b"xylophone" not in bytes_on_disk(tmp_path)
        assert await db.read(lambda conn: conn.execute("SELECT * FROM chore").fetchall()) == []


async def test_an_erasure_hindered_by_a_reader_is_finished_by_the_next_write(tmp_path: Path):
    begun, go_on = threading.Event(), threading.Event()

    def look(conn: sqlite3.Connection) -> None:
        invited(conn)
        begun.set()
        assert go_on.wait(10)

    def owe(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO invited VALUES ('xylophone')")
        conn.execute("INSERT OR IGNORE INTO chore VALUES ('truncate')")

    async with Database.open(tmp_path) as db, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(db.read(look))
        await asyncio.to_thread(begun.wait, 10)
        await db.write(owe)
        assert b"xylophone" in (tmp_path / f"{FILE}-wal").read_bytes()
        go_on.set()
        await reading
        await db.write(lambda conn: conn.execute("DELETE FROM invited"))
        await db.write(lambda _: None)

        assert b"xylophone" not in bytes_on_disk(tmp_path)


def test_an_erasure_that_cannot_be_finished_now_stays_owed_and_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    # It runs after the commit: an error would look as if nothing had been written.
    with closing(sqlite3.connect(tmp_path / FILE)) as conn:
        prepare(conn)
        conn.execute("INSERT INTO chore VALUES ('truncate')")
        conn.execute("PRAGMA query_only = ON")
        empty_log_if_owed(conn)
        assert "will be later" in caplog.text

        conn.execute("PRAGMA query_only = OFF")
        empty_log_if_owed(conn)
        assert conn.execute("SELECT * FROM chore").fetchall() == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
async def test_nobody_else_may_read_the_files(tmp_path: Path):
    async with Database.open(tmp_path / "data") as db:
        await db.write(lambda conn: conn.execute("INSERT INTO invited VALUES ('a')"))
        modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}

    assert modes == {0o600}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


async def test_a_data_directory_of_a_newer_version_is_left_alone(tmp_path: Path):
    with sqlite3.connect(tmp_path / FILE) as conn:
        conn.execute("PRAGMA user_version = 999")
    conn.close()
    before = (tmp_path / FILE).read_bytes()
    threads = threading.active_count()

    with pytest.raises(StoreTooNew, match="Update Brothernet"):
        async with Database.open(tmp_path):
            pass

    assert (tmp_path / FILE).read_bytes() == before
    await until(lambda: threading.active_count() == threads)


async def test_a_file_that_is_no_database_says_how_to_go_on(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"this is not a database" * 100)

    with pytest.raises(StoreDamaged, match="comes back from the other machines"):
        async with Database.open(tmp_path):
            pass


async def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path):
    def fill(conn: sqlite3.Connection) -> None:
        pages = conn.execute("PRAGMA page_count").fetchone()[0]
        conn.execute(f"PRAGMA max_page_count = {pages}")
        conn.execute("INSERT INTO invited VALUES (?)", ("x" * 10**6,))

    async with Database.open(tmp_path) as db:
        await db.write(lambda conn: conn.execute("INSERT INTO invited VALUES ('a')"))
        with pytest.raises(StoreFull, match="make room"):
            await db.write(fill)

        assert await db.read(invited) == ["a"]


async def test_a_file_in_the_place_of_the_directory_is_said(tmp_path: Path):
    (tmp_path / "data").write_text("a file")

    with pytest.raises(StoreError, match="something else is in its place"):
        async with Database.open(tmp_path / "data"):
            pass


@pytest.mark.parametrize(
    ("number", "ours"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EROFS, StoreReadOnly),
        (errno.EACCES, StoreReadOnly),
        (errno.ENOTDIR, StoreError),
        (errno.EINVAL, OSError),
    ],
)
def test_errors_of_the_disk_become_sentences_and_bugs_stay_bugs(number: int, ours: type):
    with pytest.raises(ours), translated(Path("/data/forum.db")):
        raise OSError(number, os.strerror(number))


def test_errors_of_sqlite_become_sentences_and_bugs_stay_bugs(tmp_path: Path):
    path = tmp_path / "x.db"
    sqlite3.connect(path).close()
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(StoreReadOnly), translated(path):
        conn.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError, match="no such table"), translated(path):
        conn.execute("SELECT * FROM nobody")
    with pytest.raises(StoreError, match="fails to read"), translated(path):
        raise _error(sqlite3.SQLITE_IOERR_READ)
    with pytest.raises(StoreInUse), translated(path):
        raise _error(sqlite3.SQLITE_BUSY)
    conn.close()


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("from SQLite")
    error.sqlite_errorcode = code
    return error


def test_a_second_node_is_told_who_holds_the_directory(tmp_path: Path):
    first, second = DirectoryLock(tmp_path / "data"), DirectoryLock(tmp_path / "data")
    with first:
        with pytest.raises(StoreInUse, match="Another Brothernet is running"):
            second.acquire()
        (tmp_path / "data" / "api.json").write_text(json.dumps({"pid": 4711}))
        with pytest.raises(StoreInUse, match=r"\(process 4711\)"):
            second.acquire(timeout_s=0.05)
        (tmp_path / "data" / "api.json").write_bytes(b"\xff")
        with pytest.raises(StoreInUse, match="Another Brothernet is running"):
            second.acquire()

    second.acquire()
    second.release()
    second.release()


def test_the_lock_of_a_killed_node_is_free(tmp_path: Path):
    script = (
        "import os, pathlib\n"
        "from trayapp.store.database import DirectoryLock\n"
        f"DirectoryLock(pathlib.Path({str(tmp_path)!r})).acquire()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)

    with DirectoryLock(tmp_path):
        pass
