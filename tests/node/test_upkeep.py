from __future__ import annotations

import asyncio
from pathlib import Path

from tests.node.nodes import general, open_node
from trayapp.node import founding, publishing, upkeep
from trayapp.node.node import Node
from trayapp.store import search


async def _found(node: Node, words: str) -> int:
    return len(await node.database.read(lambda conn: search.search(conn, words)))


async def test_words_are_found_without_anybody_asking_first(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        task = asyncio.ensure_future(upkeep.index_words(node))
        try:
            await publishing.publish_thread(node, await general(node), "Boat trip", "flowerpot")
            async with asyncio.timeout(3):
                while not await _found(node, "flowerpot"):
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_traces_of_deleted_posts_are_merged_away(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        said = await publishing.publish_thread(
            node, await general(node), "Keys", "under xyzzyflowerpot"
        )
        await node.database.write(search.index_pending)
        await publishing.delete(node, said.id.hex())
        assert _trace(tmp_path)
        task = asyncio.ensure_future(upkeep.tidy(node))
        try:
            async with asyncio.timeout(3):
                while _trace(tmp_path):
                    await asyncio.sleep(0.02)
        finally:
            task.cancel()
            await asyncio.wait([task])


def _trace(folder: Path) -> bool:
    return any(b"xyzzyflowerpot" in path.read_bytes() for path in folder.glob("forum.db*"))
