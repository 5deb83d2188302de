"""A data directory that holds the whole job, signed, as if the fifty authors had been here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.benchmarks.job import AUTHORS, SUBNETS, Post, author_seed, posts
from trayapp.forum import bodies
from trayapp.forum.identity import Identity
from trayapp.forum.operation import ZERO, Draft, Kind, Operation, sign
from trayapp.store import key_file
from trayapp.store.operations import append
from trayapp.store.schema import prepare

_BATCH = 2_000


def fill(data_dir: Path, count: int) -> None:
    """Put the job's posts into a data directory in which a forum was started.

    Args:
        data_dir: of no running node.
        count: how many posts.
    """
    network = key_file.load_network(data_dir)
    assert network is not None
    with closing(sqlite3.connect(data_dir / "forum.db", isolation_level=None)) as db:
        prepare(db)
        batch: list[Operation] = []
        for operation in _operations(network.id, count):
            batch.append(operation)
            if len(batch) == _BATCH:
                _append(db, batch)
                batch = []
        _append(db, batch)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _append(db: sqlite3.Connection, batch: list[Operation]) -> None:
    db.execute("BEGIN IMMEDIATE")
    append(db, batch, me=bytes(32), seen_ms=batch[-1].timestamp_ms if batch else 0)
    db.execute("COMMIT")


class _Author:
    def __init__(self, number: int, network_id: bytes) -> None:
        self._identity = Identity(author_seed(number))
        self._network_id = network_id
        self._seq, self._prev = 0, ZERO

    def say(self, kind: Kind, ref: bytes, time_ms: int, body: bodies.Body) -> Operation:
        draft = Draft(
            kind=kind,
            seq=self._seq,
            hlc=time_ms << 16,
            prev=self._prev,
            ref=ref,
            body=bodies.encode(body),
        )
        operation = sign(draft, self._identity, self._network_id)
        self._seq, self._prev = self._seq + 1, operation.id
        return operation


def _operations(network_id: bytes, count: int) -> Iterator[Operation]:
    authors = [_Author(number, network_id) for number in range(AUTHORS)]
    subnets: list[bytes] = []
    threads: dict[int, bytes] = {}
    for post in posts(count):
        if not subnets:
            for title in SUBNETS:
                said = authors[0].say(Kind.SUBNET, ZERO, post.time_ms, bodies.Subnet(title))
                subnets.append(said.id)
                yield said
        yield _post(authors[post.author], post, subnets, threads)


def _post(
    author: _Author, post: Post, subnets: list[bytes], threads: dict[int, bytes]
) -> Operation:
    if post.thread != post.number:
        return author.say(Kind.REPLY, threads[post.thread], post.time_ms, bodies.Reply(post.text))
    opening = bodies.Thread(post.text[:60], post.text)
    said = author.say(Kind.THREAD, subnets[post.subnet], post.time_ms, opening)
    threads[post.number] = said.id
    return said
