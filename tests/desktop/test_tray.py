"""The tray, the window and the notes, as a person meets them: over D-Bus, on a virtual screen.

Everything runs twice: from source, and as the packed file with the repository out of reach.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests import needs
from tests.desktop.desk import Desk
from tests.desktop.programs import Program, from_source, of_session, packed
from tests.desktop.services import TrayItem
from tests.whole.machine import Machine, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.network, pytest.mark.timeout(600)]

WINDOW = "^Brothernet"
_QUIT_S = 3


@pytest.fixture(scope="module", params=["source", "packed"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    needs.webview()
    if request.param == "source":
        return from_source()
    return packed(tmp_path_factory.mktemp("packed"))


@dataclass
class Scene:
    """Ann with a tray on her desktop; Bob, who started the forum, on a machine without a screen."""

    desk: Desk
    ann: Machine
    bob: Machine
    program: Program
    leader: int = 0
    thread: str = ""
    item: TrayItem = field(init=False)

    async def start_tray(self) -> None:
        tray = await self.program.tray(self.desk, self.ann.folder)
        self.leader = tray.pid
        self.item = await self.desk.tray.item(60)
        await self.desk.window(WINDOW, 30)

    async def close_window(self) -> None:
        """Close it as a person does, by the window manager's button."""
        await self.desk.output("wmctrl", "-c", "Brothernet")
        await self.desk.no_window(WINDOW)

    async def all_arrived(self) -> None:
        async def equal() -> bool:
            return self.ann.digest() == self.bob.digest()

        await wait_until(equal, 30)

    async def bob_replies(self, text: str) -> str:
        post = (await self.bob.run("post", "--thread", self.thread, text))["id"]

        async def here() -> bool:
            page = await self.ann.run("read", self.thread)
            return any(p["id"] == post for p in page["posts"])

        await wait_until(here, 30)
        return str(post)

    async def has_read_all(self) -> None:
        """Nothing is marked read that was not on the screen for a second."""

        async def read() -> bool:
            threads = (await self.ann.run("threads"))["threads"]
            return all(t["unread"] == 0 for t in threads if t["id"] == self.thread)

        await wait_until(read, 30)


@pytest_asyncio.fixture
async def scene(tmp_path: Path, program: Program) -> AsyncIterator[Scene]:
    async with Desk(tmp_path / "desk") as desk:
        ann, bob = Machine(tmp_path / "ann"), Machine(tmp_path / "bob")
        await bob.run("create", "Allotments", "--as", "bob")
        general = (await bob.run("subnets"))["subnets"][0]["id"]
        for number in range(3):
            words = ("--title", f"Old {number}", "@ann said long before she joined")
            await bob.run("post", "--subnet", general, *words)
        address = (await bob.start("--listen", "127.0.0.1:0", "--no-lan"))["listening"][0]
        await ann.run("join", (await bob.run("invite", "--bare"))["link"], "--as", "ann")
        (ann.folder / "settings.toml").write_text('lan = false\nlisten = "127.0.0.1:0"\n')
        await ann.run("peers", "add", address)
        scene = Scene(desk, ann, bob, program)
        await scene.start_tray()
        await scene.close_window()
        await scene.all_arrived()
        try:
            yield scene
        finally:
            await bob.kill()
            for pid in of_session(scene.leader):
                _kill(pid)


async def test_a_reply_is_told_once_and_its_click_opens_the_window_at_it(
    scene: Scene, tmp_path: Path
):
    # Nothing of what came before deserves a note: a first sync, own posts, an import.
    words = ("--title", "Keys", "Who has them?")
    general = (await scene.ann.run("subnets"))["subnets"][0]["id"]
    scene.thread = (await scene.ann.run("post", "--subnet", general, *words))["thread"]
    for number in range(8):
        await scene.ann.run("post", "--thread", scene.thread, f"note to self {number}\n\n" * 15)
    await scene.ann.run("import", "discourse", str(_archive(tmp_path)))
    await scene.all_arrived()

    reply = await scene.bob_replies("They hang in the **shed**.")
    note = await scene.desk.notifications.next()

    assert [n.body for n in scene.desk.notifications.shown] == [note.body]
    assert "shed" in note.body
    assert "bob" in note.summary + note.body
    assert not await scene.desk.windows(WINDOW)

    scene.desk.notifications.click(note)
    await scene.desk.window(WINDOW, 30)
    await scene.has_read_all()
    assert await _in_view(scene, reply)


async def test_a_reply_that_is_on_the_screen_raises_no_note(scene: Scene):
    general = (await scene.ann.run("subnets"))["subnets"][0]["id"]
    words = ("--title", "Keys", "Who has them?")
    scene.thread = (await scene.ann.run("post", "--subnet", general, *words))["thread"]
    await scene.bob_replies("first")
    scene.desk.notifications.click(await scene.desk.notifications.next())
    window = await scene.desk.window(WINDOW, 30)
    await scene.desk.output("xdotool", "windowactivate", "--sync", window)
    await scene.has_read_all()

    await scene.bob_replies("second, while she looks")
    await scene.has_read_all()
    await scene.close_window()
    await scene.bob_replies("third, after she closed it")
    await scene.desk.notifications.next()

    bodies = [n.body for n in scene.desk.notifications.shown]
    assert len(bodies) == 2
    assert "first" in bodies[0]
    assert "third" in bodies[1]


async def test_the_menu_opens_the_window_and_quits_everything(scene: Scene):
    labels = await scene.item.labels()
    assert labels[0] == "Open forum"
    assert labels[-1] == "Quit"

    async def tells_of_bob() -> bool:
        return any("1 peer" in label for label in await scene.item.labels())

    await wait_until(tells_of_bob, 10)

    await scene.item.click("Open forum")
    await scene.desk.window(WINDOW, 30)
    await scene.item.click("Open forum")
    await scene.desk.window(WINDOW, 5)

    second = await scene.program.tray(scene.desk, scene.ann.folder)
    assert await asyncio.wait_for(second.wait(), 15) == 0
    await scene.desk.window(WINDOW, 5)

    await scene.close_window()
    assert of_session(scene.leader), "closing the window must not end the node"

    await scene.item.click("Open forum")
    await scene.desk.window(WINDOW, 30)
    await scene.item.click("Quit")

    async def ended() -> bool:
        return not of_session(scene.leader)

    await wait_until(ended, _QUIT_S)


async def _in_view(scene: Scene, post: str) -> bool:
    """Whether a post counts as read: the page says so only of what it showed for a second."""
    page = await scene.ann.run("read", scene.thread)
    return any(p["id"] == post and p["read"] for p in page["posts"])


def _archive(folder: Path) -> Path:
    """A small forum to import: ten posts of one topic, each calling Ann by name."""
    posts = folder / "posts"
    posts.mkdir()
    for number in range(1, 11):
        post = {
            "id": number,
            "topic_id": 1,
            "topic_title": "An old topic",
            "category_id": 1,
            "post_number": number,
            "reply_to_post_number": None,
            "username": "zoe",
            "created_at": "2024-05-01T10:00:00.000Z",
            "updated_at": "2024-05-01T10:00:00.000Z",
            "version": 1,
            "raw": f"@ann number {number}",
            "cooked": f"<p>@ann number {number}</p>",
            "reactions": [],
        }
        (posts / f"{number}.json").write_text(json.dumps(post))
    return posts


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
