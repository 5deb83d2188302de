"""This machine's network interfaces: its own addresses, which of them a LAN is behind, and changes.

Asked of the system by `ifaddr`, in about half a millisecond on Linux.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import ifaddr

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

POLL_S = 5.0
ASLEEP_S = 30.0
"""A clock that jumped this far between two polls means that the machine slept."""

_TAILNET = ipaddress.ip_network("100.64.0.0/10")
_TUNNEL_NAMES = ("tailscale", "utun", "tun", "wg", "ppp", "ipsec")


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface that is up, with its addresses."""

    name: str
    index: int
    addresses: tuple[IpAddress, ...]
    point_to_point: bool
    """A tunnel or a dialled line: nobody else is on it, multicast least of all."""

    @property
    def loopback(self) -> bool:
        """Only this machine itself is behind it."""
        return all(address.is_loopback for address in self.addresses)


def snapshot() -> tuple[Interface, ...]:
    """The interfaces that have addresses now, ordered by index."""
    found = []
    for adapter in ifaddr.get_adapters():
        addresses = tuple(ipaddress.ip_address(_bare(ip.ip)) for ip in adapter.ips)
        if addresses:
            tunnel = _is_tunnel(adapter)
            found.append(Interface(adapter.name, adapter.index or 0, addresses, tunnel))
    return tuple(sorted(found, key=lambda interface: interface.index))


def reachable(interfaces: tuple[Interface, ...]) -> tuple[str, ...]:
    """Addresses under which others may reach this machine, IPv4 first; loopback if that is all.

    Link-local ones are left out: they mean nothing without an interface of the other machine.
    """
    addresses = [a for i in interfaces for a in i.addresses if not a.is_link_local]
    outside = [a for a in addresses if not a.is_loopback]
    return tuple(str(a) for a in sorted(outside or addresses, key=lambda a: a.version))


def on_lan(interfaces: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """The interfaces with a LAN behind them; the loopback where there is no other."""
    lan = tuple(i for i in interfaces if not i.point_to_point and not i.loopback)
    return lan or tuple(i for i in interfaces if i.loopback)


class NetworkWatch:
    """Says when the machine is on another network, or awake again."""

    def __init__(
        self,
        on_change: Callable[[], None],
        *,
        look: Callable[[], tuple[Interface, ...]] = snapshot,
        now_ms: Callable[[], int],
        poll_s: float = POLL_S,
    ) -> None:
        self._on_change = on_change
        self._look = look
        self._now_ms = now_ms
        self._poll_s = poll_s

    async def run(self) -> None:
        """Watch until cancelled."""
        before, at_ms = await asyncio.to_thread(self._look), self._now_ms()
        while True:
            await asyncio.sleep(self._poll_s)
            now, now_ms = await asyncio.to_thread(self._look), self._now_ms()
            slept = now_ms - at_ms > (self._poll_s + ASLEEP_S) * 1000
            if slept or now != before:
                self._on_change()
            before, at_ms = now, now_ms


def _bare(ip: str | tuple[str, int, int]) -> str:
    return ip if isinstance(ip, str) else ip[0]


def _is_tunnel(adapter: ifaddr.Adapter) -> bool:
    """Going by names and masks: the one thing all systems tell."""
    if adapter.name.startswith(_TUNNEL_NAMES):
        return True
    fours = [ip for ip in adapter.ips if isinstance(ip.ip, str)]
    return any(
        ip.network_prefix == 32 or ipaddress.ip_address(_bare(ip.ip)) in _TAILNET for ip in fours
    )
