"""What the board must show, worked out the slow way from a whole set of operations: the oracle.

Written from PROTOCOL.md section 4 without a look at the fold: no order of arrival, no rows, no
numbers, everything asked again from the set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trayapp.forum import bodies
from trayapp.forum.bodies import Edit, Imported, Profile, React
from trayapp.forum.operation import ZERO, Operation
from trayapp.store.rows import text_of, title_of
from trayapp.sync.fingerprints import RunningDigest

SUBNET, THREAD, REPLY, EDIT, DELETE, REACT, PROFILE, IMPORTED = 17, 18, 19, 20, 21, 22, 16, 25
POSTS = (SUBNET, THREAD, REPLY, IMPORTED)
LIVE, INERT, TWIN, DELETED = range(4)


class NaiveBoard:
    """One set of operations, all with the bodies they were signed with."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.all = {one.id: one for one in operations}
        self.content = [one for one in self.all.values() if one.log == 1]
        self.posts = {one.id: one for one in self.content if one.kind in POSTS}
        self.about: dict[bytes, list[Operation]] = {}
        for one in self.content:
            self.about.setdefault(one.ref, []).append(one)
        self.dead = {
            one.ref
            for one in self.content
            if one.kind == DELETE
            and one.ref in self.posts
            and self.posts[one.ref].author == one.author
        }
        self.inert = {
            id_
            for id_, one in self.posts.items()
            if id_ not in self.dead
            and (
                bodies.decode(one.kind, one.body or b"") is None
                or (one.kind == SUBNET and one.ref != ZERO)
            )
        }
        self.twins = self._twins()
        self.subnets = {
            id_ for id_, one in self.posts.items()
            if one.ref == ZERO and one.kind in (SUBNET, IMPORTED) and id_ not in self.inert
        }  # fmt: skip
        self.threads = {
            id_ for id_, one in self.posts.items()
            if id_ not in self.inert and id_ not in self.subnets
            and (one.kind == THREAD or (one.kind == IMPORTED and self.stands(one) in self.subnets))
        }  # fmt: skip
        self.replies = {
            id_ for id_, one in self.posts.items()
            if id_ not in self.inert and id_ not in self.subnets and id_ not in self.threads
            and one.kind in (REPLY, IMPORTED) and self.stands(one) in self.threads
        }  # fmt: skip

    def stands(self, one: Operation) -> bytes:
        """What a post stands on: of twins, the one shown."""
        return self.twins.get(one.ref, one.ref)

    def shown(self) -> dict[str, Any]:
        """The same values as `Board.shown`."""
        digests = [RunningDigest(), RunningDigest()]
        for one in self.all.values():
            digests[one.log] = digests[one.log].with_ids([one.id])
        return {
            "posts": {id_: self._post(one) for id_, one in self.posts.items()},
            "threads": {id_: self._thread(id_) for id_ in self.threads},
            "people": self._people(),
            "reactions": self._reactions(),
            "bare": self.bare(),
            "digests": [one.digest16 for one in digests],
        }

    def bare(self) -> set[bytes]:
        """What no machine may keep the body of."""
        edits = {one.id for one in self.content if one.kind == EDIT and one.ref in self.dead}
        return self.dead | edits

    def _twins(self) -> dict[bytes, bytes]:
        groups: dict[Any, list[Operation]] = {}
        for id_, one in self.posts.items():
            body = bodies.decode(one.kind, one.body or b"")
            if one.kind == IMPORTED and id_ not in self.dead and isinstance(body, Imported):
                key = (one.author, body.source.site, body.source.post)
                groups.setdefault(key, []).append(one)
        twins = {}
        for group in groups.values():
            first = min(group, key=lambda one: (one.seq, one.id))
            twins.update({one.id: first.id for one in group if one is not first})
        return twins

    def _level(self, id_: bytes) -> int:
        levels = (self.subnets, self.threads, self.replies)
        return next((n for n, ids in enumerate(levels, 1) if id_ in ids), 0)

    def _parent(self, one: Operation) -> bytes | None:
        below = self.stands(one)
        if one.id in self.threads:
            return below if below in self.subnets else None
        return below if one.id in self.replies else None

    def _state(self, id_: bytes) -> int:
        if id_ in self.dead:
            return DELETED
        return INERT if id_ in self.inert else TWIN if id_ in self.twins else LIVE

    def _at(self, one: Operation) -> int:
        """Without a word about `seen`: the tests that use this have a clock far ahead."""
        at = one.hlc >> 16
        body = bodies.decode(one.kind, one.body or b"")
        if one.id not in self.dead and isinstance(body, Imported):
            at = min(at, body.source.time)
        return at

    def _edits(self, one: Operation) -> dict[bytes, tuple[Operation, Edit]]:
        found = {}
        for edit in self.about.get(one.id, ()):
            if edit.kind != EDIT or edit.author != one.author:
                continue
            body = bodies.decode(EDIT, edit.body or b"")
            if isinstance(body, Edit) and bodies.decode_fields(one.kind, body.fields) is not None:
                found[edit.id] = (edit, body)
        return found

    def _post(self, one: Operation) -> tuple[Any, ...]:
        state, level, parent = self._state(one.id), self._level(one.id), self._parent(one)
        where = (level, state, self._at(one), parent, self.twins.get(one.id))
        edits = self._edits(one)
        if state in (DELETED, INERT):
            return (*where, one.id, "", "", False, frozenset())
        if not edits:
            body: Any = bodies.decode(one.kind, one.body or b"")
            return (*where, one.id, title_of(body), text_of(body), False, frozenset())
        replaced = {base for _, body in edits.values() for base in body.base}
        heads = [edit for id_, (edit, _) in edits.items() if id_ not in replaced]
        shown = max(heads, key=lambda edit: (edit.hlc, edit.id))
        now = bodies.decode_fields(one.kind, edits[shown.id][1].fields)
        head_ids = frozenset(edit.id for edit in heads)
        return (*where, shown.id, title_of(now), text_of(now), len(heads) > 1, head_ids)

    def _thread(self, id_: bytes) -> tuple[Any, ...]:
        subnet = self._parent(self.posts[id_])
        live = [
            one for one in map(self.posts.__getitem__, self.replies)
            if self._parent(one) == id_ and self._state(one.id) == LIVE
        ]  # fmt: skip
        state = self._state(id_)
        listed = subnet is not None and (state == LIVE or (state == DELETED and bool(live)))
        last = max(live, key=lambda one: (self._at(one), one.hlc, one.id), default=None)
        return subnet, listed, len(live), id_ if last is None else last.id

    def _people(self) -> dict[bytes, str]:
        last: dict[bytes, tuple[Any, str]] = {}
        for one in self.content:
            body = bodies.decode(one.kind, one.body or b"")
            if isinstance(body, Profile) and one.ref == one.author:
                mine = ((one.seq, one.hlc, one.id), body.name)
                last[one.author] = max(last.get(one.author, mine), mine)
        return {author: name for author, (_, name) in last.items()}

    def _reactions(self) -> dict[Any, bool]:
        last: dict[Any, tuple[Any, bool]] = {}
        for one in self.content:
            body = bodies.decode(one.kind, one.body or b"")
            if isinstance(body, React):
                mine = ((one.seq, one.hlc, one.id), body.on)
                key = (one.ref, one.author, body.emoji)
                last[key] = max(last.get(key, mine), mine)
        return {key: on for key, (_, on) in last.items()}
