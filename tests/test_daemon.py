from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from trayapp import daemon
from trayapp.api import token
from trayapp.api.client import Client
from trayapp.api.token import Doorplate
from trayapp.daemon import Daemon, DaemonOptions
from trayapp.errors import (
    InvalidAddress,
    NodeUnreachable,
    PortInUse,
    SettingsError,
    StoreError,
    StoreInUse,
)
from trayapp.events import CloseWindow
from trayapp.node import upkeep
from trayapp.store.database import DirectoryLock

pytestmark = pytest.mark.network


def _options(folder: Path, **more) -> DaemonOptions:
    return DaemonOptions(data_dir=folder, listen="127.0.0.1:0", lan=False, **more)


@asynccontextmanager
async def running(options: DaemonOptions) -> AsyncIterator[Daemon]:
    """A daemon for the block; it has to end well."""
    serves: asyncio.Future[Daemon] = asyncio.get_running_loop().create_future()

    async def beside(here: Daemon) -> None:
        serves.set_result(here)

    task = asyncio.ensure_future(daemon.run(options, beside))
    both: list[asyncio.Future[Any]] = [task, serves]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    if task.done():
        await task
    here = serves.result()
    yield here
    here.stop()
    await asyncio.wait_for(task, 5)


async def _linked(here: Daemon) -> None:
    async with asyncio.timeout(5):
        while here.node.links is None:
            await asyncio.sleep(0.01)


async def test_it_serves_until_it_is_asked_to_end_and_leaves_no_door_open(tmp_path: Path):
    async with running(_options(tmp_path)) as here, Client.connect(tmp_path) as face:
        assert (await face.call("status"))["network"] is None
        assert here.url == token.read(tmp_path).url  # type: ignore[union-attr]

    assert token.read(tmp_path) is None
    with DirectoryLock(tmp_path):
        pass


async def test_a_forum_that_is_started_later_is_linked_at_once(tmp_path: Path):
    async with running(_options(tmp_path)) as here, Client.connect(tmp_path) as face:
        assert (await face.call("status"))["listening"] == []
        await face.call("create", name="Allotments")
        await _linked(here)
        [address] = (await face.call("status"))["listening"]
        assert address.startswith("wss://127.0.0.1:")

    async with running(_options(tmp_path)) as here:
        assert here.node.links is not None
    async with running(_options(tmp_path, net=False)) as here:
        assert here.node.links is None


async def test_windows_are_told_before_the_face_beside_is_ended(tmp_path: Path):
    told: list[object] = []

    async def beside(here: Daemon) -> None:
        known = here.node.bus.last
        here.stop()
        try:
            await asyncio.Event().wait()
        finally:
            told.append((await anext(here.node.bus.subscribe(known))).event)

    await asyncio.wait_for(daemon.run(_options(tmp_path), beside), 5)
    assert told == [CloseWindow()]


async def test_a_window_is_told_to_close_before_its_connection_does(tmp_path: Path):
    names: list[str] = []

    async def listen(face: Client) -> None:
        async for _, name, _ in face.events():
            names.append(name)

    async with running(_options(tmp_path)) as here, Client.connect(tmp_path) as face:
        listening = asyncio.ensure_future(listen(face))
        await face.call("attach_window")
        here.stop()
        with pytest.raises(NodeUnreachable):
            await asyncio.wait_for(listening, 3)
    assert names[-1] == "close_window"


async def test_the_call_stop_ends_it(tmp_path: Path):
    async with running(_options(tmp_path)) as here, Client.connect(tmp_path) as face:
        await face.call("stop")
        assert here.stopping


async def test_cancelling_ends_it_as_well(tmp_path: Path):
    started = asyncio.Event()

    async def beside(here: Daemon) -> None:
        started.set()

    task = asyncio.ensure_future(daemon.run(_options(tmp_path), beside))
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert token.read(tmp_path) is None


async def test_a_bug_ends_the_node_and_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def broken(node) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(upkeep, "tidy", broken)

    with pytest.raises(ExceptionGroup) as surfaced:
        await asyncio.wait_for(daemon.run(_options(tmp_path)), 5)
    assert surfaced.group_contains(ZeroDivisionError)


async def test_a_setting_that_cannot_be_used_is_said_by_name(tmp_path: Path):
    (tmp_path / "settings.toml").write_text('listen = "nowhere"', encoding="utf-8")
    with pytest.raises(InvalidAddress, match="'nowhere' is no place to listen on"):
        await daemon.run(DaemonOptions(data_dir=tmp_path))

    (tmp_path / "settings.toml").write_text("lann = true", encoding="utf-8")
    with pytest.raises(SettingsError, match="'lann' is not known"):
        await daemon.run(DaemonOptions(data_dir=tmp_path))
    with DirectoryLock(tmp_path):
        pass


async def test_what_the_settings_say_holds_where_nothing_else_was_asked(tmp_path: Path):
    (tmp_path / "settings.toml").write_text(
        'listen = "127.0.0.1:0"\nlan = false\nnotifications = false', encoding="utf-8"
    )
    async with running(DaemonOptions(data_dir=tmp_path)) as here, Client.connect(tmp_path) as face:
        assert not here.settings.notifications
        await face.call("create", name="Allotments")
        await _linked(here)
        [address] = (await face.call("status"))["listening"]
        assert address.startswith("wss://127.0.0.1:")


async def test_a_slip_in_the_bootstrap_list_is_told_and_stops_nothing(tmp_path: Path):
    (tmp_path / "settings.toml").write_text('bootstrap = ["http://x"]', encoding="utf-8")
    async with running(_options(tmp_path)) as here, Client.connect(tmp_path) as face:
        await face.call("create", name="Allotments")
        await _linked(here)
        assert "wss://" in (await face.call("status"))["sync"]["problem"]


async def test_the_data_directory_of_a_node_that_stays_is_refused_at_once(tmp_path: Path):
    async with running(_options(tmp_path)):
        began = asyncio.get_running_loop().time()
        with pytest.raises(StoreInUse, match="is running on"):
            await daemon.run(_options(tmp_path))
        assert asyncio.get_running_loop().time() - began < 1


async def test_that_of_a_commands_own_node_is_waited_for(tmp_path: Path):
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    token.write(tmp_path, Doorplate("http://127.0.0.1:1", "token", 42, brief=True))
    asyncio.get_running_loop().call_later(0.3, lock.release)

    async with running(_options(tmp_path)) as here:
        assert here.url


async def test_nothing_is_logged_on_a_quiet_day(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "trayapp"):
        async with running(_options(tmp_path)), Client.connect(tmp_path) as face:
            await face.call("create", name="Allotments")

    assert caplog.records == []


async def test_a_bug_that_ends_the_node_is_in_its_log_with_its_place_but_without_values(
    tmp_path: Path,
):
    async def beside(_: Daemon) -> None:
        raise KeyError("a post's " + "text")

    with pytest.raises(ExceptionGroup):
        await daemon.run(_options(tmp_path, net=False), beside)

    told = (tmp_path / "logs" / "brothernet.log").read_text()
    assert "ended by KeyError at\n" in told
    assert "in beside" in told
    assert "a post's text" not in told


async def test_what_a_person_can_mend_is_no_bug_in_the_log(tmp_path: Path):
    async def beside(_: Daemon) -> None:
        raise PortInUse("taken")

    with pytest.raises(PortInUse):
        await daemon.run(_options(tmp_path, net=False), beside)

    assert "ended by" not in (tmp_path / "logs" / "brothernet.log").read_text()


async def test_a_directorys_name_that_is_too_long_is_refused_in_words(tmp_path: Path):
    with pytest.raises(StoreError, match="name is too long"):
        await daemon.run(_options(tmp_path / ("x" * 300), net=False))


async def test_who_finds_no_node_is_told_how_to_start_one(tmp_path: Path):
    with pytest.raises(NodeUnreachable, match="brothernet headless"):
        async with Client.connect(tmp_path):
            pass
