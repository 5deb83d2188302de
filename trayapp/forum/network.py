"""One forum's community: its genesis, its key, and the links that invite into it.

The genesis is carried as the exact bytes that founded the forum; its hash is the forum's id.
Whoever can prove the network key may speak (PROTOCOL.md section 2).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from trayapp.errors import InvalidBody, InvalidInvite
from trayapp.forum.bodies import NAME_CHARS, is_one_line
from trayapp.forum.identity import KEY_BYTES

VERSION = 1
NETWORK_KEY_BYTES = 32
SALT_BYTES = 16
INVITE_PREFIX = "brothernet://join#"
INVITE_ADDRESSES = 4
ROOTS = 5

_ID_LABEL = b"net1\0"
# Browsers and mail programs put in a slash, or write the scheme their own way.
_START = re.compile("brothernet://join/?#", re.IGNORECASE)
_LONGEST_INVITE = 8_192
_LONGEST_ADDRESS = 400


@dataclass(frozen=True, slots=True)
class Network:
    """A forum as its members know it. `key` is secret: it stands in invites and nowhere else."""

    genesis: bytes
    key: bytes
    id: bytes
    name: str
    roots: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Network({self.name!r}, {self.id.hex()[:16]})"


@dataclass(frozen=True, slots=True)
class Invite:
    """What a link says: the forum, and where some of its machines may be found."""

    network: Network
    addresses: tuple[str, ...] = ()


def found(name: str, root: bytes, *, salt: bytes, key: bytes) -> Network:
    """Start a forum.

    Args:
        name: 1 to 40 characters.
        root: the key of the device that starts it.
        salt: 16 random bytes, so that two forums of one name and founder differ.
        key: 32 random bytes, the network key.

    Raises:
        InvalidBody: the name is empty, too long, or no text.
    """
    name = name.strip()
    if not name:
        raise InvalidBody("A forum needs a name.")
    if len(name) > NAME_CHARS:
        raise InvalidBody(
            f"The forum's name has {len(name)} characters; at most {NAME_CHARS} are possible."
        )
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        raise InvalidBody("The forum's name holds half a character; type that part again.")
    if not is_one_line(name):
        raise InvalidBody("The forum's name holds a control character; type it again.")
    genesis = msgspec.msgpack.encode(
        {"name": name, "policy": {}, "roots": [root], "salt": salt, "v": VERSION}
    )
    return from_genesis(genesis, key)


def from_genesis(genesis: bytes, key: bytes) -> Network:
    """Read a genesis.

    Raises:
        InvalidInvite: it is none, or one of a newer version.
    """
    fields = _map(genesis)
    version = fields.get("v")
    if isinstance(version, int) and version > VERSION:
        raise InvalidInvite(
            "This link belongs to a newer version of Brothernet. "
            "Update the program, then try again."
        )
    name, roots, salt = fields.get("name"), fields.get("roots"), fields.get("salt")
    named = isinstance(name, str) and 1 <= len(name) <= NAME_CHARS
    salted = isinstance(salt, bytes) and len(salt) == SALT_BYTES
    keyed = len(key) == NETWORK_KEY_BYTES
    if not (version == VERSION and named and salted and keyed and _are_roots(roots)):
        raise _damaged()
    return Network(
        genesis, key, hashlib.sha256(_ID_LABEL + genesis).digest(), str(name), tuple(roots or ())
    )


def write_invite(network: Network, addresses: Sequence[str] = ()) -> str:
    """Write a link; whoever has it can join. At most four addresses go in."""
    packed = msgspec.msgpack.encode(
        {
            "addresses": list(addresses[:INVITE_ADDRESSES]),
            "genesis": network.genesis,
            "net_key": network.key,
        }
    )
    return INVITE_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_invite(link: str) -> Invite:
    """Read a link, however it was pasted: white space around and in it does not matter.

    Raises:
        InvalidInvite: it is of another program, damaged, or of a newer version.
    """
    text = "".join(link.split())
    if not text:
        raise InvalidInvite("No link was given. It begins with brothernet://join#.")
    start = _START.match(text)
    if not start:
        raise InvalidInvite(
            "This is no Brothernet invite. One begins with brothernet://join# "
            "and comes from a member of the forum."
        )
    fields = _map(_decoded(text[start.end() :]))
    genesis, key = fields.get("genesis"), fields.get("net_key")
    addresses = fields.get("addresses", [])
    if not (isinstance(genesis, bytes) and isinstance(key, bytes) and _are_addresses(addresses)):
        raise _damaged()
    return Invite(from_genesis(genesis, key), tuple(addresses))


def _decoded(text: str) -> bytes:
    if len(text) > _LONGEST_INVITE:
        raise _damaged()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _damaged() from error


def _map(packed: bytes) -> dict[str, Any]:
    """A MessagePack map with text keys; anything else is a damaged link."""
    try:
        return msgspec.msgpack.decode(packed, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _damaged() from error


def _are_roots(roots: object) -> bool:
    return (
        isinstance(roots, list)
        and 1 <= len(roots) <= ROOTS
        and all(isinstance(root, bytes) and len(root) == KEY_BYTES for root in roots)
    )


def _are_addresses(addresses: object) -> bool:
    return (
        isinstance(addresses, list)
        and len(addresses) <= INVITE_ADDRESSES
        and all(isinstance(a, str) and len(a) <= _LONGEST_ADDRESS for a in addresses)
    )


def _damaged() -> InvalidInvite:
    return InvalidInvite(
        "This invite is damaged: part of the link is missing or changed. Ask for it again, "
        "and paste the whole of it."
    )
