from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.houses import Serving, serving
from tests.generated import posts, write_posts
from trayapp.api import calls
from trayapp.api.client import Client
from trayapp.errors import CallRefused

pytestmark = pytest.mark.network


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as house:
        yield house


@pytest.fixture
async def client(house: Serving) -> AsyncIterator[Client]:
    async with house.client() as client:
        yield client


async def _thread(client: Client) -> dict[str, Any]:
    subnet = (await client.call("subnets"))["subnets"][0]["id"]
    return await client.call("publish_thread", subnet=subnet, title="Boat", text="Who is *in*?")


async def test_a_forum_is_started_and_a_second_one_refused(tmp_path: Path):
    async with serving(tmp_path, forum=None) as house, house.client() as client:
        assert (await client.call("status"))["network"] is None

        made = await client.call("create", name="Allotments", nick="ann")

        status = await client.call("status")
        assert made == {"device": status["device"], "network": status["network"]}
        assert status["nick"] == status["me"]["name"] == "ann"
        with pytest.raises(CallRefused, match="A second forum needs a directory") as refused:
            await client.call("create", name="Boats")
        assert refused.value.refusal == "already_in_forum"


async def test_a_link_can_be_looked_at_before_it_is_followed(house: Serving, tmp_path: Path):
    async with house.client() as ann:
        link = (await ann.call("invite", bare=True))["link"]
    async with serving(tmp_path / "bob", forum=None) as there, there.client() as bob:
        assert await bob.call("check_link", link=link) == {"name": "Allotments"}
        assert (await bob.call("status"))["network"] is None
        joined = await bob.call("join", link=link)
        assert joined["network"]["name"] == "Allotments"
        with pytest.raises(CallRefused, match="damaged"):
            await bob.call("check_link", link=link[:-7])


async def test_without_a_forum_all_but_a_few_calls_say_so(tmp_path: Path):
    async with serving(tmp_path, forum=None) as house, house.client() as client:
        for call in calls._WITH_FORUM:
            with pytest.raises(CallRefused) as refused:
                await client.call(call.__name__, **_some_args(call))
            assert refused.value.refusal == "no_forum"
        for name in ("status", "open_page", "show_page", "attach_window", "on_screen"):
            await client.call(name)
        await client.call("preview", text="hm")


def _some_args(call: calls.Call) -> dict[str, Any]:
    parameters = list(inspect.signature(call).parameters.values())[1:]
    return {p.name: "x" for p in parameters if p.default is inspect.Parameter.empty}


@pytest.mark.parametrize(
    ("call", "args"),
    [
        ("dance", {}),
        ("_checked", {}),
        ("read", {}),
        ("read", {"thread": 7}),
        ("read", {"thread": "0" * 64, "limit": "all"}),
        ("read", {"thread": "0" * 64, "limit": True}),
        ("read", {"thread": "0" * 64, "colour": "red"}),
        ("read", {"house": "x", "thread": "0" * 64}),
        ("react", {"post": "0" * 64, "emoji": "x", "on": "yes"}),
        ("status", {"x": 1}),
    ],
)
async def test_no_such_call_or_arguments(client: Client, call: str, args: dict[str, Any]):
    with pytest.raises(CallRefused) as refused:
        await client.call(call, **args)

    assert refused.value.refusal == "bad_call"
    assert call in str(refused.value)


async def test_what_is_said_can_be_read_in_the_contracts_shape(client: Client):
    thread = await _thread(client)
    reply = await client.call("publish_reply", thread=thread["id"][:8], text="I am.")
    await client.call("react", post=reply["id"], emoji="🚣")
    edited = await client.call("edit", post=reply["id"], text="I am in.")

    page = await client.call("read", thread=thread["id"])
    [listed] = (await client.call("threads"))["threads"]

    assert thread["id"] == thread["thread"] == reply["thread"] == edited["thread"]
    assert page["thread"]["title"] == listed["title"] == "Boat"
    assert (page["more_before"], page["more_after"]) == (False, False)
    first, second = page["posts"]
    assert first["html"] == "<p>Who is <em>in</em>?</p>\n"
    assert (second["text"], second["edited"], second["conflict"]) == ("I am in.", True, False)
    assert second["reactions"] == [{"emoji": "🚣", "count": 1, "mine": True}]
    assert listed["replies"] == 1
    assert listed["author"]["name"] == "ann"


async def test_a_long_thread_says_what_lies_outside_the_page(client: Client):
    thread = (await _thread(client))["id"]
    for number in range(2, 6):
        await client.call("publish_reply", thread=thread, text=str(number))

    middle = (await client.call("read", thread=thread))["posts"][2]["id"]
    page = await client.call("read", thread=thread, around=middle, limit=3)
    last = await client.call("read", thread=thread, last=True, limit=2)
    before = await client.call("read", thread=thread, before=middle, limit=9)

    assert [p["number"] for p in page["posts"]] == [2, 3, 4]
    assert (page["more_before"], page["more_after"]) == (True, True)
    assert (last["more_before"], last["more_after"]) == (True, False)
    assert [p["number"] for p in before["posts"]] == [1, 2]
    assert (before["more_before"], before["more_after"]) == (False, True)


async def test_drafts_profile_people_and_deleting(client: Client):
    thread = (await _thread(client))["id"]
    await client.call("save_draft", place=f"t/{thread}", text="half a")
    await client.call("set_profile", name="Anna", bio="")

    [draft] = (await client.call("drafts"))["drafts"]
    [person] = (await client.call("people"))["people"]
    deleted = await client.call("delete", post=thread)

    assert (draft["place"], draft["title"], draft["text"]) == (f"t/{thread}", "", "half a")
    assert person["name"] == "Anna"
    assert deleted["thread"] == thread
    with pytest.raises(CallRefused, match="was deleted"):
        await client.call("edit", post=thread, text="no")


async def test_a_search_marks_the_words(client: Client):
    thread = (await _thread(client))["id"]

    [hit] = (await client.call("search", words="who"))["hits"]

    assert hit["thread"] == thread
    assert hit["snippet"] == "\x02Who\x03 is *in*?"


async def test_reading_is_marked(client: Client):
    thread = (await _thread(client))["id"]

    assert await client.call("mark_read", thread=thread, post=thread) == {}


async def test_an_import_reports_and_its_posts_are_found(client: Client, tmp_path: Path):
    archive = write_posts(tmp_path / "archive", 3)
    first = posts(3)[0]

    report = await client.call("import_discourse", path=str(archive))
    found = await client.call("find_imported", site="discourse", post=str(first["id"]))

    count = len(posts(3))
    assert report == {"read": count, "written": count, "skipped": 0, "reasons": {}}
    page = await client.call("read", thread=found["thread"], around=found["id"], limit=1)
    assert page["posts"][0]["source"]["author"] == first["username"]
    with pytest.raises(CallRefused, match="no file or folder"):
        await client.call("import_discourse", path=str(tmp_path / "nothing"))


async def test_peers_are_added_and_removed(client: Client):
    [added] = (await client.call("add_peer", address="192.0.2.7"))["peers"]
    assert (added["address"], added["path"]) == ("wss://192.0.2.7:47311", "file")
    assert await client.call("remove_peer", address="192.0.2.7") == {"peers": []}
    assert await client.call("peers") == {"peers": []}
    with pytest.raises(CallRefused, match="starts with wss"):
        await client.call("add_peer", address="https://example.org")


async def test_what_is_on_screen_is_known_while_the_face_is_there(house: Serving):
    async with house.client() as page:
        thread = (await _thread(page))["id"]
        await page.call("on_screen", thread=thread)
        assert house.node.audience.on_screen == {bytes.fromhex(thread)}
        await page.call("on_screen", thread=None)
        assert house.node.audience.on_screen == frozenset()


async def test_a_page_is_shown_by_whoever_can(house: Serving):
    async with house.client() as caller, house.client() as window:
        assert await caller.call("show_page", path="/t/1") == {"shown": False}
        assert (await window.call("attach_window"))["path"] == "/t/1"
        assert await caller.call("show_page", path="/t/2") == {"shown": True}
    house.node.audience.opens_windows = True
    async with house.client() as caller:
        assert await caller.call("show_page") == {"shown": True}


async def test_open_page_gives_an_address_of_the_page(house: Serving, client: Client):
    url = (await client.call("open_page", path="/t/ab/p/cd"))["url"]

    assert url.startswith(f"{house.server.url}/enter?code=")
    assert url.endswith("#/t/ab/p/cd")


async def test_stop_asks_the_program_to_end(house: Serving, client: Client):
    asked: list[bool] = []
    house.server.on_stop = lambda: asked.append(True)

    assert await client.call("stop") == {}
    assert asked == [True]


def test_every_call_of_the_contract_is_there():
    contract = (
        "status create join check_link invite set_profile subnets threads read search "
        "publish_subnet publish_thread publish_reply edit delete react preview people peers "
        "add_peer remove_peer mark_read save_draft drafts find_imported on_screen open_page "
        "show_page attach_window import_discourse stop"
    )
    assert set(calls.CALLS) == set(contract.split())
