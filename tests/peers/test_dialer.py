from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.peers.friends import Links, door, identity, passport, until
from trayapp.errors import ErrorCode, PeerUnreachable
from trayapp.peers.channel import Channel, Passport, close_code_of, dial
from trayapp.peers.dialer import Dialer
from trayapp.peers.finder import PeerAddress
from trayapp.peers.listener import Listener
from trayapp.status import PeerPath

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]


class AtOnce(random.Random):
    """Chance that always gives the shortest pause."""

    def uniform(self, a: float, b: float) -> float:
        return a


@asynccontextmanager
async def dialing(
    name: str = "bob", forum: str = "Garden", **options: object
) -> AsyncIterator[tuple[Dialer, Links]]:
    """A dialer at work."""
    links = options.pop("links", None) or Links()
    assert isinstance(links, Links)
    options.setdefault("rng", AtOnce())
    dialer = Dialer(passport(name, forum), links, **options)  # type: ignore[arg-type]
    work = asyncio.ensure_future(dialer.run())
    try:
        yield dialer, links
    finally:
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()


async def test_a_fed_address_becomes_a_link_with_its_path():
    async with door("ann") as ann, dialing() as (dialer, links):
        found = PeerAddress("127.0.0.1", ann.address.port, None, PeerPath.LAN)
        dialer.feed(found)
        await until(lambda: bool(links.adopted))

        ((channel, path, address),) = links.adopted
        assert (channel.peer, channel.dialed) == (identity("ann").key, True)
        assert (path, address) == (PeerPath.LAN, found.url)
        assert dialer.statuses() == ()
        assert dialer.path_to(identity("ann").key, "192.0.2.1") is PeerPath.LAN


async def test_a_link_that_ends_is_dialled_again():
    async with door("ann") as ann, dialing() as (dialer, links):
        dialer.feed(ann.address)
        await (await ann.links.first()).close()

        await until(lambda: len(links.adopted) == 2)


async def test_a_machine_that_comes_back_is_found_again():
    async with door("ann") as ann:
        port = ann.listener.port
    async with dialing() as (dialer, links):
        dialer.feed(ann.address)
        await until(lambda: any(s.problem for s in dialer.statuses()))
        (status,) = dialer.statuses()
        assert (status.state, status.address) == ("unreachable", ann.address.url)

        async with _door_at(port):
            await until(lambda: bool(links.adopted))


@asynccontextmanager
async def _door_at(port: int) -> AsyncIterator[Links]:
    links = Links()
    async with Listener(passport("ann"), links, host="127.0.0.1", port=port):
        yield links


async def test_a_device_is_linked_once_however_many_addresses_it_has():
    async with door("ann") as ann, dialing() as (dialer, links):
        dialer.feed(ann.address)
        await until(lambda: bool(links.adopted))

        key = identity("ann").key
        dialer.feed(PeerAddress("localhost", ann.address.port, key, PeerPath.FILE))
        dialer.feed(PeerAddress("127.0.0.1", ann.address.port, key, PeerPath.FILE))
        await _turns(dialer)

        assert len(links.adopted) == len(ann.links.adopted) == 1


async def test_our_own_door_is_dialled_once_and_never_again():
    dialled: list[PeerAddress] = []

    async def counted(address: PeerAddress, who: Passport) -> Channel:
        dialled.append(address)
        return await dial(address, who)

    async with door("bob") as bob, dialing(reach=counted) as (dialer, links):
        dialer.feed(bob.address)
        await until(lambda: bool(dialled))
        await _turns(dialer)
        dialer.feed(PeerAddress("127.0.0.1", bob.address.port, None, PeerPath.LAN))
        await _turns(dialer)

        assert len(dialled) == 1
        assert links.adopted == []
        assert dialer.statuses() == ()


async def test_a_stranger_is_dialled_once_and_named():
    dialled: list[PeerAddress] = []

    async def counted(address: PeerAddress, who: Passport) -> Channel:
        dialled.append(address)
        return await dial(address, who)

    async with door("ann", "Another forum") as ann, dialing(reach=counted) as (dialer, _):
        dialer.feed(ann.address)
        await until(lambda: any(s.problem for s in dialer.statuses()))
        await _turns(dialer)

        assert len(dialled) == 1
        assert "is not a machine of this forum" in dialer.statuses()[0].problem


async def test_a_duplicate_is_not_dialled_again_and_again():
    class Full(Links):
        async def adopt(self, channel: Channel, path: PeerPath, address: str) -> None:
            self.adopted.append((channel, path, address))
            channel.ready = True
            await channel.close(close_code_of(ErrorCode.DUPLICATE))

    pauses: list[float] = []

    class Noted(AtOnce):
        def uniform(self, a: float, b: float) -> float:
            pauses.append(b)
            return a

    links = Full()
    async with door("ann") as ann, dialing(links=links, rng=Noted()) as (dialer, _):
        dialer.feed(ann.address)
        await until(lambda: len(links.adopted) >= 4)

    assert pauses[:3] == [1, 2, 4]


async def test_waking_dials_what_had_been_given_up_for_now():
    tried: list[PeerAddress] = []

    async def fail(address: PeerAddress, _: Passport) -> Channel:
        tried.append(address)
        raise PeerUnreachable("No.", ErrorCode.NOT_MEMBER)

    async with dialing(reach=fail) as (dialer, _):
        dialer.feed(PeerAddress("ann", 47311, None, PeerPath.FILE))
        await until(lambda: len(tried) == 1)
        await _turns(dialer)
        assert len(tried) == 1

        dialer.wake()
        await until(lambda: len(tried) == 2)


async def test_a_forgotten_address_is_not_dialled_again():
    async with door("ann") as ann, dialing() as (dialer, links):
        dialer.feed(ann.address)
        theirs = await ann.links.first()
        dialer.forget(ann.address)
        await theirs.close()
        await until(lambda: links.ended == [1000])
        await _turns(dialer)

        assert len(links.adopted) == 1


async def test_the_faces_are_told_of_every_change():
    changes: list[int] = []
    async with door("ann") as ann, dialing(on_change=lambda: changes.append(1)) as (dialer, _):
        dialer.feed(ann.address)
        await ann.links.first()
        before = len(changes)
        await (await ann.links.first()).close()
        await until(lambda: len(changes) > before)

    assert before >= 1


async def test_a_link_that_fails_by_a_bug_leaves_the_others_alone(
    caplog: pytest.LogCaptureFixture,
):
    class Broken(Links):
        async def adopt(self, channel: Channel, path: PeerPath, address: str) -> None:
            if channel.peer == identity("ann").key:
                raise ZeroDivisionError
            await super().adopt(channel, path, address)

    links = Broken()
    async with door("ann") as ann, door("cid") as cid, dialing(links=links) as (dialer, _):
        dialer.feed(ann.address)
        await until(lambda: "ZeroDivisionError" in caplog.text)
        dialer.feed(cid.address)
        await until(lambda: bool(links.adopted))

    assert links.ended == []


async def test_a_host_that_no_resolver_takes_stops_nobody():
    async with door("ann") as ann, dialing() as (dialer, links):
        dialer.feed(PeerAddress("2001:db8::1%a..b", 47311, None, PeerPath.FILE))
        await until(lambda: any(s.problem for s in dialer.statuses()))
        dialer.feed(ann.address)
        await until(lambda: bool(links.adopted))


async def test_stopping_ends_the_links_it_made():
    async with door("ann") as ann:
        async with dialing() as (dialer, links):
            dialer.feed(ann.address)
            await until(lambda: bool(links.adopted and ann.links.adopted))

        await until(lambda: ann.links.ended == [1000])


async def _turns(dialer: Dialer) -> None:
    """Let the dialer look at its plan a few times more."""
    for _ in range(3):
        dialer._something_new.set()
        await until(lambda: not dialer._something_new.is_set())
