"""What other machines are given: operations as bytes, pages of a log, the ids to reconcile.

Synchronous functions over a `sqlite3.Connection` that only read, but for the cursors of streams.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from trayapp.forum.operation import HEADER_BYTES, ZERO, Kind
from trayapp.store.rows import prefixes
from trayapp.sync.negentropy import SortedInventory

CURSOR_START = bytes(68)
"""The cursor before the first page: author key (32), seq (4), id (32)."""

_FRAME_PREFIX_BYTES = 4
_STOREYS = 4
"""An edit stands on a reply, that on a thread, that on a subnet: nothing stands higher."""


def raw_of(conn: sqlite3.Connection, ids: Iterable[bytes]) -> dict[bytes, bytes]:
    """The bytes to send, in the order given; what is not held is left out.

    Before an erased operation, which goes as its header alone, stands the delete that excuses it;
    before an erased edit also the post it edits. Without them nobody could accept it.
    """
    listed = dict.fromkeys(ids)
    found = _bytes_of(conn, listed)
    erased = {id_: raw for id_, raw in found.items() if _is_erased(raw)}
    excuses = _excuses(conn, erased)
    ordered: dict[bytes, bytes] = {}
    for id_ in listed:
        if id_ in found:
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
    start = cursor or CURSOR_START
    author, seq, id_ = start[:32], int.from_bytes(start[32:36], "big"), start[36:]
    page, size = list[bytes](), 0
    rows = conn.execute(
        "SELECT k.pk, o.seq, o.id, coalesce(length(o.body), 3 * ?) FROM key k "
        "CROSS JOIN op o ON o.a = k.a WHERE k.pk >= ? AND o.log = ? "
        "AND (k.pk, o.seq, o.id) > (?, ?, ?) ORDER BY k.pk, o.seq, o.id",
        (HEADER_BYTES, author, log, author, seq, id_),
    )
    for author, seq, id_, body_bytes in rows:
        size += _FRAME_PREFIX_BYTES + HEADER_BYTES + body_bytes
        if page and size > max_bytes:
            break
        page.append(id_)
        cursor = author + seq.to_bytes(4, "big") + id_
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
    """Remember how far a stream has come, in the transaction that stores its page; None: it ended."""
    if cursor is None:
        conn.execute("DELETE FROM stream_cursor WHERE peer = ? AND log = ?", (peer, log))
        return
    conn.execute("INSERT OR REPLACE INTO stream_cursor VALUES (?, ?, ?)", (peer, log, cursor))


def forget_stream_cursor(conn: sqlite3.Connection, peer: bytes, log: int) -> None:
    """The stream has ended: the next one begins anew."""
    conn.execute("DELETE FROM stream_cursor WHERE peer = ? AND log = ?", (peer, log))


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
