"""The real page on real nodes, in Chromium: the way of a person from the first screen on."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.ui.real_nodes import RealNode, running
from tests.ui.test_hostile_posts import HOSTILE
from tests.ui.watching import landed, watched

SITE = "https://forum.example"


async def test_an_imported_thread_is_read_answered_and_answered_from_elsewhere(
    browser: Browser, page: Page, tmp_path: Path, forum_archive: Path
):
    async with running(tmp_path / "ann") as ann, running(tmp_path / "bob") as bob:
        await ann.call("create", name="Delving", nick="ann")
        await ann.call("import_discourse", path=str(forum_archive), site=SITE)
        threads = (await ann.call("threads", limit=500))["threads"]
        thread = max(threads, key=lambda thread: thread["replies"])

        await ann.enter(page, f"/t/{thread['id']}")
        await sees_imported(page, thread["title"], "ann")
        mine = await answers(page, "I read it **here**.")
        await expect(mine).to_contain_text("waiting for a peer")

        await bob.call("join", link=(await ann.call("invite", bare=True))["link"], nick="bob")
        await bob.call("add_peer", address=await ann.address())
        await expect(page.get_by_role("contentinfo")).to_contain_text("[peers 1")
        await expect(mine).to_contain_text("on 2 machines", timeout=60_000)
        await sees_arrive_while_typing(page, bob, thread["id"], mine)

        async with watched(browser, 420) as phone:
            await bob.enter(phone, f"/t/{thread['id']}")
            await sees_imported(phone, thread["title"], "ann")
            await expect(phone.get_by_role("contentinfo")).to_contain_text("[in sync]")


async def sees_imported(page: Page, title: str, importer: str) -> None:
    await expect(page.get_by_role("heading", name=title).first).to_be_visible()
    opening = page.locator("article[data-number='1']")
    await expect(opening).to_be_in_viewport()
    await expect(opening).to_contain_text(f"imported from forum.example by {importer}")
    await expect(opening.locator(".prose")).not_to_be_empty()


async def answers(page: Page, text: str) -> Locator:
    await page.get_by_role("textbox", name="Your reply").fill(text)
    await page.keyboard.press("Control+Enter")
    mine = page.locator("article").filter(has_text=text.replace("**", ""))
    await expect(mine).to_be_in_viewport()
    await expect(mine.locator("strong")).to_have_text(text.split("**")[1])
    return mine


async def sees_arrive_while_typing(page: Page, other: RealNode, thread: str, mine: Locator) -> None:
    """A post from the other machine appears; what is typed, focused and in view stays."""
    reply = page.get_by_role("textbox", name="Your reply")
    await reply.fill("half a thought")
    await landed(page)
    place = await mine.evaluate("(post) => post.getBoundingClientRect().top")
    await other.call("publish_reply", thread=thread, text="And I read it *there*.")
    theirs = page.locator("article", has_text="And I read it there.")
    await expect(theirs.locator("em")).to_have_text("there")
    await expect(theirs.locator(".nick")).to_have_text("bob")
    await expect(reply).to_have_value("half a thought")
    await expect(reply).to_be_focused()
    assert abs(await mine.evaluate("(post) => post.getBoundingClientRect().top") - place) < 2


async def test_a_forum_is_started_in_one_window_and_joined_in_another(
    browser: Browser, page: Page, tmp_path: Path
):
    async with (
        running(tmp_path / "ann") as ann,
        running(tmp_path / "bob") as bob,
        watched(browser) as other,
    ):
        await ann.enter(page)
        await starts_a_forum(page, "Boat club", "ann")
        await page.get_by_role("link", name="Peers", exact=True).click()
        await expect(page.get_by_text("Only you so far.")).to_be_visible()
        await page.get_by_label("Without this machine's addresses").check()
        link = page.get_by_label("Invite link")
        await expect(link).to_have_value((await ann.call("invite", bare=True))["link"])

        await bob.enter(other)
        await joins(other, await link.input_value(), "Boat club", "bob")
        await other.get_by_role("link", name="Peers", exact=True).click()
        await other.get_by_label("Address of a machine").fill(await ann.address())
        await other.get_by_role("button", name="Add").click()
        await expect(other.get_by_role("row", name=re.compile("^ann.*connected"))).to_be_visible()
        await expect(page.get_by_role("row", name=re.compile("^bob.*connected"))).to_be_visible()

        await other.get_by_role("link", name="Recent").click()
        await other.get_by_role("link", name="Boat trip").click()
        await expect(other.get_by_role("article")).to_contain_text("Who comes along?")
        await expect(other).to_have_title(re.compile("Boat trip · Boat club$"))


async def starts_a_forum(page: Page, name: str, nick: str) -> None:
    await page.get_by_label("Your name").fill(nick)
    await page.get_by_label("Name of the forum").fill(name)
    await page.get_by_role("button", name="Start a forum").click()
    await page.get_by_role("link", name="General").click()
    await page.get_by_role("link", name="New thread").click()
    await page.get_by_label("Title").fill("Boat trip")
    await page.get_by_role("textbox", name="The opening post").fill("Who comes along?")
    await page.get_by_role("button", name="Post the thread").click()
    await expect(page.get_by_role("article")).to_contain_text("Who comes along?")


async def joins(page: Page, link: str, name: str, nick: str) -> None:
    """Paste a link, first a damaged one, and see what it opens before joining."""
    await page.get_by_label("Your name").fill(nick)
    await page.get_by_label("Invite link").fill(link[:-4])
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("Invite link").fill(link)
    await page.get_by_role("button", name=f"Join {name}").click()
    await expect(page.get_by_role("banner")).to_contain_text(name)


async def test_a_draft_outlives_the_window_and_the_node(browser: Browser, tmp_path: Path):
    async with running(tmp_path) as node, watched(browser) as page:
        await node.call("create", name="Boat club", nick="ann")
        subnet = (await node.call("subnets"))["subnets"][0]["id"]
        thread = (await node.call("publish_thread", subnet=subnet, title="A", text="B"))["thread"]
        await node.enter(page, f"/t/{thread}")
        await page.get_by_role("textbox", name="Your reply").fill("half a thought")
        await expect(page.get_by_text("draft saved")).to_be_visible()
        await node.machine.kill()
        await expect(page.get_by_role("alert")).to_contain_text("The node stopped")
        await expect(page.get_by_role("textbox", name="Your reply")).to_have_value("half a thought")
        await node.machine.start("--listen", "127.0.0.1:0", "--no-lan")

    async with running(tmp_path) as node, watched(browser) as page:
        await node.enter(page, f"/t/{thread}")
        await expect(page.get_by_role("textbox", name="Your reply")).to_have_value("half a thought")


async def test_editing_deleting_reacting_and_searching(page: Page, tmp_path: Path):
    async with running(tmp_path) as node:
        await node.call("create", name="Boat club", nick="ann")
        subnet = (await node.call("subnets"))["subnets"][0]["id"]
        await node.call("publish_thread", subnet=subnet, title="Boat trip", text="Bring a pump.")
        await node.enter(page)
        await page.get_by_role("navigation").get_by_role("link", name="General").click()
        await page.get_by_role("button", name="Change #General").click()
        await page.get_by_label("Title of the subnet").fill("Harbour")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="#Harbour")).to_be_visible()
        await page.get_by_role("link", name="Boat trip").click()

        await page.get_by_role("button", name="Edit post 1").click()
        await page.get_by_label("Title").fill("Boat trip on Saturday")
        await page.get_by_role("textbox", name="Edit post 1").fill("Bring a pump and `rope`.")
        await page.get_by_role("button", name="Save").click()
        post = page.locator("article[data-number='1']")
        await expect(post.locator("code")).to_have_text("rope")
        await expect(post).to_contain_text("edited")
        await expect(page.get_by_role("link", name="Boat trip on Saturday")).to_be_visible()

        await page.get_by_role("button", name="React to post 1").click()
        await page.get_by_role("group", name="Choose a reaction").get_by_text("🎉").click()
        await expect(post.get_by_role("button", name="🎉 1")).to_be_visible()
        await post.get_by_role("button", name="🎉 1").click()
        await expect(post.get_by_role("button", name="🎉")).to_have_count(0)

        await page.get_by_role("searchbox").fill("pump rope")
        await expect(page.locator("a.hit mark")).to_have_text(["pump", "rope"])
        await page.locator("a.hit").click()
        await page.get_by_role("button", name="Delete post 1").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(post).to_contain_text("This post was deleted.", timeout=8_000)


async def test_hostile_posts_break_no_rule_of_the_policy(page: Page, tmp_path: Path):
    async with running(tmp_path) as node:
        await node.call("create", name="<script>1</script>", nick="<b>ann</b>")
        subnet = (await node.call("publish_subnet", title="<img src=x onerror=alert(1)>"))["id"]
        thread = (
            await node.call("publish_thread", subnet=subnet, title=HOSTILE[0], text=HOSTILE[1])
        )["thread"]
        for text in HOSTILE[2:]:
            await node.call("publish_reply", thread=thread, text=text)
        await node.enter(page, f"/t/{thread}")

        await expect(page.get_by_role("article")).to_have_count(len(HOSTILE) - 1)
        for article in await page.get_by_role("article").all():
            await article.scroll_into_view_if_needed()
        assert await page.evaluate("window.violations") == []
        assert await page.evaluate("window.owned") is None
        await expect(page.get_by_role("heading", name=HOSTILE[0])).to_be_visible()
