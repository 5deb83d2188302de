"""The node's calls as coroutines, for faces that are Python: command line, window, tests.

async with Client.connect(data_dir) as client:
    status = await client.call("status")
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from trayapp.api import token
from trayapp.api.token import MESSAGE_LIMIT, Doorplate
from trayapp.errors import CallRefused, NodeUnreachable

LOCK_FILE = "node.lock"
"""As `store/database.py` names it, which is too much to load for a command that starts."""
_OPEN_S = 5.0


class Client:
    """One open connection to a node. Calls may be made at the same time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: asyncio.Queue[tuple[int, str, dict[str, Any]] | None] = asyncio.Queue()
        self._gone = False

    @staticmethod
    @asynccontextmanager
    async def connect(data_dir: Path, *, brief_pid: int | None = None) -> AsyncIterator[Client]:
        """Connect to the node that keeps a data directory.

        Args:
            brief_pid: the process id of the node that serves this command alone; None: any node
                that stays.

        Raises:
            NodeUnreachable: there is none, or it does not answer.
        """
        socket = await _open(_doorplate(data_dir, brief_pid), data_dir)
        client = Client(socket)
        reading = asyncio.get_running_loop().create_task(client._read())
        try:
            yield client
        finally:
            await socket.close()
            await reading

    async def call(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Make a call and wait for its result.

        Raises:
            CallRefused: the node said no; its sentence is fit for a person.
            NodeUnreachable: the node went away meanwhile.
        """
        call_id = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = answer
        try:
            await self._send({"id": call_id, "call": name, "args": args})
            return await answer
        finally:
            del self._waiting[call_id]

    async def events(
        self, since: int | None = None
    ) -> AsyncIterator[tuple[int, str, dict[str, Any]]]:
        """Yield the node's events as (seq, name, data), once per connection.

        The event `missed` says: some were told before this connection could hear them.

        Args:
            since: the last number known; None for what comes from now on.

        Raises:
            NodeUnreachable: the node went away.
        """
        await self._send({"since": since})
        while (event := await self._events.get()) is not None:
            yield event
        raise _went_away()

    async def _send(self, message: dict[str, Any]) -> None:
        if self._gone:
            raise _went_away()
        try:
            text = msgspec.json.encode(message)
        except UnicodeEncodeError as error:  # bytes on the command line that are no text
            raise CallRefused("bad_call", "This holds bytes that are no text in UTF-8.") from error
        if len(text) > MESSAGE_LIMIT:
            raise CallRefused("too_long", "This is too much at once: 1 MiB is the limit.")
        try:
            await self._socket.send(text, text=True)
        except ConnectionClosed as error:
            raise _went_away() from error

    async def _read(self) -> None:
        """Hand out what comes, until the connection is over; then nobody waits any longer."""
        with suppress(ConnectionClosed):
            async for text in self._socket:
                self._hand_out(msgspec.json.decode(text))
        self._gone = True
        self._events.put_nowait(None)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_went_away())

    def _hand_out(self, message: dict[str, Any]) -> None:
        if "seq" in message:
            self._events.put_nowait((message["seq"], message["event"], message["data"]))
            return
        answer = self._waiting.get(message["id"])
        if answer is None or answer.done():  # nobody waits for it any longer
            return
        if "error" in message:
            error = message["error"]
            answer.set_exception(CallRefused(error["code"], error["message"]))
        else:
            answer.set_result(message["result"])


def _doorplate(data_dir: Path, brief_pid: int | None) -> Doorplate:
    """Where to knock: at a node that stays, or at the one of this command."""
    plate = token.read(data_dir)
    if plate is None or (plate.brief and plate.pid != brief_pid) or not is_held(data_dir):
        raise NodeUnreachable(
            f"No node runs for {data_dir}. Start one with 'brothernet', or without a screen with "
            "'brothernet headless'."
        )
    return plate


def is_held(data_dir: Path) -> bool:
    """Whether a node holds the directory; without one `api.json` is a left-over."""
    path = data_dir / LOCK_FILE
    if not path.exists():
        return False
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (filelock.Timeout, OSError):
        return True
    lock.release()
    return False


async def _open(plate: Doorplate, data_dir: Path) -> ClientConnection:
    try:
        return await connect(
            plate.url.replace("http:", "ws:", 1) + "/socket",
            additional_headers={"Authorization": f"Bearer {plate.token}"},
            # A thread's page may be long; the node is ours.
            max_size=None,
            open_timeout=_OPEN_S,
            ping_interval=None,
            compression=None,
            proxy=None,
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise NodeUnreachable(f"The node for {data_dir} does not answer.") from error


def _went_away() -> NodeUnreachable:
    return NodeUnreachable("The node went away.")
