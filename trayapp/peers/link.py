"""The asyncio shell round one session: it moves bytes, asks the keeper, and decides nothing.

Three tasks: one reads frames and does what must come before the next one, one works at what may
take its time (answers, reconciliation), and one alone writes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol, assert_never

from trayapp.errors import ChannelClosed, ErrorCode, RemoteProtocolError, StoreError
from trayapp.peers.channel import Channel
from trayapp.peers.chores import Chores, Neighbours
from trayapp.peers.greeting import CLOSE_BASE
from trayapp.peers.keeper import Keeper
from trayapp.status import PeerPath
from trayapp.sync.actions import (
    Action,
    Admit,
    AtOnce,
    Chore,
    Compare,
    EndReconcile,
    FindCursor,
    HearRecords,
    LookUp,
    NoteAck,
    Reconcile,
    SayPing,
    SendOperations,
    SendPage,
    Welcomed,
)
from trayapp.sync.session import Session, State

_log = logging.getLogger(__name__)

GOODBYE_S = 2.0
"""How long the last words to a peer may take."""
WRITE_BYTES = 131_072
"""Handed to the socket at once; what is queued behind it can still be overtaken."""
DRAINED_BYTES = 524_288
"""The next answer is fetched when no more than this is unsent: a slow reader costs no memory."""


class Hub(Neighbours, Protocol):
    """What a link asks of the swarm it belongs to."""

    def welcomed(self, link: Link) -> None:
        """The link is READY."""
        ...

    def hear(self, action: HearRecords, link: Link) -> None:
        """The peer tells where machines can be reached.

        Raises:
            RemoteProtocolError: a record is forged.
        """
        ...

    def moved_on(self, link: Link) -> None:
        """A frame was dealt with: a status may read differently now."""
        ...


class Link:
    """One peer, from WELCOME to the end."""

    def __init__(self, channel: Channel, session: Session, keeper: Keeper, hub: Hub) -> None:
        self.channel = channel
        self.session = session
        self.path = PeerPath.INBOUND
        self.address = ""
        self.heard_ms = keeper.now_ms()
        self.told_directory: int | None = None
        """The version of the directory this peer was told; None: nothing yet."""
        self.is_busy = False
        """At work on a frame: the peer's silence is ours."""
        self._keeper = keeper
        self._hub = hub
        self._chores = Chores(session, keeper, hub)
        self._work: asyncio.Queue[Chore] = asyncio.Queue()
        self._something_to_send = asyncio.Event()
        self._drained = asyncio.Event()
        self._over = asyncio.Event()
        self._look: tuple[object, ...] = ()

    @property
    def peer(self) -> bytes:
        """The device at the other end."""
        return self.channel.peer

    async def run(self) -> None:
        """Talk until either end has enough. Errors of the peer end the link and no more."""
        self.wake()  # our WELCOME
        async with asyncio.TaskGroup() as tasks:
            name = self.peer.hex()[:8]
            read = tasks.create_task(self._read(), name=f"read {name}")
            work = tasks.create_task(self._do_work(), name=f"work {name}")
            write = tasks.create_task(self._write(), name=f"write {name}")
            await self._over.wait()
            write.cancel()
            work.cancel()
            await self._say_goodbye()
            if not self.is_busy:  # else it ends by itself, once what it stores is stored
                read.cancel()

    def tick(self, now: float) -> None:
        """Let the session do what time asks for."""
        if self.is_busy:
            self.session.resume(now)
            self._hub.shared.streams.restart_window(self.peer, now)
            return
        try:
            self._sort(self.session.tick(now))
        except Exception:
            # Whatever this peer brought about: all links are ticked in one task, and only this
            # one may end by it. Closed, it is ticked no more, so this is said once.
            _log.exception("The link to %s ends by a mistake of ours.", self.peer.hex()[:16])
            self.end(ErrorCode.BUSY, "It met a mistake of its own.")
        self.wake()

    def looks_different(self, own_count: int) -> bool:
        """Whether a status would read differently than when this was last asked."""
        session = self.session
        look = (session.state, session.is_settled, session.their_taking, own_count)
        changed, self._look = look != self._look, look
        return changed

    def wake(self) -> None:
        """See whether the session has something to send, or is closed."""
        if self.session.unsent_bytes:
            self._something_to_send.set()
        if self.session.state is State.CLOSED:
            self._over.set()

    def end(self, code: ErrorCode | None, text: str = "") -> None:
        """End the link; the peer is told why."""
        self.session.close(code, text)
        self.wake()

    # --- reading ---

    async def _read(self) -> None:
        try:
            while self.session.state is not State.CLOSED:
                data = await self.channel.receive()
                await self._take(data)
        except ChannelClosed as closed:
            _log.debug("%s: %s", self.peer.hex()[:16], closed)
            self.session.close()
        except RemoteProtocolError as error:
            _log.info("A peer (%s) broke the rules: %s", self.peer.hex()[:16], error)
            self.session.close(error.error_code, str(error))
        except StoreError as error:
            # The keeper has told the person; a peer can do without us until there is room again.
            self.session.close(ErrorCode.BUSY, "It cannot store anything now.")
            _log.warning("The link to %s ends: %s", self.peer.hex()[:16], error)
        finally:
            self.is_busy = False
            self._over.set()

    async def _take(self, data: bytes) -> None:
        """Take one frame, and do what must be done before the next one."""
        self.is_busy = True
        self.heard_ms = self._keeper.now_ms()
        actions: Sequence[Action] = self.session.receive(data, self._hub.now())
        while actions:
            self.wake()  # the next request goes out while this page is being stored
            for action in self._sort(actions):
                await self._act(action)
            actions = self.session.actions()
        self.wake()
        self.is_busy = False
        self._hub.moved_on(self)

    def _sort(self, actions: Sequence[Action]) -> list[AtOnce]:
        """Give the worker what may take its time; return the rest."""
        at_once: list[AtOnce] = []
        for action in actions:
            if isinstance(action, Chore):
                self._work.put_nowait(action)
            else:
                at_once.append(action)
        return at_once

    async def _act(self, action: AtOnce) -> None:
        match action:
            case Admit():
                if refused := await self._chores.admit(action):
                    raise RemoteProtocolError(refused[0])
            case Compare():
                await self._chores.compare(action)
            case LookUp():
                await self._chores.look_up(action)
            case NoteAck(ids):
                await self._keeper.acked(self.peer, ids)
            case Welcomed():
                self.channel.ready = True
                self._hub.welcomed(self)
            case HearRecords():
                self._hub.hear(action, self)
            case _:
                assert_never(action)

    # --- working ---

    async def _do_work(self) -> None:
        try:
            while True:
                action = await self._work.get()
                await self._work_at(action)
                self._sort(self.session.actions())
                self.wake()
                self._hub.moved_on(self)
        except RemoteProtocolError as error:
            self.end(error.error_code, str(error))
        except StoreError as error:
            self.end(ErrorCode.BUSY, "It cannot read its store now.")
            _log.warning("The link to %s ends: %s", self.peer.hex()[:16], error)

    async def _work_at(self, action: Chore) -> None:
        match action:
            case SendOperations():
                await self._until_drained()
                await self._chores.send_operations(action)
            case SendPage():
                await self._until_drained()
                await self._chores.send_page(action)
            case FindCursor():
                await self._chores.find_cursor(action)
            case SayPing():
                await self._chores.ping()
            case Reconcile():
                await self._chores.reconcile(action)
            case EndReconcile():
                self._chores.end_reconcile(action)
            case _:
                assert_never(action)

    async def _until_drained(self) -> None:
        while self.session.unsent_bytes > DRAINED_BYTES:
            self._drained.clear()
            await self._drained.wait()

    # --- writing ---

    async def _write(self) -> None:
        try:
            while True:
                await self._something_to_send.wait()
                self._something_to_send.clear()
                while frames := self.session.data_to_send(WRITE_BYTES):
                    for frame in frames:
                        await self.channel.send(frame)
                    self._drained.set()
        except ChannelClosed:
            self.session.close()
            self._over.set()

    async def _say_goodbye(self) -> None:
        """Send what is left, which is the reason, and close the channel."""
        code, text = self.session.farewell or (0, "")
        try:
            async with asyncio.timeout(GOODBYE_S):
                for frame in self.session.data_to_send():
                    await self.channel.send(frame)
        except (ChannelClosed, TimeoutError):
            pass
        await self.channel.close(CLOSE_BASE + code if code else 1000, text)
