"""Machines met before: where those that only others told us of were reached, for the next start.

What a person typed, an invite and the LAN are found again without it. The bootstraps that told of
the others may all be off by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from sqlite3 import Connection

from trayapp.errors import InvalidAddress
from trayapp.node.node import Node
from trayapp.peers.finder import PeerAddress, parse_address
from trayapp.status import PeerPath, PeerStatus
from trayapp.store import address_book
from trayapp.store.address_book import Met

LOOK_S = 30.0
KEPT_MS = 30 * 86_400_000
MOST = 100


async def remembered(node: Node) -> list[PeerAddress]:
    """Where machines were met within a month, the latest first."""
    met = await node.database.read(address_book.everybody_met)
    since = node.now_ms() - KEPT_MS
    found = [_address(meeting) for meeting in met if meeting.heard_ms >= since]
    return [address for address in found if address is not None][:MOST]


async def remember(
    node: Node, peers: Callable[[], Sequence[PeerStatus]], look_s: float = LOOK_S
) -> None:
    """Note every now and then who is linked; never returns."""
    noted: set[tuple[bytes, str]] = set()
    while True:
        await asyncio.sleep(look_s)
        meetings = [m for m in _meetings(peers(), node.now_ms()) if _place(m) not in noted]
        if meetings:
            await node.database.write(partial(_note, meetings=meetings))
            noted.update(map(_place, meetings))


def _meetings(peers: Sequence[PeerStatus], now_ms: int) -> list[Met]:
    return [
        Met(peer.device, peer.address, peer.path, now_ms)
        for peer in peers
        if peer.device is not None
        and peer.path is PeerPath.BOOTSTRAP
        and peer.state in ("connected", "syncing")
    ]


def _place(meeting: Met) -> tuple[bytes, str]:
    return meeting.device, meeting.address


def _note(conn: Connection, meetings: Sequence[Met]) -> None:
    for meeting in meetings:
        address_book.met(conn, meeting)


def _address(meeting: Met) -> PeerAddress | None:
    try:
        found = parse_address(f"{meeting.address}#{meeting.device.hex()}", meeting.path)
    except InvalidAddress:
        return None
    # As when it was heard of: slowly, one after the other.
    return PeerAddress(found.host, found.port, found.key, found.path, heard=True)
