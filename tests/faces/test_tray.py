"""What a status looks like in the tray; the icon itself is driven in `tests/desktop`."""

from __future__ import annotations

from dataclasses import replace

from trayapp.faces.tray import Look, look_of
from trayapp.status import PeerPath, PeerStatus, Status, SyncState, SyncStatus

_STATUS = Status(
    device=bytes(32),
    nick="ann",
    network=bytes(32),
    network_name="Allotments",
    operations=7,
    digests=(bytes(16), bytes(16)),
    peers=(),
    sync=SyncStatus(),
    listening=(),
)
_BOB = PeerStatus(bytes(32), "bob", "10.0.0.2:47311", PeerPath.LAN, "connected", 0, 3)


def test_without_a_forum_the_menu_says_what_to_do():
    assert "start or join" in _look(replace(_STATUS, network=None)).state


def test_alone_the_icon_is_hollow_and_says_so():
    look = _look(_STATUS)
    assert (look.image, look.state) == ("offline", "No other machine · offline")


def test_with_a_peer_the_menu_says_how_many_and_how_far():
    one = replace(_STATUS, peers=(_BOB,), sync=SyncStatus(SyncState.SYNCED))
    two = replace(_STATUS, peers=(_BOB, _BOB), sync=SyncStatus(SyncState.SYNCING, 1200, 4661))
    assert _look(one).state == "1 peer · in sync"
    assert _look(two).state == "2 peers · syncing 1,200 of 4,661"
    assert _look(one).image == "idle"


def test_an_unread_reply_shows_in_the_icon():
    assert _look(replace(_STATUS, peers=(_BOB,)), unread=True).image == "unread"


def test_what_needs_attention_is_said():
    trouble = replace(_STATUS, sync=SyncStatus(SyncState.ATTENTION, problem="bob is behind"))
    assert _look(trouble).state == "No other machine · bob is behind"


def test_a_long_forum_name_still_fits_the_tooltip_of_every_system():
    assert len(_look(replace(_STATUS, network_name="x" * 300)).title) < 128


def _look(status: Status, *, unread: bool = False) -> Look:

    return look_of(status, unread)
