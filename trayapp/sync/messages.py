"""The frames two machines exchange, as data and as bytes (PROTOCOL.md sections 8 and 9).

The first byte is the type; a MessagePack array follows, or raw bytes: the table at the end says.
A frame is exactly what is declared here; more is a newer type or version. What may be said when is
the matter of `session.py`, and of `channel.py` for HELLO and AUTH.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Struct

from trayapp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from trayapp.forum.operation import HEADER_BYTES
from trayapp.sync.address_record import SignedRecord
from trayapp.sync.fingerprints import DIGEST_BYTES, ID_BYTES
from trayapp.sync.ranges import MESSAGE_BYTES

GREETING_BYTES = 1_024
"""The longest HELLO, AUTH or WELCOME."""
FRAME_BYTES = 1_048_576
IDS_PER_FRAME = 2_000
RECORDS_PER_FRAME = 64
CURSOR_BYTES = 68
"""Author, seq and id of the last operation of a page: where a STREAM goes on."""
TEXT_CHARS = 200
NOT_HELD = 1
"""The reason in a GONE: the operation asked for is not here."""

_MUST_BE_KNOWN_BELOW = 0x80

_Byte: TypeAlias = Annotated[int, Meta(ge=0, le=0xFF)]
_Natural: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 53)]
_Nonce: TypeAlias = Annotated[int, Meta(ge=0)]
_Bytes32: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Signature: TypeAlias = Annotated[bytes, Meta(min_length=64, max_length=64)]
_Digest: TypeAlias = Annotated[bytes, Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
_Word: TypeAlias = Annotated[str, Meta(max_length=32)]
_Text: TypeAlias = Annotated[str, Meta(max_length=TEXT_CHARS)]
_Address: TypeAlias = Annotated[str, Meta(max_length=300)]


class _Array(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Fields in the order of the array."""


class Hello(_Array, frozen=True, forbid_unknown_fields=False):
    """I know the network key. A newer version may say more, and is then told about the version."""

    version: _Byte
    nonce: _Bytes32
    proof: _Bytes32


class Auth(_Array, frozen=True):
    """I am this device, and these are the optional things I can do."""

    key: _Bytes32
    signature: _Signature
    clock_ms: _Natural
    app_version: _Word
    features: Annotated[tuple[_Word, ...], Meta(max_length=16)] = ()


class Role(StrEnum):
    """What a machine is for."""

    PEER = "peer"
    ARCHIVE = "archive"
    BOOTSTRAP = "bootstrap"


class LogDigest(_Array, frozen=True):
    """How many operations a log holds, and their fingerprint."""

    log: _Byte
    count: _Natural
    digest16: _Digest


LogDigests: TypeAlias = Annotated[tuple[LogDigest, ...], Meta(max_length=16)]
"""One a log; a log not listed is empty."""


def _one_each(digests: LogDigests) -> None:
    if len({digest.log for digest in digests}) != len(digests):
        raise ValueError("A log has one digest")


class Welcome(_Array, frozen=True):
    """The link is open, and this is what I hold."""

    digests: LogDigests
    observed: _Address
    """Where the other end's connection seems to come from."""
    role: Role
    limits: Annotated[dict[_Word, _Natural], Meta(max_length=8)] = {}

    def __post_init__(self) -> None:
        _one_each(self.digests)


class Err(_Array, frozen=True):
    """Why this link ends now. `code` is an `ErrorCode`, or one of a newer version."""

    code: _Byte
    retry_after_s: _Natural
    text: _Text


class _Pulse(_Array, frozen=True):
    nonce: _Nonce
    clock_ms: _Natural
    taking: bool
    """False: short of room, send me nothing and open no reconciliation with me."""
    digests: LogDigests

    def __post_init__(self) -> None:
        _one_each(self.digests)


class Ping(_Pulse, frozen=True):
    """Are you there? This is what I hold now."""


class Pong(_Pulse, frozen=True):
    """I am; the nonce is the ping's."""


class Peers(_Array, frozen=True):
    """Who can be reached where: all that is known, or what has changed."""

    whole: bool
    add: Annotated[tuple[SignedRecord, ...], Meta(max_length=RECORDS_PER_FRAME)]
    gone: Annotated[tuple[_Bytes32, ...], Meta(max_length=1_024)]


class Announce(Struct, frozen=True):
    """Where I can be reached myself."""

    signed: SignedRecord


class _Reconciliation(Struct, frozen=True):
    session: int
    log: int
    message: bytes


class NegOpen(_Reconciliation, frozen=True):
    """The first message of a reconciliation; the opener chooses the session's number, 16 bits."""


class NegMsg(_Reconciliation, frozen=True):
    """The next message of a reconciliation, either way."""


class NegClose(Struct, frozen=True):
    """This reconciliation is over: finished, or not wanted."""

    session: int
    log: int


class _Ids(Struct, frozen=True):
    ids: tuple[bytes, ...]


class Have(_Ids, frozen=True):
    """These I hold; ask for them."""


class Want(_Ids, frozen=True):
    """Send me these."""


class Ack(_Ids, frozen=True):
    """These, of your own making, are on my disk."""


class Ops(Struct, frozen=True):
    """Operations, each as its wire bytes; without any it ends an answer."""

    operations: tuple[bytes, ...]


class Gone(Struct, frozen=True):
    """What was asked for and cannot be sent: (id, reason)."""

    entries: tuple[tuple[bytes, int], ...]


class Stream(_Array, frozen=True):
    """Send me a whole log, page by page."""

    log: _Byte
    cursor: Annotated[bytes, Meta(max_length=CURSOR_BYTES)] | None
    """None: the newest (`newest`); empty: from the start; else what follows these 68 bytes."""

    def __post_init__(self) -> None:
        if self.cursor and len(self.cursor) != CURSOR_BYTES:
            raise ValueError(f"A cursor has {CURSOR_BYTES} bytes or none")


Message: TypeAlias = (
    Hello | Auth | Welcome | Err | Ping | Pong | Peers | Announce | NegOpen | NegMsg | NegClose
    | Have | Want | Ops | Gone | Stream | Ack
)  # fmt: skip


def encode(message: Message) -> bytes:
    """Write a frame.

    Raises:
        LocalProtocolError: no peer may accept it: a text too long, too many ids.
    """
    frame = _BY_KIND[type(message)]
    try:
        data = bytes((frame.code,)) + frame.write(message)
        # Operations were checked one by one when they were admitted; to do it again costs too much.
        if len(data) > frame.most_bytes or not isinstance(message, Ops):
            decode(data)
    except (RemoteProtocolError, UnicodeEncodeError, OverflowError, struct.error) as error:
        raise LocalProtocolError(
            f"A {type(message).__name__} nobody may accept: {error}"
        ) from error
    return data


def decode(data: bytes) -> Message | None:
    """Read a frame; None for one of a type that may be ignored.

    Raises:
        RemoteProtocolError: malformed, out of its limits, or of a type that must be known.
            Nothing else is raised, whatever the bytes.
    """
    if not data:
        raise RemoteProtocolError("An empty frame.")
    frame = _BY_CODE.get(data[0])
    if frame is None:
        if data[0] >= _MUST_BE_KNOWN_BELOW:
            return None
        raise RemoteProtocolError(f"A frame of the unknown type {data[0]:02x}.")
    name = frame.kind.__name__
    if len(data) > frame.most_bytes:
        raise RemoteProtocolError(f"A {name} of {len(data)} bytes is too long.", ErrorCode.TOO_BIG)
    try:
        message: Message = frame.read(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"A malformed {name}: {error}.") from error
    return message


# --- bytes ---

_ENCODER = msgspec.msgpack.Encoder()
_RECONCILIATION = struct.Struct(">HB")
_LENGTHS = struct.Struct(">I144xI")
"""The length of an operation in OPS, and the length of its body as its header says."""

_Writer: TypeAlias = Callable[[Any], bytes]
_Reader: TypeAlias = Callable[[bytes], Any]


def _array(kind: type[_Array | SignedRecord]) -> tuple[_Writer, _Reader]:
    decoder = msgspec.msgpack.Decoder(kind)
    return _ENCODER.encode, lambda data: decoder.decode(memoryview(data)[1:])


def _announce() -> tuple[_Writer, _Reader]:
    write, read = _array(SignedRecord)
    return lambda message: write(message.signed), lambda data: Announce(read(data))


def _gone() -> tuple[_Writer, _Reader]:
    entries = Annotated[tuple[tuple[_Bytes32, _Byte], ...], Meta(max_length=IDS_PER_FRAME)]
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(entries)
    return (
        lambda message: _ENCODER.encode(message.entries),
        lambda data: Gone(decoder.decode(memoryview(data)[1:])),
    )


def _reconciliation(kind: type[NegOpen | NegMsg]) -> tuple[_Writer, _Reader]:
    def write(said: NegOpen | NegMsg) -> bytes:
        return _RECONCILIATION.pack(said.session, said.log) + said.message

    def read(data: bytes) -> NegOpen | NegMsg:
        if len(data) < 1 + _RECONCILIATION.size:
            raise RemoteProtocolError(f"A {kind.__name__} without its session and log.")
        session, log = _RECONCILIATION.unpack_from(data, 1)
        return kind(session, log, data[1 + _RECONCILIATION.size :])

    return write, read


def _close() -> tuple[_Writer, _Reader]:
    def read(data: bytes) -> NegClose:
        if len(data) != 1 + _RECONCILIATION.size:
            raise RemoteProtocolError("A NegClose is a session and a log.")
        return NegClose(*_RECONCILIATION.unpack_from(data, 1))

    return lambda said: _RECONCILIATION.pack(said.session, said.log), read


def _ids(kind: type[Have | Want | Ack]) -> tuple[_Writer, _Reader]:
    def read(data: bytes) -> Have | Want | Ack:
        if len(data) % ID_BYTES != 1:
            raise RemoteProtocolError(f"A {kind.__name__} with a part of an id.")
        return kind(tuple([data[at : at + ID_BYTES] for at in range(1, len(data), ID_BYTES)]))

    return lambda message: b"".join(message.ids), read


def _write_operations(message: Ops) -> bytes:
    parts: list[bytes] = []
    for raw in message.operations:
        parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(parts)


def _read_operations(data: bytes) -> Ops:
    operations = []
    at, end = 1, len(data)
    while at < end:
        if end - at < _LENGTHS.size:
            raise RemoteProtocolError("An Ops that ends amid an operation.")
        length, body_bytes = _LENGTHS.unpack_from(data, at)
        if length not in (HEADER_BYTES, HEADER_BYTES + body_bytes):
            raise RemoteProtocolError("An Ops with an operation longer or shorter than its body.")
        at += 4
        if length > end - at:
            raise RemoteProtocolError("An Ops that ends amid an operation.")
        operations.append(data[at : at + length])
        at += length
    return Ops(tuple(operations))


class _Frame(NamedTuple):
    code: int
    kind: type[Message]
    write: _Writer
    read: _Reader
    most_bytes: int = FRAME_BYTES


_IDS_BYTES = 1 + IDS_PER_FRAME * ID_BYTES
_NEG_BYTES = 1 + _RECONCILIATION.size + MESSAGE_BYTES

# The whole wire at a glance.
_FRAMES = (
    _Frame(0x01, Hello, *_array(Hello), GREETING_BYTES),
    _Frame(0x02, Auth, *_array(Auth), GREETING_BYTES),
    _Frame(0x03, Welcome, *_array(Welcome), GREETING_BYTES),
    _Frame(0x04, Err, *_array(Err), GREETING_BYTES),
    _Frame(0x10, Ping, *_array(Ping)),
    _Frame(0x11, Pong, *_array(Pong)),
    _Frame(0x20, Peers, *_array(Peers)),
    _Frame(0x21, Announce, *_announce()),
    _Frame(0x30, NegOpen, *_reconciliation(NegOpen), _NEG_BYTES),
    _Frame(0x31, NegMsg, *_reconciliation(NegMsg), _NEG_BYTES),
    _Frame(0x32, NegClose, *_close()),
    _Frame(0x40, Have, *_ids(Have), _IDS_BYTES),
    _Frame(0x41, Want, *_ids(Want), _IDS_BYTES),
    _Frame(0x42, Ops, _write_operations, _read_operations),
    _Frame(0x43, Gone, *_gone()),
    _Frame(0x44, Stream, *_array(Stream)),
    _Frame(0x45, Ack, *_ids(Ack), _IDS_BYTES),
)
_BY_CODE = {frame.code: frame for frame in _FRAMES}
_BY_KIND = {frame.kind: frame for frame in _FRAMES}
