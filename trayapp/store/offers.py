"""What other machines are given: operations as bytes, pages of a log, the ids to reconcile.

Synchronous functions over a `sqlite3.Connection` that only read, but for the cursors of streams.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from trayapp.forum.operation import HEADER_BYTES, ZERO, Kind
from trayapp.store.rows import prefixes
from trayapp.sync.negentropy import SortedInventory

CURSOR_START = bytes(68)
"""The cursor before the first page: author key (32), seq (4), id (32)."""

_FRAME_PREFIX_BYTES = 4
_HANDFUL = 100
_STOREYS = 4
"""An edit stands on a reply, that on a thread, that on a subnet: nothing stands higher."""

CHAIN = (
    "SELECT o.seq, o.id, coalesce(length(o.body), ?) FROM op o WHERE o.a = ? AND o.log = ? "
    "AND o.seq >= ? AND (o.seq > ? OR o.id > ?) ORDER BY o.seq, o.id"
)
"""The operations of one author and log behind a place, and the size of their bodies."""


def raw_of(
    conn: sqlite3.Connection, ids: Iterable[bytes], max_bytes: int | None = None
) -> dict[bytes, bytes]:
    """The bytes to send, in the order given; what is not held is left out.

    Before an erased operation, which goes as its header alone, stands the delete that excuses it;
    before an erased edit also the post it edits. Without them nobody could accept it.

    Args:
        max_bytes: stop before going beyond; at least one operation is given if any is held.
    """
    ordered, size = dict[bytes, bytes](), 0
    for some in _few(dict.fromkeys(ids)):
        found = _bytes_of(conn, some)
        excuses = _excuses(conn, {id_: raw for id_, raw in found.items() if _is_erased(raw)})
        for id_ in some:
            if id_ not in found:
                continue
            size += len(found[id_]) + _FRAME_PREFIX_BYTES
            if max_bytes is not None and ordered and size > max_bytes:
                return ordered
            ordered.update(excuses.get(id_, {}))
            ordered[id_] = found[id_]
    return ordered


def inventory(conn: sqlite3.Connection, log: int) -> SortedInventory:
    """The ids of a log as they stand now, for reconciling."""
    return SortedInventory(
        conn.execute("SELECT ts, id FROM op WHERE log = ? ORDER BY ts, id", (log,))
    )


def newest_page(conn: sqlite3.Connection, log: int, now_ms: int, limit: int = 2_000) -> list[bytes]:
    """What a newcomer reads first, each operation after what its `ref` names.

    That is: all profiles and subnets, then the newest operations stamped no later than now.
    """
    front = conn.execute(
        "SELECT id FROM op WHERE log = 1 AND kind IN (16, 17) AND log = ? ORDER BY rid", (log,)
    )
    page = dict.fromkeys(id_ for (id_,) in front)
    newest = conn.execute(
        "SELECT id, hdr FROM op WHERE log = ? AND ts <= ? ORDER BY ts DESC, id DESC LIMIT ?",
        (log, now_ms, limit),
    ).fetchall()
    ref_of = {id_: header[80:112] for id_, header in newest}
    _refs_above(conn, ref_of)
    for id_, _ in newest:
        page.update(dict.fromkeys(_with_what_it_stands_on(id_, ref_of)))
    return list(page)


def page_after(
    conn: sqlite3.Connection, log: int, cursor: bytes, max_bytes: int
) -> tuple[list[bytes], bytes]:
    """The next stretch of a log in (author key, seq, id) order.

    Args:
        cursor: 68 bytes, where the last page ended; `CURSOR_START`, or empty, to begin.
        max_bytes: of frames; at least one operation is given if there is any.

    Returns:
        The ids and the cursor behind them. No ids: that was the end.
    """
    page, size = list[bytes](), 0
    for behind, id_, wire_bytes in _after(conn, log, cursor or CURSOR_START):
        size += wire_bytes
        if page and size > max_bytes:
            break
        page.append(id_)
        cursor = behind
    return page, cursor


def stream_cursor(conn: sqlite3.Connection, peer: bytes, log: int) -> bytes | None:
    """Where the stream from this peer goes on; None when none was begun."""
    row = conn.execute(
        "SELECT cursor FROM stream_cursor WHERE peer = ? AND log = ?", (peer, log)
    ).fetchone()
    return None if row is None else row[0]


def set_stream_cursor(
    conn: sqlite3.Connection, peer: bytes, log: int, cursor: bytes | None
) -> None:
    """Remember how far a stream has come, with the page that is stored; None: it has ended."""
    if cursor is None:
        conn.execute("DELETE FROM stream_cursor WHERE peer = ? AND log = ?", (peer, log))
        return
    conn.execute("INSERT OR REPLACE INTO stream_cursor VALUES (?, ?, ?)", (peer, log, cursor))


def _after(conn: sqlite3.Connection, log: int, cursor: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Every operation behind a cursor: the cursor behind it, its id, its size in a frame."""
    start, seq, id_ = cursor[:32], int.from_bytes(cursor[32:36], "big"), cursor[36:]
    for a, author in conn.execute("SELECT a, pk FROM key WHERE pk >= ? ORDER BY pk", (start,)):
        if author != start:
            seq, id_ = 0, b""
        # An erased operation travels with what excuses it.
        chain = conn.execute(CHAIN, (2 * HEADER_BYTES, a, log, seq, seq, id_))
        for number, one, body_bytes in chain:
            behind = author + number.to_bytes(4, "big") + one
            yield behind, one, _FRAME_PREFIX_BYTES + HEADER_BYTES + body_bytes


def _few(ids: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The ids in handfuls: a body may have 256 KiB, and two thousand are asked for at once."""
    rest = iter(ids)
    while some := list(islice(rest, _HANDFUL)):
        yield some


def _bytes_of(conn: sqlite3.Connection, ids: Iterable[bytes]) -> dict[bytes, bytes]:
    wanted = set(ids)
    rows = conn.execute(
        "SELECT o.id, o.hdr, o.body FROM json_each(?) j CROSS JOIN op o ON o.h = j.value",
        (prefixes(wanted),),
    )
    return {id_: header + (body or b"") for id_, header, body in rows if id_ in wanted}


def _is_erased(raw: bytes) -> bool:
    """Only the header is left of an operation that had a body."""
    return len(raw) == HEADER_BYTES and raw[144:148] != bytes(4)


def _excuses(
    conn: sqlite3.Connection, erased: dict[bytes, bytes]
) -> dict[bytes, dict[bytes, bytes]]:
    """For each erased operation, what must be sent before it."""
    edited = {
        id_: raw[80:112]
        for id_, raw in erased.items()
        if int.from_bytes(raw[2:4], "big") == Kind.EDIT
    }
    posts = _bytes_of(conn, edited.values())
    posts.update((id_, raw) for id_, raw in erased.items() if id_ not in edited)
    deletes = _deletes_of(conn, posts)
    excuses = {}
    for id_ in erased:
        post = edited.get(id_, id_)
        excuses[id_] = dict(deletes.get(post, {}))
        if post != id_ and post in posts:
            excuses[id_][post] = posts[post]
    return excuses


def _deletes_of(
    conn: sqlite3.Connection, posts: dict[bytes, bytes]
) -> dict[bytes, dict[bytes, bytes]]:
    """One counting delete for each of these posts."""
    if not posts:
        return {}
    found: dict[bytes, dict[bytes, bytes]] = {}
    rows = conn.execute(
        "SELECT o.id, o.hdr FROM json_each(?) j CROSS JOIN op o ON o.ref8 = j.value "
        "WHERE o.log = 1 AND o.kind = 21",
        (prefixes(posts),),
    )
    for id_, header in rows:
        post = posts.get(header[80:112])
        if post is not None and post[16:48] == header[16:48]:
            found[header[80:112]] = {id_: header}
    return found


def _refs_above(conn: sqlite3.Connection, ref_of: dict[bytes, bytes]) -> None:
    """Learn what the operations referred to refer to in turn, as far as they are held."""
    asked = {ZERO}
    for _ in range(_STOREYS):
        wanted = set(ref_of.values()) - ref_of.keys() - asked
        rows = conn.execute(
            "SELECT o.id, o.hdr FROM json_each(?) j CROSS JOIN op o ON o.h = j.value",
            (prefixes(wanted),),
        )
        ref_of.update((id_, header[80:112]) for id_, header in rows if id_ in wanted)
        asked |= wanted


def _with_what_it_stands_on(id_: bytes, ref_of: dict[bytes, bytes]) -> list[bytes]:
    """An operation behind the held ones it refers to, the lowest first."""
    line = [id_]
    while len(line) <= _STOREYS and (up := ref_of[line[-1]]) in ref_of:
        line.append(up)
    line.reverse()
    return line
