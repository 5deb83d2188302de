from __future__ import annotations

import asyncio
from ipaddress import ip_address

import ifaddr
import pytest

from tests.peers.friends import NOW_MS, until
from trayapp.peers.interfaces import Interface, NetworkWatch, on_lan, reachable, snapshot


def interface(name: str, *addresses: str, tunnel: bool = False) -> Interface:
    return Interface(name, len(name), tuple(map(ip_address, addresses)), tunnel)


LO = interface("lo", "127.0.0.1", "::1")
ETH = interface("eth0", "192.168.1.5", "fd00::5", "fe80::5")
TAILNET = interface("tailscale0", "100.64.0.1", "fd7a::1", tunnel=True)


def test_this_machine_has_a_loopback_at_least():
    found = snapshot()

    assert any(i.loopback for i in found)
    assert all(i.addresses for i in found)


def test_others_reach_us_by_real_addresses_ipv4_first():
    assert reachable((LO, ETH, TAILNET)) == ("192.168.1.5", "100.64.0.1", "fd00::5", "fd7a::1")


def test_loopback_is_given_only_where_there_is_nothing_else():
    assert reachable((LO,)) == ("127.0.0.1", "::1")
    assert reachable(()) == ()


def test_a_lan_is_behind_no_tunnel_and_no_loopback():
    assert on_lan((LO, ETH, TAILNET)) == (ETH,)
    assert on_lan((LO, TAILNET)) == (LO,)
    assert on_lan((LO,)) == (LO,)
    assert on_lan(()) == ()


@pytest.mark.parametrize(
    ("name", "address", "prefix", "tunnel"),
    [
        ("eth0", "192.168.1.5", 24, False),
        ("tailscale0", "100.100.1.1", 32, True),
        ("Tailscale", "100.100.1.1", 10, True),
        ("utun3", "10.0.0.1", 24, True),
        ("wg0", "10.0.0.1", 24, True),
        ("en7", "10.0.0.1", 32, True),
    ],
)
def test_a_tunnel_is_known_by_its_name_or_its_mask(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str, prefix: int, tunnel: bool
):
    adapter = ifaddr.Adapter(name, name, [ifaddr.IP(address, prefix, name)], index=7)
    empty = ifaddr.Adapter("down", "down", [], index=8)
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [empty, adapter])

    (found,) = snapshot()

    assert found == Interface(name, 7, (ip_address(address),), tunnel)


class Watched:
    """A machine whose interfaces and clock the test changes."""

    def __init__(self) -> None:
        self.interfaces: tuple[Interface, ...] = (LO,)
        self.now_ms = NOW_MS
        self.looks = 0
        self.changes = 0

    def look(self) -> tuple[Interface, ...]:
        self.looks += 1
        return self.interfaces

    def changed(self) -> None:
        self.changes += 1

    async def looked(self) -> None:
        """Wait until it was looked at twice more."""
        seen = self.looks
        await until(lambda: self.looks >= seen + 2)


async def test_another_network_and_waking_up_are_told_and_nothing_else_is():
    machine = Watched()
    watch = NetworkWatch(
        machine.changed, look=machine.look, now_ms=lambda: machine.now_ms, poll_s=0.01
    )
    work = asyncio.ensure_future(watch.run())
    await machine.looked()
    assert machine.changes == 0

    machine.interfaces = (LO, ETH)
    await machine.looked()
    assert machine.changes == 1

    machine.now_ms += 10_000
    await machine.looked()
    assert machine.changes == 1

    machine.now_ms += 60_000
    await machine.looked()
    assert machine.changes == 2
    work.cancel()
    await asyncio.wait([work])
