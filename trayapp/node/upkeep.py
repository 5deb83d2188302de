"""What a node does when nobody asks: words into the index, traces of deleted posts out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from sqlite3 import Connection

from trayapp.node.node import Node
from trayapp.store import search

INDEXED_AT_ONCE = 500
TIDY_EVERY_S = 600.0
_BREATH_S = 0.05


async def index_words(node: Node) -> None:
    """Let a search find what came in; never returns."""
    while True:
        await node.unindexed.wait()
        node.unindexed.clear()
        await _in_slices(node, lambda conn: search.index_pending(conn, INDEXED_AT_ONCE))


async def tidy(node: Node) -> None:
    """Merge away the words of deleted posts, slice by slice, within a day; never returns."""
    while True:
        await _in_slices(node, search.tidy)
        await asyncio.sleep(TIDY_EVERY_S)


async def _in_slices(node: Node, work: Callable[[Connection], object]) -> None:
    """Do slices of some work until there is none left; others write in between."""
    more = await node.database.write(work)
    while more:
        await asyncio.sleep(_BREATH_S)
        more = await node.database.write(work)
