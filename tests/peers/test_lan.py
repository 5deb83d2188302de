"""Real zeroconf: on this machine, and where possible on a LAN between network namespaces."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.peers.friends import until
from trayapp.peers import lan as lan_module
from trayapp.peers.finder import PeerAddress
from trayapp.peers.interfaces import Interface
from trayapp.peers.lan import SERVICE, LanFinder
from trayapp.status import PeerPath

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]

LO = Interface("lo", 1, (ip_address("127.0.0.1"), ip_address("::1")), False)
ETH = Interface("eth0", 7, (ip_address("192.168.1.5"), ip_address("fe80::5")), False)
FOUR = Interface("eth1", 8, (ip_address("192.168.2.5"),), False)
TAILNET = Interface("tailscale0", 9, (ip_address("100.64.0.1"),), True)


def only_loopback() -> tuple[Interface, ...]:
    return (LO,)


@asynccontextmanager
async def on_the_lan(
    port: int, *, host: str | None = None, look: object = only_loopback, retry_s: float = 30
) -> AsyncIterator[tuple[LanFinder, list[PeerAddress]]]:
    """A finder at work, and what it found."""
    finder = LanFinder(port, host, look=look, poll_s=0.02, retry_s=retry_s)  # type: ignore[arg-type]
    found: list[PeerAddress] = []

    async def listen() -> None:
        async for address in finder.addresses():
            found.append(address)  # noqa: PERF401  as it comes

    work = asyncio.ensure_future(listen())
    try:
        yield finder, found
    finally:
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()


async def test_two_nodes_on_one_machine_without_a_network_find_each_other():
    async with on_the_lan(4001) as (_, by_ann), on_the_lan(4002) as (_, by_bob):
        await until(lambda: bool(by_ann and by_bob))

        assert (by_ann[0].host, by_ann[0].port) == ("127.0.0.1", 4002)
        assert (by_bob[0].host, by_bob[0].port) == ("127.0.0.1", 4001)
        assert {a.path for a in by_ann + by_bob} == {PeerPath.LAN}
        assert all(a.kin and a.key is None and not a.heard for a in by_ann)
        assert {a.port for a in by_ann} == {4002}  # nobody finds itself


async def test_a_newcomer_finds_who_is_there_within_two_seconds():
    async with on_the_lan(4001) as (_, by_ann), on_the_lan(4002) as (_, by_bob):
        await until(lambda: bool(by_ann and by_bob))
        async with on_the_lan(4003) as (_, by_cid):
            await until(lambda: {a.port for a in by_cid} == {4001, 4002}, within_s=2)


async def test_strangers_see_a_random_name_a_port_and_the_version_only():
    seen: dict[str, AsyncServiceInfo] = {}
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as stranger:
        names: list[str] = []

        def notice(name: str, state_change: ServiceStateChange, **_: object) -> None:
            if state_change is ServiceStateChange.Added:
                names.append(name)

        browser = AsyncServiceBrowser(stranger.zeroconf, SERVICE, handlers=[notice])
        for start in (1, 2):
            async with on_the_lan(4001):
                await until(lambda start=start: len(names) == start)  # type: ignore[misc]
                info = AsyncServiceInfo(SERVICE, names[-1])
                assert await info.async_request(stranger.zeroconf, 3000)
                seen[names[-1]] = info
        await browser.async_cancel()

    first, second = seen.values()
    assert first.properties == second.properties == {b"v": b"1"}
    assert first.port == 4001
    assert first.name != second.name
    assert first.server != second.server
    assert socket.gethostname() not in f"{first.name}{first.server}"


async def test_leaving_takes_the_announcement_back():
    removed: list[str] = []
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as stranger:
        names: list[str] = []

        def notice(name: str, state_change: ServiceStateChange, **_: object) -> None:
            (removed if state_change is ServiceStateChange.Removed else names).append(name)

        browser = AsyncServiceBrowser(stranger.zeroconf, SERVICE, handlers=[notice])
        async with on_the_lan(4001):
            await until(lambda: bool(names))
        await until(lambda: bool(removed))
        await browser.async_cancel()


async def test_announced_addresses_that_lead_nowhere_or_to_ourselves_are_left_out():
    """Loopback on a real LAN would have us knock at our own ports."""
    found: list[PeerAddress] = []
    seen: asyncio.Queue[PeerAddress | None] = asyncio.Queue()
    liar = AsyncServiceInfo(
        SERVICE,
        f"liar.{SERVICE}",
        port=22,
        properties={"v": "1"},
        server="liar.local.",
        parsed_addresses=["127.0.0.1", "fe80::7", "192.0.2.7"],
    )
    real_lan = lan_module._Plan(["127.0.0.1"], ("192.168.1.5",))
    async with (
        AsyncZeroconf(interfaces=["127.0.0.1"]) as stranger,
        AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf,
        asyncio.TaskGroup() as tasks,
    ):
        await (await stranger.async_register_service(liar))
        presence = lan_module._Presence(zeroconf, 4005, real_lan, tasks, seen)
        async with asyncio.timeout(5):
            while not any(address.port == 22 for address in found):
                address = await seen.get()
                assert address is not None
                found.append(address)
        await presence.leave()

    assert {address.host for address in found if address.port == 22} == {"192.0.2.7"}


async def test_without_any_interface_it_waits_and_then_finds():
    interfaces: list[Interface] = []
    async with (
        on_the_lan(4001, look=lambda: tuple(interfaces)) as (ann, by_ann),
        on_the_lan(4002) as (_, by_bob),
    ):
        await until(lambda: "on no network" in ann.problem)
        interfaces.append(LO)
        await until(lambda: bool(by_ann and by_bob))

        assert ann.problem == ""


async def test_a_machine_whose_address_changes_is_found_at_the_new_one():
    interfaces = [Interface("lo", 1, (ip_address("127.0.0.2"),), False)]
    async with (
        on_the_lan(4001, look=lambda: tuple(interfaces)),
        on_the_lan(4002) as (_, by_bob),
    ):
        await until(lambda: bool(by_bob))
        interfaces[0] = LO
        await until(lambda: "127.0.0.1" in {a.host for a in by_bob})

        assert len({a.kin for a in by_bob}) == 1


async def test_a_busy_port_5353_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch):
    tries: list[int] = []

    def busy(interfaces: list[str | int]) -> AsyncZeroconf:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(98, "Address already in use")
        return AsyncZeroconf(interfaces=interfaces)

    monkeypatch.setattr(lan_module, "AsyncZeroconf", busy)
    async with on_the_lan(4001, retry_s=0.05) as (finder, found):
        await until(lambda: "Address already in use" in finder.problem)
        monkeypatch.undo()
        await until(lambda: finder.problem == "")
        async with on_the_lan(4002):
            await until(lambda: bool(found))


def test_the_interfaces_of_the_lan_are_chosen_and_no_tunnel():
    plan = lan_module._plan((LO, ETH, FOUR, TAILNET), None)

    assert plan.interfaces == ["192.168.1.5", 7, "192.168.2.5"]
    assert plan.addresses == ("192.168.1.5", "fe80::5", "192.168.2.5")


def test_a_listener_of_one_address_is_announced_there_alone():
    assert lan_module._plan((LO, ETH, FOUR), "192.168.2.5") == lan_module._Plan(
        ["192.168.2.5"], ("192.168.2.5",)
    )
    assert lan_module._plan((LO, ETH), "127.0.0.1") == lan_module._Plan(
        ["127.0.0.1"], ("127.0.0.1",)
    )
    assert lan_module._plan((LO, ETH), "192.168.9.9").interfaces == []


def test_a_listener_of_ipv4_alone_is_announced_without_ipv6():
    plan = lan_module._plan((LO, ETH, FOUR), "0.0.0.0")

    assert plan.addresses == ("192.168.1.5", "192.168.2.5")
    assert "192.168.2.5" in plan.interfaces
