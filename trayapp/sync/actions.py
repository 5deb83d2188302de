"""What a session wants done by the shell around it: values, in the order to do them.

The counterpart to the messages: those come from the peer, these go to the node. `peers/link.py`
does them and hands the results back to `session.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from trayapp.sync.address_record import SignedRecord
from trayapp.sync.messages import Role


class Arrival(StrEnum):
    """How operations came, which decides who is told: nobody gets a notice for a first sync."""

    PUSHED = "pushed"
    """Live: a peer sent it by itself, as soon as it had it."""
    WANTED = "wanted"
    """We asked for it by its id, after a HAVE or a reconciliation."""
    STREAMED = "streamed"
    """Part of a STREAM: this machine takes over a forum of which it held nothing, or too little."""


@dataclass(frozen=True, slots=True)
class StreamCursor:
    """How far a STREAM from a peer has come; kept per (peer, log), in the page's transaction."""

    log: int
    position: bytes | None
    """68 bytes (author, seq, id) of the last operation of the page; empty: the newest ones are
    here, the pages start at the beginning; None: the stream has ended, forget the cursor."""


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The link is READY; this is what the peer says of itself."""

    role: Role
    observed: str


@dataclass(frozen=True, slots=True)
class Admit:
    """Store these, then `session.admitted`."""

    operations: tuple[bytes, ...]
    arrival: Arrival
    cursor: StreamCursor | None = None
    pass_on: bool = False
    """Live enough to be told to the other links; else those are pinged."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find out which of these are missing here, then `session.lack`."""

    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """Look at our digests anew, then `session.compare`."""

    answer_ping: int | None = None
    """The nonce of the PING to answer with them."""
    certain: bool = False


@dataclass(frozen=True, slots=True)
class SayPing:
    """Look at our digests anew, then `session.ping`."""


@dataclass(frozen=True, slots=True)
class SendOperations:
    """Answer a WANT: fetch these, then `session.answer`."""

    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SendPage:
    """Answer a STREAM: fetch a page, then `session.answer`."""

    log: int
    cursor: bytes | None
    """None: the newest operations."""
    page_bytes: int


@dataclass(frozen=True, slots=True)
class FindCursor:
    """Look up how far this log was streamed from this peer, then `session.stream_from`."""

    log: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Do a step of negentropy, then `session.reconciled`."""

    log: int
    number: int
    """The session number of the frames."""
    asking: bool
    """We opened it."""
    message: bytes | None
    """What the peer said; None to open."""
    first: bool = False
    """Take a new snapshot of the log."""


@dataclass(frozen=True, slots=True)
class EndReconcile:
    """Forget the snapshot of a reconciliation."""

    log: int
    asking: bool


@dataclass(frozen=True, slots=True)
class NoteAck:
    """The peer keeps these operations of ours."""

    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HearRecords:
    """The peer tells where machines can be reached."""

    records: tuple[SignedRecord, ...]
    gone: tuple[bytes, ...] = ()


Chore: TypeAlias = SayPing | SendOperations | SendPage | FindCursor | Reconcile | EndReconcile
"""What may take its time while further frames are read."""
AtOnce: TypeAlias = Welcomed | Admit | LookUp | Compare | NoteAck | HearRecords
"""What is done before the next frame is read."""
Action: TypeAlias = AtOnce | Chore
