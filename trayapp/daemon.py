"""The long-running half of the program: a node, its links and its api server on one loop.

Everything is put together here and nowhere else. Headless runs it on the main thread, the tray on
a thread beside the icon.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType

from trayapp import __version__
from trayapp.api import token
from trayapp.api.server import ApiServer
from trayapp.api.token import Doorplate
from trayapp.desktop import logs, paths
from trayapp.errors import StoreInUse, TrayAppError
from trayapp.events import CloseWindow
from trayapp.node import pulse, upkeep
from trayapp.node.budget import Budget
from trayapp.node.keeping import Keeping
from trayapp.node.mesh import Mesh, Reach, parse_listen
from trayapp.node.node import Node
from trayapp.node.supervision import keep_running
from trayapp.peers.listener import check_free
from trayapp.settings import Settings
from trayapp.store import address_book, key_file
from trayapp.store.database import Database, DirectoryLock, translated
from trayapp.sync.messages import Role

LOCK_WAIT_S = 5.0
"""How long a node waits for the one that serves a single command to end."""
_LOCK_LOOK_S = 0.1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonOptions:
    """What a face asks of its node; what is None here, the settings decide."""

    data_dir: Path
    listen: str | None = None
    api_port: int = 0
    lan: bool | None = None
    net: bool = True
    """Listen and look for other machines."""
    role: Role = Role.PEER
    brief: bool = False
    """Serve one command only: other nodes wait, other faces do not come in."""


class Daemon:
    """A node that serves, as the face beside it sees it."""

    def __init__(self, node: Node, server: ApiServer, settings: Settings) -> None:
        self.node = node
        self.settings = settings
        self._server = server
        self._stop = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the api answers."""
        return self._server.url

    @property
    def stopping(self) -> bool:
        """It was asked to end."""
        return self._stop.is_set()

    def open_page(self, path: str = "") -> str:
        """A one-time address of the page."""
        return self._server.page_address(path)

    def stop(self) -> None:
        """Ask it to end; `run` returns soon after. Called on the loop."""
        self._stop.set()

    async def stopped(self) -> None:
        """Wait until it was asked to end."""
        await self._stop.wait()


async def run(
    options: DaemonOptions, beside: Callable[[Daemon], Awaitable[None]] | None = None
) -> None:
    """Run a node until it is asked to end, or until the task is cancelled.

    Args:
        beside: started once the node serves; runs on its loop and is cancelled with it.

    Raises:
        SettingsError, StoreError, PortInUse, InvalidAddress: it could not start; said for a person.
    """
    data_dir = options.data_dir
    async with AsyncExitStack() as stack:
        lock = DirectoryLock(data_dir)
        await _acquire(lock, data_dir)
        stack.callback(lock.release)
        token.remove(data_dir)  # of a node that was killed
        stack.enter_context(logs.kept_in(data_dir, aloud=not options.brief))
        stack.push(_log_bug)
        settings = paths.read_settings(data_dir)
        identity = key_file.load_or_make_identity(data_dir, lambda: os.urandom(32))
        network = key_file.load_network(data_dir)
        database = await stack.enter_async_context(Database.open(data_dir))
        node = Node(data_dir, database, identity, network, now_ms=now_ms)
        stack.push_async_callback(node.settled)
        secret = token.new_token()
        server = ApiServer(node, secret, ui=paths.ui_folder(), icon=paths.icon())
        daemon = Daemon(node, server, settings)
        server.on_stop = daemon.stop
        await server.listen(options.api_port)
        await stack.enter_async_context(server)
        plate = Doorplate(server.url, secret, os.getpid(), options.brief)
        with translated(data_dir / token.FILE_NAME):
            token.write(data_dir, plate)
        stack.callback(token.remove, data_dir)
        try:
            await _serve(daemon, options, beside)
        except BaseExceptionGroup as group:
            raise _reason(group) from group


async def _serve(
    daemon: Daemon,
    options: DaemonOptions,
    beside: Callable[[Daemon], Awaitable[None]] | None,
) -> None:
    """Everything that runs side by side, until it was asked to end."""
    node = daemon.node
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(keep_running("status", partial(pulse.tell_changes, node))),
            tasks.create_task(keep_running("index", partial(upkeep.index_words, node))),
            tasks.create_task(keep_running("upkeep", partial(upkeep.tidy, node))),
        ]
        if options.net:
            listening = asyncio.Event()
            running.append(tasks.create_task(_link(daemon, options, listening)))
            await listening.wait()
        if beside is not None:
            running.append(tasks.create_task(_run_beside(beside, daemon)))
        try:
            await daemon.stopped()
        finally:
            # Before the face beside is cancelled: a tray waits for its window to close.
            node.bus.emit(CloseWindow())
        for task in running:
            task.cancel()


async def _link(daemon: Daemon, options: DaemonOptions, listening: asyncio.Event) -> None:
    """Link with other machines, from the moment there is a forum.

    Args:
        listening: set when others can come in, or when there is no forum to come into yet.

    Raises:
        PortInUse: at the start of the program. Later, when a forum is started or joined in a node
            that runs, the port is waited for.
    """
    node = daemon.node
    reach = _reach(options, daemon.settings)
    at_start = node.opened.is_set()
    if not at_start:
        await check_free(reach.host, reach.port)
        listening.set()
    await node.opened.wait()
    reach = replace(reach, invited=await node.database.read(address_book.invitations))
    daily = daemon.settings.daily_bytes
    budget = Budget(node.data_dir, now_ms=node.now_ms, daily_bytes=daily)
    mesh = Mesh(node, Keeping(node, budget), reach)
    if at_start:
        await mesh.run(listening)
    else:
        await keep_running("listener", partial(mesh.run, listening))


def _log_bug(
    _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
) -> None:
    """Write down where a bug ended the node, while the log is open: the stack, not the values."""
    if not isinstance(error, Exception) or isinstance(error, TrayAppError):
        return
    for one in _each(error):
        stack = "".join(traceback.format_tb(one.__traceback__))
        # Not aloud: what standard error says of it, the face does, in one sentence.
        _log.info("ended by %s at\n%s", type(one).__name__, stack)


def _each(error: BaseException) -> Iterator[BaseException]:
    """What was raised; of a group, each in it."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _each(one)
    else:
        yield error


def _reason(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the node: the one sentence for a person where there is one, else all of it."""
    found: BaseException = group.subgroup(TrayAppError) or group
    while found is not group and isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def _run_beside(beside: Callable[[Daemon], Awaitable[None]], daemon: Daemon) -> None:
    await beside(daemon)


def _reach(options: DaemonOptions, settings: Settings) -> Reach:
    """Where to listen and whom to look for, as the face or the settings say."""
    host, port = parse_listen(options.listen or settings.listen)
    return Reach(
        host=host,
        port=port,
        lan=settings.lan if options.lan is None else options.lan,
        bootstrap=settings.bootstrap,
        role=options.role,
        app_version=__version__,
    )


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


async def _acquire(lock: DirectoryLock, data_dir: Path) -> None:
    """Take the data directory, waiting for a node that serves only one command."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LOCK_WAIT_S
    while True:
        try:
            return lock.acquire()
        except StoreInUse:
            plate = token.read(data_dir)
            if (plate is not None and not plate.brief) or loop.time() > until:
                raise
        await asyncio.sleep(_LOCK_LOOK_S)
