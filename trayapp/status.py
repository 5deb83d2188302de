"""How the node is doing, as one frozen value. No secrets in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SyncState(StrEnum):
    """The one word a person sees (PROTOCOL.md section 4)."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    SYNCED = "synced"
    ATTENTION = "attention"


class PeerPath(StrEnum):
    """How a peer was found."""

    LAN = "lan"
    TAILNET = "tailnet"
    BOOTSTRAP = "bootstrap"
    FILE = "file"
    INVITE = "invite"
    INBOUND = "inbound"


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One peer, linked now or known by its address.

    `device` is None until it has proved who it is. `state` is `connected`, `syncing`, `connecting`
    or `unreachable`. `behind` counts operations one end holds and the other does not, where known.
    """

    device: bytes | None
    name: str
    address: str
    path: PeerPath
    state: str
    behind: int
    latency_ms: int | None
    last_seen: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How far the copies agree. `done` and `total` count operations while syncing."""

    state: SyncState = SyncState.OFFLINE
    done: int = 0
    total: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What `brothernet status` prints and the status line shows."""

    device: bytes
    nick: str
    network: bytes | None
    network_name: str
    operations: int
    digests: tuple[bytes, bytes]
    """digest16 of log 0 and log 1."""
    peers: tuple[PeerStatus, ...]
    sync: SyncStatus
    listening: tuple[str, ...]
