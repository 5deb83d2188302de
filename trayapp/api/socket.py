"""One WebSocket of a face: many calls at once, and the node's events in order.

From the face: first `{since: seq | null}`, then `{id, call, args}`. From here: `{id, result}` or
`{id, error: {code, message}}` in the order of completion, and `{seq, event, data}`. A face that
reads too slowly misses events and is told so; its calls wait for it, and nobody else does.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType
from aiohttp.web import WebSocketResponse

from trayapp.api.json_shapes import Json, event_data, event_name
from trayapp.errors import TrayAppError
from trayapp.node.bus import Bus

CALLS_AT_ONCE = 32
_LAST_WORDS_S = 0.5

_log = logging.getLogger(__name__)


class Conversation:
    """What is said on one socket, from its first message to its end."""

    def __init__(
        self,
        socket: WebSocketResponse,
        bus: Bus,
        answer: Callable[[str, Json], Awaitable[Json]],
        on_left: Callable[[], None],
    ) -> None:
        """Talk over a socket that is already open.

        Args:
            answer: makes a call, by its name and arguments; a TrayAppError is a refusal.
            on_left: called when the face is gone; its calls are still finished.
        """
        self._socket = socket
        self._bus = bus
        self._on_left = on_left
        self._answer = answer
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)
        self._told: int | None = None
        """The number of the event told last; None: this face wants no events."""
        self._caught_up = asyncio.Event()

    async def run(self) -> None:
        """Talk until either end closes; then return when no call is under way any more."""
        telling: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            async for message in self._socket:
                if (said := await self._understand(message)) is None:
                    continue
                if "since" in said:
                    telling = tasks.create_task(self._tell_events())
                else:
                    # No more is read while so many calls are under way.
                    await self._room.acquire()
                    tasks.create_task(self._call(said))
            self._on_left()
            if telling is not None:
                telling.cancel()

    async def close(self) -> None:
        """Say what is still to be said, then close."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                while self._told is not None and self._told < self._bus.last:
                    self._caught_up.clear()
                    await self._caught_up.wait()
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def _understand(self, message: WSMessage) -> Json | None:
        """A message as a call or as the word where to begin; None if it was neither."""
        said: object = None
        if message.type is WSMsgType.TEXT:
            with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                said = msgspec.json.decode(message.data)
        if isinstance(said, dict) and (self._is_begin(said) or _is_call(said)):
            return said
        known_id = said.get("id") if isinstance(said, dict) else None
        await self._refuse(known_id, "bad_call", "This is no call: {id, call, args} is expected.")
        return None

    def _is_begin(self, said: dict[str, Any]) -> bool:
        since = said.get("since", "")
        known = since is None or (isinstance(since, int) and not isinstance(since, bool))
        if known and self._told is None:
            self._told = self._bus.last if since is None else since
            return True
        return False

    async def _call(self, said: Json) -> None:
        try:
            result = await self._answer(said["call"], said.get("args", {}))
        except TrayAppError as error:
            await self._refuse(said["id"], error.code, str(error))
        except Exception as error:
            # A bug in one call must not end the others, nor the node; the log tells where it
            # is. The error's own words may hold a post: they stay out.
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("call %s: %s\n%s", said["call"], type(error).__name__, where)
            await self._refuse(
                said["id"], "internal", "The node made a mistake; its log says where."
            )
        else:
            await self._send({"id": said["id"], "result": result})
        finally:
            self._room.release()

    async def _tell_events(self) -> None:
        async for numbered in self._bus.subscribe(self._told):
            event = numbered.event
            await self._send(
                {"seq": numbered.seq, "event": event_name(event), "data": event_data(event)}
            )
            self._told = numbered.seq
            self._caught_up.set()

    async def _refuse(self, call_id: object, code: str, message: str) -> None:
        await self._send({"id": call_id, "error": {"code": code, "message": message}})

    async def _send(self, message: Json) -> None:
        text = msgspec.json.encode(message).decode()
        # Whole frames, whoever else sends. The other end may be gone: the reading loop ends by it.
        with suppress(ConnectionError):
            await self._socket.send_str(text)


def _is_call(said: dict[str, Any]) -> bool:
    return (
        isinstance(said.get("id"), int | str)
        and isinstance(said.get("call"), str)
        and isinstance(said.get("args", {}), dict)
    )
