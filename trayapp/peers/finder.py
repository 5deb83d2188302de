"""Where another machine may be found: one address, its text form, and what a finder is.

An address is a hint for dialling and proves nothing; `channel.py` finds out who is really there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from trayapp.errors import InvalidAddress
from trayapp.forum.identity import KEY_BYTES
from trayapp.status import PeerPath

DEFAULT_PORT = 47311

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_ZONE = re.compile(r"(?=.{1,15}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
"""The interface behind the % of a link-local address; a resolver takes it for part of a name."""
_HOWTO = "Write HOST, HOST:PORT or wss://HOST:PORT#KEY."


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """A place to dial. `host` is a name or an IP address, an IPv6 one without brackets."""

    host: str
    port: int
    key: bytes | None
    """The device that has to answer there; None: whoever proves to be a member."""
    path: PeerPath
    heard: bool = False
    """Told by a peer: the address rules and the dial rate of PROTOCOL.md section 10 bind it."""
    kin: str = ""
    """Addresses of one kin lead to one machine: only one of them is dialled at a time."""

    @property
    def url(self) -> str:
        """`wss://host:port`: what tells two addresses apart."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"wss://{host}:{self.port}"

    def __str__(self) -> str:
        """The text that `parse_address` reads: `wss://host:port`, with `#key` where it is known."""
        return self.url if self.key is None else f"{self.url}#{self.key.hex()}"


class Finder(Protocol):
    """One way of learning where peers may be."""

    def addresses(self) -> AsyncIterator[PeerAddress]:
        """Yield addresses as they turn up, a known one again when it may be worth a new try.

        It may end when there is nothing more to come. Closing it, or cancelling the task that
        iterates, gives back whatever it holds.
        """
        ...


def parse_address(text: str, path: PeerPath) -> PeerAddress:
    """Read `wss://host[:port][#key]` or `host[:port][#key]`; IPv6 stands in brackets.

    Raises:
        InvalidAddress: a sentence that says what is wrong with the text.
    """
    rest, _, key_text = text.strip().partition("#")
    scheme, has_scheme, after = rest.partition("://")
    if has_scheme:
        if scheme.lower() != "wss":
            raise InvalidAddress(f"An address starts with wss://, not with {scheme}://. {_HOWTO}")
        rest = after.removesuffix("/v1").removesuffix("/")
    host, port_text = _split(rest, text)
    key = _key(key_text) if "#" in text else None
    return PeerAddress(_host(host, text), _port(port_text), key, path)


def _split(rest: str, text: str) -> tuple[str, str | None]:
    """Part the host from the port; the port is None where none is written."""
    if rest.startswith("["):
        host, closing, port = rest[1:].partition("]")
        if not closing or ":" not in host or (port and not port.startswith(":")):
            raise InvalidAddress(f"{text!r} is no address. {_HOWTO}")
        return host, port[1:] if port else None
    if rest.count(":") > 1:  # an IPv6 address without brackets can have no port
        return rest, None
    host, colon, port = rest.partition(":")
    return host, port if colon else None


def _host(host: str, text: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _name(host, text)
    zone = getattr(address, "scope_id", None)
    if zone is not None and not (address.is_link_local and _ZONE.fullmatch(zone)):
        raise InvalidAddress(
            f"There is no zone as in {text!r}: behind a % stands an interface's name, "
            "and that in link-local addresses only, as in [fe80::1%eth0]."
        )
    return str(address)


def _name(host: str, text: str) -> str:
    try:
        name = host.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        name = ""
    labels = name.split(".")
    # A last label of digits is an IPv4 address with a slip in it: a resolver would guess.
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise InvalidAddress(f"{text!r} names no machine. {_HOWTO}")
    return name


def _port(text: str | None) -> int:
    if text is None:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise InvalidAddress(f"{text!r} is no port: a port is a number from 1 to 65535.")
    return int(text)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(text) != 2 * KEY_BYTES:
        raise InvalidAddress("Behind the # of an address stands a device key: 64 hex digits.")
    return key
