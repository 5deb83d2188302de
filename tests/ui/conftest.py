"""A browser for all tests of the page, and a page that must stay without errors for each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests import needs
from tests.ui.fake_node import FakeNode
from tests.ui.watching import watched

# Without these Chromium calls its makers' hosts at every start.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One browser serves them all, so they run on its loop."""
    for item in items:
        if "tests/ui" in item.path.as_posix() and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if not (needs.ROOT / "ui" / "vendor").is_dir():
        pytest.fail("ui/vendor is empty: run python3 installer/dev.py setup", pytrace=False)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=needs.chromium(), args=list(FLAGS)
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def node() -> AsyncIterator[FakeNode]:
    async with FakeNode() as node:
        yield node


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window of 1240 by 760 pixels, by day. What the page breaks by itself fails the test."""
    async with watched(browser) as page:
        yield page
