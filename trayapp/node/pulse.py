"""How the node is doing, put together for people; told again when it changed, ten times a second
at most."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from sqlite3 import Connection

from trayapp.events import PeersChanged, StatusChanged
from trayapp.forum.operation import Log
from trayapp.node.addressing import added_peers
from trayapp.node.node import Node
from trayapp.status import PeerStatus, Status, SyncStatus
from trayapp.store import operations as log
from trayapp.store import people

TELL_EVERY_S = 0.1


async def status(node: Node) -> Status:
    """Everything a status line shows."""
    me = node.identity.key
    forum = node.network if node.opened.is_set() else None

    def look(conn: Connection) -> Status:
        digests = [log.digest(conn, which) for which in (Log.CONTROL, Log.CONTENT)]
        return Status(
            device=me,
            nick=people.person(conn, me).name,
            network=forum.id if forum else None,
            network_name=forum.name if forum else "",
            operations=sum(digest.count for digest in digests),
            digests=(digests[0].digest16, digests[1].digest16),
            peers=_peers(conn, node),
            sync=node.links.sync() if node.links else SyncStatus(),
            listening=node.links.listening if node.links else (),
        )

    return await node.database.read(look)


async def peers(node: Node) -> tuple[PeerStatus, ...]:
    """Every machine linked or known by an address, by name."""
    return await node.database.read(lambda conn: _peers(conn, node))


async def tell_changes(node: Node) -> None:
    """Emit StatusChanged and PeersChanged whenever the status may be another; never returns."""
    told: Status | None = None
    while True:
        await node.stale.wait()
        node.stale.clear()
        now = await status(node)
        if now != told:
            if told is None or now.peers != told.peers:
                node.bus.emit(PeersChanged())
            node.bus.emit(StatusChanged(now))
            told = now
        await asyncio.sleep(TELL_EVERY_S)


def _peers(conn: Connection, node: Node) -> tuple[PeerStatus, ...]:
    known = node.links.peers() if node.links else added_peers(node)
    named = [
        replace(peer, name=people.person(conn, peer.device).name) if peer.device else peer
        for peer in known
    ]
    return tuple(sorted(named, key=lambda peer: (peer.name.casefold(), peer.address)))
