"""The icon in the tray: the face that starts the node, and the only one in its process.

pystray has the main thread, as macOS insists; the node has a thread with a loop of its own. There
are two bridges and no more: a click goes to the loop by `call_soon_threadsafe`, what the icon shall
show comes back by one queue. Where there is no tray the window stands in for it.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trayapp import daemon
from trayapp.daemon import Daemon, DaemonOptions
from trayapp.desktop import paths
from trayapp.desktop.foreign import open_browser
from trayapp.desktop.notify import Notifier
from trayapp.desktop.tray_host import has_tray
from trayapp.errors import TrayAppError
from trayapp.events import ReplyArrived, ShowPage, StatusChanged
from trayapp.node import pulse
from trayapp.node.notices import notice_for, path_to
from trayapp.status import Status, SyncState

_WINDOW_FAILED_S = 5.0
_END_S = 2.0
_WITHDRAW_S = 0.5
_ICON_PIXELS = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Saying:
    """A note for the tray to show, where the system has no notifications for us."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Look:
    """What the icon shows."""

    image: str
    """`idle`, `unread` or `offline`: which picture."""
    title: str
    state: str
    """The line of the menu that says how the node is doing."""


def look_of(status: Status, unread: bool) -> Look:
    """What a status looks like in the tray."""
    if status.network is None:
        return Look("offline", "Brothernet", "No forum yet: open to start or join one")
    linked = sum(peer.state in ("connected", "syncing") for peer in status.peers)
    people = "No other machine" if not linked else f"{linked} peer{'s' if linked > 1 else ''}"
    state = f"{people} · {_sync_words(status)}"
    image = "unread" if unread else "idle" if linked else "offline"
    return Look(image, f"Brothernet: {status.network_name} ({state})"[:120], state)


def run(data_dir: Path) -> int:
    """Start the node with tray and window; return when the person quits.

    Returns:
        The exit code: 1 when the node could not start, and the reason is on standard error.
    """
    return _Tray(data_dir).run()


def _sync_words(status: Status) -> str:
    match status.sync.state:
        case SyncState.SYNCED:
            return "in sync"
        case SyncState.SYNCING:
            return f"syncing {status.sync.done:,} of {status.sync.total:,}"
        case SyncState.CONNECTING:
            return "connecting"
        case SyncState.OFFLINE:
            return "offline"
        case SyncState.ATTENTION:
            return status.sync.problem or "needs attention"


class _Tray:
    """The icon, the node's thread, and the window's process."""

    def __init__(self, data_dir: Path) -> None:
        self._node = _NodeThread(data_dir)
        self._state = "starting"
        self._icon: Any = None

    def run(self) -> int:
        self._obey_signals()
        self._node.start()
        self._node.show_page("")
        if not (has_tray() and self._show_icon()):
            # Nobody would find the way back to a program without tray and window.
            self._node.end_with_window()
            self._node.wait()
        return self._node.end()

    def _show_icon(self) -> bool:
        """Show the icon until the node ends; False where the desktop has no tray for us."""
        try:
            import pystray
        except Exception:  # it picks a backend when imported: any of them may fail in its own way
            _log.warning("No tray on this desktop.", exc_info=True)
            return False
        self._icon = pystray.Icon("brothernet", _picture("offline"), "Brothernet", self._menu())
        try:
            self._icon.run(setup=self._follow)
        except Exception:  # GLib's own error class, from a session without its services
            if self._node.running:
                _log.warning("The tray of this desktop failed.", exc_info=True)
                return False
        return True

    def _obey_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._node.stop())

    def _menu(self) -> Any:
        import pystray

        return pystray.Menu(
            pystray.MenuItem("Open forum", lambda: self._node.show_page(""), default=True),
            pystray.Menu.SEPARATOR,
            pystray.MenuItem(lambda _: self._state, None, enabled=False),
            pystray.Menu.SEPARATOR,
            pystray.MenuItem("Quit", self._node.stop),
        )

    def _follow(self, icon: Any) -> None:
        """On pystray's own side thread: show what the node says, until it ends."""
        icon.visible = True
        if sys.platform == "linux":
            from gi.repository import GLib

            # pystray gave Ctrl+C back to the system; it shall end the node, not cut it short.
            GLib.idle_add(self._obey_signals)
        while (shown := self._node.to_show.get()) is not None:
            match shown:
                case Look(image, title, state):
                    self._state = state
                    icon.icon = _picture(image)
                    icon.title = title
                    icon.update_menu()
                case Saying(title, body):
                    with suppress(NotImplementedError):  # not every kind of tray can
                        icon.notify(body, title)
        icon.stop()


class _NodeThread:
    """The node on its thread, as the main thread sees it. All methods may be called from there."""

    def __init__(self, data_dir: Path) -> None:
        self.to_show: queue.Queue[Look | Saying | None] = queue.Queue()
        self._data_dir = data_dir
        self._thread = threading.Thread(target=self._run, name="node")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._face: _LoopFace | None = None
        self._serving = threading.Event()
        self._failure = ""

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()
        self._serving.wait()

    def stop(self) -> None:
        """End the node, also while it is still starting."""
        if self._face is not None:
            self._tell(lambda face: face.stop())
        elif self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop closed this very moment
                self._loop.call_soon_threadsafe(self._task.cancel)

    def show_page(self, path: str) -> None:
        self._tell(lambda face: face.show_page(path))

    def end_with_window(self) -> None:
        self._tell(lambda face: face.end_with_window())

    def wait(self) -> None:
        # With a time-out, or Python would not look at signals before the thread ends.
        while self._thread.is_alive():
            self._thread.join(0.2)

    def end(self) -> int:
        """Wait for the node's end; the exit code, its failure told."""
        self.stop()
        self.wait()
        if self._failure:
            sys.stderr.write(f"{self._failure}\n")
        return 1 if self._failure else 0

    def _tell(self, what: Callable[[_LoopFace], None]) -> None:
        if self._loop is not None and self._face is not None and self.running:
            with suppress(RuntimeError):  # the loop closed this very moment
                self._loop.call_soon_threadsafe(what, self._face)

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        except asyncio.CancelledError:  # asked to end before it served
            pass
        except TrayAppError as error:
            self._failure = str(error)
        except Exception:  # a bug of ours, already in the log: a person gets a sentence
            self._failure = (
                f"Brothernet made a mistake; its log in {self._data_dir / paths.LOGS} says where."
            )
        finally:
            self.to_show.put(None)
            self._serving.set()

    async def _keep(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        await daemon.run(DaemonOptions(data_dir=self._data_dir), self._beside)

    async def _beside(self, running: Daemon) -> None:
        self._face = _LoopFace(running, self._data_dir, self.to_show)
        self._serving.set()
        await self._face.run()


class _LoopFace:
    """What happens on the node's loop: events become looks, notes and windows."""

    def __init__(
        self, running: Daemon, data_dir: Path, to_show: queue.Queue[Look | Saying | None]
    ) -> None:
        self._running = running
        self._data_dir = data_dir
        self._to_show = to_show
        self._status: Status | None = None
        self._unread = False
        self._window: asyncio.subprocess.Process | None = None
        self._page = ""
        self._again = False
        self._attached_before = 0
        self._ends_with_window = False
        self._notifier = Notifier(
            paths.icons_folder() / "brothernet-64.png",
            lambda title, body: to_show.put(Saying(title, body)),
        )

    async def run(self) -> None:
        self._running.node.audience.opens_windows = True
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                told = self._running.node.bus.subscribe()
                self._status = await pulse.status(self._running.node)
                self._look()
                async for numbered in told:
                    self._act(numbered.event)
            finally:
                await self._end_window()
                # A service that does not answer may not hold up the end.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_WITHDRAW_S):
                        await self._notifier.withdraw_all()

    def stop(self) -> None:
        self._running.stop()

    def show_page(self, path: str) -> None:
        self._running.node.show_page(path)

    def end_with_window(self) -> None:
        """Where there is no tray, closing the window quits."""
        self._ends_with_window = True

    def _act(self, event: object) -> None:
        match event:
            case StatusChanged(status):
                self._status = status
                self._look()
            case ReplyArrived():
                self._tasks.create_task(self._note(event))
            case ShowPage(path):
                self._unread, self._page = False, path
                self._look()
                self._tasks.create_task(self._open())
            case _:
                pass

    def _look(self) -> None:
        if self._status is not None:
            self._to_show.put(look_of(self._status, self._unread))

    async def _note(self, event: ReplyArrived) -> None:
        node = self._running.node
        notice = notice_for(event, self._running.settings, node.audience.on_screen)
        if notice is None:
            return
        self._unread = True
        self._look()
        path = path_to(notice)
        await self._notifier.show(
            notice.thread.hex(), notice.title, notice.body, lambda: self.show_page(path)
        )

    async def _open(self) -> None:
        """Open a window, unless one is there or on its way: it will learn where to begin."""
        audience = self._running.node.audience
        if audience.has_window:
            return
        if self._window is not None and self._window.returncode is None:
            # It is closing, not coming: another one has to follow it.
            self._again = audience.windows_attached > self._attached_before
            return
        self._again, self._attached_before = False, audience.windows_attached
        words = ["--data", str(self._data_dir), "window", "--no-browser"]
        began = time.monotonic()
        self._window = await asyncio.create_subprocess_exec(*paths.program(), *words)
        code = await self._window.wait()
        if self._again:
            await self._open()
        elif code and time.monotonic() - began < _WINDOW_FAILED_S and not self._running.stopping:
            self._offer_browser(self._running.open_page(self._page))
        elif self._ends_with_window:
            self.stop()

    def _offer_browser(self, url: str) -> None:
        if not open_browser(url) or self._ends_with_window:
            # Without a screen too: somebody may read this, and the forum is served all the same.
            sys.stderr.write(f"The page, to be opened once: {url}\nCtrl+C ends Brothernet.\n")

    async def _end_window(self) -> None:
        """See the window close, as CloseWindow told it; end it where it does not."""
        if self._window is None or self._window.returncode is not None:
            return
        try:
            await asyncio.wait_for(self._window.wait(), _END_S)
        except TimeoutError:
            self._window.kill()
            await self._window.wait()


def _picture(name: str) -> Any:
    from PIL import Image

    return Image.open(paths.icons_folder() / f"tray-{name}-{_ICON_PIXELS}.png")
