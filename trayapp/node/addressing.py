"""Where this machine and others are found: invites, addresses a person adds, peers met before."""

from __future__ import annotations

import asyncio

from trayapp.errors import SettingsError
from trayapp.forum.network import INVITE_ADDRESSES, write_invite
from trayapp.node.node import Node
from trayapp.peers import peers_file
from trayapp.peers.finder import DEFAULT_PORT, PeerAddress
from trayapp.peers.interfaces import reachable, snapshot
from trayapp.status import PeerPath, PeerStatus


async def invite(node: Node, *, bare: bool) -> str:
    """A link that lets a friend in; with this machine's addresses unless `bare`."""
    addresses = () if bare else await _own_addresses(node)
    return write_invite(node.network, addresses[:INVITE_ADDRESSES])


async def add_peer(node: Node, text: str) -> None:
    """Dial an address from now on, in this run and in later ones.

    Raises:
        InvalidAddress, SettingsError, StoreError: the file stays as it was.
    """
    async with node.addressing:
        added = await asyncio.to_thread(peers_file.add, node.data_dir / peers_file.NAME, text)
        if node.links is not None:
            node.links.dial(added)


async def remove_peer(node: Node, text: str) -> None:
    """Stop dialling an address that was added.

    Raises:
        InvalidAddress, NotFound, SettingsError, StoreError: the file stays as it was.
    """
    async with node.addressing:
        removed = await asyncio.to_thread(peers_file.remove, node.data_dir / peers_file.NAME, text)
        if node.links is not None:
            node.links.forget(removed)


async def _own_addresses(node: Node) -> tuple[str, ...]:
    """Where this machine listens, or where it would: it may not be running just now."""
    if node.links is not None:
        return node.links.listening
    hosts = reachable(await asyncio.to_thread(snapshot))
    key = node.identity.key
    return tuple(str(PeerAddress(host, DEFAULT_PORT, key, PeerPath.INVITE)) for host in hosts)


def added_peers(node: Node) -> tuple[PeerStatus, ...]:
    """The addresses a person added, for a node that has no links to say more of them."""
    try:
        addresses = peers_file.read(node.data_dir / peers_file.NAME)
    except SettingsError:
        return ()  # whoever edits the file is told by the node that runs
    return tuple(
        PeerStatus(a.key, "", a.url, PeerPath.FILE, "unreachable", 0, None)
        for a in addresses.values()
    )
