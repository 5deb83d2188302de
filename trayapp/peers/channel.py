"""One authenticated WebSocket between two machines of one forum (PROTOCOL.md section 8).

TLS 1.3 hides, `greeting.py` proves. What is said from WELCOME on is the matter of
`sync/session.py` and `link.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
import ssl
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from trayapp.errors import ChannelClosed, ErrorCode, PeerUnreachable
from trayapp.peers.certificate import dialing_context
from trayapp.peers.finder import PeerAddress
from trayapp.peers.greeting import CLOSE_BASE, Visit, answer, greet
from trayapp.peers.greeting import Passport as Passport
from trayapp.sync.messages import GREETING_BYTES, Auth

PATH = "/v1"
GREETING_S = 10.0
"""For connecting, HELLO and AUTH together."""
SOCKET_OPTIONS: dict[str, Any] = {
    "max_queue": 4,
    # How long a close waits for the other end: quitting may take 3 s in all.
    "close_timeout": 1.0,
    # The session has PINGs of its own; a WebSocket ping behind a long frame would time out.
    "ping_interval": None,
}

_LOST = 1006
_REASON_BYTES = 120


class Channel:
    """A link to a member whose device key is proved. One task reads, one writes.

    Frames up to 1 MiB are taken already; the other end takes them once its WELCOME is here.
    """

    def __init__(self, websocket: Connection, auth: Auth, *, dialed: bool) -> None:
        self._websocket = websocket
        self.peer = auth.key
        self.dialed = dialed
        self.features = auth.features
        self.clock_ms = auth.clock_ms
        self.app_version = auth.app_version
        self.remote_host = host_of(websocket.remote_address)
        self.ready = False
        """The link sets it when WELCOME has come: READY resets the dialer's back-off."""

    async def receive(self) -> bytes:
        """The next frame, whole.

        Raises:
            ChannelClosed: there is none, the link is over.
        """
        try:
            return await self._websocket.recv(decode=False)
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def send(self, frame: bytes) -> None:
        """Send one frame; waits while the other end reads more slowly than we write.

        Raises:
            ChannelClosed: the link is over. Having returned does not mean delivered.
        """
        try:
            await self._websocket.send(frame)
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the link; returns within about a second, also when nobody answers."""
        short = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        try:
            await self._websocket.close(code, short)
        finally:
            # In a task that is being cancelled the library's time-out does not close the socket:
            # before Python 3.11.4 asyncio.timeout takes it for the cancellation.
            self._websocket.transport.abort()
            await self._websocket.wait_closed()

    @property
    def close_code(self) -> int | None:
        """How the link ended, whoever ended it; None while it stands."""
        if self._websocket.close_code is None:
            return None
        word = self._websocket.protocol.close_rcvd or self._websocket.protocol.close_sent
        return word.code if word else _LOST


async def dial(
    address: PeerAddress, passport: Passport, *, timeout_s: float = GREETING_S
) -> Channel:
    """Connect to an address and find out who is there.

    Raises:
        PeerUnreachable: nobody answers, or not the one who should; its `error_code` tells which.
    """
    place = _place(address)
    try:
        async with asyncio.timeout(timeout_s):
            websocket = await _connect(address, place)
            try:
                tls = websocket.transport.get_extra_info("ssl_object")
                der = tls.getpeercert(binary_form=True)
                visit = Visit(websocket, passport, hashlib.sha256(der).digest(), place)
                auth = await greet(visit, der, address.key)
            except BaseException:  # a cancelled dial too: nobody else would close it
                websocket.transport.abort()
                await websocket.wait_closed()
                raise
    except TimeoutError as error:
        raise PeerUnreachable(f"{place} did not answer within {timeout_s:g} seconds.") from error
    return Channel(websocket, auth, dialed=True)


async def accept(websocket: Connection, passport: Passport, certificate_digest: bytes) -> Channel:
    """Find out who has come in. The caller bounds the time, and drops the socket on an error.

    Raises:
        PeerUnreachable: no member, or one that we do not link with; its `error_code` tells which.
    """
    place = host_of(websocket.remote_address)
    auth = await answer(Visit(websocket, passport, certificate_digest, place))
    return Channel(websocket, auth, dialed=False)


def close_code_of(code: ErrorCode) -> int:
    """The WebSocket close code that says the same."""
    return CLOSE_BASE + code


def host_of(remote_address: Any) -> str:
    """The IP address of a socket's other end, an IPv4 one never in its IPv6 disguise."""
    if not remote_address:
        return "unknown"
    host = str(remote_address[0])
    try:
        mapped = getattr(ipaddress.ip_address(host), "ipv4_mapped", None)
    except ValueError:
        return host
    return str(mapped or host)


class _Connect(connect):
    """A member never redirects; whoever does would choose for us where to connect."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def _connect(address: PeerAddress, place: str) -> Connection:
    """TCP, TLS and the WebSocket upgrade; what goes wrong becomes a sentence."""
    # A name may have several addresses, and is what a proxy that passes TLS through goes by.
    named: dict[str, Any] = {"server_hostname": address.host, "happy_eyeballs_delay": 0.25}
    try:
        return await _Connect(
            # The real host goes in below: a scoped IPv6 address fits into no URI.
            f"wss://brothernet{PATH}",
            host=address.host,
            port=address.port,
            ssl=dialing_context(),
            compression=None,
            proxy=None,
            user_agent_header=None,
            open_timeout=None,
            max_size=GREETING_BYTES,
            **({"server_hostname": ""} if _is_ip(address.host) else named),
            **SOCKET_OPTIONS,
        )
    except (InvalidHandshake, EOFError) as error:
        raise PeerUnreachable(f"What answers at {place} is not Brothernet.") from error
    except ssl.SSLError as error:
        raise PeerUnreachable(f"What answers at {place} speaks no TLS 1.3.") from error
    except socket.gaierror as error:
        raise PeerUnreachable(f"No machine is known by the name {address.host}.") from error
    except ConnectionRefusedError as error:
        raise PeerUnreachable(f"No Brothernet listens at {place}.") from error
    except TimeoutError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a host that no resolver takes
        raise PeerUnreachable(f"There is no way to {place} now ({error}).") from error


def _closed(error: ConnectionClosed) -> ChannelClosed:
    word = error.rcvd or error.sent
    return ChannelClosed(word.code, word.reason) if word else ChannelClosed(_LOST)


def _place(address: PeerAddress) -> str:
    return address.url.removeprefix("wss://")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
