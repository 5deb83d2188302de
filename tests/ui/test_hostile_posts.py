"""What strangers write must stay text: nothing runs, nothing is fetched, nothing leads away."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.ui.fake_node import FakeNode, person

HOSTILE = (
    "<script>window.owned = 1</script>",
    "<img src=x onerror='window.owned = 1'>",
    "![pixel](http://tracker.invalid/seen.png)",
    "[click](javascript:window.owned=1)",
    "[click](data:text/html,<script>window.owned=1</script>)",
    "[click](vbscript:x) [file](file:///etc/passwd)",
    "<svg onload='window.owned = 1'><animate onbegin='window.owned = 1'></svg>",
    "<iframe src='http://tracker.invalid'></iframe><object data=x></object>",
    "<form action='http://tracker.invalid'><input name=a><button>go</button></form>",
    "<style>body { display: none }</style><link rel=stylesheet href='http://tracker.invalid'>",
    "<a href='http://tracker.invalid' style='position:fixed;inset:0'>big</a>",
    "<meta http-equiv=refresh content='0;url=http://tracker.invalid'><base href='//x.invalid'>",
    '[`]<img src=x onerror=alert(1)>`](http://a.invalid/"onmouseover="window.owned=1)',
    "http://a.invalid/<script>window.owned=1</script>",
    "> " * 200 + "deep",
    "\u202egnp.exe\u2066 \u0002mark\u0003 \u0000",
)


async def test_hostile_posts_stay_text(page: Page, node: FakeNode):
    board = node.board
    mallory = person("<b>mallory</b>\u202e", 4)
    board.people.append(mallory)
    subnet = board.add_subnet("<img src=x onerror='window.owned=1'>", "<script>1</script>")
    thread = board.add_thread(subnet, "<script>window.owned = 1</script>", HOSTILE[0], mallory)
    for text in HOSTILE[1:]:
        board.add_post(thread, text, mallory)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await page.goto(f"{node.url}/#/t/{thread}")
    await expect(page.get_by_role("article")).to_have_count(len(HOSTILE))
    for article in await page.get_by_role("article").all():
        await article.scroll_into_view_if_needed()

    prose = page.locator(".prose")
    assert await prose.locator("script, img, iframe, object, form, style, svg, input").count() == 0
    attributes = await prose.evaluate_all(
        "(all) => all.flatMap((p) => [...p.querySelectorAll('*')]).flatMap((e) => "
        "e.getAttributeNames().filter((n) => n.startsWith('on') || n === 'style'))"
    )
    assert attributes == []
    assert await page.evaluate("window.owned") is None
    assert await page.evaluate("window.violations") == []
    assert [url for url in asked if "invalid" in url] == []
    await expect(page.locator("article .nick").first).to_contain_text("<b>mallory</b>")


async def test_links_outside_open_outside_and_leave_the_page(page: Page, node: FakeNode):
    thread = node.board.add_thread(
        node.board.add_subnet("x"), "Links", "[there](http://a.invalid/)"
    )
    # Should the sanitiser ever let one through without a target:
    node.board.add_post(thread, "", html="<a href='http://b.invalid/'>bare</a>")
    node.board.add_post(thread, "", html="<a href='/enter?code=1'>ours</a>")
    node.board.add_post(thread, "", html="<a href='ms-settings:x'>odd</a>")
    await page.context.route("**/*.invalid/**", lambda route: route.fulfill(body="there"))
    await page.goto(f"{node.url}/#/t/{thread}")
    here = page.url

    for name, host in (("there", "a.invalid"), ("bare", "b.invalid")):
        async with page.context.expect_page() as opened:
            await page.get_by_role("link", name=name).click()
        other = await opened.value
        await expect(other).to_have_url(re.compile(host))
        assert await other.evaluate("window.opener") is None
        await other.close()
        assert page.url == here

    for name in ("ours", "odd"):
        await page.get_by_role("link", name=name).click()
        await page.wait_for_timeout(200)
        assert page.url == here
        assert len(page.context.pages) == 1


async def test_a_dropped_file_does_not_replace_the_page(page: Page, node: FakeNode):
    node.board.add_subnet("x")
    await page.goto(node.url)
    await expect(page.get_by_role("contentinfo")).to_be_visible()

    refused = await page.evaluate(
        "(() => { const data = new DataTransfer(); data.items.add(new File(['x'], 'x.html'));"
        "const kind = {dataTransfer: data, bubbles: true, cancelable: true};"
        "const event = new DragEvent('drop', kind);"
        "return !document.body.dispatchEvent(event); })()"
    )

    assert refused
