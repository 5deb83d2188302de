"""The floor: the least a Python program could do to take the posts over, in two bare processes.

A sender reads signed operations from SQLite and writes them to a socket. A receiver hashes each,
verifies signatures, and stores it with thread counts and full text. No channel, no protocol, no
fold, no conflicts, no rule of any kind: what the real program takes beyond this is its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import socket
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from trayapp.forum.operation import Operation, check_signature, parse

_BATCH = 500
_COMMIT = 5_000
_SCHEMA = """
CREATE TABLE op(rid INTEGER PRIMARY KEY, id BLOB UNIQUE, author BLOB, ref BLOB, ts INT, raw BLOB);
CREATE INDEX by_thread ON op(ref, ts);
CREATE TABLE thread(root BLOB PRIMARY KEY, n INT, last INT);
CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61');
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the bare receiver needed."""

    seconds: float
    cpu_seconds: float
    rss_mb: float


def first_sync(source: Path, target: Path, network_id: bytes, *, verify_each: int) -> Taken:
    """Move all operations of one forum file to another over loopback.

    Args:
        source: a `forum.db`; nobody writes to it meanwhile.
        target: where the receiver's file goes; must not exist.
        verify_each: 1 verifies every signature, 500 every five-hundredth.
    """
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.queues.Queue[Taken] = context.Queue()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        receiver = context.Process(
            target=_receive, args=(port, target, network_id, verify_each, results)
        )
        receiver.start()
        connection, _ = server.accept()
        with connection:
            for frame in _frames(source):
                connection.sendall(struct.pack(">I", len(frame)) + frame)
            connection.sendall(struct.pack(">I", 0))
            taken = results.get(timeout=600)
    receiver.join()
    return taken


def _frames(source: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT CAST(hdr || coalesce(body, x'') AS BLOB) FROM op WHERE log = 1 ORDER BY rid"
        )
        while batch := rows.fetchmany(_BATCH):
            yield msgspec.msgpack.encode([raw for (raw,) in batch])


def _receive(
    port: int,
    target: Path,
    network_id: bytes,
    verify_each: int,
    results: multiprocessing.queues.Queue[Taken],
) -> None:
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        connection.makefile("rb", 1 << 20) as stream,
        closing(sqlite3.connect(target, isolation_level=None)) as db,
    ):
        db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}")
        began, cpu = time.perf_counter(), time.process_time()
        pending: list[Operation] = []
        number = 0
        while size := struct.unpack(">I", stream.read(4))[0]:
            for raw in msgspec.msgpack.decode(stream.read(size), type=list[bytes]):
                operation = parse(raw)
                if number % verify_each == 0:
                    check_signature(operation, network_id)
                number += 1
                pending.append(operation)
            if len(pending) >= _COMMIT:
                _store(db, pending)
                pending = []
        _store(db, pending)
        rss_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        results.put(Taken(time.perf_counter() - began, time.process_time() - cpu, rss_kb / 1024))


def _store(db: sqlite3.Connection, operations: list[Operation]) -> None:
    db.execute("BEGIN")
    first = db.execute("SELECT coalesce(max(rid), 0) + 1 FROM op").fetchone()[0]
    db.executemany(
        "INSERT OR IGNORE INTO op VALUES (?, ?, ?, ?, ?, ?)",
        [
            (first + i, op.id, op.author, op.ref, op.timestamp_ms, op.raw)
            for i, op in enumerate(operations)
        ],
    )
    texts = [
        (first + i, str(msgspec.msgpack.decode(op.body or b"\xc0")))
        for i, op in enumerate(operations)
    ]
    db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", texts)
    db.executemany(
        "INSERT INTO thread VALUES (?, 1, ?) ON CONFLICT(root) DO UPDATE SET n = n + 1, "
        "last = max(last, excluded.last)",
        [(op.ref, op.timestamp_ms) for op in operations],
    )
    db.execute("COMMIT")
