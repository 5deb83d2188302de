"""One machine of a test: a data directory, the program on it, and what both say.

Everything is asked through the command line, as a person would, or read from the SQLite file.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.whole.switch import Switch

PROGRAM = (sys.executable, "-m", "trayapp")
_TICK_S = 0.1


class Machine:
    """A machine with Brothernet on it, on a plug of a switch or, without one, on loopback."""

    def __init__(self, folder: Path, lan: Switch | None = None, plug: int = 0) -> None:
        self.folder = folder
        self.ready: dict[str, Any] = {}
        self._lan = lan
        self._plug = plug
        self._node: asyncio.subprocess.Process | None = None

    async def run(self, *words: str, expect: int = 0) -> dict[str, Any]:
        """Run one command with --json: its object, or {} where it had to refuse."""
        process = await self._spawn("--data", str(self.folder), "--json", *words)
        out, err = await process.communicate()
        assert process.returncode == expect, (
            f"{words[0]}: exit {process.returncode}: {err.decode()}"
        )
        return dict(json.loads(out)) if out.strip() else {}

    async def start(self, *options: str) -> dict[str, Any]:
        """Start the node without a screen and wait until it serves."""
        self._node = await self._spawn("--data", str(self.folder), "headless", *options)
        assert self._node.stdout
        line = await asyncio.wait_for(self._node.stdout.readline(), 20)
        assert line, await self._last_words()
        self.ready = json.loads(line)
        return self.ready

    async def stop(self) -> None:
        """Ask the node to end, as `kill` and Ctrl+C do; three seconds are the promise."""
        assert self._node
        # The first child is `ip netns exec`, which replaces itself: the signal reaches the node.
        self._node.send_signal(signal.SIGTERM)
        await asyncio.wait_for(self._node.communicate(), 3)
        self._node = None

    async def kill(self) -> None:
        """Pull the plug: SIGKILL."""
        assert self._node
        self._node.kill()
        await self._node.wait()
        self._node = None

    def operations(self) -> dict[str, str]:
        """The id of every stored operation, with its log, read from the file: {id: log}."""
        uri = f"file:{self.folder / 'forum.db'}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as db:
            return {row[0].hex(): str(row[1]) for row in db.execute("SELECT id, log FROM op")}

    def digest(self) -> dict[str, str]:
        """digest16 of both logs, computed here from the ids alone, by the definition."""
        found = self.operations()
        return {log: _digest16([i for i, of in found.items() if of == log]) for log in ("0", "1")}

    def bytes_of_operations(self) -> int:
        """What all stored operations weigh on the wire, without frames."""
        uri = f"file:{self.folder / 'forum.db'}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as db:
            query = "SELECT sum(length(hdr) + coalesce(length(body), 0)) FROM op"
            return int(db.execute(query).fetchone()[0])

    def cpu_seconds(self) -> float:
        """What the running node has computed so far, user and system."""
        fields = self._process_file("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_rss_mb(self) -> float:
        """The most memory the running node has held."""
        lines = dict(line.split(":", 1) for line in self._process_file("status").splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024

    def _process_file(self, name: str) -> str:
        assert self._node
        return Path(f"/proc/{self._node.pid}/{name}").read_text()

    async def until(
        self, words: tuple[str, ...], holds: Callable[[dict[str, Any]], bool], patience_s: float
    ) -> dict[str, Any]:
        """Ask the same again until the answer holds; fail with the last answer."""
        seen: dict[str, Any] = {}

        async def ask() -> bool:
            nonlocal seen
            seen = await self.run(*words)
            return holds(seen)

        try:
            await wait_until(ask, patience_s)
        except TimeoutError:
            raise AssertionError(f"after {patience_s} s {words} still says {seen}") from None
        return seen

    async def _spawn(self, *words: str) -> asyncio.subprocess.Process:
        pipes: dict[str, Any] = {
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
        }
        argv = [*PROGRAM, *words]
        if self._lan is not None:
            return await self._lan.start(self._plug, argv, **pipes)
        return await asyncio.create_subprocess_exec(*argv, **pipes)

    async def _last_words(self) -> str:
        assert self._node
        _, err = await self._node.communicate()
        return f"the node ended with {self._node.returncode}: {err.decode()}"


async def wait_until(holds: Callable[[], Awaitable[bool]], patience_s: float) -> None:
    """Ask every tenth of a second until it holds.

    Raises:
        TimeoutError: it did not within `patience_s`.
    """
    async with asyncio.timeout(patience_s):
        while not await holds():
            await asyncio.sleep(_TICK_S)


def _digest16(ids: list[str]) -> str:
    total = sum(int.from_bytes(bytes.fromhex(i), "little") for i in ids) % 2**256
    return hashlib.sha256(total.to_bytes(32, "little") + _varint(len(ids))).hexdigest()[:32]


def _varint(number: int) -> bytes:
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127 | 128)
    return bytes(reversed(groups))
