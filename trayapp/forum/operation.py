"""The envelope: pack, parse, static check, id, signature (PROTOCOL.md section 3).

The bytes received are the bytes hashed, signed, stored and relayed; nothing is ever re-encoded.
What a body says is the matter of `bodies.py`; what an operation means is the matter of `fold.py`.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from trayapp.errors import BadSignature, InvalidOperation
from trayapp.forum import timestamp
from trayapp.forum.identity import Identity, verify

VERSION = 1
ID_BYTES = 32
SIGNED_BYTES = 148
HEADER_BYTES = 212
"""The signed 148 bytes and the 64 bytes of signature."""
BODY_LIMIT = 262_144
ZERO = bytes(32)

_SIGNED = struct.Struct(">BBHIQ32s32s32s32sI")
_SIGNING_LABEL = b"op1\0"


class Log(IntEnum):
    """The two sets that peers reconcile, each on its own."""

    CONTROL = 0
    CONTENT = 1


class Kind(IntEnum):
    """What an operation of the content log is. Other numbers are kept, relayed and inert."""

    PROFILE = 16
    SUBNET = 17
    THREAD = 18
    REPLY = 19
    EDIT = 20
    DELETE = 21
    REACT = 22
    IMPORTED = 25


@dataclass(frozen=True, slots=True)
class Operation:
    """One signed statement. `body` is None once the operation is erased."""

    id: bytes
    log: int
    kind: int
    seq: int
    hlc: int
    author: bytes
    prev: bytes
    ref: bytes
    body_hash: bytes
    body_len: int
    header: bytes
    body: bytes | None

    @property
    def timestamp_ms(self) -> int:
        """The reconciliation's timestamp: the wall-clock part of the stamp."""
        return self.hlc >> timestamp.COUNTER_BITS

    @property
    def raw(self) -> bytes:
        """The bytes on the wire: the header, and the body unless it is erased."""
        return self.header if self.body is None else self.header + self.body

    def without_body(self) -> Operation:
        """The same operation, erased."""
        return Operation(
            self.id, self.log, self.kind, self.seq, self.hlc, self.author, self.prev, self.ref,
            self.body_hash, self.body_len, self.header, None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All that is said in an operation, before it is signed."""

    log: Log = Log.CONTENT
    kind: int
    seq: int
    hlc: int
    prev: bytes
    ref: bytes
    body: bytes


def sign(draft: Draft, identity: Identity, network_id: bytes) -> Operation:
    """Sign a draft: the operation as it is stored and sent, already checked.

    Raises:
        InvalidOperation: the draft breaks the static check (a body over 256 KiB, say).
    """
    signed = _SIGNED.pack(
        VERSION,
        draft.log,
        draft.kind,
        draft.seq,
        draft.hlc,
        identity.key,
        draft.prev,
        draft.ref,
        hashlib.sha256(draft.body).digest(),
        len(draft.body),
    )
    signature = identity.sign(_SIGNING_LABEL + network_id + signed)
    return parse(signed + signature + draft.body)


def parse(raw: bytes) -> Operation:
    """Read an operation and make the static check, all but the signature.

    Args:
        raw: 212 bytes of header, then the whole body; or the header alone, when erased
            or when the body is empty.

    Raises:
        InvalidOperation: the bytes break a rule of PROTOCOL.md section 3. Nothing else is raised.
    """
    if len(raw) < HEADER_BYTES:
        raise InvalidOperation(f"An operation has {HEADER_BYTES} bytes or more, not {len(raw)}.")
    version, log, kind, seq, hlc, author, prev, ref, body_hash, body_len = _SIGNED.unpack_from(raw)
    if version != VERSION:
        raise InvalidOperation(f"Operation version {version} is not known here.")
    if log > Log.CONTENT:
        raise InvalidOperation(f"Log {log} is not known.")
    if body_len > BODY_LIMIT:
        raise InvalidOperation(f"A body of {body_len} bytes is over the limit of {BODY_LIMIT}.")
    if (seq == 0) != (prev == ZERO):
        raise InvalidOperation("Only an author's first operation has no predecessor.")
    if not timestamp.EARLIEST_MS <= timestamp.milliseconds(hlc) < timestamp.LATEST_MS:
        raise InvalidOperation("The operation is stamped outside the years 2020 to 2099.")
    if kind == Kind.DELETE and log == Log.CONTENT and body_len:
        raise InvalidOperation("A delete has no body.")
    header = raw[:HEADER_BYTES]
    body = _body(raw, body_hash, body_len)
    operation_id = hashlib.sha256(header).digest()
    return Operation(
        operation_id, log, kind, seq, hlc, author, prev, ref, body_hash, body_len, header, body
    )


def check_signature(operation: Operation, network_id: bytes) -> None:
    """Check that the author signed these bytes for this network.

    Raises:
        BadSignature: somebody else did, or for another network.
    """
    header = operation.header
    try:
        verify(
            operation.author,
            _SIGNING_LABEL + network_id + header[:SIGNED_BYTES],
            header[SIGNED_BYTES:],
        )
    except BadSignature as error:
        raise BadSignature(
            f"Operation {operation.id.hex()[:16]} is not signed by its author for this forum."
        ) from error


def _body(raw: bytes, body_hash: bytes, body_len: int) -> bytes | None:
    """The body behind the header, or None for an erased operation."""
    if len(raw) == HEADER_BYTES and body_len:
        return None
    body = raw[HEADER_BYTES:]
    if len(body) != body_len:
        raise InvalidOperation(f"The body has {len(body)} bytes where {body_len} are announced.")
    if hashlib.sha256(body).digest() != body_hash:
        raise InvalidOperation("The body is not the one that was signed.")
    return body
