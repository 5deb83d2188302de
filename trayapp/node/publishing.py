"""What a person says: composed, checked for the right to say it, signed, and admitted.

Everything here goes through `say`: one statement after the other, so that each names the one
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection

from trayapp.errors import InvalidBody, NotFound, NotPermitted
from trayapp.forum import bodies, timestamp
from trayapp.forum.bodies import Body, Editable
from trayapp.forum.identity import Identity
from trayapp.forum.network import Network
from trayapp.forum.operation import ZERO, Draft, Kind, Log, Operation, sign
from trayapp.forum.rows import Level
from trayapp.node.node import HERE, Node
from trayapp.node.telling import Arrived
from trayapp.store import operations as log
from trayapp.store.operations import Sought, Target


@dataclass(frozen=True, slots=True)
class Statement:
    """Something to be said: all of an operation that does not depend on what was said before."""

    kind: Kind
    ref: bytes
    body: Body


@dataclass(frozen=True, slots=True)
class Said:
    """What became of it: the operation's id, and the thread it belongs to, if to any."""

    id: bytes
    thread: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pen:
    """Where an author stands: what the next operation follows."""

    seq: int
    prev: bytes
    hlc: int

    def sign_all(
        self, statements: Sequence[Statement], identity: Identity, network: Network, now_ms: int
    ) -> list[Operation]:
        """Sign statements, each following the one before. Costs about 50 us each."""
        signed = []
        seq, prev, hlc = self.seq, self.prev, self.hlc
        for statement in statements:
            hlc = timestamp.tick(hlc, now_ms)
            draft = Draft(
                kind=statement.kind,
                seq=seq,
                hlc=hlc,
                prev=prev,
                ref=statement.ref,
                body=bodies.encode(statement.body),
            )
            operation = sign(draft, identity, network.id)
            seq, prev = seq + 1, operation.id
            signed.append(operation)
        return signed


async def pen_of(node: Node) -> Pen:
    """Where this device's chain ends. Holds while `node.speaking` is held."""
    me, now_ms = node.identity.key, node.now_ms()
    return await node.database.read(lambda conn: _pen(conn, me, now_ms))


def _pen(conn: Connection, me: bytes, now_ms: int) -> Pen:
    tip = log.tip(conn, me, Log.CONTENT)
    latest = log.latest_hlc(conn, now_ms)
    return Pen(0, ZERO, latest) if tip is None else Pen(tip[0] + 1, tip[1], latest)


async def say(node: Node, compose: Callable[[Connection], Statement]) -> Operation:
    """Say one thing in the forum, as this device.

    Args:
        compose: makes the statement from what stands in the store when its turn has come: nothing
            said here at the same moment comes in between.

    Raises:
        NoForum, InvalidBody, StoreError, and what `compose` raises: nothing was said then.
    """
    network = node.network
    async with node.speaking:
        me, now_ms = node.identity.key, node.now_ms()
        pen, statement = await node.database.read(
            lambda conn: (_pen(conn, me, now_ms), compose(conn))
        )
        _check(statement)
        [operation] = pen.sign_all([statement], node.identity, network, node.now_ms())
        await node.admit([operation], source=HERE, arrived=Arrived.LIVE)
    return operation


async def set_profile(node: Node, name: str, bio: str = "") -> Said:
    """Take a name."""
    return Said((await say(node, lambda _: profile(node, name, bio))).id)


def profile(node: Node, name: str, bio: str = "") -> Statement:
    """The statement by which this device takes a name.

    Raises:
        InvalidBody: the name is empty or too long.
    """
    statement = Statement(Kind.PROFILE, node.identity.key, bodies.Profile(name.strip(), bio))
    bodies.check(statement.body)
    return statement


async def publish_subnet(node: Node, title: str, text: str = "") -> Said:
    """Start a subnet."""
    body = bodies.Subnet(title.strip(), text)
    return Said((await say(node, lambda _: Statement(Kind.SUBNET, ZERO, body))).id)


async def publish_thread(node: Node, subnet: str, title: str, text: str) -> Said:
    """Start a thread in a subnet, named by its id or the beginning of it."""
    body = bodies.Thread(title.strip(), text)

    def compose(conn: Connection) -> Statement:
        where = _alive(conn, log.resolve(conn, subnet, Sought.SUBNET))
        return Statement(Kind.THREAD, where.id, body)

    said = await say(node, compose)
    return Said(said.id, said.id)


async def publish_reply(node: Node, thread: str, text: str, re: str | None = None) -> Said:
    """Reply in a thread, to one of its posts if `re` names it."""

    def compose(conn: Connection) -> Statement:
        where = _alive(conn, log.resolve(conn, thread, Sought.THREAD)).id
        answered = None if re is None else log.resolve(conn, re, Sought.POST)
        if answered is not None and log.target(conn, answered).thread != where:
            raise NotFound("The post that is answered does not stand in this thread.")
        return Statement(Kind.REPLY, where, bodies.Reply(text, answered))

    said = await say(node, compose)
    return Said(said.id, said.ref)


async def edit(node: Node, post: str, text: str, title: str | None = None) -> Said:
    """Put a new text in place of all versions of a post that stand now."""

    def compose(conn: Connection) -> Statement:
        found = _mine(node, conn, post, "edit")
        if found.kind == Kind.IMPORTED and found.level is not Level.SUBNET:
            raise NotPermitted(
                "This post was brought in from elsewhere and stands under another name: its text "
                "changes only by bringing in a newer version of it."
            )
        assert found.body is not None  # only a deleted post has none
        new = _changed(found.body, text, title)
        bodies.check(new)
        fields = bodies.fields_of(new)
        _check_understood(bodies.decode_fields(found.kind, fields) == new)
        # So many texts at once came of copies of one data directory; the rest stays in conflict.
        heads = found.heads[: bodies.EDIT_BASES]
        return Statement(Kind.EDIT, found.id, bodies.Edit(heads, fields))

    return await _said_of(node, await say(node, compose))


async def delete(node: Node, post: str) -> Said:
    """Delete a post: erased here by the time this returns."""

    def compose(conn: Connection) -> Statement:
        return Statement(Kind.DELETE, _mine(node, conn, post, "delete").id, bodies.Delete())

    return await _said_of(node, await say(node, compose))


async def react(node: Node, post: str, emoji: str, on: bool = True) -> Said:
    """Give a post an emoji, or take it back."""
    body = bodies.React(emoji.strip(), on)

    def compose(conn: Connection) -> Statement:
        found = _alive(conn, log.resolve(conn, post, Sought.POST))
        return Statement(Kind.REACT, found.id, body)

    return await _said_of(node, await say(node, compose))


async def _said_of(node: Node, said: Operation) -> Said:
    """What became of an operation about a post: it belongs to the post's thread."""
    about = await node.database.read(lambda conn: log.target(conn, said.ref))
    return Said(said.id, about.thread)


def _check(statement: Statement) -> None:
    bodies.check(statement.body)
    raw = bodies.encode(statement.body)
    _check_understood(bodies.decode(statement.kind, raw) == statement.body)


def _check_understood(same: bool) -> None:
    """What is signed must be read everywhere as it is meant; else it is kept and shows nowhere."""
    if not same:
        raise InvalidBody("Other machines could not read this; shorten it or write it anew.")


def _mine(node: Node, conn: Connection, post: str, act: str) -> Target:
    found = _alive(conn, log.resolve(conn, post, Sought.ANY))
    if found.author != node.identity.key:
        raise NotPermitted(f"Only its author can {act} this; it was not written on this machine.")
    return found


def _alive(conn: Connection, id_: bytes) -> Target:
    found = log.target(conn, id_)
    if found.deleted:
        raise NotFound(f"{id_.hex()[:16]} was deleted.")
    return found


def _changed(body: Editable, text: str, title: str | None) -> Editable:
    """The same post with another text, and another title where it has one."""
    changed = replace(body, text=text)
    if title is None:
        return changed
    if isinstance(changed, bodies.Reply) or getattr(changed, "title", None) is None:
        raise InvalidBody("A reply has no title.")
    return replace(changed, title=title.strip())
