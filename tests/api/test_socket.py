from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.api.houses import TOKEN, Serving, serving
from trayapp.api import calls
from trayapp.api.socket import CALLS_AT_ONCE
from trayapp.api.token import MESSAGE_LIMIT
from trayapp.events import PersonChanged, ReplyArrived
from trayapp.node.bus import Bus

pytestmark = pytest.mark.network


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as house:
        yield house


@pytest.fixture
async def socket(house: Serving) -> AsyncIterator[ClientWebSocketResponse]:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        ClientSession() as session,
        session.ws_connect(house.server.url + "/socket", headers=bearer, max_msg_size=0) as socket,
    ):
        yield socket


async def hear(socket: ClientWebSocketResponse) -> dict[str, Any]:
    return dict(await socket.receive_json(timeout=3))


async def test_a_call_is_answered_under_its_id(socket: ClientWebSocketResponse):
    await socket.send_json({"id": 7, "call": "preview", "args": {"text": "*so*"}})
    await socket.send_json({"id": "x", "call": "subnets"})

    first, second = await hear(socket), await hear(socket)

    answers = {answer["id"]: answer["result"] for answer in (first, second)}
    assert answers[7] == {"html": "<p><em>so</em></p>\n"}
    assert [s["title"] for s in answers["x"]["subnets"]] == ["General"]


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        '{"id": 1}',
        '{"id": 1, "call": 2}',
        '{"id": 1, "call": "status", "args": []}',
        '{"id": null, "call": "status"}',
        '{"since": "yesterday"}',
        '{"since": true}',
        "[" * 100_000,
        '{"id": 1, "call": "preview", "args": {"text": "\\ud800"}}',
    ],
)
async def test_nonsense_is_refused_and_the_socket_lives_on(
    socket: ClientWebSocketResponse, nonsense: str
):
    await socket.send_str(nonsense)
    assert (await hear(socket))["error"]["code"] in ("bad_call", "invalid_body")

    await socket.send_json({"id": 2, "call": "preview", "args": {"text": "hm"}})
    assert (await hear(socket))["result"] == {"html": "<p>hm</p>\n"}


async def test_bytes_are_no_call(socket: ClientWebSocketResponse):
    await socket.send_bytes(b'{"id": 1, "call": "status"}')

    assert (await hear(socket))["error"]["code"] == "bad_call"


async def test_a_message_over_a_megabyte_ends_the_socket(
    house: Serving, socket: ClientWebSocketResponse
):
    await socket.send_str(" " * (MESSAGE_LIMIT + 1))

    message = await socket.receive(3)
    assert message.type is aiohttp.WSMsgType.CLOSE
    assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    async with house.client() as client:
        assert await client.call("subnets")


async def test_a_refusal_has_a_code_and_a_sentence(socket: ClientWebSocketResponse):
    await socket.send_json({"id": 1, "call": "read", "args": {"thread": "00000000"}})

    answer = await hear(socket)

    assert answer["id"] == 1
    assert answer["error"]["code"] == "not_found"
    assert answer["error"]["message"] == "There is no thread 00000000 here."


async def test_a_bug_costs_one_call_and_its_words_stay_out_of_the_log(
    socket: ClientWebSocketResponse,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    private = " ".join(("a", "post", "nobody", "else", "may", "read"))

    async def broken(house: calls.House) -> dict[str, Any]:
        raise KeyError(private)

    monkeypatch.setitem(calls.CALLS, "status", broken)
    await socket.send_json({"id": 1, "call": "status"})

    assert (await hear(socket))["error"]["code"] == "internal"
    await socket.send_json({"id": 2, "call": "subnets"})
    assert "result" in await hear(socket)
    assert "KeyError" in caplog.text
    assert private not in caplog.text


async def test_a_quick_call_does_not_wait_for_a_slow_one(
    socket: ClientWebSocketResponse, monkeypatch: pytest.MonkeyPatch
):
    released = asyncio.Event()

    async def slow(house: calls.House) -> dict[str, Any]:
        await released.wait()
        return {}

    monkeypatch.setitem(calls.CALLS, "status", slow)
    await socket.send_json({"id": 1, "call": "status"})
    await socket.send_json({"id": 2, "call": "subnets"})

    assert (await hear(socket))["id"] == 2
    released.set()
    assert (await hear(socket))["id"] == 1


async def test_more_calls_than_there_is_room_for_wait_their_turn(
    socket: ClientWebSocketResponse, monkeypatch: pytest.MonkeyPatch
):
    released, running, most = asyncio.Event(), 0, 0

    async def slow(house: calls.House) -> dict[str, Any]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await released.wait()
        running -= 1
        return {}

    monkeypatch.setitem(calls.CALLS, "status", slow)
    count = CALLS_AT_ONCE + 10
    for number in range(count):
        await socket.send_json({"id": number, "call": "status"})
    async with asyncio.timeout(3):
        while running < CALLS_AT_ONCE:
            await asyncio.sleep(0.01)
    released.set()

    assert {(await hear(socket))["id"] for _ in range(count)} == set(range(count))
    assert most == CALLS_AT_ONCE


async def test_events_come_with_their_numbers_from_the_asked_one_on(
    house: Serving, socket: ClientWebSocketResponse
):
    known = house.node.bus.emit(PersonChanged(b"a" * 32))
    house.node.bus.emit(PersonChanged(b"b" * 32))
    await socket.send_json({"since": known})
    replayed = await hear(socket)
    house.node.bus.emit(PersonChanged(b"c" * 32))
    live = await hear(socket)

    assert replayed == {
        "seq": known + 1,
        "event": "person_changed",
        "data": {"device": (b"b" * 32).hex()},
    }
    assert (live["seq"], live["data"]["device"]) == (known + 2, (b"c" * 32).hex())


async def test_a_face_from_before_a_restart_is_told_that_it_missed_some(
    house: Serving, socket: ClientWebSocketResponse
):
    await socket.send_json({"since": 7})

    missed = await hear(socket)

    assert missed == {"seq": house.node.bus.last, "event": "missed", "data": {}}


async def test_a_face_begins_once(house: Serving, socket: ClientWebSocketResponse):
    await socket.send_json({"since": None})
    await socket.send_json({"since": None})
    assert (await hear(socket))["error"]["code"] == "bad_call"

    house.node.bus.emit(PersonChanged(b"a" * 32))
    house.node.bus.emit(PersonChanged(b"b" * 32))
    assert [(await hear(socket))["data"]["device"][:2] for _ in range(2)] == ["61", "62"]


async def test_a_face_that_does_not_read_misses_events_and_holds_nobody_up(
    house: Serving, socket: ClientWebSocketResponse
):
    house.node.bus = bus = Bus(1, kept=10)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession() as session:
        slow = await session.ws_connect(house.server.url + "/socket", headers=bearer)
        quick = await session.ws_connect(house.server.url + "/socket", headers=bearer)
        for face in (slow, quick):
            await face.send_json({"since": bus.last})
        await slow.send_json({"id": 1, "call": "subnets"})
        await hear(slow)
        # Its reading stops: the pipe and both buffers fill up.
        assert slow._response is not None
        assert slow._response.connection is not None
        transport = slow._response.connection.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()
        for number in range(30):
            bus.emit(_long(number))
            assert (await hear(quick))["event"] == "reply_arrived"

        transport.resume_reading()
        names: list[str] = []
        while not names or names[-1] != "missed":
            names.append((await hear(slow))["event"])
        assert len(names) < 30


def _long(number: int) -> ReplyArrived:
    """An event of a size that no pipe takes in."""
    return ReplyArrived(
        post=bytes([number]) * 32,
        thread=b"t" * 32,
        subnet=b"s" * 32,
        title="",
        author=b"a" * 32,
        author_name="",
        text="x" * 400_000,
        by_me=False,
        imported=False,
        first_sync=False,
        follows=False,
    )


async def test_a_face_that_leaves_is_gone_and_its_calls_end_well(
    house: Serving, socket: ClientWebSocketResponse, monkeypatch: pytest.MonkeyPatch
):
    released, ended = asyncio.Event(), asyncio.Event()
    left: list[bool] = []

    async def slow(house: calls.House) -> dict[str, Any]:
        await released.wait()
        left.append(house.visitor.left)
        ended.set()
        return {}

    monkeypatch.setitem(calls.CALLS, "status", slow)
    await socket.send_json({"id": 1, "call": "attach_window"})
    await hear(socket)
    await socket.send_json({"id": 2, "call": "status"})
    await _until(lambda: house.node.audience.has_window)
    await socket.close()
    await _until(lambda: not house.node.audience.has_window)

    released.set()
    await asyncio.wait_for(ended.wait(), 3)
    assert left == [True]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not holds():
            await asyncio.sleep(0.01)
