"""The program as a person starts it: real processes, their output and their exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "trayapp")
PATIENCE_S = 30


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Its one line of JSON."""
        assert self.code == 0, self.err
        [line] = self.out.splitlines()
        return dict(json.loads(line))


async def run(
    data: Path, *words: str, typed: str | bytes | None = None, env: Mapping[str, str] | None = None
) -> Ended:
    """Run a command to its end."""
    stdin = asyncio.subprocess.DEVNULL if typed is None else asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "--data", str(data), *words,
        stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    given = typed.encode() if isinstance(typed, str) else typed
    out, err = await asyncio.wait_for(process.communicate(given), PATIENCE_S)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def asked(data: Path, *words: str, **how: Any) -> dict[str, Any]:
    """Run a command with --json; it has to succeed."""
    return (await run(data, "--json", *words, **how)).json


@dataclass
class Headless:
    """A node in the foreground of its own process."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    async def stop(self, number: int = signal.SIGTERM) -> tuple[float, str]:
        """End it by a signal: how long that took, and what it said on standard error."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.process.send_signal(number)
        _, err = await asyncio.wait_for(self.process.communicate(), PATIENCE_S)
        return loop.time() - began, err.decode()


@asynccontextmanager
async def headless(data: Path, *options: str) -> AsyncIterator[Headless]:
    """A node for the block, killed at its end if it still runs."""
    process = await start(data, "headless", *options)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        if not line:
            _, err = await process.communicate()
            raise AssertionError(f"it ended with {process.returncode}: {err.decode()}")
        yield Headless(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def start(data: Path, *words: str) -> asyncio.subprocess.Process:
    """Start a command and leave it running."""
    return await asyncio.create_subprocess_exec(
        *PROGRAM, "--data", str(data), *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
