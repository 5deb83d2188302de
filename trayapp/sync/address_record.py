"""Where a device can be reached, as it says and signs itself (PROTOCOL.md sections 9 and 10).

Unlike a frame a record is a MessagePack map: its exact bytes are what is signed, kept and passed
on, also by machines of versions that know other fields. Which addresses may be dialled is the
matter of `peers/directory.py`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from trayapp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError

RECORD_BYTES = 4_096
ADDRESSES = 8
LINKS = 40
LONGEST_TTL_S = 300

_Key: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Address: TypeAlias = Annotated[str, Meta(max_length=300)]


class AddressRecord(Struct, frozen=True):
    """A device, where it listens, and whom it is linked with."""

    key: _Key = msgspec.field(name="pk")
    addresses: Annotated[tuple[_Address, ...], Meta(max_length=ADDRESSES)]
    links: Annotated[tuple[_Key, ...], Meta(max_length=LINKS)]
    ms: Annotated[int, Meta(ge=0, lt=1 << 53)]
    """Orders the records of one device, nothing else."""
    ttl_s: Annotated[int, Meta(ge=0, le=LONGEST_TTL_S)] = msgspec.field(name="ttl")
    """How long after its arrival it holds."""

    def pack(self) -> bytes:
        """The bytes to sign and to send.

        Raises:
            LocalProtocolError: no peer may accept it: too many addresses, a ttl too long.
        """
        record = _ENCODER.encode(self)
        try:
            self.unpack(record)
        except RemoteProtocolError as error:
            raise LocalProtocolError(f"A record nobody may accept: {error}") from error
        return record

    @classmethod
    def unpack(cls, record: bytes) -> AddressRecord:
        """Read a record, of which the signature is yet to be checked.

        Raises:
            RemoteProtocolError: it is none.
        """
        if len(record) > RECORD_BYTES:
            raise RemoteProtocolError("An address record that is too long.", ErrorCode.TOO_BIG)
        try:
            return _DECODER.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RemoteProtocolError(f"A malformed address record: {error}.") from error


class SignedRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The bytes of an address record, and its device's signature of `signed_text`."""

    record: Annotated[bytes, Meta(max_length=RECORD_BYTES)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


def signed_text(network_id: bytes, record: bytes) -> bytes:
    """What a device signs to vouch for its address record in one forum."""
    return b"addr1\0" + network_id + record


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(AddressRecord)
