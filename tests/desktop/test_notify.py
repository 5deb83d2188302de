"""Notes on a real session bus: one per thread, harmless, and a click leads somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.desktop.desk import Desk
from trayapp.desktop.notify import BODY_CHARS, TITLE_CHARS, Notifier

pytestmark = pytest.mark.gui


@pytest_asyncio.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with Desk(tmp_path) as desk:
        bus = desk.environment["DBUS_SESSION_BUS_ADDRESS"]
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
        yield desk


async def test_a_click_on_a_note_calls_back(desk: Desk):
    clicked = asyncio.Event()

    await Notifier(None).show("thread", "ann in Keys", "They hang in the shed.", clicked.set)
    shown = await desk.notifications.next()
    desk.notifications.click(shown)

    assert (shown.summary, shown.body) == ("ann in Keys", "They hang in the shed.")
    await asyncio.wait_for(clicked.wait(), 5)


async def test_a_second_note_of_a_thread_takes_the_place_of_the_first(desk: Desk):
    notifier = Notifier(None)
    await notifier.show("thread", "ann in Keys", "one", lambda: None)
    first = await desk.notifications.next()
    await notifier.show("other", "bob in Sheds", "two", lambda: None)
    await notifier.show("thread", "ann in Keys", "three", lambda: None)

    assert desk.notifications.closed == [first.id]
    assert [note.body for note in desk.notifications.shown] == ["one", "two", "three"]

    await notifier.withdraw_all()
    assert len(desk.notifications.closed) == 3


async def test_of_many_notes_of_a_thread_at_once_the_last_one_stays(desk: Desk):
    notifier = Notifier(None)

    await asyncio.gather(
        *(notifier.show("thread", "ann in Keys", f"{n}", lambda: None) for n in range(5))
    )

    standing = {note.id for note in desk.notifications.shown} - set(desk.notifications.closed)
    assert standing == {desk.notifications.shown[-1].id}


async def test_markup_and_control_characters_of_a_stranger_stay_text(desk: Desk):
    hostile = "<b>bold</b> & \x07bell \u202eright-to-left\nnext line"

    await Notifier(None).show("thread", hostile, hostile, lambda: None)
    shown = await desk.notifications.next()

    assert shown.summary == "<b>bold</b> & bell right-to-left next line"
    assert shown.body == "&lt;b&gt;bold&lt;/b&gt; &amp; bell right-to-left next line"


async def test_a_long_post_is_cut_to_what_every_system_takes(desk: Desk):
    await Notifier(None).show("thread", "t" * 500, "b" * 5000, lambda: None)
    shown = await desk.notifications.next()

    assert len(shown.summary) == TITLE_CHARS
    assert len(shown.body) == BODY_CHARS
    assert shown.body.endswith("…")


async def test_without_a_notification_service_the_fallback_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'nobody'}")
    said: list[tuple[str, str]] = []

    notifier = Notifier(None, lambda title, body: said.append((title, body)))
    await notifier.show("thread", "ann in Keys", "They hang in the shed.", lambda: None)

    assert said == [("ann in Keys", "They hang in the shed.")]
