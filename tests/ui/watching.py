"""Windows of the browser that take note of what goes wrong in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect

# A node that is away, and a cookie that is none, are part of what is tested.
_EXPECTED = ("WebSocket connection", "ERR_CONNECTION", "status of 401", "status of 404")
_NOTE_VIOLATIONS = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation",
        (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@asynccontextmanager
async def watched(
    browser: Browser, width: int = 1240, height: int = 760, **settings: Any
) -> AsyncIterator[Page]:
    """A window; when it is done with, nothing may have been thrown or refused by the policy."""
    context = await browser.new_context(viewport={"width": width, "height": height}, **settings)
    page = await context.new_page()
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda said: (
            wrong.append(said.text)
            if said.type == "error" and not any(word in said.text for word in _EXPECTED)
            else None
        ),
    )
    await page.add_init_script(_NOTE_VIOLATIONS)
    try:
        yield page
        assert await page.evaluate("window.violations ?? []") == []
        assert wrong == []
    finally:
        await context.close()


async def top_of(page: Page, selector: str) -> float:
    """Where an element begins in the window, in pixels."""
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


async def landed(page: Page) -> None:
    """Wait until the thread stands where it was to go."""
    await expect(page.locator("[data-scroll=thread]:not([aria-busy])")).to_be_visible()


async def until(true: Callable[[], object], timeout_s: float = 10) -> None:
    """Wait for something outside the page."""
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.02)
