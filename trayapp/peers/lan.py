"""Finds machines on the LAN and is found there: zeroconf, `_brothernet._tcp.local.`.

A hint for dialling, nothing else: strangers see that Brothernet runs here, under a name that is
random at each start, and the HELLO proof decides (PROTOCOL.md section 10). Whether a machine is
still there is told by its link, never by zeroconf.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeAlias

from zeroconf import Error as ZeroconfError
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from trayapp.peers.finder import PeerAddress
from trayapp.peers.interfaces import POLL_S, Interface, on_lan, snapshot
from trayapp.status import PeerPath

SERVICE = "_brothernet._tcp.local."
RETRY_S = 30.0

_ALL_OF_IPV4 = "0.0.0.0"
_RESOLVE_MS = 3000
_AT_ONCE = 64

_Seen: TypeAlias = "asyncio.Queue[PeerAddress | None]"

_log = logging.getLogger(__name__)


class LanFinder:
    """Announces this machine on the LAN and yields the others, as long as it is iterated."""

    def __init__(
        self,
        port: int,
        host: str | None = None,
        *,
        look: Callable[[], tuple[Interface, ...]] = snapshot,
        poll_s: float = POLL_S,
        retry_s: float = RETRY_S,
    ) -> None:
        """Prepare; nothing is sent before `addresses` is iterated.

        Args:
            port: where the listener is.
            host: the one address it listens on, or 0.0.0.0; None: all of them.
        """
        self._port = port
        self._host = host
        self._look = look
        self._poll_s = poll_s
        self._retry_s = retry_s
        self.problem = ""
        """Why nobody is found on the LAN now, as a sentence."""

    async def addresses(self) -> AsyncIterator[PeerAddress]:
        """The addresses of each machine seen, its best first, again when it announces a change."""
        seen: _Seen = asyncio.Queue()
        # No TaskGroup, which must not be left by a `yield`; this task ends before the method does.
        work = asyncio.ensure_future(self._work(seen))
        work.add_done_callback(lambda _: seen.put_nowait(None))
        try:
            while (address := await seen.get()) is not None:
                yield address
            work.result()
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def _work(self, seen: _Seen) -> None:
        """Stay on the LAN; try again where there is none, or port 5353 is busy."""
        while True:
            plan = await self._plan()
            if not plan.interfaces:
                self.problem = "This machine is on no network."
                await asyncio.sleep(self._poll_s)
                continue
            try:
                await self._stay(plan, seen)
            except* (OSError, ZeroconfError) as errors:
                self.problem = f"Nobody is found on the LAN ({errors.exceptions[0]})."
                _log.info("%s New try in %g seconds.", self.problem, self._retry_s)
            await asyncio.sleep(self._retry_s)

    async def _stay(self, plan: _Plan, seen: _Seen) -> None:
        async with AsyncZeroconf(interfaces=plan.interfaces) as zeroconf:
            self.problem = ""
            async with asyncio.TaskGroup() as tasks:
                presence = _Presence(zeroconf, self._port, plan, tasks, seen)
                try:
                    while True:
                        plan = await self._next_plan(plan)
                        await presence.move(plan)
                finally:
                    await presence.leave()

    async def _next_plan(self, current: _Plan) -> _Plan:
        """Wait until the interfaces are others, and stayed so for two polls."""
        before = current
        while True:
            await asyncio.sleep(self._poll_s)
            now = await self._plan()
            if now == before != current and now.interfaces:
                return now
            before = now

    async def _plan(self) -> _Plan:
        return _plan(await asyncio.to_thread(self._look), self._host)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where to speak, and under which addresses to be found."""

    interfaces: list[str | int]
    """IPv4 addresses, and indexes of interfaces with IPv6: what zeroconf wants."""
    addresses: tuple[str, ...]


class _Presence:
    """This machine on the LAN: its announcement, and its browser."""

    def __init__(
        self,
        zeroconf: AsyncZeroconf,
        port: int,
        plan: _Plan,
        tasks: asyncio.TaskGroup,
        seen: _Seen,
    ) -> None:
        token = secrets.token_hex(8)
        self._zeroconf = zeroconf
        self._tasks = tasks
        self._seen = seen
        self._resolving = 0
        self._loopback = _loopback_only(plan)
        self._info = AsyncServiceInfo(
            SERVICE,
            f"{token}.{SERVICE}",
            port=port,
            properties={"v": "1"},
            server=f"{token}.local.",
            parsed_addresses=list(plan.addresses),
        )
        self._announcing = tasks.create_task(self._announce(), name="announce on the LAN")
        self._browser = self._browse()

    async def move(self, plan: _Plan) -> None:
        """Go to other interfaces, and look round there at once."""
        self._loopback = _loopback_only(plan)
        self._info.addresses = [ipaddress.ip_address(a).packed for a in plan.addresses]
        await self._zeroconf.async_update_interfaces(plan.interfaces)
        await self._browser.async_cancel()
        self._browser = self._browse()
        if self._announcing.done():  # else it will be announced with these addresses
            await (await self._zeroconf.async_update_service(self._info))

    async def leave(self) -> None:
        """Stop looking; the announcement is taken back as zeroconf closes."""
        self._announcing.cancel()
        await self._browser.async_cancel()

    async def _announce(self) -> None:
        await (await self._zeroconf.async_register_service(self._info))

    def _browse(self) -> AsyncServiceBrowser:
        return AsyncServiceBrowser(self._zeroconf.zeroconf, SERVICE, handlers=[self._on_change])

    def _on_change(
        self,
        zeroconf: Zeroconf,
        service_type: str,  # noqa: ARG002  zeroconf passes these by name
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        news = state_change is not ServiceStateChange.Removed and name != self._info.name
        if news and self._resolving < _AT_ONCE:  # a LAN can be flooded with names
            self._resolving += 1
            self._tasks.create_task(self._resolve(zeroconf, name), name="resolve on the LAN")

    async def _resolve(self, zeroconf: Zeroconf, name: str) -> None:
        try:
            info = AsyncServiceInfo(SERVICE, name)
            if await info.async_request(zeroconf, _RESOLVE_MS) and info.port:
                for host in filter(self._usable, info.parsed_scoped_addresses()):
                    address = PeerAddress(host, info.port, None, PeerPath.LAN, kin=name)
                    self._seen.put_nowait(address)
        finally:
            self._resolving -= 1

    def _usable(self, host: str) -> bool:
        """No loopback where there is a LAN, no link-local one of nobody knows which link."""
        address = ipaddress.ip_address(host)
        if isinstance(address, ipaddress.IPv6Address) and address.is_link_local:
            return address.scope_id is not None
        return self._loopback or not address.is_loopback


def _plan(interfaces: tuple[Interface, ...], host: str | None) -> _Plan:
    """Choose the interfaces: those of the LAN, or the one that the listener is bound to."""
    chosen = on_lan(interfaces)
    if host not in (None, _ALL_OF_IPV4):
        chosen = tuple(i for i in interfaces if host in map(str, i.addresses))
    places: list[str | int] = []
    for interface in chosen:
        places += [str(a) for a in interface.addresses if a.version == 4]
        if not interface.loopback and any(a.version == 6 for a in interface.addresses):
            places.append(interface.index)
    addresses = [a for interface in chosen for a in interface.addresses]
    if host == _ALL_OF_IPV4:
        addresses = [a for a in addresses if a.version == 4]
    return _Plan(places, tuple(str(a) for a in addresses if host in (None, _ALL_OF_IPV4, str(a))))


def _loopback_only(plan: _Plan) -> bool:
    return all(ipaddress.ip_address(address).is_loopback for address in plan.addresses)
