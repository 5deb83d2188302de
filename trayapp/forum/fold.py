"""Operations -> changes to the board: PROTOCOL.md section 4, the same in any order of arrival.

Pure. Whoever stores operations gathers what is `Known`, asks `accept` which of them may be stored
and writes what `fold` says has changed. However a set of operations is shuffled, split, repeated:
the rows end up the same; only numbers and `seen` differ between machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trayapp.forum import bodies, timestamp
from trayapp.forum.bodies import Edit, Imported, Profile, React
from trayapp.forum.operation import ZERO, Kind, Log, Operation
from trayapp.forum.placing import Placing
from trayapp.forum.rows import (
    Changes,
    Known,
    Level,
    Member,
    PersonRow,
    Post,
    ReactionRow,
    Said,
    SourceKey,
    State,
    VersionRow,
)
from trayapp.forum.tally import Tally

RULES = 1
"""Raised when the same operations give other rows than before: every store then folds anew."""

POSTS = frozenset((Kind.SUBNET, Kind.THREAD, Kind.REPLY, Kind.IMPORTED))
"""What can be edited, deleted and reacted to."""


def read(operations: Iterable[Operation], first_number: int, seen: int) -> list[Said]:
    """Number operations in the order given and read their bodies."""
    decode = bodies.decode
    return [
        Said(
            number,
            one,
            decode(one.kind, one.body) if one.body is not None and one.log == Log.CONTENT else None,
            seen,
        )
        for number, one in enumerate(operations, first_number)
    ]


def source_key(one: Said) -> SourceKey | None:
    """What an imported post is known by elsewhere; None for anything else."""
    if not isinstance(one.body, Imported):
        return None
    return one.operation.author, one.body.source.site, one.body.source.post


def accept(said: Sequence[Said], known: Known) -> tuple[list[Said], list[bytes]]:
    """Part a batch into what may be stored and the ids of what is to be ignored.

    An operation without its body is stored only when a counting delete names it, or names the post
    it edits; the delete is held or in this batch. What is ignored is met again.
    """
    if all(one.operation.body is not None for one in said):
        return list(said), []
    batch = {one.operation.id: one.operation for one in said}
    deletes = {
        (act.operation.ref, act.operation.author)
        for act in (*said, *(one for acts in known.acts.values() for one in acts))
        if act.operation.kind == Kind.DELETE and act.operation.log == Log.CONTENT
    }
    accepted, ignored = [], []
    for one in said:
        operation = one.operation
        if operation.body is not None or _is_erased(operation, batch, deletes, known):
            accepted.append(one)
        else:
            ignored.append(operation.id)
    return accepted, ignored


def _is_erased(
    operation: Operation,
    batch: dict[bytes, Operation],
    deletes: set[tuple[bytes, bytes]],
    known: Known,
) -> bool:
    """Whether a counting delete names this operation, or the post it edits."""
    if operation.log != Log.CONTENT:
        return False
    if operation.kind in POSTS:
        return (operation.id, operation.author) in deletes
    if operation.kind != Kind.EDIT:
        return False
    held = known.posts.get(operation.ref)
    if held is not None:
        return held.state == State.DELETED or (held.id, held.author) in deletes
    target = batch.get(operation.ref)
    if target is None or target.kind not in POSTS or target.log != Log.CONTENT:
        return False
    return (target.id, target.author) in deletes


def fold(said: Sequence[Said], known: Known, me: bytes) -> Changes:
    """Say what a batch changes on the board.

    Args:
        said: accepted operations, none of them held before, each once, in any order.
        known: the rows they can touch, as they stood.
        me: this machine's device; its own posts are never unread.
    """
    return _Fold(said, known).changes(me)


class _Fold:
    """One batch: sorted by what it does, judged post by post, then placed and counted."""

    def __init__(self, said: Sequence[Said], known: Known) -> None:
        self._known = known
        self._new: dict[bytes, Said] = {}
        self._acts: dict[bytes, list[Said]] = {}
        self._reactions: list[Said] = []
        self._profiles: list[Said] = []
        self._versions: list[VersionRow] = []
        self._bare: set[int] = set()
        self._sort(said)

    def changes(self, me: bytes) -> Changes:
        new, held, before = self._judge_new(), self._judge_held(), self._known.posts
        placing = Placing(self._known, new, held, self._members(new))
        rows = placing.rows()
        changed = [(before[row.id], row) for row in rows if row.id in before]
        people, reactions = self._people_rows(), self._reaction_rows()
        tally = Tally(self._known, me, {row.number: row for row in rows})
        for row in rows:
            tally.count(before.get(row.id), row)
        for reaction in reactions:
            tally.touch(reaction.ref)
        return Changes(
            new_posts=[row for row in rows if row.id not in before],
            changed_posts=[row for old, row in changed if row != old],
            threads=tally.rows(),
            recount=tally.recount,
            versions=self._versions,
            joined=placing.joined,
            left=placing.left,
            reactions=reactions,
            people=people,
            bare=self._bare,
            erased=[row for row in rows if _is_deleted_by(before.get(row.id), row)],
            reworded=[old for old, row in changed if _is_reworded(old, row)],
            happenings=tally.happenings(person.author for person in people),
        )

    def _sort(self, said: Sequence[Said]) -> None:
        for one in said:
            operation = one.operation
            if operation.log != Log.CONTENT:
                continue
            kind = operation.kind
            if kind in POSTS:
                self._new[operation.id] = one
            elif kind in (Kind.EDIT, Kind.DELETE):
                self._acts.setdefault(operation.ref, []).append(one)
            elif kind == Kind.REACT:
                self._reactions.append(one)
            elif kind == Kind.PROFILE:
                self._profiles.append(one)

    def _judge_new(self) -> list[Post]:
        """The rows of new posts, not placed yet."""
        judged = []
        waiting = self._known.acts
        for id_, one in self._new.items():
            row = _fresh(one)
            if id_ in self._acts or id_ in waiting:
                row = self._judge(row, [*waiting.get(id_, ()), *self._acts.get(id_, ())])
            if row.state == State.DELETED:
                self._bare.add(one.number)
            judged.append(row)
        return judged

    def _members(self, new: list[Post]) -> dict[Member, SourceKey]:
        """The live imported posts among the new ones, with what they are known by elsewhere."""
        members = {}
        for row in new:
            one = self._new[row.id]
            key = source_key(one) if row.state == State.LIVE else None
            if key is not None:
                members[one.operation.seq, row.id, row.number] = key
        return members

    def _judge_held(self) -> list[Post]:
        """The rows of held posts that this batch edits or deletes."""
        posts = self._known.posts
        return [
            self._judge(posts[id_], acts)
            for id_, acts in self._acts.items()
            if id_ in posts and id_ not in self._new
        ]

    def _judge(self, row: Post, acts: list[Said]) -> Post:
        """Apply all edits and deletes of one post, in no order at all: a delete beats edits."""
        counting = [act for act in acts if act.operation.author == row.author]
        if row.state != State.DELETED and not any(
            act.operation.kind == Kind.DELETE for act in counting
        ):
            return row if row.state == State.INERT else self._show_head(row, counting)
        # A stranger's edit of it is erased as well: it may hold the author's words.
        self._bare.update(act.number for act in acts if act.operation.kind == Kind.EDIT)
        # Where the import said it comes from is erased with its body, its time included.
        at = _shown_time(row.hlc, row.seen)
        return row._replace(state=State.DELETED, at=at, shown=row.number, conflict=False, twin=None)

    def _show_head(self, row: Post, edits: list[Said]) -> Post:
        """A counting edit replaces the original and every id in its base, held or not."""
        versions = {one.number: one for one in self._known.versions.get(row.number, ())}
        for one in edits:
            edit = one.body
            if isinstance(edit, Edit) and bodies.decode_fields(row.kind, edit.fields) is not None:
                versions[one.number] = VersionRow(
                    row.number, one.number, one.operation.id, one.operation.hlc, edit.base, False
                )
        if not versions:
            return row
        replaced = {base for one in versions.values() for base in one.bases}
        heads = [one for one in versions.values() if one.id not in replaced]
        fresh = {one.number for one in edits}
        for version in versions.values():
            is_head = version.id not in replaced
            if is_head != version.head or version.number in fresh:
                self._versions.append(version._replace(head=is_head))
        shown = max(heads, key=lambda one: (one.hlc, one.id))
        return row._replace(shown=shown.number, conflict=len(heads) > 1)

    def _reaction_rows(self) -> list[ReactionRow]:
        """Largest (seq, hlc, id) per author, post and emoji."""
        last = dict(self._known.reactions)
        rows: dict[tuple[bytes, bytes, str], ReactionRow] = {}
        for one in self._reactions:
            if not isinstance(one.body, React):
                continue
            operation, emoji = one.operation, one.body.emoji
            key = (operation.ref, operation.author, emoji)
            precedence = (operation.seq, operation.hlc, operation.id)
            if key not in last or last[key] < precedence:
                last[key] = precedence
                rows[key] = ReactionRow(*key, one.body.on, precedence)
        return list(rows.values())

    def _people_rows(self) -> list[PersonRow]:
        """Largest (seq, hlc, id) per author; nobody can name another."""
        last = dict(self._known.people)
        rows: dict[bytes, PersonRow] = {}
        for one in self._profiles:
            operation = one.operation
            if not isinstance(one.body, Profile) or operation.ref != operation.author:
                continue
            author = operation.author
            precedence = (operation.seq, operation.hlc, operation.id)
            if author not in last or last[author] < precedence:
                last[author] = precedence
                rows[author] = PersonRow(author, one.body.name, one.body.bio, precedence)
        return list(rows.values())


def _fresh(one: Said) -> Post:
    """The row of a post seen for the first time, before edits, deletes and its place count."""
    operation, body = one.operation, one.body
    if operation.body is None:
        state = State.DELETED
    elif body is None or (operation.kind == Kind.SUBNET and operation.ref != ZERO):
        state = State.INERT
    else:
        state = State.LIVE
    at = _shown_time(operation.hlc, one.seen)
    if isinstance(body, Imported):
        at = max(0, min(at, body.source.time))
    return Post(
        one.number, operation.id, operation.kind, operation.author, operation.ref, operation.hlc,
        one.seen, at, Level.NOWHERE, None, state, one.number, False, None,
    )  # fmt: skip


def _shown_time(hlc: int, seen: int) -> int:
    """A post ahead of our clock is shown as of when we saw it."""
    return min(timestamp.milliseconds(hlc), seen)


def _is_deleted_by(old: Post | None, row: Post) -> bool:
    return row.state == State.DELETED and (old is None or old.state != State.DELETED)


def _is_reworded(old: Post, row: Post) -> bool:
    """Whether search must forget what it holds of the post."""
    return (old.shown, old.at) != (row.shown, row.at) or _is_deleted_by(old, row)
