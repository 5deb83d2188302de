"""A node with one link, at the other end of which the test writes every frame."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.peers.dict_keeper import DictKeeper, a_swarm, pipe
from trayapp.errors import ChannelClosed
from trayapp.status import PeerPath
from trayapp.sync.messages import Role, Welcome

SOME_ID = b"\x77" * 32


class Visitor:
    """A peer of which the test writes every frame, and the node it talks to."""

    def __init__(self, keeper, name="bob"):
        self.keeper = keeper
        self.swarm = a_swarm(keeper)
        self.key = DictKeeper(name).key
        self.ours, self.theirs = pipe(self.key, keeper.key)

    async def __aenter__(self):
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self.task = self._tasks.create_task(
            self.swarm.adopt(self.theirs, PeerPath.INBOUND, "192.0.2.7")
        )
        return self

    async def __aexit__(self, *error):
        await self.ours.close()
        async with asyncio.timeout(5):
            await self._tasks.__aexit__(*error)

    async def welcome(self, digests=()):
        """Greet; the node greets back, and both are READY."""
        await self.welcome_back(digests)
        return await self.ours.hear_a(Welcome)

    async def welcome_back(self, digests=()):
        """Greet, and wait until the node has heard it."""
        await self.ours.say(Welcome(tuple(digests), "192.0.2.1", Role.PEER))
        async with asyncio.timeout(5):
            while not self.theirs.ready:
                await asyncio.sleep(0.002)

    async def heard_to_the_end(self):
        """All that is still said, until the node hangs up."""
        heard = []
        with suppress(ChannelClosed):
            while True:
                heard.append(await self.ours.hear())
        return heard
