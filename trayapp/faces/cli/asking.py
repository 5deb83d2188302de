"""One command: what it says to the node, and its result in print."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from trayapp.api.client import Client
from trayapp.errors import InvalidBody, TrayAppError
from trayapp.faces.cli import tables
from trayapp.faces.cli.node import reach
from trayapp.faces.terminal import DONE, INTERRUPTED, STDIN, Terminal, refuse

Result: TypeAlias = dict[str, Any]


def ask(terminal: Terminal, call: str, show: Callable[[Result], str], /, **args: Any) -> int:
    """Make one call and print its result by `show`, or as JSON; returns the exit code."""
    return talk(terminal, lambda client: client.call(call, **args), show)


def talk(
    terminal: Terminal,
    conversation: Callable[[Client], Awaitable[Result]],
    show: Callable[[Result], str],
    *,
    start: bool = True,
) -> int:
    """Make any number of calls, and print what comes of them.

    Args:
        start: a node for this command where none runs.
    """

    async def whole() -> Result:
        node = reach(terminal.data_dir) if start else Client.connect(terminal.data_dir)
        async with node as client:
            return await conversation(client)

    tables.prepare(sys.stdout, sys.stderr)
    try:
        result = asyncio.run(whole())
    except TrayAppError as error:
        return refuse(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    _print(json.dumps(result) if terminal.json else show(result))
    return DONE


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # `| head` has seen enough. Python flushes once more at its end: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def typed(text: str) -> str:
    """The text of an argument, or of standard input where it says so.

    Raises:
        InvalidBody: what comes in is no UTF-8.
    """
    if text != STDIN:
        return text
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise InvalidBody("Standard input holds no text in UTF-8.") from error
