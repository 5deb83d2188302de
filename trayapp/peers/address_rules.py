"""Which addresses heard from peers are dialled at all (PROTOCOL.md section 10). Pure.

They keep a hostile member from using us as a port scanner. Typed addresses and those of the LAN are
free of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from trayapp.errors import InvalidAddress
from trayapp.peers.finder import PeerAddress, parse_address
from trayapp.status import PeerPath

LOWEST_PORT = 1024
PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""Ranges that mean another network in every house."""


def dialable(addresses: tuple[str, ...], device: bytes, learned_from: str) -> Iterator[PeerAddress]:
    """Those of a record's addresses that may be dialled.

    Args:
        addresses: texts as the device wrote them; a name among them is never looked up.
        device: who has to answer there.
        learned_from: the IP address of the peer who told us.
    """
    for text in addresses:
        try:
            address = parse_address(text, PeerPath.BOOTSTRAP)
        except InvalidAddress:
            continue
        if address.port >= LOWEST_PORT and may_dial(address.host, learned_from):
            yield PeerAddress(address.host, address.port, device, PeerPath.BOOTSTRAP, heard=True)


def may_dial(host: str, learned_from: str) -> bool:
    """Whether an IP address is public, or of the same private range as the peer who told us."""
    if "%" in host:  # the name of an interface means nothing on another machine
        return False
    address, teller = _plain(host), _plain(learned_from)
    if address is None or address.is_multicast or address.is_link_local or address.is_loopback:
        return False
    for network in PRIVATE:
        if address in network:
            return teller is not None and teller in network
    return address.is_global


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address meant: an IPv4 address inside an IPv6 one is judged as what it is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address
