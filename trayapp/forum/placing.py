"""Where posts stand: threads in subnets, replies in threads, imports as their ref says.

A level is decided by the level below it alone, so that no circle of references can hold itself up.
An imported post that is there twice is shown once, and what refers to either of the two stands with
the one shown: the replies of an import made twice at once are not lost.
"""

from __future__ import annotations

from collections.abc import Callable

from trayapp.forum.operation import ZERO, Kind
from trayapp.forum.rows import Known, Level, Member, Post, SourceKey, State


class Placing:
    """One batch's posts and the held ones whose place it may change, placed level by level."""

    def __init__(
        self, known: Known, new: list[Post], held: list[Post], members: dict[Member, SourceKey]
    ) -> None:
        """Take the rows as edits and deletes left them.

        Args:
            new: posts not held before.
            held: held posts after the edits and deletes of this batch.
            members: the live imported ones among the new, with what they are known by elsewhere.
        """
        self.joined = [(key, number) for (_, _, number), key in members.items()]
        self.left = [
            row.number
            for row in held
            if row.state == State.DELETED and row.number in known.group_of
        ]
        self._known = known
        self._settled: dict[bytes, Post] = {}
        self._open = {row.id: row for row in new}
        self._open.update(known.affected)
        for row in held:
            self._put(row)
        self._ids = {number: id_ for _, id_, number in members}
        if members or self.left:
            self._choose_twins(members)

    def rows(self) -> list[Post]:
        """Place them: every new row and those held ones that were looked at, in no order."""
        self._settle((Kind.SUBNET, Kind.IMPORTED), self._as_subnet)
        self._settle((Kind.THREAD, Kind.IMPORTED), self._as_thread)
        self._settle((Kind.REPLY, Kind.IMPORTED), self._as_reply)
        for id_, row in self._open.items():
            self._settled[id_] = row._replace(level=Level.NOWHERE, parent=None)
        return list(self._settled.values())

    def _put(self, row: Post) -> None:
        (self._open if row.id in self._open else self._settled)[row.id] = row

    def _choose_twins(self, members: dict[Member, SourceKey]) -> None:
        """Of live posts with one key the smallest (seq, id) is shown; the others are its twins."""
        groups: dict[SourceKey, list[Member]] = {}
        for member, key in members.items():
            groups.setdefault(key, []).append(member)
        for number in self.left:
            groups.setdefault(self._known.group_of[number], [])
        left = set(self.left)
        for key, group in groups.items():
            group += [one for one in self._known.groups.get(key, ()) if one[2] not in left]
            if len(group) > 1 or self._known.groups.get(key):
                self._choose(group)

    def _choose(self, group: list[Member]) -> None:
        chosen = min(group, default=(0, b"", 0))[2]
        for _, id_, number in group:
            row = self._settled.get(id_) or self._open.get(id_) or self._known.posts[id_]
            twin = None if number == chosen else chosen
            if twin != row.twin:
                self._put(row._replace(twin=twin, state=State.LIVE if twin is None else State.TWIN))

    def _settle(self, kinds: tuple[Kind, Kind], place: Callable[[Post], Post | None]) -> None:
        """Place what can stand on this level; the rest stays open."""
        for row in [row for row in self._open.values() if row.kind in kinds]:
            placed = place(row)
            if placed is not None:
                del self._open[row.id]
                self._settled[row.id] = placed

    def _as_subnet(self, row: Post) -> Post | None:
        if row.ref != ZERO or row.state == State.INERT:
            return None
        return row._replace(level=Level.SUBNET, parent=None)

    def _as_thread(self, row: Post) -> Post | None:
        """A thread is one also while its subnet is missing; an import only learns it there."""
        subnet = self._standing(row.ref)
        if row.state == State.INERT:
            return None
        if subnet is not None and subnet.level == Level.SUBNET:
            return row._replace(level=Level.THREAD, parent=subnet.number)
        if row.kind == Kind.THREAD:
            return row._replace(level=Level.THREAD, parent=None)
        return None

    def _as_reply(self, row: Post) -> Post | None:
        thread = self._standing(row.ref)
        if thread is None or thread.level != Level.THREAD or row.state == State.INERT:
            return None
        return row._replace(level=Level.REPLY, parent=thread.number)

    def _standing(self, ref: bytes) -> Post | None:
        """The post that is shown for `ref`, once its level is decided."""
        row = self._row(ref)
        if row is not None and row.twin is not None:
            shown = self._ids.get(row.twin)
            row = self._row(self._known.numbered[row.twin].id if shown is None else shown)
        return None if row is None or row.id in self._open else row

    def _row(self, id_: bytes) -> Post | None:
        return self._settled.get(id_) or self._open.get(id_) or self._known.posts.get(id_)
