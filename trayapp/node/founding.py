"""How a forum comes to this machine: started here, or joined by a friend's link.

Either happens wholly or not at all: the operations and the forum's key are kept together.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from sqlite3 import Connection

from trayapp.errors import AlreadyInForum
from trayapp.forum import bodies, network
from trayapp.forum.network import Network
from trayapp.forum.operation import ZERO, Kind
from trayapp.node.node import HERE, Node
from trayapp.node.publishing import Pen, Statement, profile
from trayapp.node.telling import Arrived
from trayapp.store import address_book, key_file

FIRST_SUBNET = "General"


async def create(node: Node, name: str, nick: str | None = None) -> Network:
    """Start a forum with a first subnet.

    Raises:
        AlreadyInForum, InvalidBody, StoreError: nothing was started then.
    """
    _refuse_second(node)
    founded = network.found(
        name,
        node.identity.key,
        salt=secrets.token_bytes(network.SALT_BYTES),
        key=secrets.token_bytes(network.NETWORK_KEY_BYTES),
    )
    first = Statement(Kind.SUBNET, ZERO, bodies.Subnet(FIRST_SUBNET))
    await _enter(node, founded, [*_introduction(node, nick), first])
    return founded


async def join(node: Node, link: str, nick: str | None = None) -> Network:
    """Join the forum that a link leads to, and remember the addresses in it.

    Raises:
        AlreadyInForum, InvalidInvite, InvalidBody, StoreError: nothing was joined then.
    """
    _refuse_second(node)
    invite = network.read_invite(link)
    await _enter(node, invite.network, _introduction(node, nick), invite.addresses)
    return invite.network


def _refuse_second(node: Node) -> None:
    if node.opened.is_set():
        raise AlreadyInForum(
            f"This machine keeps {node.network.name!r} already. A second forum needs a directory "
            "of its own: brothernet --data DIR …"
        )


def _introduction(node: Node, nick: str | None) -> list[Statement]:
    return [] if nick is None else [profile(node, nick)]


async def _enter(
    node: Node,
    entered: Network,
    statements: Sequence[Statement],
    addresses: Sequence[str] = (),
) -> None:
    """Keep a forum and what is said first in it."""

    saved = False

    def remember(conn: Connection) -> None:
        address_book.forget_invitations(conn)  # of a join that failed here
        for text in addresses:
            address_book.invited(conn, text)

    def keep(_: Connection) -> None:
        nonlocal saved
        # Last before the commit: a crash in between leaves an empty forum and nothing worse.
        key_file.save_network(node.data_dir, entered)
        saved = True

    async with node.speaking:
        _refuse_second(node)
        # On the disk before the key: a forum that knows no address would stay empty for good.
        await node.database.write(remember, durable=True)
        now_ms = node.now_ms()
        operations = Pen(0, ZERO, 0).sign_all(statements, node.identity, entered, now_ms)
        try:
            await node.admit(operations, source=HERE, arrived=Arrived.LIVE, also=keep)
        except Exception:  # a full disk, most likely: not half a forum
            if saved:
                key_file.forget_network(node.data_dir)
            raise
        node.open(entered)
