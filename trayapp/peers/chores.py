"""The errands of one session at the keeper: fetch, store, look up, reconcile, and report back."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from trayapp.peers.keeper import Admitted, Keeper
from trayapp.sync.actions import (
    Admit,
    Compare,
    EndReconcile,
    FindCursor,
    LookUp,
    Reconcile,
    SendOperations,
    SendPage,
)
from trayapp.sync.answers import ANSWER_BYTES
from trayapp.sync.asking import operation_id, position
from trayapp.sync.copies import LOGS
from trayapp.sync.limits import CpuBudget
from trayapp.sync.line import Shared
from trayapp.sync.messages import LogDigest
from trayapp.sync.negentropy import Initiator, Responder
from trayapp.sync.reconciling import Outcome
from trayapp.sync.session import Session

FETCH_IDS = 100
"""Operations fetched in one go for a WANT: at 256 KiB each they fit into memory."""


class Neighbours(Protocol):
    """What the errands of one link share with those of the others."""

    @property
    def shared(self) -> Shared:
        """What all sessions know."""
        ...

    @property
    def cpu(self) -> CpuBudget:
        """What all reconciliations may cost together."""
        ...

    def now(self) -> float:
        """The clock of all sessions, in seconds."""
        ...

    async def look(self) -> None:
        """Look at the store's digests anew."""
        ...

    def pass_on(self, action: Admit, admitted: Admitted, peer: bytes) -> None:
        """Operations came from `peer` and are stored: tell the others."""
        ...


class Chores:
    """What one session wants done."""

    def __init__(self, session: Session, keeper: Keeper, neighbours: Neighbours) -> None:
        self._session = session
        self._keeper = keeper
        self._neighbours = neighbours
        self._asking: dict[int, Initiator] = {}
        self._answering: dict[int, Responder] = {}
        self._agreed_on: tuple[LogDigest, ...] = ()
        self._newest: dict[int, set[bytes]] = {}
        """Left out of the pages, as they are what a peer is given first; forgotten at the end."""

    async def admit(self, action: Admit) -> tuple[str, ...]:
        """Store what came; return a sentence for each operation that is none."""
        peer = self._session.peer
        admitted = await self._keeper.admit_from(
            peer, action.operations, arrival=action.arrival, cursor=action.cursor
        )
        if admitted.stored:
            await self._neighbours.look()
        now = self._neighbours.now()
        self._session.admitted(action, admitted.stored, now, held=admitted.held)
        if admitted.stored:
            self._neighbours.pass_on(action, admitted, peer)
            await self._note_agreement()
        return admitted.refused

    async def compare(self, action: Compare) -> None:
        """See how far the copies agree."""
        await self._neighbours.look()
        self._session.compare(action, self._neighbours.now(), self._keeper.now_ms())
        await self._note_agreement()

    async def ping(self) -> None:
        """Say PING with what we hold now."""
        await self._neighbours.look()
        self._session.ping(self._neighbours.now(), self._keeper.now_ms())

    async def look_up(self, action: LookUp) -> None:
        """Find out what is missing of what the peer offers."""
        self._session.lack(await self._keeper.missing(action.ids), self._neighbours.now())

    async def find_cursor(self, action: FindCursor) -> None:
        """Find out where a STREAM from this peer goes on."""
        kept = await self._keeper.stream_cursor(self._session.peer, action.log)
        self._session.stream_from(action.log, kept, self._neighbours.now())

    async def send_operations(self, action: SendOperations) -> None:
        """Answer a WANT: what is held, as far as an answer reaches."""
        operations: list[bytes] = []
        gone: list[bytes] = []
        size = 0
        for at in range(0, len(action.ids), FETCH_IDS):
            if size > ANSWER_BYTES:
                break
            ids = action.ids[at : at + FETCH_IDS]
            held = await self._keeper.raw_of(ids)
            gone += [one for one in ids if one not in held]
            operations += held.values()
            size += sum(map(len, held.values()))
        self._session.answer(action, operations, gone, self._neighbours.now())

    async def send_page(self, action: SendPage) -> None:
        """Answer a STREAM."""
        newest = action.cursor is None
        page = await (self._newest_page(action.log) if newest else self._page(action))
        self._session.answer(action, page, (), self._neighbours.now())

    async def reconcile(self, step: Reconcile) -> None:
        """Do one step of negentropy, when its turn has come."""
        cpu = self._neighbours.cpu
        await asyncio.sleep(cpu.wait(self._neighbours.now()))
        if step.first:
            await self._take_snapshot(step)
        began = time.perf_counter()
        reply, have, need = self._asked(step) if step.asking else (self._answered(step), (), ())
        cpu.spend(time.perf_counter() - began, self._neighbours.now())
        missing = tuple(await self._keeper.missing(need)) if need else ()
        self._session.reconciled(step, Outcome(reply, have, missing), self._neighbours.now())

    def end_reconcile(self, action: EndReconcile) -> None:
        """Forget the snapshot of a reconciliation."""
        if action.asking:
            self._asking.pop(action.log, None)
        else:
            self._answering.pop(action.log, None)

    async def _note_agreement(self) -> None:
        """Tell the keeper, once for each state of our copy, that the peer holds all of it."""
        copy = self._neighbours.shared.copies.listed
        if self._session.is_equal and copy != self._agreed_on:
            self._agreed_on = copy
            control, content = (self._neighbours.shared.copies.ours[log] for log in LOGS)
            compared = (control.count, control.digest16), (content.count, content.digest16)
            await self._keeper.agreed(self._session.peer, compared)

    async def _take_snapshot(self, step: Reconcile) -> None:
        inventory = await self._keeper.inventory(step.log)
        if step.asking:
            self._asking[step.log] = Initiator(inventory)
        else:
            self._answering[step.log] = Responder(inventory)

    def _asked(self, step: Reconcile) -> tuple[bytes | None, tuple[bytes, ...], tuple[bytes, ...]]:
        """The asking end's next message, and what it has newly learned: ours only, theirs only."""
        initiator = self._asking[step.log]
        if step.message is None:
            return initiator.open(), (), ()
        reply = initiator.answer(step.message)
        return reply, initiator.have, initiator.need

    def _answered(self, step: Reconcile) -> bytes:
        return self._answering[step.log].answer(step.message or b"")

    async def _newest_page(self, log: int) -> list[bytes]:
        page, _ = await self._keeper.stream_page(log, None, ANSWER_BYTES)
        self._newest[log] = {operation_id(raw) for raw in page}
        return page

    async def _page(self, action: SendPage) -> list[bytes]:
        """The next page, without the newest ones.

        Whoever asks for a page was given those before: on this link, or on the one on which it
        got its cursor. Where that is not so any more, the reconciliation at the end finds it.
        """
        if action.log not in self._newest:
            await self._newest_page(action.log)
        cursor, sent = action.cursor, self._newest[action.log]
        while True:
            page, _ = await self._keeper.stream_page(action.log, cursor, action.page_bytes)
            if not page:
                del self._newest[action.log]
                return page
            if fresh := [raw for raw in page if operation_id(raw) not in sent]:
                return fresh
            cursor = position(page[-1])
