from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

import pytest

from trayapp import events
from trayapp.api import json_shapes as shapes
from trayapp.events import Event, ReplyArrived, StatusChanged
from trayapp.forum.bodies import Source
from trayapp.forum.views import (
    Draft,
    Person,
    PostView,
    Reaction,
    SearchHit,
    SubnetView,
    ThreadPage,
    ThreadView,
    Version,
)
from trayapp.status import PeerPath, PeerStatus, Status, SyncState, SyncStatus

ANN = Person(b"a" * 32, "ann", "7f3k", 3)
A, B, C = "61" * 32, "62" * 32, "63" * 32
STATUS = Status(
    device=b"a" * 32,
    nick="ann",
    network=b"n" * 32,
    network_name="Allotments",
    operations=4661,
    digests=(b"0" * 16, b"1" * 16),
    peers=(PeerStatus(None, "", "wss://h:1", PeerPath.LAN, "connecting", 2, None, 5, "hm"),),
    sync=SyncStatus(SyncState.SYNCING, 3, 9),
    listening=("wss://h:2#k",),
)


def test_a_status_as_the_contract_says():
    shape = shapes.status(STATUS)

    assert shape["network"] == {"id": "6e" * 32, "name": "Allotments"}
    assert shape["digest"] == {"0": "30" * 16, "1": "31" * 16}
    assert shape["sync"] == {"state": "syncing", "done": 3, "total": 9, "problem": ""}
    assert shape["me"]["name"] == shape["nick"] == "ann"
    assert shape["listening"] == ["wss://h:2#k"]
    assert shape["peers"] == [
        {
            "device": None,
            "name": "",
            "address": "wss://h:1",
            "path": "lan",
            "state": "connecting",
            "behind": 2,
            "latency_ms": None,
            "last_seen": 5,
            "problem": "hm",
        }
    ]
    assert shapes.status(dataclasses.replace(STATUS, network=None))["network"] is None


def test_a_page_of_a_thread_as_the_contract_says():
    source = Source("example", "7", 2, "quill", 99, "https://e/7", (("heart", 3),))
    post = PostView(
        id=b"b" * 32, number=2, re=b"c" * 32, author=ANN, mine=True, time=5, text="t", title=None,
        html="<p>t</p>", edited=True, deleted=False,
        conflict=(Version(b"c" * 32, None, "t", 5), Version(b"b" * 32, None, "u", 4)),
        source=source, reactions=(Reaction("x", 2, True),), delivered=3, read=False,
    )  # fmt: skip
    page = ThreadPage(b"a" * 32, b"b" * 32, "General", "Boat", (post,), 4, b"b" * 32)

    shape = shapes.page(page)

    assert shape["thread"] == {
        "id": A,
        "subnet": B,
        "subnet_title": "General",
        "title": "Boat",
        "total": 4,
        "first_unread": B,
    }
    assert (shape["more_before"], shape["more_after"]) == (True, True)
    [told] = shape["posts"]
    assert (told["id"], told["re"], told["conflict"]) == (B, C, True)
    assert [v["text"] for v in told["versions"]] == ["t", "u"]
    assert told["source"]["counts"] == {"heart": 3}
    assert told["reactions"] == [{"emoji": "x", "count": 2, "mine": True}]


def test_lists_as_the_contract_says():
    subnet = SubnetView(b"a" * 32, "General", "all", 3, 1, True)
    thread = ThreadView(b"a" * 32, b"b" * 32, "Boat", ANN, None, 2, 1, 9, "bob", 4)
    hit = SearchHit(b"a" * 32, b"b" * 32, "Boat", "ann", 9, "\x02Boat\x03")

    assert shapes.subnet(subnet) == {
        "id": A, "title": "General", "text": "all", "threads": 3, "unread": 1, "mine": True
    }  # fmt: skip
    assert shapes.thread(thread) == {
        "id": A,
        "subnet": B,
        "title": "Boat",
        "author": {"device": A, "name": "ann", "tag": "7f3k", "colour": 3},
        "source_author": None,
        "replies": 2,
        "unread": 1,
        "last": 9,
        "last_author": "bob",
        "created": 4,
    }
    assert shapes.hit(hit)["snippet"] == "\x02Boat\x03"
    assert shapes.draft(Draft("new", "a", "b", 7)) == {
        "place": "new", "title": "a", "text": "b", "saved": 7
    }  # fmt: skip


def _examples() -> list[Event]:
    made: list[Event] = []
    for kind in get_args(Event):
        values: dict[str, Any] = {}
        for field in dataclasses.fields(kind):
            given = {"bytes": b"a" * 32, "str": "x", "bool": True, "int": 7, "Status": STATUS}
            values[field.name] = given[str(field.type)]
        made.append(kind(**values))
    return made


@pytest.mark.parametrize("event", _examples(), ids=lambda event: type(event).__name__)
def test_every_event_has_a_name_and_becomes_json(event: Event):
    name = shapes.event_name(event)

    assert name == name.lower()
    assert name.replace("_", "") == type(event).__name__.lower()
    json.dumps(shapes.event_data(event))


def test_events_as_the_page_knows_them():
    reply = next(event for event in _examples() if isinstance(event, ReplyArrived))

    assert shapes.event_name(reply) == "reply_arrived"
    assert shapes.event_data(reply)["thread"] == A
    assert shapes.event_data(StatusChanged(STATUS)) == {"status": shapes.status(STATUS)}
    assert (shapes.event_name(None), shapes.event_data(None)) == ("missed", {})
    assert shapes.event_name(events.BoardChanged()) == "board_changed"
