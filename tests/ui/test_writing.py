"""Writing: replies, drafts that are never lost, quotes, edits, deletes, threads and subnets."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.fake_node import ADA, ME, FakeNode, Refused
from tests.ui.watching import until


@pytest.fixture
def thread(node: FakeNode) -> str:
    board = node.board
    thread = board.add_thread(board.add_subnet("bakery"), "Boat trip", "Who comes along?")
    board.add_post(thread, "The **pump** leaks.\n\nBring the rope.")
    for post in board.posts[thread]:
        post["read"] = True
    return thread


def composer(page: Page):
    return page.get_by_role("textbox", name="Your reply")


async def test_ctrl_enter_sends_a_reply_and_shows_it(page: Page, node: FakeNode, thread: str):
    await page.goto(f"{node.url}/#/t/{thread}")

    await composer(page).fill("I do, and *gladly*.")
    await page.keyboard.press("Control+Enter")

    mine = page.locator("article[data-number='3']")
    await expect(mine.locator("em")).to_have_text("gladly")
    await expect(mine).to_be_in_viewport()
    await expect(composer(page)).to_have_value("")
    assert node.calls("publish_reply") == [{"thread": thread, "text": "I do, and *gladly*."}]
    await until(lambda: node.calls("save_draft")[-1]["text"] == "")


async def test_a_refused_reply_keeps_the_text_and_says_why(page: Page, node: FakeNode, thread: str):
    def refuse(**_: object) -> dict:
        raise Refused("not_found", "This thread was deleted.")

    node.answers["publish_reply"] = refuse
    await page.goto(f"{node.url}/#/t/{thread}")

    await composer(page).fill("A long and good answer.")
    await page.get_by_role("button", name="Send").click()

    form = page.get_by_role("form", name="Your reply")
    await expect(form.get_by_role("alert")).to_contain_text("This thread was deleted.")
    await expect(form.get_by_role("button", name="copy the text")).to_be_visible()
    await expect(composer(page)).to_have_value("A long and good answer.")


async def test_what_is_typed_while_a_reply_is_sent_stays(page: Page, node: FakeNode, thread: str):
    typed_on = asyncio.Event()

    async def publish(thread: str, text: str) -> dict:
        await typed_on.wait()
        return node.board.call_publish_reply(thread, text)

    node.answers["publish_reply"] = publish
    await page.goto(f"{node.url}/#/t/{thread}")

    await composer(page).fill("First.")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await composer(page).press_sequentially(" And")
    typed_on.set()

    await expect(page.locator("article[data-number='3']")).to_contain_text("First.")
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    await expect(composer(page)).to_have_value("First. And")


async def test_a_text_over_the_limit_is_refused_with_numbers(
    page: Page, node: FakeNode, thread: str
):
    await page.goto(f"{node.url}/#/t/{thread}")

    await composer(page).fill("ü" * 65_537)

    await expect(page.get_by_role("alert")).to_have_text(
        re.compile("The text has 131,074 of at most 131,072 bytes.")
    )
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await page.keyboard.press("Control+Enter")
    assert node.calls("publish_reply") == []


async def test_what_is_typed_is_on_the_node_half_a_second_later(
    page: Page, node: FakeNode, thread: str
):
    await page.goto(f"{node.url}/#/t/{thread}")
    await composer(page).press_sequentially("half a thought", delay=5)

    await until(lambda: node.board.drafts, timeout_s=2)
    await expect(page.get_by_text(re.compile(r"draft saved \d\d:\d\d"))).to_be_visible()
    assert len(node.calls("save_draft")) == 1

    await page.reload()
    await expect(composer(page)).to_have_value("half a thought")


async def test_what_was_typed_last_goes_out_when_the_page_does(
    page: Page, node: FakeNode, thread: str
):
    await page.goto(f"{node.url}/#/t/{thread}")
    await composer(page).fill("typed and gone at once")

    await page.reload()

    await expect(composer(page)).to_have_value("typed and gone at once")


async def test_each_thread_has_a_draft_of_its_own(page: Page, node: FakeNode, thread: str):
    node.board.add_thread(node.board.subnets[0]["id"], "Pump", "It leaks.")
    await page.goto(f"{node.url}/#/t/{thread}")
    await composer(page).fill("for the boat")

    await page.get_by_role("link", name="Pump").click()
    await expect(page.get_by_role("heading", name="Pump")).to_be_visible()
    await expect(composer(page)).to_have_value("")
    await composer(page).fill("for the pump")

    await page.get_by_role("link", name="Boat trip").click()
    await expect(composer(page)).to_have_value("for the boat")


async def test_the_preview_is_what_the_node_makes_of_it(page: Page, node: FakeNode, thread: str):
    await page.goto(f"{node.url}/#/t/{thread}")
    await composer(page).fill("**bold** <script>alert(1)</script>")

    await page.get_by_role("button", name="preview").click()

    preview = page.get_by_role("region", name="Preview")
    await expect(preview.locator("strong")).to_have_text("bold")
    await expect(preview).to_contain_text("<script>")
    await composer(page).press("End")
    await composer(page).press_sequentially(" and *more*")
    await expect(preview.locator("em")).to_have_text("more")


async def test_a_reply_to_a_post_names_it_and_can_be_taken_back(
    page: Page, node: FakeNode, thread: str
):
    await page.goto(f"{node.url}/#/t/{thread}")
    answered = node.board.posts[thread][1]["id"]

    await page.get_by_role("button", name="Reply to post 2").click()
    await expect(composer(page)).to_be_focused()
    await expect(page.locator(".answering")).to_contain_text("replying to #2 ada")
    await page.keyboard.type("To the point.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("article[data-number='3'] a.re")).to_contain_text("#2 ada")
    assert node.calls("publish_reply")[0]["re"] == answered

    await page.get_by_role("button", name="Reply to post 2").click()
    await page.get_by_role("button", name="Reply to the thread instead").click()
    await composer(page).fill("To all.")
    await page.keyboard.press("Control+Enter")
    await until(lambda: len(node.calls("publish_reply")) == 2)
    assert "re" not in node.calls("publish_reply")[1]


async def test_a_quote_takes_the_post_or_what_is_selected_in_it(
    page: Page, node: FakeNode, thread: str
):
    await page.goto(f"{node.url}/#/t/{thread}")
    post = node.board.posts[thread][1]["id"]
    link = f"> [ada #2](#/t/{thread}/p/{post})\n>\n"

    await page.get_by_role("button", name="Quote post 2").click()
    await expect(composer(page)).to_have_value(
        f"{link}> The **pump** leaks.\n>\n> Bring the rope.\n\n"
    )

    await composer(page).fill("")
    await page.locator("article[data-number='2'] strong").select_text()
    await page.get_by_role("button", name="Quote post 2").click()
    await expect(composer(page)).to_have_value(f"{link}> pump\n\n")
    await expect(composer(page)).to_be_focused()


async def test_an_own_post_is_edited_in_its_place(page: Page, node: FakeNode, thread: str):
    post = node.board.add_post(thread, "At nine.", ME)
    await page.goto(f"{node.url}/#/t/{thread}")
    await expect(page.get_by_role("button", name="Edit post 2")).to_have_count(0)

    await page.get_by_role("button", name="Edit post 3").click()
    editor = page.get_by_role("textbox", name="Edit post 3")
    await expect(editor).to_be_focused()
    await expect(editor).to_have_value("At nine.")
    await editor.fill("At ten.")
    await page.get_by_role("button", name="Save").click()

    article = page.locator("article[data-number='3']")
    await expect(article.locator(".prose")).to_have_text("At ten.")
    await expect(article).to_contain_text("edited")
    assert node.calls("edit") == [{"post": post, "text": "At ten."}]


async def test_an_edit_under_way_survives_a_restart_of_the_window(
    page: Page, node: FakeNode, thread: str
):
    node.board.add_post(thread, "At nine.", ME)
    await page.goto(f"{node.url}/#/t/{thread}")
    await page.get_by_role("button", name="Edit post 3").click()
    await page.get_by_role("textbox", name="Edit post 3").fill("At ten, or")

    await page.reload()

    editor = page.get_by_role("textbox", name="Edit post 3")
    await expect(editor).to_have_value("At ten, or")
    await page.get_by_role("button", name="cancel").click()
    await expect(editor).to_have_count(0)
    await expect(page.locator("article[data-number='3'] .prose")).to_have_text("At nine.")
    await until(lambda: not node.board.drafts)


async def test_the_opening_post_is_edited_with_its_title(page: Page, node: FakeNode):
    board = node.board
    thread = board.add_thread(board.add_subnet("bakery"), "Baot trip", "Who comes?", ME)
    await page.goto(f"{node.url}/#/t/{thread}")

    await page.get_by_role("button", name="Edit post 1").click()
    await page.get_by_label("Title").fill("Boat trip")
    await page.keyboard.press("Control+Enter")

    await until(lambda: node.calls("edit"))
    assert node.calls("edit") == [{"post": thread, "text": "Who comes?", "title": "Boat trip"}]


async def test_deleting_says_what_it_means_and_can_be_undone(
    page: Page, node: FakeNode, thread: str
):
    post = node.board.add_post(thread, "Regretted.", ME)
    await page.clock.install()
    await page.goto(f"{node.url}/#/t/{thread}")
    article = page.locator("article[data-number='3']")

    await page.get_by_role("button", name="Delete post 3").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Deleting is a request to all of them")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(article).to_contain_text("Deleting this post")
    await article.get_by_role("button", name="undo").click()
    await expect(article.locator(".prose")).to_have_text("Regretted.")
    await page.clock.run_for(6_000)
    assert node.calls("delete") == []

    await page.get_by_role("button", name="Delete post 3").click()
    await dialog.get_by_role("button", name="Delete").click()
    await page.clock.run_for(4_000)
    assert node.calls("delete") == []
    await page.clock.run_for(1_000)
    await expect(article).to_contain_text("This post was deleted.")
    assert node.calls("delete") == [{"post": post}]


async def test_a_confirmed_delete_is_sent_when_the_page_goes(
    page: Page, node: FakeNode, thread: str
):
    post = node.board.add_post(thread, "Regretted.", ME)
    await page.goto(f"{node.url}/#/t/{thread}")
    await page.get_by_role("button", name="Delete post 3").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    await page.reload()

    await until(lambda: node.calls("delete") == [{"post": post}])


async def test_a_reaction_is_given_and_taken_back(page: Page, node: FakeNode, thread: str):
    def react(post: str, emoji: str, on: bool) -> dict:
        node.board.post(post)["reactions"] = (
            [{"emoji": emoji, "count": 1, "mine": True}] if on else []
        )
        return {"id": post}

    node.answers["react"] = react
    await page.goto(f"{node.url}/#/t/{thread}")
    article = page.locator("article[data-number='2']")

    await article.get_by_role("button", name="React to post 2").click()
    await article.get_by_role("group", name="Choose a reaction").get_by_text("🎉").click()
    given = article.get_by_role("group", name="Reactions").get_by_role("button", name="🎉 1")
    await expect(given).to_have_attribute("aria-pressed", "true")
    await given.click()
    await expect(given).to_have_count(0)


async def test_a_new_thread_is_begun_kept_and_posted(page: Page, node: FakeNode, thread: str):
    def publish(subnet: str, title: str, text: str) -> dict:
        made = node.board.add_thread(subnet, title, text, ME)
        return {"id": made, "thread": made}

    node.answers["publish_thread"] = publish
    bakery = node.board.subnets[0]["id"]
    await page.goto(f"{node.url}/#/s/{bakery}")

    await page.get_by_role("link", name="New thread").click()
    await page.get_by_role("button", name="Post the thread").click()
    await expect(page.get_by_role("alert")).to_have_text(re.compile("A title is needed."))
    await page.get_by_label("Title").fill("Water rota")
    await page.get_by_role("textbox", name="The opening post").fill("Who *waters*?")
    await until(lambda: f"s/{bakery}" in node.board.drafts)
    await page.reload()
    await expect(page.get_by_label("Title")).to_have_value("Water rota")

    await page.get_by_role("link", name="Recent").click()
    await page.get_by_role("navigation").get_by_role("link", name="bakery").click()
    await page.get_by_role("link", name="Water rota not posted yet").click()
    await page.get_by_role("button", name="Post the thread").click()
    await expect(page.get_by_role("heading", name="Water rota")).to_be_visible()
    await expect(page.locator("article em")).to_have_text("waters")
    await until(lambda: not node.board.drafts)


async def test_a_thread_begun_in_the_wrong_subnet_moves_with_its_text(
    page: Page, node: FakeNode, thread: str
):
    garden = node.board.add_subnet("garden")
    await page.goto(f"{node.url}/#/s/{node.board.subnets[0]['id']}/new")
    await page.get_by_label("Title").fill("Weeds")

    await page.get_by_role("combobox").select_option("#garden")

    await expect(page).to_have_url(re.compile(rf"#/s/{garden}/new$"))
    await expect(page.get_by_label("Title")).to_have_value("Weeds")


async def test_a_new_subnet_appears_and_is_gone_to(page: Page, node: FakeNode, thread: str):
    def publish(title: str, text: str) -> dict:
        return {"id": node.board.add_subnet(title, text)}

    node.answers["publish_subnet"] = publish
    await page.goto(node.url)
    opener = page.get_by_role("button", name="New subnet")

    await opener.click()
    await expect(page.get_by_label("Title of the subnet")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()
    await opener.click()
    await page.get_by_label("Title of the subnet").fill("garden")
    await page.get_by_role("button", name="Make the subnet").click()

    await expect(page.get_by_role("heading", name="#garden")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_maker_of_a_subnet_can_name_it_anew(page: Page, node: FakeNode, thread: str):
    subnet = node.board.subnets[0]

    def edit(post: str, title: str, text: str) -> dict:
        assert post == subnet["id"]
        subnet.update(title=title, text=text)
        return {"id": thread}

    node.answers["edit"] = edit
    await page.goto(f"{node.url}/#/s/{subnet['id']}")

    await page.get_by_role("button", name="Change #bakery").click()
    title = page.get_by_label("Title of the subnet")
    await expect(title).to_have_value("bakery")
    await title.fill("oven")
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("heading", name="#oven")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    subnet["mine"] = False
    await node.say("subnet_changed", subnet=subnet["id"])
    await expect(page.get_by_role("button", name="Change #oven")).to_have_count(0)


async def test_one_takes_another_name(page: Page, node: FakeNode, thread: str):
    def take(name: str) -> dict:
        node.board.status = node.board.status | {"nick": name, "me": ME | {"name": name}}
        return {"id": thread}

    node.answers["set_profile"] = take
    await page.goto(node.url)

    await page.get_by_role("button", name="[cy]").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("cyan")
    await page.get_by_role("button", name="Take this name").click()

    await expect(page.get_by_role("button", name="[cyan]")).to_be_visible()
    assert ADA in node.board.people
