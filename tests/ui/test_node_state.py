"""How the node is doing, as the page tells it: the line, the banner, the first screen, peers."""

from __future__ import annotations

import asyncio
import re
import time

from playwright.async_api import Page, expect

from tests.ui.fake_node import FakeNode, Refused, id_of
from tests.ui.watching import until


def peer(name: str, path: str, state: str = "connected", **more: object) -> dict:
    return {
        "device": id_of(f"device/{name}") if name else None,
        "name": name,
        "address": f"wss://{name or 'nobody'}.example:47311#" + "cd" * 32,
        "path": path,
        "state": state,
        "behind": 0,
        "latency_ms": 4,
        "last_seen": None,
        "problem": "",
    } | more


async def test_the_status_line_tells_peers_and_syncing(page: Page, node: FakeNode):
    node.board.add_subnet("General")
    await page.goto(node.url)
    line = page.get_by_role("contentinfo")
    await expect(line).to_contain_text(re.compile(r"\[\d\d:\d\d\]"))
    await expect(line).to_contain_text("[cy]")
    await expect(line).to_contain_text("[peers 0]")
    await expect(line).to_contain_text("[in sync]")

    peers = [peer("ada", "lan"), peer("bo", "lan", "syncing"), peer("vps", "tailnet")]
    peers.append(peer("", "file", "unreachable"))
    sync = {"state": "syncing", "done": 412, "total": 1280, "problem": ""}
    await node.change_status(peers=peers, sync=sync)
    await expect(line).to_contain_text("[peers 3: lan 2, tail 1]")
    await expect(line).to_contain_text("[syncing 412 / 1,280]")
    await expect(page.get_by_role("progressbar", name="Posts taken over")).to_be_visible()

    bad = {"state": "attention", "done": 0, "total": 0, "problem": "This clock is 3 min off."}
    await node.change_status(sync=bad)
    await expect(line).to_contain_text("[This clock is 3 min off.]")


async def test_a_node_that_stops_leaves_the_text_and_comes_back_by_itself(
    page: Page, node: FakeNode
):
    board = node.board
    thread = board.add_thread(board.add_subnet("General"), "Boat trip", "Who?")
    await page.goto(f"{node.url}/#/t/{thread}")
    await page.get_by_role("textbox", name="Your reply").fill("typed before")
    await node.say("people_changed")
    last = node._seq

    await node.stop()

    banner = page.get_by_role("alert")
    await expect(banner).to_contain_text("The node stopped.")
    drawn = await banner.locator("use").evaluate("(icon) => icon.getBoundingClientRect().width")
    assert drawn > 8
    await page.get_by_role("textbox", name="Your reply").fill("typed before and after")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Nothing you typed is lost.")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Your reply")).to_have_value(
        "typed before and after"
    )
    board.add_post(thread, "Said while you were away.")

    await node.start()

    await expect(banner.filter(has_text="The node stopped")).to_have_count(0)
    await expect(page.get_by_text("Said while you were away.")).to_be_visible()
    assert node.began[0] is None
    assert node.began[-1] == last
    await until(lambda: board.drafts.get(f"t/{thread}", {}).get("text") == "typed before and after")


async def test_one_need_not_wait_for_the_next_attempt(page: Page, node: FakeNode):
    node.board.add_subnet("General")
    await page.clock.install()
    await page.goto(node.url)
    await expect(page.get_by_role("contentinfo")).to_contain_text("[in sync]")
    await node.stop()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("contentinfo")).to_contain_text("[no node]")
    await page.clock.pause_at(await page.evaluate("Date.now() + 100"))  # no attempt of its own

    await node.start()
    button = page.get_by_role("button", name="Try again")
    while await button.is_visible():  # an attempt that was under way may still have to fail
        await page.evaluate("document.querySelector('.banner button')?.click()")

    await expect(page.get_by_role("contentinfo")).to_contain_text("[in sync]")


async def test_a_node_started_anew_asks_to_open_the_window_again(page: Page, node: FakeNode):
    node.board.add_subnet("General")
    await page.goto(node.url)
    await expect(page.get_by_role("contentinfo")).to_contain_text("[in sync]")

    await node.stop()
    node.knows_the_page = False
    await node.start()

    await expect(page.get_by_role("alert")).to_contain_text("Open the forum again from the tray")


async def test_a_page_that_missed_events_reads_everything_again(page: Page, node: FakeNode):
    board = node.board
    thread = board.add_thread(board.add_subnet("General"), "Boat trip", "Who?")
    await page.goto(f"{node.url}/#/t/{thread}")
    await expect(page.get_by_role("article")).to_have_count(1)
    board.add_subnet("garden")
    board.add_post(thread, "Unheard of.")

    await node.say("missed")

    await expect(page.get_by_role("article")).to_have_count(2)
    await expect(page.get_by_role("link", name="garden")).to_be_visible()


async def test_a_flood_of_events_makes_few_readings(page: Page, node: FakeNode):
    node.board.add_subnet("General")
    await page.goto(node.url)
    await expect(page.get_by_role("contentinfo")).to_contain_text("[in sync]")
    before, began = len(node.calls("threads")), time.monotonic()

    for number in range(100):
        await node.say("board_changed")
        await node.change_status(operations=number, network=dict(node.board.status["network"]))
        await asyncio.sleep(0.01)

    await until(lambda: len(node.calls("threads")) > before)
    readings = len(node.calls("threads")) - before
    assert readings <= 2 + (time.monotonic() - began) / 0.5


async def test_the_first_screen_says_what_joining_means(page: Page, node: FakeNode):
    node.board.status = node.board.status | {"network": None}

    await page.goto(node.url)

    meaning = page.get_by_role("region", name="What joining means")
    await expect(meaning).to_contain_text("Every member's machine keeps a readable copy")
    await expect(meaning).to_contain_text("the rented machine")
    await expect(meaning).to_contain_text("Deleting a post is a request to all of them.")
    await expect(page.get_by_role("button", name="Start a forum")).to_be_disabled()
    await expect(page.get_by_role("button", name="Join a forum")).to_be_disabled()


async def test_one_starts_a_forum(page: Page, node: FakeNode):
    begun = node.board.status["network"]
    node.board.status = node.board.status | {"network": None}

    def create(name: str, nick: str) -> dict:
        node.board.status = node.board.status | {"network": begun | {"name": name}}
        node.board.add_subnet("General")
        return {"device": nick, "network": begun}

    node.answers["create"] = create
    await page.goto(node.url)

    await page.get_by_label("Your name").fill("cy")
    await page.get_by_label("Name of the forum").fill("Boat club")
    await page.get_by_role("button", name="Start a forum").click()

    await expect(page.get_by_role("link", name="General")).to_be_visible()
    await expect(page.get_by_role("banner")).to_contain_text("Boat club")
    assert node.calls("create") == [{"name": "Boat club", "nick": "cy"}]


async def test_a_link_shows_its_forum_before_one_joins(page: Page, node: FakeNode):
    joined = node.board.status["network"]
    node.board.status = node.board.status | {"network": None}

    def join(link: str) -> dict:
        sync = {"state": "syncing", "done": 20, "total": 4661, "problem": ""}
        node.board.status = node.board.status | {"network": joined, "sync": sync}
        return {"network": joined}

    node.answers["join"] = join
    await page.goto(node.url)

    await page.get_by_label("Invite link").fill("https://example.org")
    await expect(page.get_by_role("alert")).to_contain_text("This is no invite link")
    await page.get_by_label("Invite link").fill("brothernet://join#abc ")
    await expect(page.get_by_text("This link opens Allotment")).to_be_visible()
    assert node.calls("join") == []
    await page.get_by_role("button", name="Join Allotment").click()

    await expect(page.get_by_text("The forum is coming in.")).to_be_visible()
    assert node.calls("join") == [{"link": "brothernet://join#abc"}]


async def test_peers_show_how_each_is_doing(page: Page, node: FakeNode):
    seen = int(time.time() * 1000) - 2 * 3_600_000
    node.board.status["peers"] = [
        peer("ada", "lan", latency_ms=2),
        peer("vps", "bootstrap", "syncing", behind=1312),
        peer(
            "",
            "file",
            "unreachable",
            address="wss://10.0.0.9:47311",
            latency_ms=None,
            last_seen=seen,
            problem="Nothing answers there.",
        ),
    ]

    await page.goto(f"{node.url}/#/peers")

    rows = page.get_by_role("row")
    await expect(rows.nth(1)).to_contain_text("ada.example:47311")
    await expect(rows.nth(1)).to_contain_text("2 ms")
    await expect(rows.nth(2)).to_contain_text("1,312")
    await expect(rows.nth(3)).to_contain_text("Nothing answers there.")
    await expect(rows.nth(3)).to_contain_text("seen 2 h ago")
    await expect(page.get_by_role("button", name=re.compile("^Remove"))).to_have_count(1)

    node.answers["remove_peer"] = lambda address: {"peers": []}
    await page.get_by_role("button", name="Remove wss://10.0.0.9:47311").click()
    await until(lambda: node.calls("remove_peer") == [{"address": "wss://10.0.0.9:47311"}])


async def test_alone_one_is_shown_how_to_invite(page: Page, node: FakeNode):
    await page.goto(f"{node.url}/#/peers")

    await expect(page.locator("[data-state=empty]")).to_contain_text("Only you so far.")
    await expect(page.get_by_label("Invite link")).to_have_value("brothernet://join#with-addresses")
    await page.get_by_label("Without this machine's addresses").check()
    await expect(page.get_by_label("Invite link")).to_have_value("brothernet://join#bare")
    await page.get_by_role("button", name="Copy", exact=True).click()
    await expect(page.get_by_text("The invite link is copied.")).to_be_visible()
    await page.get_by_label("Address of a machine").focus()
    await page.keyboard.press("Control+v")
    await expect(page.get_by_label("Address of a machine")).to_have_value("brothernet://join#bare")


async def test_an_address_that_is_none_is_refused_where_it_was_typed(page: Page, node: FakeNode):
    def add(address: str) -> dict:
        if "!" in address:
            raise Refused("invalid_address", f"{address!r} names no machine.")
        node.board.status["peers"] = [peer("ada", "file")]
        return {"peers": []}

    node.answers["add_peer"] = add
    await page.goto(f"{node.url}/#/peers")

    await page.get_by_label("Address of a machine").fill("not a host!")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("alert")).to_have_text("'not a host!' names no machine.")
    await expect(page.get_by_label("Address of a machine")).to_have_value("not a host!")

    await page.get_by_label("Address of a machine").fill("10.0.0.5")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("cell", name="ada", exact=True)).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_what_is_on_screen_is_told_and_taken_back(page: Page, node: FakeNode):
    board = node.board
    thread = board.add_thread(board.add_subnet("General"), "Boat trip", "Who?")

    await page.goto(f"{node.url}/#/t/{thread}")
    await until(lambda: {"thread": thread} in node.calls("on_screen"))
    await page.get_by_role("link", name="Recent").click()
    await until(lambda: node.calls("on_screen")[-1] == {"thread": None})
