"""Start Brothernet after the set-up: tray and window, or in the foreground without a screen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from installer.machine import Machine, has_display, say


def start(machine: Machine, data: str | None, headless: bool, rest: Sequence[str]) -> int:
    """Run Brothernet until it ends; return its exit code.

    Args:
        data: the data directory, None for the usual one.
        headless: no tray, also where there could be one.
        rest: more arguments for `brothernet`.
    """
    where = ["--data", str(Path(data).resolve())] if data else []
    reason = why_no_tray(machine)
    if not (headless or reason):
        say("Brothernet: starting; its icon appears in the tray")
        return _become(machine, [*where, *rest])
    say(f"Brothernet: starting without tray and window{f' ({reason})' if reason else ''}")
    return _serve(machine, where, rest)


def why_no_tray(machine: Machine) -> str:
    """Why tray and window cannot be had; empty when they can."""
    if not has_display(machine.platform, machine.environment):
        return "no display"
    if (
        machine.platform == "linux"
        and machine.says(machine.script("python"), "-c", "import gi") is None
    ):
        return "GTK is not installed"
    return ""


def _become(machine: Machine, arguments: list[str]) -> int:
    """Start the program in our place, so that signals reach it and nothing waits beside it."""
    command = [str(machine.script("brothernet")), *arguments]
    if machine.platform != "win32":  # there, exec would return to the prompt at once
        os.execve(command[0], command, dict(machine.environment))
    return subprocess.call(command, env=dict(machine.environment))


def _serve(machine: Machine, where: list[str], rest: Sequence[str]) -> int:
    """Run `brothernet headless`; when it is ready, print the address of the forum page."""
    with _passing_on_signals() as follow:
        node = subprocess.Popen(
            [str(machine.script("brothernet")), *where, "headless", *rest],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(machine.environment),
        )
        follow(node)
        with node:
            for line in node.stdout or ():
                print(line, end="", flush=True)
                if is_ready(line):
                    _show_page(machine, where)
    return node.returncode


@contextmanager
def _passing_on_signals() -> Iterator[Callable[[subprocess.Popen[str]], None]]:
    """Let the node, which saves before it goes, decide when we end.

    It is started inside, then followed: a signal that came in between is passed on too.
    """
    nodes: list[subprocess.Popen[str]] = []
    asked = False

    def stop(_number: int = 0, _frame: FrameType | None = None) -> None:
        nonlocal asked
        asked = True
        for node in nodes:
            node.terminate()

    def follow(node: subprocess.Popen[str]) -> None:
        nodes.append(node)
        if asked:
            stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield follow
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_ready(line: str) -> bool:
    """Whether a line of `headless` says that it serves."""
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("ready") is True


def _show_page(machine: Machine, where: list[str]) -> None:
    again = [str(machine.script("brothernet")), *where, "window", "--print-url"]
    address = machine.says(*again)
    if address is None:
        print("The address of the forum page could not be had.", file=sys.stderr)
        return
    print(f"The forum page: {address.strip()}")
    print(f"That address opens once, within a minute. For another: {' '.join(again)}")
    print("Ctrl+C stops Brothernet.", flush=True)
