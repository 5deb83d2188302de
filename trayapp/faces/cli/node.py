"""Reaching the node: the one that runs, or one of the command's own, which ends with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from trayapp.api.client import Client, is_held
from trayapp.desktop import paths
from trayapp.errors import NodeUnreachable

_START_S = 20.0
_STOP_S = 5.0
_OTHER_START_S = 5.0
_LOOK_S = 0.1


@asynccontextmanager
async def reach(data_dir: Path) -> AsyncIterator[Client]:
    """Connect to the node of a data directory, wherever it may have to come from.

    Raises:
        NodeUnreachable: none runs, and none could be started; the sentence says why.
    """
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(Client.connect(data_dir))
        except NodeUnreachable:
            client = await _started(stack, data_dir)
        yield client


async def _started(stack: AsyncExitStack, data_dir: Path) -> Client:
    """Connect to a node of this command, or to one that was starting at the same moment."""
    try:
        return await stack.enter_async_context(_own_node(data_dir))
    except NodeUnreachable as error:
        with suppress(TimeoutError):
            async with asyncio.timeout(_OTHER_START_S):
                while is_held(data_dir):
                    with suppress(NodeUnreachable):
                        return await stack.enter_async_context(Client.connect(data_dir))
                    await asyncio.sleep(_LOOK_S)
        raise error


@asynccontextmanager
async def _own_node(data_dir: Path) -> AsyncIterator[Client]:
    """A node without network for this command; it ends also when the command is killed."""
    pipe = asyncio.subprocess.PIPE
    argv = [*paths.program(), "--data", str(data_dir), "headless", "--no-net", "--brief"]
    child = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        pid = await _ready(child)
        async with Client.connect(data_dir, brief_pid=pid) as client:
            yield client
            await client.call("stop")
    finally:
        await _end(child)


async def _ready(child: asyncio.subprocess.Process) -> int:
    """Wait until the child serves; returns the process id that it goes by."""
    assert child.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_S):
            line = await child.stdout.readline()
        if line:
            return int(json.loads(line)["pid"])
    raise NodeUnreachable(await _last_words(child))


async def _last_words(child: asyncio.subprocess.Process) -> str:
    """Why the child did not start: the last line it said."""
    assert child.stderr is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            said = (await child.stderr.read()).decode(errors="replace").strip()
        if said:
            return said.splitlines()[-1]
    return "The node could not be started."


async def _end(child: asyncio.subprocess.Process) -> None:
    """See the child end: it does so by itself when its standard input closes."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await child.communicate()
    except TimeoutError:
        child.kill()
        await child.wait()
