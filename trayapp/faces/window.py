"""The forum window: pywebview on the main thread of a process of its own.

It speaks to the node as every face does, through `api.client`: it asks for a one-time address,
shows it, and obeys ShowPage and CloseWindow. The page inside talks to the node by itself. When
the node goes away the window stays, with the page's banner and the text being typed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from trayapp.api.client import Client
from trayapp.desktop.foreign import forget_packing, open_browser
from trayapp.errors import NodeUnreachable, TrayAppError

_TITLE = "Brothernet"
_SIZE = (1240, 800)
_SMALLEST = (360, 480)
_START_S = 10
_RETRY_S = 1.0
# The pages' own background, so that no white flash comes before them.
_DARK, _LIGHT = "#14161A", "#FBFAF6"

_log = logging.getLogger(__name__)


def run(data_dir: Path, path: str = "", *, browser: bool = True) -> int:
    """Show the forum kept in `data_dir` until the person closes the window.

    Args:
        data_dir: of a running node.
        path: the page to begin with, `/t/THREAD/p/POST` say; empty for the first page.
        browser: where there is no web view, open the person's browser instead.

    Returns:
        The exit code: 0, or 1 when no node answers or nothing could be opened.
    """
    # Nothing of ours is started from here on; a browser opened by a link must not inherit it.
    forget_packing(os.environ)
    # WebKitGTK paints blank on some drivers with it, and takes 60 MB more (DESKTOP.md).
    os.environ.setdefault("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
    return _Window(data_dir, path, browser=browser).run()


class _Window:
    """One window and the thread that listens to the node for it."""

    def __init__(self, data_dir: Path, path: str, *, browser: bool) -> None:
        self._data_dir = data_dir
        self._path = path
        self._browser = browser
        self._address: Future[str] = Future()
        self._closed = threading.Event()
        self._shown: Any = None
        self._leave: Callable[[], object] = self._closed.set

    def run(self) -> int:
        listener = threading.Thread(target=self._listen, name="node", daemon=True)
        listener.start()
        try:
            url = self._address.result(_START_S)
        except (TrayAppError, TimeoutError) as error:
            _say(str(error) or "The node does not answer.")
            return 1
        if self._show(url):
            self._closed.set()
            return 0
        if not self._browser:
            return 1
        _say("No web view here: opening the forum in the browser.")
        return 0 if open_browser(url) else 1

    def _show(self, url: str) -> bool:
        """Show the page until the window is closed; False where there is no web view."""
        try:
            import webview
            from webview.errors import WebViewException
        except ImportError:
            return False
        logging.getLogger("pywebview").setLevel(logging.CRITICAL)
        try:
            self._shown = webview.create_window(
                _TITLE,
                url,
                width=_SIZE[0],
                height=_SIZE[1],
                min_size=_SMALLEST,
                text_select=True,
                background_color=_background(),
            )
            # At once: until the node knows, it would send pages to a window that is no more.
            self._shown.events.closed += lambda: self._leave()
            if not self._closed.is_set():
                webview.start(private_mode=True)
        except WebViewException:
            return False
        return True

    def _listen(self) -> None:
        try:
            asyncio.run(self._follow())
        except asyncio.CancelledError:  # the window was closed
            return
        except TrayAppError as error:
            if not self._address.done():
                self._address.set_exception(error)

    async def _follow(self) -> None:
        """Stay with the node: across its restarts, until the window is gone."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._leave = lambda: loop.call_soon_threadsafe(task.cancel)
        while not self._closed.is_set():
            try:
                async with Client.connect(self._data_dir) as client:
                    await self._obey(client)
            except NodeUnreachable:
                if not self._address.done():
                    raise
            await asyncio.sleep(_RETRY_S)

    async def _obey(self, client: Client) -> None:
        attached = await client.call("attach_window")
        if not self._address.done():
            page = await client.call("open_page", path=self._path or attached["path"])
            self._address.set_result(page["url"])
        # From the very moment it was attached: a page wanted since then is wanted here.
        async for _, event, data in client.events(since=attached["seq"]):
            if event == "show_page":
                await asyncio.to_thread(self._bring_forward, str(data["path"]))
            elif event == "close_window":
                self._closed.set()
                await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._shown is not None and self._shown.events.shown.wait(_START_S):
            self._shown.destroy()

    def _bring_forward(self, path: str) -> None:
        if self._shown is None or not self._shown.events.loaded.wait(_START_S):
            return
        if path:
            # `run_js` and not `evaluate_js`: the page forbids eval, and nothing is asked back.
            self._shown.run_js(f"location.hash = {json.dumps('#' + path)}")
        self._shown.restore()
        self._shown.show()


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _background() -> str:
    """Dark or light, as the desktop is; light where it does not say."""
    if sys.platform != "linux":
        return _LIGHT
    with suppress(ImportError, ValueError):
        import gi

        gi.require_version("Gtk", "3.0")
        from gi.repository import Gtk

        settings = Gtk.Settings.get_default()
        if settings is None:
            return _LIGHT
        theme = str(settings.get_property("gtk-theme-name")).lower()
        if settings.get_property("gtk-application-prefer-dark-theme") or "dark" in theme:
            return _DARK
    return _LIGHT
