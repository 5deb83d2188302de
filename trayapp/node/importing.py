"""Bringing another forum's posts in: archive → plan → signed and stored, some hundreds at a time.

Done again it writes only what is new there. It can be given up between two batches; what was
written stays, and the next import goes on from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from sqlite3 import Connection

from trayapp.errors import ImportRefused
from trayapp.events import BoardChanged, ImportProgress
from trayapp.forum import bodies
from trayapp.forum.bodies import Imported
from trayapp.forum.discourse import Gathering, Item, Plan, Report, Site, site_of
from trayapp.forum.operation import ZERO, Kind, Operation
from trayapp.node.archive import open_archive
from trayapp.node.node import HERE, Node
from trayapp.node.publishing import Pen, Statement, pen_of
from trayapp.node.telling import Arrived
from trayapp.store import board
from trayapp.store import operations as log

BATCH = 500
_TOLD_FILES = 200
_TOLD_BATCHES = 4


async def import_discourse(
    node: Node, path: Path, site: str | None, *, given_up: Callable[[], bool]
) -> Report:
    """Import an archive of a Discourse forum.

    Args:
        path: a folder, .tar.xz, .tar.gz or .zip of post JSON, on this machine.
        site: the forum's address; None when it is not known.
        given_up: asked between batches; True ends the import early.

    Raises:
        ImportRefused: another import runs, or the archive cannot be read; posts stay as they are.
    """
    where = site_of(site)
    if node.importing.locked():
        raise ImportRefused("Another import is under way on this machine; wait for its end.")
    async with node.importing:
        plan = await _gather(node, path, where, given_up)
        me = node.identity.key
        known = await node.database.read(lambda conn: board.imported_keys(conn, me, where.name))
        work = _Import(node, plan, known)
        await work.run(given_up)
        node.bus.emit(BoardChanged())
    return work.report()


async def _gather(node: Node, path: Path, site: Site, given_up: Callable[[], bool]) -> Plan:
    """Read the archive in a thread of its own: unpacking takes seconds."""
    loop = asyncio.get_running_loop()

    def tell(files: int) -> None:
        loop.call_soon_threadsafe(node.bus.emit, ImportProgress(files, 0))

    def gather() -> Plan:
        gathering = Gathering(site)
        with open_archive(path) as archive:
            for count, post in enumerate(archive):
                if given_up():  # the thread would hold the program's end up
                    break
                gathering.take(post)
                if count % _TOLD_FILES == 0:
                    tell(count)
        return gathering.plan()

    return await asyncio.to_thread(gather)


class _Import:
    """One run over a plan."""

    def __init__(self, node: Node, plan: Plan, known: dict[str, tuple[bytes, int]]) -> None:
        self._node = node
        self._plan = plan
        self._versions = {key: version for key, (_, version) in known.items()}
        self._ids = {key: id_ for key, (id_, _) in known.items()}
        self._known = 0
        self._done = 0

    async def run(self, given_up: Callable[[], bool]) -> None:
        items = iter(self._plan)
        batches = 0
        while not given_up():
            # Making the texts is work too: 0.1 ms a post.
            batch = await asyncio.to_thread(lambda: list(islice(items, BATCH)))
            if not batch:
                return
            await self._write(batch)
            batches += 1
            self._node.bus.emit(ImportProgress(self._done, len(self._plan)))
            if batches % _TOLD_BATCHES == 0:
                self._node.bus.emit(BoardChanged())

    def report(self) -> Report:
        """What came of it, once it ran to its end."""
        return self._plan.report.without(self._known)

    async def _write(self, batch: list[Item]) -> None:
        node = self._node
        async with node.speaking:
            pen = await pen_of(node)
            heads = await node.database.read(lambda conn: self._heads(conn, batch))
            operations = await asyncio.to_thread(lambda: list(self._signed(batch, pen, heads)))
            if operations:
                await node.admit(operations, source=HERE, arrived=Arrived.IMPORT)
        self._done += len(batch)

    def _heads(self, conn: Connection, batch: list[Item]) -> dict[str, tuple[bytes, ...]]:
        """For posts that are here in an older version: the edits that a new one replaces."""
        older = [item.key for item in batch if self._is_older(item)]
        return {key: log.target(conn, self._ids[key]).heads for key in older}

    def _is_older(self, item: Item) -> bool:
        held = self._versions.get(item.key)
        return held is not None and held < item.body.source.version

    def _signed(
        self, batch: list[Item], pen: Pen, heads: dict[str, tuple[bytes, ...]]
    ) -> Iterator[Operation]:
        """One operation for each item that is new or newer; later items name the earlier ones."""
        node = self._node
        for item in batch:
            if item.key in self._ids and item.key not in heads:
                # Subnets are made of the posts: a report does not count them.
                self._known += item.parent is not None
                continue
            body = replace(item.body, re=self._ids[item.re] if item.re else None)
            statement = self._statement(item, body, heads)
            [operation] = pen.sign_all([statement], node.identity, node.network, node.now_ms())
            pen = Pen(operation.seq + 1, operation.id, operation.hlc)
            self._ids.setdefault(item.key, operation.id)
            yield operation

    def _statement(
        self, item: Item, body: Imported, heads: dict[str, tuple[bytes, ...]]
    ) -> Statement:
        if item.key in heads:
            edit = bodies.Edit(heads[item.key][: bodies.EDIT_BASES], bodies.fields_of(body))
            return Statement(Kind.EDIT, self._ids[item.key], edit)
        ref = ZERO if item.parent is None else self._ids[item.parent]
        return Statement(Kind.IMPORTED, ref, body)
