"""The pictures of the README, made from real nodes and real posts: python -m tests.ui.screenshots

Two machines keep the imported forum; the pictures are of the one that did not import it, whose
person has read most of it.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, async_playwright, expect

from tests import needs
from tests.ui.conftest import FLAGS
from tests.ui.real_nodes import RealNode, running
from tests.ui.watching import landed, watched
from tests.whole.machine import wait_until

FOLDER = needs.ROOT / "docs" / "screenshots"
SITE = "https://delvingbitcoin.org"
WIDE, PHONE = (1240, 760), (420, 760)
SUBNETS = {
    "Category 2": "meta",
    "Category 5": "philosophy",
    "Category 6": "economics",
    "Category 7": "protocol design",
    "Category 8": "implementation",
    "Category 9": "cluster mempool",
    "Category 10": "simulations",
    "Category 12": "silent payments",
}
TALK = "PQC output type discussion"


async def main() -> None:
    """Make all pictures anew."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            running(Path(folder) / "ada") as ada,
            running(Path(folder) / "cy") as cy,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(
                executable_path=needs.chromium(), args=list(FLAGS)
            )
            await _picture(browser, cy, "first", "", "light")
            talk = await _talk(ada, cy)
            for scheme in ("light", "dark"):
                await _picture(browser, cy, f"thread-{scheme}", f"/t/{talk}", scheme)
            await _picture(browser, cy, "phone-thread", f"/t/{talk}", "dark", PHONE)
            await _picture(browser, cy, "phone-recent", "/recent", "light", PHONE)
            await _picture(browser, cy, "peers", "/peers", "light")
            await browser.close()


async def _talk(ada: RealNode, cy: RealNode) -> str:
    """Fill both machines and let them talk; returns the thread they talk in."""
    await ada.call("create", name="Delving", nick="ada")
    await ada.call("import_discourse", path=str(needs.archive()), site=SITE)
    for subnet in (await ada.call("subnets"))["subnets"]:
        if subnet["title"] in SUBNETS:
            await ada.call("edit", post=subnet["id"], title=SUBNETS[subnet["title"]], text="")
    await cy.call("join", link=(await ada.call("invite", bare=True))["link"], nick="cy")
    await cy.call("add_peer", address=await ada.address())
    await _in_sync(ada, cy)
    talk = await _read_most(cy)
    await cy.call("publish_reply", thread=talk, text="Can I read this from a *shell* as well?")
    await _in_sync(ada, cy)
    await _read_to_the_end(cy, talk)
    await ada.call("publish_reply", thread=talk, text=_ANSWER)
    await _in_sync(ada, cy)
    await cy.call("publish_reply", thread=talk, text="It does, thank you.")
    await _in_sync(ada, cy)
    return talk


_ANSWER = """\
@cy yes, on the machine that you read on:

```
brothernet threads
brothernet search witness commitment
brothernet post --thread ID "I think so too."
```

It asks the same node, so it shows **exactly** what the window shows."""


async def _in_sync(ada: RealNode, cy: RealNode) -> None:
    async def equal() -> bool:
        one, other = await ada.call("status"), await cy.call("status")
        return bool(one["digest"] == other["digest"] and other["sync"]["state"] == "synced")

    await wait_until(equal, 60)


async def _read_most(cy: RealNode) -> str:
    """Read every thread but some of the newest; returns the one that is talked in."""
    threads: list[dict[str, Any]] = (await cy.call("threads", limit=500))["threads"]
    rest = (await cy.call("threads", limit=500, before=threads[-1]["id"]))["threads"]
    for place, thread in enumerate(threads + rest):
        if place % 7 != 3 or place > 60:
            await _read_to_the_end(cy, thread["id"])
    return str(next(thread["id"] for thread in threads if thread["title"] == TALK))


async def _read_to_the_end(cy: RealNode, thread: str) -> None:
    page = await cy.call("read", thread=thread, limit=1, last=True)
    await cy.call("mark_read", thread=thread, post=page["posts"][-1]["id"])


async def _picture(
    browser: Browser,
    node: RealNode,
    name: str,
    path: str,
    scheme: str,
    size: tuple[int, int] = WIDE,
) -> None:
    async with watched(browser, *size, color_scheme=scheme) as page:
        await node.enter(page, path)
        await expect(page.locator("main, nav").first).to_be_attached()
        if path.startswith("/t/"):
            await landed(page)
        elif path == "/recent":
            await expect(page.locator("a.t").first).to_be_visible()
        await page.evaluate("document.fonts.ready")
        await expect(page.locator(".skeleton, [aria-busy]")).to_have_count(0)
        shot = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    FOLDER.mkdir(parents=True, exist_ok=True)
    _in_few_colours(shot).save(FOLDER / f"{name}.png", optimize=True)


def _in_few_colours(shot: Image.Image) -> Image.Image:
    """A palette makes a third of the file. Each of its colours is the one seen most of its kind."""
    small = shot.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    pixels, kinds = shot.tobytes(), small.tobytes()
    seen = Counter((kind, pixels[3 * i : 3 * i + 3]) for i, kind in enumerate(kinds))
    exact = {kind: colour for (kind, colour), _ in reversed(seen.most_common())}
    small.putpalette(b"".join(exact.get(kind, bytes(3)) for kind in range(256)))
    return small


if __name__ == "__main__":
    asyncio.run(main())
