"""Members, strangers and doors on loopback, for the tests of the network floor."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from trayapp.errors import ChannelClosed
from trayapp.forum.identity import Identity
from trayapp.forum.network import Network, found
from trayapp.peers.certificate import Certificate, dialing_context, make_certificate
from trayapp.peers.channel import PATH, Channel, Passport
from trayapp.peers.finder import PeerAddress, parse_address
from trayapp.peers.greeting import VERSION, Visit, _our_auth, _Proofs
from trayapp.peers.listener import Listener
from trayapp.status import PeerPath
from trayapp.sync.messages import Auth, Hello, Message, decode, encode

NOW_MS = 1_800_000_000_000
SOON_S = 10.0


def identity(name: str) -> Identity:
    return Identity(hashlib.sha256(name.encode()).digest())


def network(name: str = "Garden") -> Network:
    root = identity("founder").key
    return found(name, root, salt=bytes(16), key=hashlib.sha256(name.encode()).digest())


def passport(name: str, forum: str = "Garden", *, now_ms: int = NOW_MS) -> Passport:
    """What `name` shows at doors of `forum`."""
    return Passport(identity(name), network(forum), lambda: now_ms, "0.1.0")


class Links:
    """A swarm that holds each link open and reads it, until the other end closes."""

    def __init__(self, *, read: bool = True) -> None:
        self.adopted: list[tuple[Channel, PeerPath, str]] = []
        self.frames: list[bytes] = []
        self.ended: list[int] = []
        self._open: dict[Channel, None] = {}
        self._read = read

    async def adopt(self, channel: Channel, path: PeerPath, address: str) -> None:
        self.adopted.append((channel, path, address))
        self._open[channel] = None
        channel.ready = True
        try:
            while True:
                self.frames.append(await channel.receive())
        except ChannelClosed as closed:
            self.ended.append(closed.close_code)
        finally:
            del self._open[channel]

    def linked(self) -> dict[bytes, str]:
        return {channel.peer: channel.remote_host for channel in self._open}

    async def first(self) -> Channel:
        """The first link, once there is one."""
        await until(lambda: bool(self.adopted))
        return self.adopted[0][0]


async def until(condition: Callable[[], bool], within_s: float = SOON_S) -> None:
    """Wait for a condition, and fail when it does not come true in time."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)


def at(port: int, key: bytes | None = None) -> PeerAddress:
    return PeerAddress("127.0.0.1", port, key, PeerPath.FILE)


@asynccontextmanager
async def door(name: str, forum: str = "Garden", **options: Any) -> AsyncIterator[Door]:
    """A real listener on loopback."""
    links = Links()
    who = options.pop("passport", passport(name, forum))
    async with Listener(who, links, host="127.0.0.1", port=0, **options) as listener:
        yield Door(listener, links)


class Door:
    def __init__(self, listener: Listener, links: Links) -> None:
        self.listener = listener
        self.links = links
        self.address = replace(parse_address(listener.listening[0], PeerPath.FILE), key=None)


@asynccontextmanager
async def stage(
    behave: Callable[[ServerConnection], Awaitable[None]],
    certificate: Certificate | None = None,
    **options: Any,
) -> AsyncIterator[PeerAddress]:
    """A WebSocket server over TLS that does what the test says, instead of a listener."""
    context = (certificate or make_certificate(NOW_MS)).context
    async with serve(
        behave, "127.0.0.1", 0, ssl=context, compression=None, close_timeout=1, **options
    ) as server:
        yield at(server.sockets[0].getsockname()[1])


@asynccontextmanager
async def plain_server(greeting: bytes) -> AsyncIterator[PeerAddress]:
    """A TCP server that says `greeting` and then waits for the other end to leave."""
    leaving: list[asyncio.Task[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        leaving.append(asyncio.current_task())  # type: ignore[arg-type]
        writer.write(greeting)
        with suppress(ConnectionError):
            await reader.read()
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield at(server.sockets[0].getsockname()[1])
        await asyncio.wait_for(asyncio.gather(*leaving), SOON_S)


@asynccontextmanager
async def knock(address: PeerAddress, **options: Any) -> AsyncIterator[ClientConnection]:
    """A bare WebSocket to a door; the test greets by hand."""
    async with connect(
        f"{address.url}{options.pop('path', PATH)}",
        ssl=dialing_context(),
        server_hostname="",
        compression=None,
        proxy=None,
        close_timeout=1,
        **options,
    ) as websocket:
        yield websocket


def seen_certificate(websocket: ClientConnection) -> bytes:
    """The hash of the listener's certificate as the dialer sees it."""
    der = websocket.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hashlib.sha256(der).digest()


class Greeter:
    """Greets by hand, step by step, over either end of a socket."""

    def __init__(self, websocket: Any, who: Passport, certificate: bytes) -> None:
        self.websocket = websocket
        self.who = who
        self.visit = Visit(websocket, who, certificate, "the test")
        self.theirs: Hello | None = None

    def dialer_hello(self, nonce: bytes = b"d" * 32, version: int = VERSION) -> bytes:
        return encode(Hello(version, nonce, _Proofs(self.visit, nonce, b"").by_dialer()))

    def listener_hello(
        self, theirs: Hello, nonce: bytes = b"l" * 32, version: int = VERSION
    ) -> bytes:
        return encode(Hello(version, nonce, _Proofs(self.visit, theirs.nonce, nonce).by_listener()))

    def auth(
        self, label: bytes, dialer: bytes, listener: bytes, versions: bytes = b"\1\1"
    ) -> bytes:
        signed = _Proofs(self.visit, dialer, listener).signed_text(label, versions)
        return encode(_our_auth(self.who, signed))


async def hear(websocket: Any) -> Message | None:
    return decode(await websocket.recv())


async def hear_hello(websocket: Any) -> Hello:
    message = await hear(websocket)
    assert isinstance(message, Hello)
    return message


async def hear_auth(websocket: Any) -> Auth:
    message = await hear(websocket)
    assert isinstance(message, Auth)
    return message
