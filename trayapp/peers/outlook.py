"""How links look to a person: the state of each peer, and the one word for all (section 4)."""

from __future__ import annotations

from collections.abc import Sequence

from trayapp.peers.link import Link
from trayapp.status import PeerPath, PeerStatus, SyncState, SyncStatus
from trayapp.sync.copies import BARREN_LIMIT
from trayapp.sync.line import Shared
from trayapp.sync.session import Session, State

_SHORT_OF_ROOM = "This machine is short of room and takes nothing new."


def peer_status(link: Link, path: PeerPath, shared: Shared) -> PeerStatus:
    """One peer as the Peers page shows it; its name is for the node to fill in."""
    session = link.session
    latency = session.latency_s
    return PeerStatus(
        device=link.peer,
        name="",
        address=link.address,
        path=path,
        state=_state_word(session),
        behind=behind(session, shared),
        latency_ms=None if latency is None else round(latency * 1000),
        last_seen=link.heard_ms,
        problem=problem(session, shared),
    )


def behind(session: Session, shared: Shared) -> int:
    """How many operations one end holds and the other does not, as far as counts tell.

    Two copies of one size that differ are one behind at the least.
    """
    ours = shared.copies.ours
    unsettled = [pair for pair in session.pairs if not pair.settled]
    return sum([max(1, abs(pair.theirs.count - ours[pair.log].count)) for pair in unsettled])


def problem(session: Session, shared: Shared) -> str:
    """Why a peer does not count, as a sentence; empty if it counts."""
    if session.state is not State.READY:
        return ""
    if shared.wants.is_tardy(session.peer):
        return "It leaves requests unanswered."
    if any(pair.barren >= BARREN_LIMIT for pair in session.pairs):
        return "It says it holds other posts than this machine, but does not give them."
    if not session.is_settled and not session.their_taking:
        return "It is short of room and takes nothing new."
    return ""


def sync_status(shared: Shared, ready: Sequence[Session], *, connecting: bool) -> SyncStatus:
    """The one word for all links.

    Args:
        ready: the sessions that are READY.
        connecting: somebody is being reached.
    """
    if not ready:
        return SyncStatus(SyncState.CONNECTING if connecting else SyncState.OFFLINE)
    problems = {session: problem(session, shared) for session in ready}
    counting = [session for session, what in problems.items() if not what]
    worst = next(filter(None, problems.values()), "")
    done, total = progress(shared, counting)
    unsettled = [session for session in counting if not session.is_settled]
    if unsettled and not shared.copies.taking:
        return SyncStatus(SyncState.ATTENTION, done, total, _SHORT_OF_ROOM)
    if unsettled or shared.wants.open_beyond_tardy():
        return SyncStatus(SyncState.SYNCING, done, total, worst)
    state = SyncState.SYNCED if counting else SyncState.ATTENTION
    return SyncStatus(state, done, total, worst)


def progress(shared: Shared, sessions: Sequence[Session]) -> tuple[int, int]:
    """How many operations we hold, and how many there are as far as we know."""
    done = shared.copies.count
    counts = [
        sum(pair.theirs.count for pair in session.pairs)
        for session in sessions
        if not session.is_settled
    ]
    return done, max(done + len(shared.wants), *counts, 0)


def _state_word(session: Session) -> str:
    if session.state is not State.READY:
        return "connecting"
    return "connected" if session.is_settled else "syncing"
