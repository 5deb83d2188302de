"""A node without a screen, in the foreground: one line says when it serves, a signal ends it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from trayapp import daemon
from trayapp.daemon import Daemon, DaemonOptions
from trayapp.desktop import paths
from trayapp.errors import TrayAppError
from trayapp.faces.terminal import DONE, REFUSED, Terminal, refuse
from trayapp.sync.messages import Role

_Flag: TypeAlias = Annotated[bool, Parameter(negative="")]


def headless(
    *,
    listen: str | None = None,
    api_port: int = 0,
    no_lan: _Flag = False,
    no_net: _Flag = False,
    brief: Annotated[bool, Parameter(negative="", show=False)] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Run a node without a screen, in the foreground. SIGTERM or Ctrl+C ends it.

    Parameters
    ----------
    listen
        HOST:PORT for other machines; without it port 47311 on all addresses, or a free one.
    api_port
        The port of the page and the command line on 127.0.0.1; 0 is a free one.
    no_lan
        Do not look for machines on the local network, nor be found there.
    no_net
        Do not listen, and link with nobody.
    brief
        Serve one command: end when standard input does.
    """
    options = DaemonOptions(
        data_dir=terminal.data_dir,
        listen=listen,
        api_port=api_port,
        lan=False if no_lan else None,
        net=not no_net,
        role=Role.PEER if brief else Role.BOOTSTRAP,
        brief=brief,
    )
    try:
        asyncio.run(_serve(options))
    except TrayAppError as error:
        return refuse(error)
    except asyncio.CancelledError:  # a signal came before it served
        return DONE
    except Exception:  # a bug of ours, already in the log: a person gets a sentence
        place = terminal.data_dir / paths.LOGS
        sys.stderr.write(f"Brothernet made a mistake; its log in {place} says where.\n")
        return REFUSED
    return DONE


async def _serve(options: DaemonOptions) -> None:
    ending = _Ending()
    ending.obey_signals()
    if options.brief:
        ending.follow_standard_input()

    async def beside(running: Daemon) -> None:
        ending.running = running
        _say_ready(running)

    await daemon.run(options, beside)


class _Ending:
    """Ends the node when somebody outside asks, also while it still starts."""

    def __init__(self) -> None:
        self.running: Daemon | None = None
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

    def obey_signals(self) -> None:
        """End on SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._loop.add_signal_handler(number, self._end)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: self._later(self._end))

    def follow_standard_input(self) -> None:
        """End when the command that started this node closes its pipe, or is killed."""

        def wait() -> None:
            # Not `sys.stdin.read`: its lock, held at the end of the program, would abort it.
            with suppress(OSError):
                while os.read(sys.stdin.fileno(), 4096):
                    pass
            self._later(self._end)

        # A daemon: it stays in `read` when the node ends for another reason.
        threading.Thread(target=wait, name="standard input", daemon=True).start()

    def _later(self, do: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: it ended already
            self._loop.call_soon_threadsafe(do)

    def _end(self) -> None:
        if self.running is not None:
            self.running.stop()
        elif self._task is not None:
            self._task.cancel()


def _say_ready(running: Daemon) -> None:
    node = running.node
    line = {
        "ready": True,
        "device": node.identity.key.hex(),
        "network": node.network.id.hex() if node.opened.is_set() else None,
        "listening": list(node.links.listening) if node.links else [],
        "api": running.url,
        "pid": os.getpid(),
    }
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads it; it serves all the same. Python flushes at its end: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
