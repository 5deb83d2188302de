"""Reaches peers: dials what the finders feed it, hands each channel to the swarm, dials again.

What to dial and when is decided in `redial.py`; here are the sockets and the clock.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from trayapp.errors import ErrorCode, PeerUnreachable
from trayapp.peers.channel import Channel, Passport, close_code_of, dial
from trayapp.peers.finder import PeerAddress
from trayapp.peers.redial import Redial
from trayapp.status import PeerPath, PeerStatus

_log = logging.getLogger(__name__)


class Links(Protocol):
    """What listener and dialer ask of the swarm."""

    async def adopt(self, channel: Channel, path: PeerPath, address: str) -> None:
        """Keep a link on this channel until it ends."""
        ...

    def linked(self) -> Mapping[bytes, str]:
        """The devices with a link that is READY, and the IP address each is at."""
        ...


class Dialer:
    """Keeps dialling until every known machine has a link, or enough of them have."""

    def __init__(
        self,
        passport: Passport,
        links: Links,
        *,
        on_change: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
        reach: Callable[[PeerAddress, Passport], Awaitable[Channel]] = dial,
    ) -> None:
        """Args: `on_change` is called when `statuses` may read differently than before."""
        self._passport = passport
        self._links = links
        self._on_change = on_change
        self._redial = Redial(rng or random.Random())
        self._reach = reach
        self._something_new = asyncio.Event()

    def feed(self, address: PeerAddress) -> None:
        """Take in an address; a new one is dialled at once, manners permitting."""
        self._redial.feed(address, self._now())
        self._something_new.set()

    def forget(self, address: PeerAddress) -> None:
        """Stop dialling this address, unless it is known by another path too."""
        self._redial.forget(address)
        self._on_change()

    def wake(self) -> None:
        """The network changed, or the machine slept: try everything again now."""
        self._redial.wake(self._now())
        self._something_new.set()

    def statuses(self) -> tuple[PeerStatus, ...]:
        """Machines known by address that have no link now."""
        return self._redial.statuses(self._links.linked())

    def path_to(self, device: bytes, host: str) -> PeerPath | None:
        """How the machine behind an inbound link was found, where a finder knows it too."""
        return self._redial.path_to(device, host)

    async def run(self) -> None:
        """Dial until cancelled; links that were dialled here end with it."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._something_new.clear()
                addresses, wait_s = self._redial.due(self._now(), self._links.linked())
                for address in addresses:
                    tasks.create_task(self._keep(address), name=f"dial {address.url}")
                try:
                    async with asyncio.timeout(wait_s):
                        await self._something_new.wait()
                except TimeoutError:
                    pass

    async def _keep(self, address: PeerAddress) -> None:
        """One dial and the link that comes of it, until it ends."""
        self._on_change()
        try:
            channel = await self._reach(address, self._passport)
        except PeerUnreachable as error:
            self._redial.failed(address, error, self._now())
            _log.debug("%s", error)
        else:
            self._redial.linked(address, channel.peer)
            await self._hold(channel, address)
        self._something_new.set()
        self._on_change()

    async def _hold(self, channel: Channel, address: PeerAddress) -> None:
        try:
            await self._links.adopt(channel, address.path, address.url)
        except Exception:
            # A peer's bytes met a bug of ours: it costs this link, not those to everybody else.
            _log.exception("The link to %s failed.", address.url)
        finally:
            await channel.close()
        duplicate = channel.close_code == close_code_of(ErrorCode.DUPLICATE)
        self._redial.ended(
            address,
            self._now(),
            worked=channel.ready and not duplicate,
            now_ms=self._passport.now_ms(),
        )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
