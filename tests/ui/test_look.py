"""How it looks and fits: panes by width, day and night, no motion, nothing cut, nothing unnamed."""

from __future__ import annotations

import re
from itertools import product

import pytest
from playwright.async_api import Browser, Page, expect

from tests.needs import ROOT
from tests.ui.fake_node import ME, FakeNode
from tests.ui.watching import watched

UI = ROOT / "ui"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
LONG = "Zuverlässigkeitsprüfungs" * 12


@pytest.fixture
def thread(node: FakeNode) -> str:
    board = node.board
    subnet = board.add_subnet("bakery", "Bread, cake and the oven.")
    board.subnets[0]["unread"] = 1
    board.add_subnet(LONG[:200])
    thread = board.add_thread(subnet, "Boat trip on Saturday", "We moved the start to **09:30**.")
    board.add_thread(subnet, LONG[:200], "…")
    board.add_post(
        thread, f"> quoted\n\n```\n{LONG * 3}\n```\n\n|a|b|\n|-|-|\n|1|{LONG}|\n\n{LONG}"
    )
    board.add_post(thread, "@cy can you bring the pump?")
    board.add_post(thread, "Yes.", ME, reactions=[{"emoji": "👍", "count": 2, "mine": False}])
    for post in board.posts[thread][:2]:
        post["read"] = True
    node.board.status["peers"] = [
        {
            "device": "ab" * 32,
            "name": "ada",
            "address": "wss://[fd7a:115c:a1e0:ab12:4843:cd96:6258:b240]:47311#" + "cd" * 32,
            "path": "tailnet",
            "state": "unreachable",
            "behind": 12,
            "latency_ms": None,
            "last_seen": None,
            "problem": "Nothing answers there.",
        }
    ]
    return thread


def screens(node: FakeNode, thread: str) -> dict[str, str]:
    subnet = node.board.subnets[0]["id"]
    return {
        "home": "#/",
        "list": f"#/s/{subnet}",
        "thread": f"#/t/{thread}",
        "compose": f"#/s/{subnet}/new",
        "peers": "#/peers",
        "search": "#/search/",
    }


async def show(page: Page, node: FakeNode, address: str) -> None:
    await page.goto("about:blank")
    await page.goto(f"{node.url}/{address}")
    await expect(page.get_by_role("contentinfo")).to_be_visible()
    if "#/t/" in address:
        await expect(page.get_by_role("article")).to_have_count(4)


async def objections(page: Page) -> list[str]:
    """What axe-core finds against WCAG A and AA, rule and element."""
    script = (UI / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    await page.evaluate(script)
    found = await page.evaluate("(tags) => axe.run(document, {runOnly: tags})", WCAG)
    return [f"{one['id']}: {of['html']}" for one in found["violations"] for of in one["nodes"]]


@pytest.mark.parametrize(
    ("width", "panes"),
    [
        (1240, {"home": "nav list main", "list": "nav list main", "thread": "nav list main"}),
        (860, {"home": "nav list", "list": "nav list", "thread": "nav main", "peers": "nav main"}),
        (420, {"home": "nav", "list": "list", "thread": "main", "peers": "main"}),
    ],
)
async def test_a_window_shows_as_many_panes_as_fit(
    browser: Browser, node: FakeNode, thread: str, width: int, panes: dict[str, str]
):
    async with watched(browser, width) as page:
        for screen, expected in panes.items():
            await show(page, node, screens(node, thread)[screen])
            for name in ("nav", "list", "main"):
                pane = page.locator(".shell > .list" if name == "list" else f".shell > {name}")
                await expect(pane).to_be_visible(visible=name in expected.split())


async def test_on_a_phone_one_goes_from_pane_to_pane_and_back(
    browser: Browser, node: FakeNode, thread: str
):
    async with watched(browser, 420) as page:
        await show(page, node, "#/")
        await page.get_by_role("link", name="bakery").click()
        await page.get_by_role("link", name="Boat trip").click()
        await expect(page.get_by_role("article").last).to_be_in_viewport()
        await page.get_by_role("link", name="Back to the threads").click()
        await expect(page.get_by_role("heading", name="#bakery")).to_be_visible()
        await page.get_by_role("link", name="Back to the subnets").click()
        await expect(page.get_by_role("navigation")).to_be_visible()
        await page.get_by_role("link", name="Peers", exact=True).click()
        await page.get_by_role("link", name="Back to the subnets").click()
        await expect(page.get_by_role("navigation")).to_be_visible()


@pytest.mark.parametrize("width", [1240, 860, 420, 320])
async def test_nothing_is_wider_than_the_window(
    browser: Browser, node: FakeNode, thread: str, width: int
):
    async with watched(browser, width) as page:
        for name, address in screens(node, thread).items():
            await show(page, node, address)
            wide = await page.evaluate(
                "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && "
                "e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('pre, table, "
                ".prose, footer, .offstage, select, .rest, .names, .line'))"
                ".map((e) => e.outerHTML.slice(0, 90))"
            )
            assert wide == [], name
            for scroller in (".scroll", ".rows", ".page", "nav", "body"):
                overflow = await page.evaluate(
                    "(s) => { const e = document.querySelector(s);"
                    "return e ? e.scrollWidth - e.clientWidth : 0; }",
                    scroller,
                )
                assert overflow <= 1, (name, scroller)


@pytest.mark.parametrize(("scheme", "width"), list(product(("light", "dark"), (1240, 420))))
async def test_axe_finds_nothing_to_object_to(
    browser: Browser, node: FakeNode, thread: str, scheme: str, width: int
):
    async with watched(browser, width, color_scheme=scheme) as page:
        for name, address in screens(node, thread).items():
            await show(page, node, address)
            assert await objections(page) == [], name


async def test_the_first_screen_and_the_dialogs_please_axe_too(
    page: Page, node: FakeNode, thread: str
):
    await show(page, node, f"#/t/{thread}")
    await page.get_by_role("button", name="Keys").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await objections(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="New subnet").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await objections(page) == []
    node.board.status = node.board.status | {"network": None}
    await page.reload()
    await expect(page.get_by_role("button", name="Start a forum")).to_be_visible()
    assert await objections(page) == []


async def test_day_and_night_follow_the_system(page: Page, node: FakeNode, thread: str):
    await show(page, node, f"#/t/{thread}")
    body = page.locator("body")
    await page.emulate_media(color_scheme="dark")
    await expect(body).to_have_css("background-color", "rgb(20, 22, 26)")
    await page.emulate_media(color_scheme="light")
    await expect(body).to_have_css("background-color", "rgb(251, 250, 246)")


async def test_nothing_moves_for_who_wants_no_motion(browser: Browser, node: FakeNode, thread: str):
    async with watched(browser, reduced_motion="reduce") as page:
        await show(page, node, f"#/t/{thread}")
        running = await page.evaluate(
            "document.getAnimations().filter((a) => a.playState === 'running' && "
            "a.effect.getComputedTiming().duration > 0).length"
        )
        assert running == 0


async def test_the_letters_are_plex_and_come_from_this_machine(
    page: Page, node: FakeNode, thread: str
):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await show(page, node, f"#/t/{thread}")

    await page.evaluate("document.fonts.ready")
    loaded = await page.evaluate(
        "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    )
    assert {"Plex", "Plex Mono"} <= {family.strip('"') for family in loaded}
    assert {url for url in asked if not url.startswith((node.url, "about:"))} <= {
        node.url.replace("http", "ws") + "/socket"
    }


def test_every_colour_can_be_read_on_every_surface():
    """WCAG AA on the tokens themselves: 4.5 for text, 3 for edges and the focus ring."""
    sheet = (UI / "styles" / "tokens.css").read_text(encoding="utf-8")
    day, night = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\n\s*\}", sheet, re.DOTALL)
    )
    texts = [
        "text",
        "muted",
        "link",
        "accent",
        "ok",
        "warn",
        "err",
        *(f"n{i}" for i in range(1, 9)),
    ]
    for tokens in (day, night):
        for surface in ("bg", "panel", "raised", "hi"):
            for text in texts:
                assert contrast(tokens[text], tokens[surface]) >= 4.5, (text, surface)
            for edge in ("edge", "focus"):
                assert contrast(tokens[edge], tokens[surface]) >= 3, (edge, surface)
        assert contrast(tokens["on-accent"], tokens["accent"]) >= 4.5


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
