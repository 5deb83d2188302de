"""Where other machines were met, and the addresses an invite brought.

What a person types in lies in peers.json (`peers/peers_file.py`), not here.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from trayapp.status import PeerPath


@dataclass(frozen=True, slots=True)
class Met:
    """A machine, where it answered, how that address was found, when it was last heard there."""

    device: bytes
    address: str
    path: PeerPath
    heard_ms: int


def met(conn: sqlite3.Connection, meeting: Met) -> None:
    """Remember a machine that proved who it is."""
    conn.execute(
        "INSERT OR REPLACE INTO met (device, address, path, heard) VALUES (?, ?, ?, ?)",
        (meeting.device, meeting.address, meeting.path, meeting.heard_ms),
    )


def everybody_met(conn: sqlite3.Connection) -> list[Met]:
    """All machines ever met, the last heard first."""
    rows = conn.execute("SELECT device, address, path, heard FROM met ORDER BY heard DESC, address")
    return [Met(device, address, PeerPath(path), heard) for device, address, path, heard in rows]


def invited(conn: sqlite3.Connection, address: str) -> None:
    """Remember an address that came with the invite."""
    conn.execute("INSERT OR IGNORE INTO invited (address) VALUES (?)", (address,))


def forget_invitations(conn: sqlite3.Connection) -> None:
    """Forget the addresses of an invite that led nowhere."""
    conn.execute("DELETE FROM invited")


def invitations(conn: sqlite3.Connection) -> list[str]:
    """The addresses that came with the invite."""
    return [address for (address,) in conn.execute("SELECT address FROM invited ORDER BY address")]
