from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.api.houses import TOKEN, serving
from trayapp.api import calls, client, token
from trayapp.api.client import Client
from trayapp.api.token import Doorplate
from trayapp.errors import CallRefused, NodeUnreachable
from trayapp.events import BoardChanged
from trayapp.store import database
from trayapp.store.database import DirectoryLock

pytestmark = pytest.mark.network


async def test_calls_may_be_made_at_the_same_time(tmp_path: Path):
    async with serving(tmp_path) as house, house.client() as ann:
        answers = await asyncio.gather(
            *(ann.call("preview", text=str(number)) for number in range(50))
        )

        assert [a["html"] for a in answers] == [f"<p>{number}</p>\n" for number in range(50)]


async def test_events_come_in_order_beside_calls(tmp_path: Path):
    async with serving(tmp_path) as house, house.client() as ann:
        events = ann.events(house.node.bus.last)
        first = house.node.bus.emit(BoardChanged())
        house.node.bus.emit(BoardChanged())

        assert await anext(events) == (first, "board_changed", {})
        assert await ann.call("subnets")
        assert (await anext(events))[0] == first + 1


async def test_a_refusal_keeps_the_nodes_code_and_sentence(tmp_path: Path):
    async with serving(tmp_path) as house, house.client() as ann:
        with pytest.raises(CallRefused, match="is no id") as refused:
            await ann.call("read", thread="x")

        assert refused.value.refusal == "not_found"


async def test_a_text_too_long_for_the_socket_is_refused_and_the_connection_stays(tmp_path: Path):
    async with serving(tmp_path) as house, house.client() as ann:
        with pytest.raises(CallRefused, match="too much at once"):
            await ann.call("preview", text="x" * 2**20)

        assert await ann.call("subnets")


async def test_a_node_that_goes_away_ends_calls_and_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def never(house: calls.House) -> dict[str, object]:
        await asyncio.sleep(0.2)
        return {}

    monkeypatch.setitem(calls.CALLS, "status", never)
    async with serving(tmp_path) as house:
        connection = house.client()
        ann = await connection.__aenter__()
        waiting = asyncio.ensure_future(ann.call("status"))
        listening = asyncio.ensure_future(anext(ann.events()))
        await ann.call("subnets")
    for task in (waiting, listening):
        with pytest.raises(NodeUnreachable, match="went away"):
            await asyncio.wait_for(task, 3)
    with pytest.raises(NodeUnreachable):
        await ann.call("subnets")
    await connection.__aexit__(None, None, None)


async def test_without_a_node_there_is_nothing_to_connect_to(tmp_path: Path):
    with pytest.raises(NodeUnreachable, match="No node runs for"):
        async with Client.connect(tmp_path):
            pass
    assert not _left_in(tmp_path)


async def test_what_a_killed_node_left_behind_does_not_count(tmp_path: Path):
    """Somebody else may have its port by now: it must not be sent the token."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        port = other.getsockname()[1]
        token.write(tmp_path, Doorplate(f"http://127.0.0.1:{port}", TOKEN, os.getpid()))
        with DirectoryLock(tmp_path):
            pass

        with pytest.raises(NodeUnreachable):
            async with Client.connect(tmp_path):
                pass

        with pytest.raises(BlockingIOError):
            other.accept()


async def test_a_node_that_does_not_answer_is_no_node(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with DirectoryLock(tmp_path):
        token.write(tmp_path, Doorplate(f"http://127.0.0.1:{port}", TOKEN, os.getpid()))

        with pytest.raises(NodeUnreachable, match="does not answer"):
            async with Client.connect(tmp_path):
                pass


async def test_a_wrong_token_does_not_come_in(tmp_path: Path):
    async with serving(tmp_path) as house:
        token.write(house.folder, Doorplate(house.server.url, "wrong", os.getpid()))

        with pytest.raises(NodeUnreachable, match="does not answer"):
            async with house.client():
                pass


async def test_a_node_that_serves_one_command_is_for_that_command(tmp_path: Path):
    async with serving(tmp_path) as house:
        token.write(house.folder, Doorplate(house.server.url, TOKEN, 42, brief=True))

        with pytest.raises(NodeUnreachable):
            async with house.client():
                pass
        async with Client.connect(house.folder, brief_pid=42) as own:
            assert await own.call("subnets")


def test_the_lock_is_the_stores():
    assert client.LOCK_FILE == database.LOCK_FILE


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
