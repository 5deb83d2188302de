"""The operations themselves: append them with all that follows from them, and look them up.

Synchronous functions over a `sqlite3.Connection`: `database.py` runs them in its threads, a
simulator in its own. Those that write expect to be inside a transaction. What other machines are
given is in `offers.py`, what faces show in `board.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trayapp.errors import NotFound
from trayapp.forum import fold, timestamp
from trayapp.forum.bodies import Editable
from trayapp.forum.happenings import Happening
from trayapp.forum.operation import ID_BYTES, Log, Operation
from trayapp.forum.rows import Level, Said, State
from trayapp.store import changes as writing
from trayapp.store.known import gather
from trayapp.store.rows import operation_of, prefix, prefixes, words_of
from trayapp.sync.fingerprints import RunningDigest

_LEAST_PREFIX_HEX = 8


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch."""

    stored: tuple[Operation, ...]
    """What is new here, as it is stored: some without the body they came with."""
    happenings: tuple[Happening, ...]
    ignored: tuple[bytes, ...]
    """Came without their body, and without the delete that would excuse it."""


def append(
    conn: sqlite3.Connection, operations: Sequence[Operation], *, me: bytes, seen_ms: int
) -> Appended:
    """Store checked operations and what they change on the board; those held are passed over.

    Args:
        operations: in any order, repeats included; signatures are not looked at here.
        me: this machine's device.
        seen_ms: now, by our clock.
    """
    fresh = _not_held(conn, operations)
    if not fresh:
        return Appended((), (), ())
    first = _next_number(conn)
    said = fold.read(fresh, first, max(seen_ms, timestamp.BUILD_MS))
    known = gather(conn, said, first)
    accepted, ignored = fold.accept(said, known)
    changes = fold.fold(accepted, known, me)
    a_of = writing.author_numbers(conn, [me, *(one.operation.author for one in accepted)])
    _note_me(conn, a_of[me])
    writing.write_operations(conn, accepted, changes.bare, a_of)
    writing.remember_gone_imports(conn, changes.left, a_of[me])
    writing.write_board(conn, changes, a_of, a_of[me])
    writing.erase(conn, changes.erased)
    _add_to_digests(conn, [one.operation for one in accepted])
    stored = [
        one.operation.without_body() if one.number in changes.bare else one.operation
        for one in accepted
    ]
    return Appended(tuple(stored), changes.happenings, tuple(ignored))


def refold(conn: sqlite3.Connection, batch: int = 5_000) -> None:
    """Fold the whole board anew from the stored operations: the same rows as folding by and by.

    The derived tables must be there and empty.
    """
    me = me_number(conn)
    row = conn.execute("SELECT pk FROM key WHERE a = ?", (me,)).fetchone()
    device: bytes = b"" if row is None else row[0]
    last = -1
    while said := _stored_after(conn, last, batch):
        changes = fold.fold(said, gather(conn, said, said[0].number), device)
        authors = (one.operation.author for one in said)
        writing.write_board(conn, changes, writing.author_numbers(conn, authors), me)
        last = said[-1].number
    # While folding, every post counted as just arrived; the marks know better.
    writing.recount(conn, [thread for (thread,) in conn.execute("SELECT thread FROM mark")], me)


def me_number(conn: sqlite3.Connection) -> int:
    """The author number of this machine's device, as of the last append; -1 before."""
    row = conn.execute("SELECT value FROM meta WHERE name = 'me'").fetchone()
    return -1 if row is None else int.from_bytes(row[0], "big")


def held(conn: sqlite3.Connection, ids: Iterable[bytes]) -> set[bytes]:
    """Which of these operations are stored here, erased ones included."""
    wanted = set(ids)
    rows = conn.execute(
        "SELECT o.id FROM json_each(?) j CROSS JOIN op o ON o.h = j.value", (prefixes(wanted),)
    )
    return wanted.intersection(id_ for (id_,) in rows)


def missing(conn: sqlite3.Connection, ids: Iterable[bytes]) -> list[bytes]:
    """Which of these are not stored, each once, in the order given."""
    listed = dict.fromkeys(ids)
    here = held(conn, listed)
    return [id_ for id_ in listed if id_ not in here]


def digest(conn: sqlite3.Connection, log: int) -> RunningDigest:
    """The count and sum of all stored ids of a log."""
    row = conn.execute("SELECT n, sum FROM digest WHERE log = ?", (log,)).fetchone()
    return RunningDigest(row[0], int.from_bytes(row[1], "little"))


def tip(conn: sqlite3.Connection, author: bytes, log: int) -> tuple[int, bytes] | None:
    """The largest seq of an author in a log, and its id: the `prev` of the next operation."""
    row: tuple[int, bytes] | None = conn.execute(
        "SELECT o.seq, o.id FROM key k JOIN op o ON o.a = k.a WHERE k.pk = ? AND o.log = ? "
        "ORDER BY o.seq DESC, o.ts DESC, o.id DESC LIMIT 1",
        (author, log),
    ).fetchone()
    return row


def latest_hlc(conn: sqlite3.Connection, now_ms: int | None = None) -> int:
    """The largest stamp held, 0 if none; with `now_ms`, of those not too far ahead to count."""
    limit = timestamp.LATEST_MS
    if now_ms is not None:  # `timestamp.tick` does not believe a clock before the build either
        limit = max(now_ms, timestamp.BUILD_MS) + timestamp.MERGE_WINDOW_MS
    stamps = [
        int.from_bytes(header[8:16], "big")
        for log in Log
        for (header,) in conn.execute(
            "SELECT hdr FROM op WHERE log = ? AND ts = "
            "(SELECT max(ts) FROM op WHERE log = ? AND ts <= ?)",
            (log, log, limit),
        )
    ]
    return max(stamps, default=0)


@dataclass(frozen=True, slots=True)
class Target:
    """A post as somebody who answers, edits, deletes or reacts must know it."""

    id: bytes
    kind: int
    author: bytes
    level: Level
    thread: bytes | None
    """The thread it stands in; the opening post's is its own id, a subnet's None."""
    subnet: bytes | None
    heads: tuple[bytes, ...]
    """The edits that an edit made now replaces."""
    deleted: bool
    body: Editable | None
    """What it says now; None when deleted."""


def target(conn: sqlite3.Connection, id_: bytes) -> Target:
    """Look a post up by its whole id.

    Raises:
        NotFound: no post of this id is held, or it is malformed or stands nowhere yet.
    """
    row = conn.execute(
        "SELECT o.rid, o.kind, k.pk, p.level, p.parent, p.state, v.kind, v.body FROM op o "
        "JOIN post p ON p.rid = o.rid JOIN key k ON k.a = o.a JOIN op v ON v.rid = p.shown "
        "WHERE o.h = ? AND o.id = ?",
        (prefix(id_), id_),
    ).fetchone()
    if row is None or row[3] == Level.NOWHERE:
        raise NotFound(f"There is no post {id_.hex()[:16]} here.")
    rid, kind, author, level, parent, state, version_kind, raw = row
    up = _id_and_parent(conn, parent)
    thread, subnet = {
        Level.SUBNET: (None, id_),
        Level.THREAD: (id_, up[0]),
        Level.REPLY: (up[0], _id_and_parent(conn, up[1])[0]),
    }[level]
    heads = conn.execute(
        "SELECT o.id FROM version v JOIN op o ON o.rid = v.rid WHERE v.post = ? AND v.head "
        "ORDER BY o.id",
        (rid,),
    )
    body = words_of(kind, version_kind, raw)
    return Target(
        id_, kind, author, Level(level), thread, subnet, tuple(one for (one,) in heads),
        state == State.DELETED, body,
    )  # fmt: skip


class Sought(StrEnum):
    """What an id on the command line or in a link is meant to name."""

    SUBNET = "subnet"
    THREAD = "thread"
    POST = "post"
    """An opening post or a reply."""
    ANY = "subnet, thread or post"


_LEVELS = {
    Sought.SUBNET: (Level.SUBNET,),
    Sought.THREAD: (Level.THREAD,),
    Sought.POST: (Level.THREAD, Level.REPLY),
    Sought.ANY: (Level.SUBNET, Level.THREAD, Level.REPLY),
}


def resolve(conn: sqlite3.Connection, prefix_hex: str, sought: Sought = Sought.POST) -> bytes:
    """Find the one post whose id begins so; of an imported post that is there twice, the one shown.

    Args:
        prefix_hex: 8 to 64 hexadecimal digits.

    Raises:
        NotFound: none, more than one, or no id at all.
    """
    text = prefix_hex.strip().lower()
    if not _LEAST_PREFIX_HEX <= len(text) <= 2 * ID_BYTES or set(text) - set("0123456789abcdef"):
        raise NotFound(
            f"{prefix_hex!r} is no id: it takes the first {_LEAST_PREFIX_HEX} hexadecimal digits "
            "or more."
        )
    low, high = bytes.fromhex(text[:16].ljust(16, "0")), bytes.fromhex(text[:16].ljust(16, "f"))
    rows = conn.execute(
        "SELECT o.id, coalesce(s.id, o.id) FROM op o JOIN post p ON p.rid = o.rid "
        "LEFT JOIN op s ON s.rid = p.twin WHERE o.h BETWEEN ? AND ? "
        f"AND p.level IN ({', '.join(str(int(one)) for one in _LEVELS[sought])})",
        (prefix(low), prefix(high)),
    )
    found: set[bytes] = {shown for id_, shown in rows if id_.hex().startswith(text)}
    if len(found) > 1:
        raise NotFound(f"{text} could be {len(found)} posts: give more digits of the id.")
    if not found:
        raise NotFound(f"There is no {sought} {text} here.")
    return found.pop()


def _not_held(conn: sqlite3.Connection, operations: Iterable[Operation]) -> list[Operation]:
    """Each operation once that is not stored, with its body if it came with it even once."""
    fresh: dict[bytes, Operation] = {}
    for one in operations:
        if one.id not in fresh or fresh[one.id].body is None:
            fresh[one.id] = one
    for id_ in held(conn, fresh):
        del fresh[id_]
    return list(fresh.values())


def _next_number(conn: sqlite3.Connection) -> int:
    row = conn.execute("SELECT coalesce(max(rid), 0) + 1 FROM op").fetchone()
    return int(row[0])


def _note_me(conn: sqlite3.Connection, a: int) -> None:
    """Own posts are never unread: with another device key everything is counted anew."""
    before = me_number(conn)
    if before != a:
        conn.execute("INSERT OR REPLACE INTO meta VALUES ('me', ?)", (a.to_bytes(8, "big"),))
    if before not in (-1, a):
        writing.recount(conn, [rid for (rid,) in conn.execute("SELECT rid FROM thread")], a)


def _add_to_digests(conn: sqlite3.Connection, stored: Iterable[Operation]) -> None:
    ids: dict[int, list[bytes]] = {}
    for one in stored:
        ids.setdefault(one.log, []).append(one.id)
    for log, added in ids.items():
        now = digest(conn, log).with_ids(added)
        conn.execute(
            "UPDATE digest SET n = ?, sum = ? WHERE log = ?",
            (now.count, now.id_sum.to_bytes(ID_BYTES, "little"), log),
        )


def _stored_after(conn: sqlite3.Connection, last: int, limit: int) -> list[Said]:
    rows = conn.execute(
        "SELECT rid, id, hdr, body, seen FROM op WHERE rid > ? ORDER BY rid LIMIT ?", (last, limit)
    )
    return [
        one
        for rid, id_, header, body, seen in rows
        for one in fold.read([operation_of(id_, header, body)], rid, seen)
    ]


def _id_and_parent(conn: sqlite3.Connection, rid: int | None) -> tuple[bytes | None, int | None]:
    row = conn.execute(
        "SELECT o.id, p.parent FROM op o JOIN post p ON p.rid = o.rid WHERE o.rid = ?", (rid,)
    ).fetchone()
    return (None, None) if row is None else (row[0], row[1])
