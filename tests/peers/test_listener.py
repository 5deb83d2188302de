from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from ipaddress import ip_address

import pytest

from tests.peers.friends import (
    NOW_MS,
    Links,
    door,
    identity,
    knock,
    network,
    passport,
    seen_certificate,
    until,
)
from trayapp.errors import ErrorCode, InvalidAddress, PeerUnreachable, PortInUse
from trayapp.peers import listener as listener_module
from trayapp.peers.channel import Channel, Passport, close_code_of, dial
from trayapp.peers.doorstep import IN_ALL, PER_ADDRESS
from trayapp.peers.finder import parse_address
from trayapp.peers.listener import Listener
from trayapp.status import PeerPath

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]

DAY_MS = 86_400_000


def taken_port(host: str = "127.0.0.1") -> socket.socket:
    return socket.create_server((host, 0))


async def open_tcp(port: int, local: str = "127.0.0.1") -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))
    return writer


async def test_a_link_from_outside_is_handed_on_with_its_place():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        await ann.links.first()

        ((theirs, path, place),) = ann.links.adopted
        assert (path, place) == (PeerPath.INBOUND, "127.0.0.1")
        assert theirs.peer == identity("bob").key
        await channel.close()
        await until(lambda: ann.links.ended == [1000])


async def test_what_is_shown_as_listening_can_be_dialled_as_it_stands():
    async with Listener(passport("ann"), Links()) as ann:
        assert ann.listening
        for text in ann.listening:
            address = parse_address(text, PeerPath.FILE)
            assert address.key == identity("ann").key
            assert address.port == ann.port
            await (await dial(address, passport("bob"))).close()


async def test_all_addresses_are_listened_on_ipv6_too():
    async with Listener(passport("ann"), Links(), port=0) as ann:
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, ann.port), timeout=5):
                pass


@pytest.mark.parametrize(
    ("host", "told", "families"),
    [
        (None, None, {4, 6}),
        ("::", None, {4, 6}),
        ("0.0.0.0", "0.0.0.0", {4}),
        ("127.0.0.1", "127.0.0.1", {4}),
        ("::1", "::1", {6}),
    ],
)
async def test_where_it_listens_is_told(host: str | None, told: str | None, families: set[int]):
    async with Listener(passport("ann"), Links(), host=host, port=0) as ann:
        hosts = [parse_address(text, PeerPath.FILE).host for text in ann.listening]

        assert ann.host == told
        assert {ip_address(one).version for one in hosts} == families
        assert not {"0.0.0.0", "::"} & set(hosts)


async def test_the_port_that_was_asked_for_and_is_taken_is_refused():
    with taken_port() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} is taken"):
            async with Listener(passport("ann"), Links(), host="127.0.0.1", port=port):
                pass


async def test_the_usual_port_taken_another_is_found_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    with taken_port() as taken:
        usual = taken.getsockname()[1]
        monkeypatch.setattr(listener_module, "DEFAULT_PORT", usual)
        with caplog.at_level(logging.WARNING):
            async with Listener(passport("ann"), Links(), host="127.0.0.1") as ann:
                other = ann.port

    assert other != usual
    assert f"Port {usual} is taken on this machine; listening on port {other}" in caplog.text


async def test_the_usual_port_is_used_where_it_is_free(monkeypatch: pytest.MonkeyPatch):
    with taken_port() as taken:
        usual = taken.getsockname()[1]
    monkeypatch.setattr(listener_module, "DEFAULT_PORT", usual)

    async with Listener(passport("ann"), Links(), host="127.0.0.1") as ann:
        assert ann.port == usual


@pytest.mark.parametrize("host", ["192.0.2.77", "nobody.invalid"])
async def test_a_host_that_is_not_this_machine_is_refused(host: str):
    with pytest.raises(InvalidAddress, match=r"cannot listen on 192|by the name 'nobody"):
        async with Listener(passport("ann"), Links(), host=host, port=0):
            pass


async def test_the_port_is_free_again_after_closing():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        await ann.links.first()
        port = ann.listener.port
    async with Listener(passport("ann"), Links(), host="127.0.0.1", port=port):
        pass
    await channel.close()


async def test_closing_the_door_ends_every_link_and_says_goodbye():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        await ann.links.first()
        receiving = asyncio.ensure_future(channel.receive())

    with pytest.raises(Exception, match="closed"):
        await receiving
    assert channel.close_code == 1000


async def test_a_new_day_has_a_new_certificate_and_the_links_stay():
    clock = [NOW_MS]
    today = Passport(identity("ann"), network(), lambda: clock[0], "0.1.0")
    async with door("ann", passport=today) as ann:
        channel = await dial(ann.address, passport("bob"))
        async with knock(ann.address) as one, knock(ann.address) as other:
            assert seen_certificate(one) == seen_certificate(other)
            before = seen_certificate(one)

        clock[0] += DAY_MS
        async with knock(ann.address) as one:
            assert seen_certificate(one) != before

        theirs = await ann.links.first()
        await theirs.send(b"still here")
        assert await channel.receive() == b"still here"
        await (await dial(ann.address, passport("cid"))).close()
        await channel.close()


async def test_no_delay_is_put_on_small_frames():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        theirs = await ann.links.first()

        for end in (channel, theirs):
            sock = end._websocket.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await channel.close()


async def test_one_link_too_many_is_told_that_there_is_no_room():
    async with door("ann", most_links=1) as ann:
        first = await dial(ann.address, passport("bob"))
        await ann.links.first()
        second = await dial(ann.address, passport("cid"))

        with pytest.raises(Exception, match="4008"):
            await second.receive()

        assert second.close_code == close_code_of(ErrorCode.BUSY)
        await first.close()
        await until(lambda: ann.links.ended == [1000])
        third = await dial(ann.address, passport("dan"))
        await until(lambda: len(ann.links.adopted) == 2)
        await third.close()


async def test_a_link_that_fails_by_a_bug_leaves_the_door_open(caplog: pytest.LogCaptureFixture):
    class Broken(Links):
        async def adopt(self, channel: Channel, path: PeerPath, address: str) -> None:
            raise ZeroDivisionError

    async with Listener(passport("ann"), Broken(), host="127.0.0.1", port=0) as ann:
        address = parse_address(ann.listening[0], PeerPath.FILE)
        for who in ("bob", "cid"):
            channel = await dial(address, passport(who))
            with pytest.raises(Exception, match="closed"):
                await channel.receive()

    assert caplog.text.count("The link from 127.0.0.1 failed") == 2


# --- strangers who only take up room ---


async def test_the_fifth_silent_visitor_of_an_address_sends_the_first_away():
    async with door("ann") as ann:
        silent = [await open_tcp(ann.listener.port) for _ in range(PER_ADDRESS)]
        first_gone = asyncio.ensure_future(_gone(silent[0]))
        silent.append(await open_tcp(ann.listener.port))

        await asyncio.wait_for(first_gone, 5)

        assert not any(writer.is_closing() for writer in silent[1:])
        for writer in silent:
            writer.close()


async def test_friends_get_in_while_strangers_flood_the_door():
    """100 connections a second that say nothing, from many addresses."""
    stop = asyncio.Event()
    opened: list[asyncio.StreamWriter] = []

    async def flood(port: int) -> None:
        for number in range(10_000):
            if stop.is_set():
                return
            opened.append(await open_tcp(port, f"127.1.{number // 250}.{number % 250 + 1}"))
            await asyncio.sleep(0.01)

    async with door("ann") as ann:
        flooding = asyncio.ensure_future(flood(ann.listener.port))
        await until(lambda: len(opened) > IN_ALL)
        for number in range(10):
            channel = await dial(ann.address, passport(f"friend {number}"))
            await channel.close()
        stop.set()
        await flooding

        assert len(ann.links.adopted) == 10
        assert len(ann.listener._doorstep) <= IN_ALL
    for writer in opened:
        writer.close()


async def test_a_visitor_who_says_nothing_is_sent_away_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener_module, "GREETING_S", 0.1)
    async with door("ann") as ann:
        at_tcp = await open_tcp(ann.listener.port)
        async with knock(ann.address) as at_hello:
            await asyncio.wait_for(_gone(at_tcp), 5)
            await asyncio.wait_for(at_hello.wait_closed(), 5)

        assert len(ann.listener._doorstep) == 0
        at_tcp.close()


async def test_a_dialer_sent_away_for_room_may_come_again():
    """Not as after a wrong proof, which is remembered."""
    async with door("ann") as ann, knock(ann.address) as first:
        others = [await open_tcp(ann.listener.port) for _ in range(PER_ADDRESS)]
        await asyncio.wait_for(first.wait_closed(), 5)

        assert first.close_code == 1006
        for writer in others:
            writer.close()


async def test_a_member_with_a_link_no_longer_counts_as_a_visitor():
    async with door("ann") as ann:
        channels = [await dial(ann.address, passport(f"friend {n}")) for n in range(8)]
        await until(lambda: len(ann.links.adopted) == 8)

        assert len(ann.listener._doorstep) == 0
        assert ann.links.ended == []
        await asyncio.gather(*(channel.close() for channel in channels))


async def test_no_stranger_learns_a_key_or_a_name_from_the_door():
    """What a scanner gets to see: TLS, a certificate that names nothing, and 404."""
    async with door("ann") as ann:
        with pytest.raises(PeerUnreachable):
            await dial(ann.address, passport("eve", "Another forum"))
        seen = b""
        for request in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", ann.listener.port)
            writer.write(request)
            writer.write_eof()
            seen += await reader.read(4096)
            writer.close()

    secret = (identity("ann").key, b"Garden", network().id, b"rothernet", b"websockets")
    assert not any(word in seen for word in secret)


async def _gone(writer: asyncio.StreamWriter) -> None:
    """Wait until the other end has closed."""
    reader = writer.transport.get_protocol()._stream_reader  # type: ignore[attr-defined]
    with contextlib.suppress(ConnectionError):
        await reader.read()
