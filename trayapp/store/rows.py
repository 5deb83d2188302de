"""Rows of SQLite as the rows of forum/rows.py, and the small arts of asking for many at once."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from trayapp.forum import bodies
from trayapp.forum.bodies import Edit, Editable, Imported, Reply, Subnet, Thread
from trayapp.forum.operation import Kind, Operation
from trayapp.forum.rows import Post

POST_COLUMNS = (
    "o.rid, o.id, o.kind, o.hdr, o.seen, p.at, p.level, p.parent, p.state, p.shown, p.conflict, "
    "p.twin"
)
"""What `post_of` reads, from `op o JOIN post p USING (rid)`."""


def prefix(id_: bytes) -> int:
    """The first 8 bytes of an id as SQLite keeps them: a hint, never the whole."""
    return int.from_bytes(id_[:8], "big", signed=True)


def prefixes(ids: Iterable[bytes]) -> str:
    """A list for `json_each`: one statement asks for any number of rows."""
    return json.dumps([prefix(one) for one in ids])


def numbers(rids: Iterable[int]) -> str:
    """The same for numbers of operations."""
    return json.dumps(list(rids))


def source_hash(site: str, post: str) -> int:
    """What an imported post is looked up by: a hint as well."""
    digest = hashlib.sha256(f"{len(site)}/{site}/{post}".encode()).digest()
    return prefix(digest)


def author_number(conn: sqlite3.Connection, device: bytes) -> int:
    """The number of an author in `key`; -1 for one that said nothing yet."""
    row = conn.execute("SELECT a FROM key WHERE pk = ?", (device,)).fetchone()
    return -1 if row is None else int(row[0])


def post_of(row: tuple[Any, ...]) -> Post:
    """Read `POST_COLUMNS`; more columns may follow."""
    rid, id_, kind, header, seen, at, level, parent, state, shown, conflict, twin = row[:12]
    return Post(
        rid, id_, kind, header[16:48], header[80:112], int.from_bytes(header[8:16], "big"),
        seen, at, level, parent, state, shown, bool(conflict), twin,
    )  # fmt: skip


def operation_of(id_: bytes, header: bytes, body: bytes | None) -> Operation:
    """Read a stored operation; it was checked when it came in."""
    return Operation(
        id_,
        header[1],
        int.from_bytes(header[2:4], "big"),
        int.from_bytes(header[4:8], "big"),
        int.from_bytes(header[8:16], "big"),
        header[16:48],
        header[48:80],
        header[80:112],
        header[112:144],
        int.from_bytes(header[144:148], "big"),
        header,
        body,
    )


def words_of(kind: int, version_kind: int, raw: bytes | None) -> Editable | None:
    """What a version of a post says.

    Args:
        kind: the kind of the post.
        version_kind: the same for the original, `Kind.EDIT` for an edit of it.
        raw: the stored body of the version.

    Returns:
        None for an erased or malformed one.
    """
    body = None if raw is None else bodies.decode(version_kind, raw)
    if version_kind == Kind.EDIT:
        return bodies.decode_fields(kind, body.fields) if isinstance(body, Edit) else None
    return body if isinstance(body, Subnet | Thread | Reply | Imported) else None


def title_of(body: Editable | None) -> str:
    """The title, or nothing: a reply has none, a deleted thread has lost it."""
    return "" if body is None or isinstance(body, Reply) else body.title or ""


def text_of(body: Editable | None) -> str:
    """The text as typed."""
    return "" if body is None else body.text
