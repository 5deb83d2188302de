"""HTTP on 127.0.0.1: the page's files, the entrance, and the socket for calls and events.

Every request is checked: the Host must be ours (no other name leads here), an Origin must be ours
(no other page talks to us), and whoever asks brings the window's cookie or the owner's token.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from trayapp.api import calls
from trayapp.api.calls import House
from trayapp.api.gate import Gate
from trayapp.api.socket import Conversation
from trayapp.api.token import MESSAGE_LIMIT
from trayapp.errors import PortInUse
from trayapp.node.node import Node

HOST = "127.0.0.1"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Written down here: what Windows knows of file types anybody may have changed.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_NOT_FOR_THE_PAGE = {"node_modules", "package.json", "package-lock.json"}
_CLOSED = "Open the forum from the tray icon, or with 'brothernet window'."
_GOODBYE_S = 0.5


class ApiServer:
    """The api of one node while it runs: `async with ApiServer(…) as server`."""

    def __init__(self, node: Node, token: str, *, ui: Path, icon: Path) -> None:
        """Take a node and what is served beside it.

        Args:
            token: what the command line brings.
            ui: the page's folder.
            icon: a PNG, shown as the page's icon.
        """
        self._node = node
        self._gate = Gate(token, time.monotonic)
        self._ui = ui.resolve()
        self._icon = icon
        self.on_stop: Callable[[], None] = lambda: None
        """What the call `stop` does."""
        self._port = 0
        self._conversations: set[Conversation] = set()
        self._runner = web.AppRunner(
            self._application(), access_log=None, handle_signals=False, shutdown_timeout=_GOODBYE_S
        )

    async def listen(self, port: int = 0) -> None:
        """Serve from now on, on this port of 127.0.0.1 or on a free one.

        Raises:
            PortInUse: somebody else has the port that was asked for.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port).start()
        except (OSError, OverflowError) as error:
            await self._runner.cleanup()
            why = (isinstance(error, OSError) and error.strerror) or "it is no port"
            raise PortInUse(f"The page cannot be served on port {port}: {why}.") from error
        self._port = self._runner.addresses[0][1]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for conversation in list(self._conversations):
            await conversation.close()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{HOST}:{self._port}"

    def page_address(self, path: str = "") -> str:
        """An address that opens the page once, within a minute, at a path such as `/t/THREAD`."""
        page = f"#{quote(path, safe='/:@-._~')}" if path else ""
        return f"{self.url}/enter?code={self._gate.new_code()}{page}"

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.on_response_prepare.append(_add_headers)
        application.router.add_get("/enter", self._enter)
        application.router.add_get("/socket", self._talk)
        application.router.add_get("/favicon.ico", self._favicon)
        application.router.add_get("/{path:.*}", self._file)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        ours = (f"{HOST}:{self._port}", f"localhost:{self._port}")
        host = request.headers.get("Host", "")
        if host not in ours:
            return _plain(421, "This is not the machine you asked for.")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            return _plain(403, "Another page may not talk to the forum.")
        cookie = request.cookies.get(self._cookie_name)
        authorization = request.headers.get("Authorization")
        if request.path != "/enter" and not self._gate.lets_in(cookie, authorization):
            return _plain(401, _CLOSED)
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            return _plain(refusal.status, refusal.reason)

    @property
    def _cookie_name(self) -> str:
        # Cookies know no ports: two forums in one browser would take each other's.
        return f"brothernet-{self._port}"

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        if not self._gate.redeem(request.query.get("code", "")):
            return _plain(403, f"This address was used up. {_CLOSED}")
        # What stands behind # stays with the browser across the redirect.
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self._cookie_name, self._gate.cookie, httponly=True, samesite="Strict")
        return response

    async def _favicon(self, _request: web.Request) -> web.StreamResponse:
        if not self._icon.is_file():
            return _plain(404, "No icon here.")
        return web.FileResponse(self._icon, headers={"Content-Type": _TYPES[".png"]})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = _page_file(self._ui, request.match_info["path"] or "index.html")
        if path is None:
            return _plain(404, "There is no such page.")
        return web.FileResponse(path, headers={"Content-Type": _TYPES[path.suffix]})

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            max_msg_size=MESSAGE_LIMIT, timeout=_GOODBYE_S, compress=False
        )
        await socket.prepare(request)
        with self._node.audience.visit() as visitor:
            house = House(self._node, visitor, self.page_address, lambda: self.on_stop())
            answer = partial(calls.answer, house)
            conversation = Conversation(socket, self._node.bus, answer, visitor.leave)
            self._conversations.add(conversation)
            try:
                await conversation.run()
            finally:
                self._conversations.discard(conversation)
        return socket


def _page_file(ui: Path, name: str) -> Path | None:
    """The file of the page that a path names; None for everything else on the disk."""
    try:
        path = (ui / name).resolve()
        inside = path.relative_to(ui)
        served = path.suffix in _TYPES and not _NOT_FOR_THE_PAGE & set(inside.parts)
        return path if served and path.is_file() else None
    except (ValueError, OSError):  # outside, or no name that a file could have
        return None


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _plain(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=sentence + "\n")
