"""Accepts peers: TCP, TLS, the WebSocket upgrade, then the greeting of `channel.py`.

It accepts by itself rather than through `websockets.serve`, because whoever has not proved
membership counts from the first TCP packet on, and because each new day has a new certificate.
"""

from __future__ import annotations

import asyncio
import errno
import http
import logging
import socket
import sys
from asyncio import sslproto
from types import TracebackType
from typing import Any, Self, cast

from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from trayapp.errors import ErrorCode, InvalidAddress, PeerUnreachable, PortInUse
from trayapp.peers.certificate import DailyCertificate
from trayapp.peers.channel import (
    GREETING_S,
    PATH,
    SOCKET_OPTIONS,
    Channel,
    Passport,
    accept,
    close_code_of,
    host_of,
)
from trayapp.peers.dialer import Links
from trayapp.peers.doorstep import Doorstep
from trayapp.peers.finder import DEFAULT_PORT, PeerAddress
from trayapp.peers.interfaces import reachable, snapshot
from trayapp.status import PeerPath
from trayapp.sync.messages import GREETING_BYTES

LINKS = 32
"""Inbound links of an ordinary machine."""
ARCHIVE_LINKS = 2_000
"""Those of an archive or bootstrap."""

_BACKLOG = 128
_PAUSE_S = 0.5
_TLS_BUFFER_BYTES = 32 * 1024
_EVERYWHERE = ("0.0.0.0", "::")

_log = logging.getLogger(__name__)


class Listener:
    """The door of this machine, open between `async with` and its end."""

    def __init__(
        self,
        passport: Passport,
        links: Links,
        *,
        host: str | None = None,
        port: int | None = None,
        most_links: int = LINKS,
    ) -> None:
        """Set the door up; it opens with `async with`.

        Args:
            host: name or IP address of this machine to listen on, 0.0.0.0 for all of IPv4; None
                or :: for all there are.
            port: 0 for any free one; None: 47311, or a free one where that is taken.
        """
        self._passport = passport
        self._links = links
        self._host = host
        self._wanted_port = port
        self._most_links = most_links
        self._certificates = DailyCertificate()
        self._doorstep: Doorstep[asyncio.Task[None]] = Doorstep()
        self._sockets: list[socket.socket] = []
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()
        self._inbound = 0

    async def __aenter__(self) -> Self:
        """Start listening.

        Raises:
            PortInUse: the port asked for is taken.
            InvalidAddress: the host asked for is not this machine.
        """
        _spare_tls_memory()
        self._sockets = await _listen(self._host, self._wanted_port)
        await self._tasks.__aenter__()
        for listening in self._sockets:
            self._start(self._receive(listening), "listen")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in tuple(self._running):
            task.cancel()
        try:
            await self._tasks.__aexit__(kind, error, traceback)
        finally:
            for listening in self._sockets:
                listening.close()

    @property
    def port(self) -> int:
        """The port that is open."""
        return int(self._sockets[0].getsockname()[1])

    @property
    def host(self) -> str | None:
        """The one address that is listened on, or 0.0.0.0; None: all of them."""
        if len(self._sockets) > 1:
            return None
        return str(self._sockets[0].getsockname()[0])

    @property
    def listening(self) -> tuple[str, ...]:
        """Addresses with this device's key, as another machine's person would add them."""
        return tuple(
            str(PeerAddress(host, self.port, self._passport.identity.key, PeerPath.FILE))
            for host in self._hosts()
        )

    def _hosts(self) -> list[str]:
        own = reachable(snapshot())
        hosts: list[str] = []
        for listening in self._sockets:
            host = str(listening.getsockname()[0])
            if host in _EVERYWHERE:
                hosts += [h for h in own if (":" in h) == (":" in host)]
            else:
                hosts.append(host)
        return hosts

    def _start(self, work: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._tasks.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _receive(self, listening: socket.socket) -> None:
        """Let visitors in, one after the other."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, remote = await loop.sock_accept(listening)
            except OSError as error:  # out of file descriptors, most likely
                _log.warning("No visitor can be let in now: %s.", error)
                await asyncio.sleep(_PAUSE_S)
                continue
            host = host_of(remote)
            visit = self._start(self._visit(sock, host), f"visit {host}")
            if oldest := self._doorstep.come(visit, host):
                oldest.cancel()

    async def _visit(self, sock: socket.socket, host: str) -> None:
        """One visitor, from the first packet to the end of the link."""
        visit = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            channel = await self._greet(sock)
        except (PeerUnreachable, OSError) as error:  # OSError: TLS and time-outs too
            _log.debug("A visitor from %s left: %s", host, error)
            return
        except Exception:
            # A stranger's bytes met a bug, ours or a library's: the door stays open for others.
            _log.exception("The greeting of %s failed.", host)
            return
        finally:
            self._doorstep.go(visit)
        await self._hold(channel)

    async def _greet(self, sock: socket.socket) -> Channel:
        today = self._certificates.at(self._passport.now_ms())
        websocket = _server_connection()
        greeted = False
        try:
            async with asyncio.timeout(GREETING_S):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: websocket, sock, ssl=today.context, ssl_handshake_timeout=GREETING_S
                )
                await websocket.handshake(_only_members_knock, server_header=None)
                if websocket.state is not State.OPEN:
                    raise PeerUnreachable("It asked for something else.")
                channel = await accept(websocket, self._passport, today.digest)
                greeted = True
        finally:
            if not greeted:
                await _drop(websocket, sock)
        return channel

    async def _hold(self, channel: Channel) -> None:
        """Keep the link, unless there are enough."""
        if self._inbound >= self._most_links:
            await channel.close(close_code_of(ErrorCode.BUSY), "no room")
            return
        self._inbound += 1
        try:
            await self._links.adopt(channel, PeerPath.INBOUND, channel.remote_host)
        except Exception:
            # A peer's bytes met a bug of ours: it costs this link, not those to everybody else.
            _log.exception("The link from %s failed.", channel.remote_host)
        finally:
            self._inbound -= 1
            await channel.close()


class _Visit(ServerConnection):
    """A server's connection whose handler is `Listener._visit`, not a task of the library."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Connection.connection_made(self, transport)


class _Serving:
    """All that a connection asks of its server."""

    def is_serving(self) -> bool:
        return True


def _server_connection() -> _Visit:
    return _Visit(
        ServerProtocol(max_size=GREETING_BYTES), cast(Server, _Serving()), **SOCKET_OPTIONS
    )


def _only_members_knock(connection: ServerConnection, request: Request) -> Response | None:
    """Anything but a member's request is not found; a browser's always has an Origin."""
    if request.path == PATH and "Origin" not in request.headers:
        return None
    return connection.respond(http.HTTPStatus.NOT_FOUND, "")


async def _drop(websocket: ServerConnection, sock: socket.socket) -> None:
    transport = getattr(websocket, "transport", None)  # missing until TLS stands
    if transport is None:
        sock.close()
        await asyncio.sleep(0)  # asyncio lets go of the socket one step later
    else:
        transport.abort()
        await websocket.wait_closed()


def _spare_tls_memory() -> None:
    """Shrink the read buffer that the standard library gives each TLS connection, 256 KiB.

    2,000 links then take 180 MB rather than 640. The attribute is private, so it may go away.
    """
    if hasattr(sslproto.SSLProtocol, "max_size"):
        sslproto.SSLProtocol.max_size = _TLS_BUFFER_BYTES


async def check_free(host: str | None, port: int | None) -> None:
    """See whether a listener could open here, without opening one.

    Raises:
        PortInUse: the port asked for is taken; None asks for none.
        InvalidAddress: the host asked for is not this machine.
    """
    if port is not None:
        for listening in await _listen(host, port):
            listening.close()


async def _listen(host: str | None, port: int | None) -> list[socket.socket]:
    hosts = _EVERYWHERE if host in (None, "::") else await _resolve(str(host))
    try:
        return _open(hosts, DEFAULT_PORT if port is None else port)
    except PortInUse:
        if port is not None:
            raise
    sockets = _open(hosts, 0)
    _log.warning(
        "Port %d is taken on this machine; listening on port %d instead.",
        DEFAULT_PORT,
        sockets[0].getsockname()[1],
    )
    return sockets


async def _resolve(host: str) -> tuple[str, ...]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError as error:
        raise InvalidAddress(f"No machine is known by the name {host!r}.") from error
    return tuple(dict.fromkeys(str(where[4][0]) for where in found))


def _open(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    """Listen on every host at one port; IPv6 may be missing where all addresses are meant."""
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            try:
                sockets.append(_bind(host, sockets[0].getsockname()[1] if sockets else port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise _taken(port) from error
                if not (hosts == _EVERYWHERE and sockets):
                    raise InvalidAddress(
                        f"This machine cannot listen on {host} ({error.strerror})."
                    ) from error
    except BaseException:
        for listening in sockets:
            listening.close()
        raise
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    six = ":" in host
    family = socket.AF_INET6 if six else socket.AF_INET
    # With its protocol named: asyncio sets TCP_NODELAY on no other.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":  # where SO_REUSEADDR lets others take the port over
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _taken(port: int) -> PortInUse:
    return PortInUse(
        f"Port {port} is taken on this machine. Name another, or none: a free one is found then."
    )
