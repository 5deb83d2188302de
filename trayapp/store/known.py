"""Gathers what a fold must know of a batch: three rounds of reading, more only where posts move.

Round one: the rows of what the batch refers to. Round two: what refers to its new posts, and what
else was said in the same matters. Round three: the threads and subnets round those. Posts whose
place may change with the batch (a thread after its replies, an import that is there twice) cost
further rounds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from trayapp.forum import bodies, fold
from trayapp.forum.operation import ID_BYTES, ZERO, Kind, Log
from trayapp.forum.rows import (
    Known,
    Level,
    Post,
    Said,
    SourceKey,
    State,
    ThreadRow,
    VersionRow,
)
from trayapp.store.rows import (
    POST_COLUMNS,
    numbers,
    operation_of,
    post_of,
    prefixes,
    source_hash,
)

_ROWS = (
    f"SELECT {POST_COLUMNS}, t.subnet, t.listed, t.replies, t.unread, t.last_at, t.last_hlc, "
    "l.id, t.last FROM json_each(?) j {join} JOIN post p ON p.rid = o.rid "
    "LEFT JOIN thread t ON t.rid = o.rid LEFT JOIN op l ON l.rid = t.last"
)
_ROWS_BY_ID = _ROWS.format(join="CROSS JOIN op o ON o.h = j.value")
_ROWS_BY_NUMBER = _ROWS.format(join="CROSS JOIN op o ON o.rid = j.value")
_TWINS = (
    f"SELECT {POST_COLUMNS} FROM json_each(?) j CROSS JOIN post p ON p.twin = j.value "
    "JOIN op o ON o.rid = p.rid"
)
_ABOUT = (
    f"SELECT {POST_COLUMNS}, CASE WHEN o.kind = 20 THEN o.body END "
    "FROM json_each(?) j CROSS JOIN op o ON o.ref8 = j.value LEFT JOIN post p ON p.rid = o.rid "
    "WHERE o.log = 1 AND o.kind IN (18, 19, 20, 21, 25) AND o.rid < ?"
)
_VERSIONS = (
    "SELECT v.post, v.rid, o.id, o.hdr, v.bases, v.head FROM json_each(?) j "
    "CROSS JOIN version v ON v.post = j.value JOIN op o ON o.rid = v.rid"
)
_SOURCES_BY_NUMBER = (
    "SELECT s.rid, s.site, s.post FROM json_each(?) j CROSS JOIN source s ON s.rid = j.value"
)
_SOURCES_BY_HASH = (
    "SELECT s.site, s.post, o.seq, o.id, o.rid, o.hdr FROM json_each(?) j "
    "CROSS JOIN source s ON s.h = j.value JOIN op o ON o.rid = s.rid"
)
_REACTIONS = (
    "SELECT r.ref, k.pk, r.emoji, r.seq, r.hlc, r.id FROM json_each(?) j "
    "CROSS JOIN reaction r ON r.ref8 = j.value JOIN key k ON k.a = r.a"
)
_PERSON = "SELECT p.seq, p.hlc, p.id FROM key k JOIN person p ON p.a = k.a WHERE k.pk = ?"


def gather(conn: sqlite3.Connection, said: Sequence[Said], below: int) -> Known:
    """Read what `fold.accept` and `fold.fold` need for this batch.

    Args:
        below: operations of this number or a larger one count as not held: when everything is
            folded anew they lie in the table already.
    """
    gathering = _Gathering(conn, below)
    content = [one for one in said if one.operation.log == Log.CONTENT]
    new = {one.operation.id: one for one in content if one.operation.kind in fold.POSTS}
    gathering.read_refs(content, new)
    dying = gathering.dying(content)
    waiting = gathering.read_about(new)
    gathering.read_versions(content)
    gathering.read_groups(new.values(), dying)
    gathering.read_last_words(content)
    gathering.read_affected(waiting, dying)
    gathering.read_bearings()
    return gathering.known


class _Gathering:
    def __init__(self, conn: sqlite3.Connection, below: int) -> None:
        self.known = Known()
        self._conn = conn
        self._below = below

    def read_refs(self, content: Sequence[Said], new: dict[bytes, Said]) -> None:
        """The rows of all that is referred to."""
        refs = {one.operation.ref for one in content}
        refs -= new.keys()
        refs.discard(ZERO)
        self._read_by_id(refs)

    def dying(self, content: Sequence[Said]) -> list[Post]:
        """Held posts that this batch deletes."""
        posts = self.known.posts
        return [
            posts[one.operation.ref]
            for one in content
            if one.operation.kind == Kind.DELETE
            and one.operation.ref in posts
            and posts[one.operation.ref].author == one.operation.author
            and posts[one.operation.ref].state != State.DELETED
        ]

    def read_about(self, new: dict[bytes, Said]) -> list[Post]:
        """Edits and deletes that came before what they are about; returns the posts that did."""
        acts = self.known.acts
        posts = []
        for row in self._conn.execute(_ABOUT, (prefixes(new), self._below)):
            number, id_, kind, header, seen = row[:5]
            ref = header[80:112]
            if ref not in new:
                continue
            if kind in (Kind.EDIT, Kind.DELETE):
                body = None if row[12] is None else bodies.decode(kind, row[12])
                act = Said(number, operation_of(id_, header, row[12]), body, seen)
                acts.setdefault(ref, []).append(act)
            else:
                posts.append(post_of(row))
        return posts

    def read_versions(self, content: Sequence[Said]) -> None:
        """The edits that count already, of posts edited again."""
        posts = self.known.posts
        edited = {
            posts[one.operation.ref].number
            for one in content
            if one.operation.kind == Kind.EDIT and one.operation.ref in posts
        }
        if not edited:
            return
        versions = self.known.versions
        for post, number, id_, header, bases, head in self._conn.execute(
            _VERSIONS, (numbers(edited),)
        ):
            hlc = int.from_bytes(header[8:16], "big")
            row = VersionRow(post, number, id_, hlc, _split(bases), bool(head))
            versions.setdefault(post, []).append(row)

    def read_groups(self, new: Iterable[Said], dying: Iterable[Post]) -> None:
        """What else is there of the imported posts that come or go."""
        known = self.known
        authors = {row.number: row.author for row in dying if row.kind == Kind.IMPORTED}
        keys: set[SourceKey] = {key for one in new if (key := fold.source_key(one)) is not None}
        for number, site, post in self._conn.execute(_SOURCES_BY_NUMBER, (numbers(authors),)):
            known.group_of[number] = (authors[number], site, post)
            keys.add(known.group_of[number])
        if not keys:
            return
        hashes = {source_hash(site, post) for _, site, post in keys}
        for site, post, seq, id_, number, header in self._conn.execute(
            _SOURCES_BY_HASH, (numbers(hashes),)
        ):
            key = (header[16:48], site, post)
            if key in keys:
                known.groups.setdefault(key, []).append((seq, id_, number))
        members = (number for group in known.groups.values() for _, _, number in group)
        self._read_numbered(members)

    def read_last_words(self, content: Sequence[Said]) -> None:
        """The reactions and profiles this batch may replace."""
        known = self.known
        reacted = {o.operation.ref for o in content if o.operation.kind == Kind.REACT}
        if reacted:
            for ref, author, emoji, *precedence in self._conn.execute(
                _REACTIONS, (prefixes(reacted),)
            ):
                seq, hlc, id_ = precedence
                known.reactions[ref, author, emoji] = (seq, hlc, id_)
        for author in {o.operation.author for o in content if o.operation.kind == Kind.PROFILE}:
            row = self._conn.execute(_PERSON, (author,)).fetchone()
            if row is not None:
                known.people[author] = row

    def read_affected(self, waiting: list[Post], dying: Iterable[Post]) -> None:
        """What may move: what stands on a new post or in a group that changes, two levels up."""
        known = self.known
        # An inert post has no place; as a stub it has one.
        moving = {row.id: row for row in dying if row.state == State.INERT}
        members = {id_ for group in known.groups.values() for _, id_, _ in group}
        self._read_by_id({row.ref for row in moving.values()})
        first = [*waiting, *self._standing_on([*members, *moving])]
        imported = {row.id: row for row in first if row.kind == Kind.IMPORTED}
        for row in self._kin(imported.values()):
            imported[row.id] = row
            known.learn(row)
        for row in (*first, *self._standing_on(imported), *moving.values()):
            known.affected[row.id] = row
            known.learn(row)

    def read_bearings(self) -> None:
        """The posts shown in the stead of twins, the threads of replies, the subnets of threads."""
        posts = self.known.posts
        self._read_numbered(row.twin for row in posts.values() if row.twin is not None)
        for _ in (Level.REPLY, Level.THREAD):
            self._read_numbered(row.parent for row in posts.values() if row.parent is not None)

    def _read_by_id(self, ids: set[bytes]) -> None:
        if ids:
            for row in self._conn.execute(_ROWS_BY_ID, (prefixes(ids),)):
                if row[1] in ids:
                    self._learn(row)

    def _read_numbered(self, rids: Iterable[int]) -> None:
        wanted = {*rids} - self.known.numbered.keys()
        if wanted:
            for row in self._conn.execute(_ROWS_BY_NUMBER, (numbers(wanted),)):
                self._learn(row)

    def _standing_on(self, ids: Iterable[bytes]) -> list[Post]:
        """The posts whose `ref` is one of these."""
        wanted = set(ids)
        if not wanted:
            return []
        rows = self._conn.execute(_ABOUT, (prefixes(wanted), self._below))
        return [post_of(row) for row in rows if row[5] is not None and row[3][80:112] in wanted]

    def _kin(self, imported: Iterable[Post]) -> list[Post]:
        """The other posts of the groups these belong to."""
        shown = {row.number if row.twin is None else row.twin for row in imported}
        if not shown:
            return []
        self._read_numbered(shown)
        kin = [post_of(row) for row in self._conn.execute(_TWINS, (numbers(shown),))]
        return kin + [self.known.numbered[one] for one in shown if one in self.known.numbered]

    def _learn(self, row: tuple[Any, ...]) -> None:
        post = post_of(row)
        self.known.learn(post)
        if row[14] is not None:
            subnet, listed, replies, unread, last_at, last_hlc, last_id, last = row[12:]
            self.known.threads[post.number] = ThreadRow(
                post.number, subnet, bool(listed), replies, unread, last_at, last_hlc, last_id, last
            )


def _split(bases: bytes) -> tuple[bytes, ...]:
    return tuple(bases[at : at + ID_BYTES] for at in range(0, len(bases), ID_BYTES))
