"""A desktop for tests: a screen, a window manager, a session bus, a tray, a notification daemon.

All real but the last two, which are ours so that they can be asked what they saw: the tray host
answers as `org.kde.StatusNotifierWatcher`, the daemon as `org.freedesktop.Notifications`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dbus_fast.aio import MessageBus

from tests import needs
from tests.desktop.services import NotificationDaemon, TrayHost

_PATIENCE_S = 20
_NO_SERVICES = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={folder}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""


@dataclass
class Desk:
    """`async with Desk(tmp_path) as desk:` then start programs with `desk.start(...)`."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    tray: TrayHost = field(init=False)
    notifications: NotificationDaemon = field(init=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        needs.display()
        needs.bus()
        try:
            await self._switch_on()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def start(self, *argv: str, **how: Any) -> asyncio.subprocess.Process:
        """Start a program on this desktop; it is killed when the desktop goes."""
        process = await asyncio.create_subprocess_exec(
            *argv, env={**self.environment, **how.pop("env", {})}, start_new_session=True, **how
        )
        self._stack.push_async_callback(_end, process)
        return process

    async def windows(self, name: str) -> list[str]:
        """Ids of the windows on the screen whose title matches, oldest first."""
        return (await self.output("xdotool", "search", "--onlyvisible", "--name", name)).split()

    async def window(self, name: str, patience_s: float = _PATIENCE_S) -> str:
        """Wait for exactly one such window to be seen."""
        async with asyncio.timeout(patience_s):
            while len(found := await self.windows(name)) != 1:
                await asyncio.sleep(0.1)
        return found[0]

    async def no_window(self, name: str, patience_s: float = _PATIENCE_S) -> None:
        """Wait until no such window is left."""
        async with asyncio.timeout(patience_s):
            while await self.windows(name):
                await asyncio.sleep(0.1)

    async def screenshot(self, file: Path) -> None:
        """Keep a picture of the whole screen."""
        await self.output("import", "-window", "root", str(file))

    async def output(self, *argv: str) -> str:
        """Run a small program on this desktop and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await process.communicate()
        return out.decode()

    async def _switch_on(self) -> None:
        home = self.folder / "home"
        runtime = self.folder / "run"
        for folder in (home, runtime):
            folder.mkdir(parents=True, mode=0o700)
        self.environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(runtime),
            "NO_AT_BRIDGE": "1",
            "DISPLAY": await self._screen(),
            "DBUS_SESSION_BUS_ADDRESS": await self._bus(),
        }
        await self.start("openbox", stderr=asyncio.subprocess.DEVNULL)
        connection = await MessageBus(
            bus_address=self.environment["DBUS_SESSION_BUS_ADDRESS"]
        ).connect()
        self._stack.callback(connection.disconnect)
        self.tray = await TrayHost.on(connection)
        self.notifications = await NotificationDaemon.on(connection)

    async def _screen(self) -> str:
        read, write = os.pipe()
        log = (self.folder / "xvfb.log").open("wb")
        self._stack.callback(log.close)
        xvfb = await asyncio.create_subprocess_exec(
            *("Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"),
            pass_fds=(write,),
            stdout=log,
            stderr=log,
        )
        self._stack.push_async_callback(_end, xvfb)
        os.close(write)
        with os.fdopen(read) as pipe:
            number = await asyncio.wait_for(asyncio.to_thread(pipe.readline), _PATIENCE_S)
        assert number.strip(), (self.folder / "xvfb.log").read_text()
        return f":{number.strip()}"

    async def _bus(self) -> str:
        config = self.folder / "bus.conf"
        config.write_text(_NO_SERVICES.format(folder=self.folder))
        daemon = await asyncio.create_subprocess_exec(
            *("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._stack.push_async_callback(_end, daemon)
        assert daemon.stdout
        line = await asyncio.wait_for(daemon.stdout.readline(), _PATIENCE_S)
        return line.decode().strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a program and all it started: each leads a session of its own."""
    if process.returncode is None:
        process.kill()
    await process.wait()
