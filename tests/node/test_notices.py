from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trayapp.events import ReplyArrived
from trayapp.node.notices import Notice, notice_for, path_to
from trayapp.settings import Settings

THREAD, POST = b"t" * 32, b"p" * 32
REPLY = ReplyArrived(
    post=POST,
    thread=THREAD,
    subnet=b"s" * 32,
    title="Boat trip",
    author=b"b" * 32,
    author_name="bob",
    text="I am in.",
    by_me=False,
    imported=False,
    first_sync=False,
    follows=True,
)


def test_a_reply_by_somebody_else_in_a_thread_i_follow_is_told():
    assert notice_for(REPLY, Settings()) == Notice(THREAD, POST, "Boat trip", "bob: I am in.")


@pytest.mark.parametrize(
    "quiet",
    [{"by_me": True}, {"imported": True}, {"first_sync": True}, {"follows": False}],
    ids=lambda change: next(iter(change)),
)
def test_own_posts_imports_a_first_sync_and_other_threads_raise_none(quiet: dict[str, Any]):
    assert notice_for(replace(REPLY, **quiet), Settings()) is None


def test_what_is_on_the_screen_raises_none_and_what_is_not_does():
    assert notice_for(REPLY, Settings(), on_screen={THREAD}) is None
    assert notice_for(REPLY, Settings(), on_screen={b"o" * 32}) is not None


def test_a_person_may_switch_notices_off():
    assert notice_for(REPLY, Settings(notifications=False)) is None


def test_a_click_leads_to_the_post_in_its_thread():
    notice = notice_for(REPLY, Settings())

    assert notice
    assert path_to(notice) == f"/t/{THREAD.hex()}/p/{POST.hex()}"
