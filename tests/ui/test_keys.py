"""The keyboard map, by which everything can be done."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.fake_node import ME, FakeNode


@pytest.fixture
def threads(node: FakeNode) -> list[str]:
    """Three threads of three posts, the last begun on top; the middle one is unread."""
    board = node.board
    subnet = board.add_subnet("bakery")
    made = []
    for place, title in enumerate(("Bread", "Boat", "Pump")):
        thread = board.add_thread(subnet, title, f"About {title}.")
        board.add_post(thread, f"More about {title}.")
        board.add_post(thread, f"Mine about {title}.", ME)
        for post in board.posts[thread]:
            post["read"] = title != "Boat"
            post["time"] += place * 10_000
        made.append(thread)
    return made


async def at(page: Page, node: FakeNode, path: str) -> None:
    await page.goto(f"{node.url}/{path}")
    await expect(page.locator("a.t")).to_have_count(3)


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def test_rows_are_walked_and_opened(page: Page, node: FakeNode, threads: list[str]):
    await at(page, node, "#/recent")

    await press(page, "j", "j")
    await expect(page.locator("a.t").nth(1)).to_be_focused()
    await press(page, "k", "k", "k")
    await expect(page.locator("a.t").nth(0)).to_be_focused()
    await press(page, "o")
    await expect(page.get_by_role("heading", name="Pump")).to_be_visible()
    await press(page, "Shift+J")
    await expect(page.get_by_role("heading", name="Boat")).to_be_visible()
    await press(page, "Shift+K")
    await expect(page.get_by_role("heading", name="Pump")).to_be_visible()
    await press(page, "u")
    await expect(page).to_have_url(re.compile("#/recent$"))


async def test_n_goes_to_what_is_unread(page: Page, node: FakeNode, threads: list[str]):
    await at(page, node, "#/recent")

    await press(page, "n")

    await expect(page).to_have_url(re.compile(rf"#/t/{threads[1]}$"))


async def test_posts_are_walked_and_acted_on(page: Page, node: FakeNode, threads: list[str]):
    await at(page, node, "#/recent")
    await page.get_by_role("link", name="Pump").click()
    posts = page.get_by_role("article")
    await expect(posts).to_have_count(3)
    await page.get_by_role("main").focus()

    await press(page, "Home", "j")
    await expect(posts.nth(1)).to_be_focused()
    await press(page, "End")
    await expect(posts.nth(2)).to_be_focused()
    await press(page, "e")
    await expect(page.get_by_role("textbox", name="Edit post 3")).to_be_focused()
    await press(page, "Escape")
    await expect(page.get_by_role("textbox", name="Edit post 3")).not_to_be_focused()
    await posts.nth(1).focus()
    await press(page, "q")
    reply = page.get_by_role("textbox", name="Your reply")
    await expect(reply).to_be_focused()
    await expect(reply).to_have_value(re.compile("> More about Pump."))
    await press(page, "Escape")
    await posts.nth(1).focus()
    await press(page, "r", "j", "n")
    await expect(reply).to_have_value(re.compile("jn$"))


async def test_letters_typed_into_a_field_are_letters(
    page: Page, node: FakeNode, threads: list[str]
):
    await at(page, node, "#/recent")

    await press(page, "/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    node.answers["search"] = lambda words, limit: {"hits": []}
    await page.keyboard.type("jnc?")
    await expect(page.get_by_role("searchbox")).to_have_value("jnc?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press(page, "Escape", "g", "r")
    await expect(page).to_have_url(re.compile("#/recent$"))
    await press(page, "g", "p")
    await expect(page.get_by_role("heading", name="Peers")).to_be_visible()
    await press(page, "Control+k")
    await expect(page.get_by_role("searchbox")).to_be_focused()


async def test_a_link_to_a_post_is_copied_for_pasting(
    page: Page, node: FakeNode, threads: list[str]
):
    await at(page, node, "#/recent")
    await page.get_by_role("link", name="Pump").click()
    post = node.board.posts[threads[2]][1]["id"]
    await page.locator(f"#p-{post}").focus()

    await press(page, "l")

    await expect(page.get_by_text("Copied a link to #2")).to_be_visible()
    await page.get_by_role("textbox", name="Your reply").focus()
    await press(page, "Control+v")
    await expect(page.get_by_role("textbox", name="Your reply")).to_have_value(
        f"[Pump #2](#/t/{threads[2]}/p/{post})"
    )


async def test_a_new_thread_and_new_posts_are_a_key_away(
    page: Page, node: FakeNode, threads: list[str]
):
    for number in range(30):
        node.board.add_post(threads[2], f"Filler {number}.", read=True)
    await at(page, node, "#/recent")
    await page.evaluate(
        f"location.hash = '#/t/{threads[2]}/p/{node.board.posts[threads[2]][0]['id']}'"
    )
    await expect(page.locator("article").first).to_be_focused()
    await node.arrive(threads[2], "Just now.")
    await expect(page.get_by_role("button", name="1 new reply")).to_be_visible()

    await press(page, ".")

    await expect(page.locator("article").last).to_be_focused()
    await press(page, "c")
    await expect(page.get_by_label("Title")).to_be_focused()


async def test_f6_goes_round_the_panes(page: Page, node: FakeNode, threads: list[str]):
    await at(page, node, "#/recent")
    await page.locator("body").press("F6")
    await expect(page.get_by_role("navigation")).to_be_focused()
    await press(page, "F6")
    await expect(page.get_by_role("region", name="Threads")).to_be_focused()
    await press(page, "F6")
    await expect(page.get_by_role("main")).to_be_focused()
    await press(page, "Shift+F6")
    await expect(page.get_by_role("region", name="Threads")).to_be_focused()


async def test_the_keys_are_shown_and_can_be_switched_off(
    page: Page, node: FakeNode, threads: list[str]
):
    await at(page, node, "#/recent")

    await press(page, "?")
    await expect(page.get_by_role("dialog")).to_contain_text("next thread with something unread")
    await page.get_by_label("Keys of one letter").uncheck()
    await press(page, "Escape", "c", "j")

    await expect(page).to_have_url(re.compile("#/recent$"))
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press(page, "?")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_everything_is_reached_by_tab_and_shows_its_focus(
    page: Page, node: FakeNode, threads: list[str]
):
    await at(page, node, f"#/t/{threads[2]}")
    await expect(page.get_by_role("article")).to_have_count(3)

    seen = []
    for _ in range(60):
        await press(page, "Tab")
        name = await page.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) return null;"
            "const s = getComputedStyle(e.closest('.search') ?? e);"
            "return [e.getAttribute('aria-label') ?? e.textContent.trim() ?? '', "
            "s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; })()"
        )
        if name is None:
            break
        seen.append(tuple(name))

    assert all(shown for _, shown in seen), [name for name, shown in seen if not shown]
    names = [name for name, _ in seen]
    for wanted in (
        "Search posts",
        "Keys",
        "New subnet",
        "Reply to post 1",
        "Delete post 3",
        "Send",
    ):
        assert wanted in names
