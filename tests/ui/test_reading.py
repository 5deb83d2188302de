"""Reading: the lists, a thread in pages, where reading stopped, and posts that come meanwhile."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from playwright.async_api import Page, expect

from tests.ui.fake_node import ADA, ME, FakeNode, id_of, person
from tests.ui.watching import landed, top_of, until


def thread_of(node: FakeNode, posts: int, read: int = 0, subnet: str = "bakery") -> str:
    """A thread with so many posts, the first of them read; its id."""
    thread = node.board.add_thread(node.board.add_subnet(subnet), "Boat trip", "Who comes along?")
    for number in range(2, posts + 1):
        node.board.add_post(thread, f"Post number {number}.\n\n" + "More words. " * (number % 40))
    for post in node.board.posts[thread][:read]:
        post["read"] = True
    return thread


def numbered(page: Page, number: int):
    return page.locator(f"article[data-number='{number}']")


async def test_subnets_threads_and_posts_stand_side_by_side(page: Page, node: FakeNode):
    thread = thread_of(node, posts=3)
    node.board.subnets[0]["unread"] = 1

    await page.goto(node.url)

    await page.get_by_role("navigation").get_by_role("link", name="bakery").click()
    await page.get_by_role("link", name="Boat trip").click()
    await expect(page.get_by_role("article")).to_have_count(3)
    await expect(page.get_by_role("heading", name="Boat trip")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Subnets")).to_be_visible()
    await expect(page.locator("a.t[aria-current]")).to_contain_text("Boat trip")
    await expect(page).to_have_url(re.compile(rf"#/t/{thread}$"))
    await expect(page).to_have_title("(1) Boat trip · Allotment")


async def test_a_thread_opens_where_reading_stopped(page: Page, node: FakeNode):
    thread = thread_of(node, posts=60, read=40)

    await page.goto(f"{node.url}/#/t/{thread}")

    await expect(page.get_by_role("separator")).to_have_text("last read")
    await expect(page.get_by_role("separator")).to_be_in_viewport()
    await expect(numbered(page, 41)).to_be_in_viewport()
    await expect(numbered(page, 1)).not_to_be_in_viewport()


async def test_a_thread_read_to_its_end_opens_there(page: Page, node: FakeNode):
    thread = thread_of(node, posts=450, read=450)

    await page.goto(f"{node.url}/#/t/{thread}")

    await expect(numbered(page, 450)).to_be_in_viewport()
    await expect(page.get_by_role("separator")).to_have_count(0)


async def test_a_post_counts_as_read_after_a_second_on_screen(page: Page, node: FakeNode):
    thread = thread_of(node, posts=80)
    given: list[float] = []

    def read(**asked: Any) -> dict[str, Any]:
        given.append(time.monotonic())
        return node.board.call_read(**asked)

    node.answers["read"] = read
    await page.goto(f"{node.url}/#/t/{thread}")
    await until(lambda: thread in node.board.read_marks)

    assert time.monotonic() - given[0] >= 1
    furthest = node.board.post(node.board.read_marks[thread])["number"]
    last_in_view = await page.evaluate(
        "Math.max(...[...document.querySelectorAll('article')].filter((a) => "
        "a.getBoundingClientRect().top < innerHeight).map((a) => Number(a.dataset.number)))"
    )
    assert 1 < furthest <= last_in_view < 80
    assert len(node.calls("mark_read")) <= 2


async def test_one_can_jump_into_a_long_thread_and_lands_on_the_post(page: Page, node: FakeNode):
    thread = thread_of(node, posts=1000, read=1)
    wanted = node.board.posts[thread][499]["id"]

    await page.goto(f"{node.url}/#/t/{thread}/p/{wanted}")

    await expect(numbered(page, 500)).to_be_in_viewport()
    await landed(page)
    scroller = await top_of(page, "[data-scroll=thread]")
    assert abs(await top_of(page, "article[data-number='500']") - scroller) <= 4
    await expect(numbered(page, 500)).to_be_focused()


async def test_earlier_and_later_pages_come_as_one_scrolls(page: Page, node: FakeNode):
    thread = thread_of(node, posts=700, read=1)
    wanted = node.board.posts[thread][349]["id"]
    await page.goto(f"{node.url}/#/t/{thread}/p/{wanted}")
    await expect(numbered(page, 350)).to_be_focused()
    scroller = page.locator("[data-scroll=thread]")
    await landed(page)

    first = page.locator("article").first
    while (number := int(await first.get_attribute("data-number") or 0)) > 1:
        place = await page.evaluate(
            "document.querySelector('[data-scroll=thread]').scrollTop = 300;"
            "[...document.querySelectorAll('article')].find((a) => "
            "a.getBoundingClientRect().bottom > 400).id"
        )
        await expect(first).not_to_have_attribute("data-number", str(number))
        await expect(page.locator(f"#{place}")).to_be_in_viewport()
    last = page.locator("article").last
    while (number := int(await last.get_attribute("data-number") or 0)) < 700:
        await scroller.evaluate("(s) => s.scrollTop = 1e9")
        await expect(last).not_to_have_attribute("data-number", str(number))
    numbers = await page.locator("article").evaluate_all(
        "(all) => all.map((a) => +a.dataset.number)"
    )
    assert numbers == list(range(1, 701))


async def test_reading_upwards_never_moves_what_is_on_screen(page: Page, node: FakeNode):
    thread = thread_of(node, posts=600, read=1)
    wanted = node.board.posts[thread][299]["id"]
    await page.goto(f"{node.url}/#/t/{thread}/p/{wanted}")
    await expect(numbered(page, 300)).to_be_focused()
    await landed(page)
    await page.evaluate(
        "new Promise((done) => { document.querySelector('[data-scroll=thread]').scrollTop = 0;"
        "requestAnimationFrame(() => requestAnimationFrame(done)); })"
    )
    before = await page.evaluate(
        "(() => { const a = [...document.querySelectorAll('article')].find((a) => "
        "a.getBoundingClientRect().bottom > 90); return [a.id, a.getBoundingClientRect().top]; })()"
    )

    await expect(numbered(page, 1)).to_be_attached()

    # It may stand elsewhere for a frame, on a busy machine; where it comes to rest is what counts.
    async with asyncio.timeout(5):
        while abs(await top_of(page, f"#{before[0]}") - before[1]) >= 3:
            await asyncio.sleep(0.05)


async def test_a_reply_from_elsewhere_appears_and_moves_nothing(page: Page, node: FakeNode):
    thread = thread_of(node, posts=40, read=40)
    await page.goto(f"{node.url}/#/t/{thread}/p/{node.board.posts[thread][9]['id']}")
    await expect(numbered(page, 10)).to_be_focused()
    await landed(page)
    before = await top_of(page, "article[data-number='10']")

    await node.arrive(thread, "I come **along**.")
    await node.arrive(thread, "So do I.")

    pill = page.get_by_role("button", name="2 new replies")
    await expect(pill).to_be_visible()
    await expect(numbered(page, 42)).to_be_attached()
    await expect(numbered(page, 10)).to_be_focused()
    assert await top_of(page, "article[data-number='10']") == before

    await pill.click()
    await expect(numbered(page, 41)).to_be_in_viewport()
    await expect(numbered(page, 41).locator("strong")).to_have_text("along")
    await expect(pill).to_have_count(0)


async def test_a_late_post_takes_its_place_in_the_middle(page: Page, node: FakeNode):
    thread = thread_of(node, posts=30, read=30)
    await page.goto(f"{node.url}/#/t/{thread}/p/{node.board.posts[thread][19]['id']}")
    await expect(numbered(page, 20)).to_be_focused()
    await landed(page)
    before = await top_of(page, "article[data-number='20']")
    here = await numbered(page, 20).get_attribute("id")

    late = node.board.add_post(thread, "Written on the train, sent at home.", ADA)
    posts = node.board.posts[thread]
    posts.insert(5, posts.pop())
    for number, post in enumerate(posts, 1):
        post["number"] = number
    await node.say("reply_arrived", post=late, thread=thread, subnet="", by_me=False)

    await expect(page.locator(f"#p-{late}")).to_have_attribute("data-number", "6")
    await expect(page.locator(f"#{here}")).to_have_attribute("data-number", "21")
    await page.wait_for_timeout(200)
    assert abs(await top_of(page, f"#{here}") - before) < 2


async def test_a_mention_is_tinted_and_only_as_a_whole_word(page: Page, node: FakeNode):
    thread = thread_of(node, posts=1)
    node.board.add_post(thread, "@Cy can you bring the pump?")
    node.board.add_post(thread, "@cyril cannot, and cy did not ask.")

    await page.goto(f"{node.url}/#/t/{thread}")

    await expect(page.locator("article.mention")).to_have_count(1)
    await expect(page.locator("article.mention")).to_have_attribute("data-number", "2")


async def test_each_state_of_a_post_is_told(page: Page, node: FakeNode):
    thread = thread_of(node, posts=1)
    board = node.board
    board.add_post(thread, "Changed.", edited=True)
    board.add_post(thread, "", deleted=True, html="")
    mine = board.add_post(thread, "Mine.", ME)
    source = {
        "site": "example.org",
        "post": "7",
        "version": 1,
        "author": "wise_heron",
        "time": 1_700_000_000_000,
        "url": "https://example.org/t/1/7",
        "counts": {"+1": 3, "heart": 1},
    }
    board.add_post(thread, "From elsewhere.", source=source, re=mine)

    await page.goto(f"{node.url}/#/t/{thread}")

    await expect(numbered(page, 2)).to_contain_text("edited")
    await expect(numbered(page, 3)).to_contain_text("This post was deleted.")
    await expect(numbered(page, 3).get_by_role("button")).to_have_count(0)
    await expect(numbered(page, 4)).to_contain_text("waiting for a peer")
    imported = numbered(page, 5)
    await expect(imported.locator(".nick")).to_have_text("wise_heron")
    await expect(imported).to_contain_text("imported from example.org by ada · 👍 3 · ❤️ 1")
    await expect(imported.get_by_role("link", name="example.org")).to_have_attribute(
        "target", "_blank"
    )
    await expect(imported.locator("a.re")).to_contain_text("#4 cy")

    board.post(mine)["delivered"] = 2
    await node.say("post_changed", post=mine, thread=thread)
    await expect(numbered(page, 4)).to_contain_text("on 3 machines")


async def test_two_versions_of_a_post_are_shown_until_the_author_keeps_one(
    page: Page, node: FakeNode
):
    thread = thread_of(node, posts=1)
    versions = [
        {"id": id_of("v1"), "title": None, "text": "At **nine**.", "time": 1_700_000_000_000},
        {"id": id_of("v2"), "title": None, "text": "At **ten**.", "time": 1_700_000_060_000},
    ]
    post = node.board.add_post(thread, "At **nine**.", ME, conflict=True, versions=versions)

    await page.goto(f"{node.url}/#/t/{thread}")

    conflict = page.locator("[data-state=conflict]")
    await expect(conflict.locator("strong")).to_have_text(["nine", "ten"])
    await conflict.get_by_role("button", name="keep this one").nth(1).click()
    await expect(conflict).to_have_count(0)
    await expect(numbered(page, 2).locator("strong")).to_have_text("ten")
    assert node.calls("edit") == [{"post": post, "text": "At **ten**."}]


async def test_versions_by_others_are_theirs_to_choose(page: Page, node: FakeNode):
    thread = thread_of(node, posts=1)
    versions = [{"id": id_of(t), "title": None, "text": t, "time": 1} for t in ("one", "two")]
    node.board.add_post(thread, "one", conflict=True, versions=versions)

    await page.goto(f"{node.url}/#/t/{thread}")

    await expect(page.locator("[data-state=conflict]")).to_contain_text("two")
    await expect(page.get_by_role("button", name="keep this one")).to_have_count(0)


async def test_people_of_one_name_are_told_apart_by_their_tags(page: Page, node: FakeNode):
    other = person("Ada", 5)
    node.board.people.append(other)
    thread = thread_of(node, posts=2)
    node.board.add_post(thread, "I am another.", other)
    node.board.add_post(thread, "And I am unmistakable.", ME)

    await page.goto(f"{node.url}/#/t/{thread}")

    nicks = page.locator("article .nick")
    await expect(nicks.nth(1)).to_have_text(f"ada·{ADA['tag']}")
    await expect(nicks.nth(2)).to_have_text(f"Ada·{other['tag']}")
    await expect(nicks.nth(3)).to_have_text("cy")


async def test_recent_lists_every_thread_by_its_last_post(page: Page, node: FakeNode):
    bakery, garden = node.board.add_subnet("bakery"), node.board.add_subnet("garden")
    node.board.add_thread(bakery, "Bread", "…")
    old = node.board.add_thread(garden, "Weeds", "…")
    for number in range(70):
        node.board.add_thread(bakery, f"Loaf {number}", "…")
    node.board.posts[old][0]["time"] += 5_000_000

    await page.goto(f"{node.url}/#/recent")

    rows = page.locator("a.t")
    await expect(rows.first).to_contain_text("Weeds")
    await expect(rows.first).to_contain_text("#garden · ada")
    await expect(rows).to_have_count(50)
    await page.get_by_role("button", name="Older threads").click()
    await expect(rows).to_have_count(72)


async def test_search_finds_while_one_types_and_marks_the_words(page: Page, node: FakeNode):
    thread = thread_of(node, posts=3)
    post = node.board.posts[thread][2]["id"]
    node.answers["search"] = lambda words, limit: {
        "hits": [
            {
                "id": post,
                "thread": thread,
                "title": "Boat trip",
                "author": "ada",
                "time": 1_700_000_000_000,
                "snippet": "bring the \x02pump\x03 & <b>rope</b>",
            }
        ]
        if words == "pump"
        else []
    }
    await page.goto(node.url)

    await page.get_by_role("searchbox").fill("pump")

    await expect(page.locator("mark")).to_have_text("pump")
    await expect(page.locator(".snippet")).to_have_text("bring the pump & <b>rope</b>")
    await page.locator("a.t.hit").click()
    await expect(numbered(page, 3)).to_be_focused()
    await page.get_by_role("searchbox").fill("nothing like it")
    await expect(page.locator("[data-state=empty]")).to_contain_text("Nothing found")


async def test_a_link_to_an_imported_post_leads_to_it(page: Page, node: FakeNode):
    thread = thread_of(node, posts=5)
    post = node.board.posts[thread][3]["id"]
    node.answers["find_imported"] = lambda site, post_: {}
    node.answers["find_imported"] = lambda **asked: (
        {"id": post, "thread": thread} if asked == {"site": "example.org", "post": "77"} else {}
    )

    await page.goto(f"{node.url}/#/i/example.org/77")

    await expect(numbered(page, 4)).to_be_focused()
    await expect(page).to_have_url(re.compile(rf"#/t/{thread}/p/{post}$"))


async def test_an_unknown_thread_says_so_and_the_list_stays(page: Page, node: FakeNode):
    thread_of(node, posts=1)

    await page.goto(f"{node.url}/#/recent")
    await expect(page.locator("a.t")).to_have_count(1)
    await page.evaluate(f"location.hash = '#/t/{'ab' * 32}'")

    await expect(page.get_by_role("alert")).to_contain_text("There is no thread abab")
    await expect(page.locator("a.t")).to_have_count(1)


async def test_an_empty_forum_offers_what_to_do(page: Page, node: FakeNode):
    subnet = node.board.add_subnet("General", "Everything.")

    await page.goto(f"{node.url}/#/s/{subnet}")

    await expect(page.locator(".about")).to_have_text("Everything.")
    await page.get_by_role("link", name="Start the first thread").click()
    await expect(page.get_by_label("Title")).to_be_focused()
