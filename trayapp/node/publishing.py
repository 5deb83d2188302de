"""What a person says: composed, checked for the right to say it, signed, and admitted.

Everything here goes through `say`: one statement after the other, so that each names the one
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection

from trayapp.errors import InvalidBody, NotFound, NotPermitted
from trayapp.forum import bodies, timestamp
from trayapp.forum.bodies import Body, Editable
from trayapp.forum.identity import Identity
from trayapp.forum.network import Network
from trayapp.forum.operation import ZERO, Draft, Kind, Log, Operation, sign
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

    def look(conn: Connection) -> Pen:
        tip = log.tip(conn, me, Log.CONTENT)
        latest = log.latest_hlc(conn, now_ms)
        return Pen(0, ZERO, latest) if tip is None else Pen(tip[0] + 1, tip[1], latest)

    return await node.database.read(look)


async def say(node: Node, statement: Statement) -> Operation:
    """Say one thing in the forum, as this device.

    Raises:
        NoForum, InvalidBody, StoreError: nothing was said then.
    """
    network = node.network
    bodies.check(statement.body)
    async with node.speaking:
        pen = await pen_of(node)
        [operation] = pen.sign_all([statement], node.identity, network, node.now_ms())
        await node.admit([operation], source=HERE, arrived=Arrived.LIVE)
    return operation


async def set_profile(node: Node, name: str, bio: str = "") -> Said:
    """Take a name."""
    return Said((await say(node, profile(node, name, bio))).id)


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
    return Said((await say(node, Statement(Kind.SUBNET, ZERO, body))).id)


async def publish_thread(node: Node, subnet: str, title: str, text: str) -> Said:
    """Start a thread in a subnet, named by its id or the beginning of it."""
    where = await resolve(node, subnet, Sought.SUBNET)
    _alive(await target(node, where))
    body = bodies.Thread(title.strip(), text)
    said = await say(node, Statement(Kind.THREAD, where, body))
    return Said(said.id, said.id)


async def publish_reply(node: Node, thread: str, text: str, re: str | None = None) -> Said:
    """Reply in a thread, to one of its posts if `re` names it."""
    where = await resolve(node, thread, Sought.THREAD)
    answered = None
    if re is not None:
        answered = await resolve(node, re, Sought.POST)
        if (await target(node, answered)).thread != where:
            raise NotFound("The post that is answered does not stand in this thread.")
    said = await say(node, Statement(Kind.REPLY, where, bodies.Reply(text, answered)))
    return Said(said.id, where)


async def edit(node: Node, post: str, text: str, title: str | None = None) -> Said:
    """Put a new text in place of all versions of a post that stand now."""
    found = await _mine(node, post, "edit")
    assert found.body is not None  # only a deleted post has none
    new = _changed(found.body, text, title)
    # So many texts at once came of copies of one data directory; the rest stays in conflict.
    heads = found.heads[: bodies.EDIT_BASES]
    body = bodies.Edit(heads, bodies.fields_of(new))
    bodies.check(new)
    said = await say(node, Statement(Kind.EDIT, found.id, body))
    return Said(said.id, found.thread)


async def delete(node: Node, post: str) -> Said:
    """Delete a post: erased here by the time this returns."""
    found = await _mine(node, post, "delete")
    said = await say(node, Statement(Kind.DELETE, found.id, bodies.Delete()))
    return Said(said.id, found.thread)


async def react(node: Node, post: str, emoji: str, on: bool = True) -> Said:
    """Give a post an emoji, or take it back."""
    found = _alive(await target(node, await resolve(node, post, Sought.POST)))
    body = bodies.React(emoji.strip(), on)
    said = await say(node, Statement(Kind.REACT, found.id, body))
    return Said(said.id, found.thread)


async def resolve(node: Node, prefix: str, sought: Sought) -> bytes:
    """The id that an id or the beginning of one names.

    Raises:
        NotFound: none, or more than one.
    """
    return await node.database.read(lambda conn: log.resolve(conn, prefix, sought))


async def target(node: Node, id_: bytes) -> Target:
    """What is to be answered, edited, deleted or reacted to."""
    return await node.database.read(lambda conn: log.target(conn, id_))


async def _mine(node: Node, post: str, act: str) -> Target:
    found = _alive(await target(node, await resolve(node, post, Sought.ANY)))
    if found.author != node.identity.key:
        raise NotPermitted(f"Only its author can {act} this; it was not written on this machine.")
    return found


def _alive(found: Target) -> Target:
    if found.deleted:
        raise NotFound(f"{found.id.hex()[:16]} was deleted.")
    return found


def _changed(body: Editable, text: str, title: str | None) -> Editable:
    """The same post with another text, and another title where it has one."""
    changed = replace(body, text=text)
    if title is None:
        return changed
    if isinstance(changed, bodies.Reply) or getattr(changed, "title", None) is None:
        raise InvalidBody("A reply has no title.")
    return replace(changed, title=title.strip())
