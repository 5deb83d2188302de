from __future__ import annotations

import random

import pytest

from tests.peers.friends import NOW_MS, identity
from trayapp.errors import ErrorCode, PeerUnreachable
from trayapp.peers.finder import PeerAddress
from trayapp.peers.redial import (
    ENTRIES,
    GIVE_UP_AFTER,
    LONGEST_S,
    MESH,
    OUTBOUND,
    REFUSED_S,
    RESERVED,
    SAME_HOST_S,
    Redial,
)
from trayapp.status import PeerPath

ANN, BOB = identity("ann").key, identity("bob").key
SILENT = PeerUnreachable("No Brothernet listens there.")


class AtMost(random.Random):
    """Chance that always gives the longest pause, so that the bounds can be seen."""

    def uniform(self, a: float, b: float) -> float:
        return b


def typed(host: str, key: bytes | None = None, path: PeerPath = PeerPath.FILE) -> PeerAddress:
    return PeerAddress(host, 47311, key, path)


def on_lan(host: str, kin: str = "") -> PeerAddress:
    return PeerAddress(host, 47311, None, PeerPath.LAN, kin=kin)


def told(host: str, key: bytes | None = None) -> PeerAddress:
    return PeerAddress(host, 47311, key, PeerPath.BOOTSTRAP, heard=True)


def plan(*addresses: PeerAddress) -> Redial:
    redial = Redial(AtMost())
    for address in addresses:
        redial.feed(address, 0.0)
    return redial


def due(redial: Redial, now: float, *linked: bytes) -> list[PeerAddress]:
    return redial.due(now, dict.fromkeys(linked, ""))[0]


def fail(redial: Redial, address: PeerAddress, now: float, code: ErrorCode | None = None) -> None:
    redial.failed(address, PeerUnreachable("No.", code), now)


def test_a_new_address_is_dialled_at_once_and_only_once():
    redial = plan(typed("ann"), on_lan("10.0.0.2"))

    assert due(redial, 0.0) == [typed("ann"), on_lan("10.0.0.2")]
    assert due(redial, 0.0) == []


def test_the_pauses_double_from_a_second_to_five_minutes():
    ann = typed("ann")
    pauses = []
    for failures in range(1, 12):
        redial = plan(ann)
        for _ in range(failures):
            redial.failed(ann, SILENT, 0.0)
        pauses.append(next(s for s in range(1, 1000) if due(redial, float(s))))

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_S, LONGEST_S]


def test_the_pauses_are_drawn_from_their_whole_length():
    ann = typed("ann")
    pauses = []
    for seed in range(200):
        redial = Redial(random.Random(seed))
        redial.feed(ann, 0.0)
        for _ in range(5):
            redial.failed(ann, SILENT, 0.0)
        step = 0.25
        while not redial.due(step, {})[0]:
            step += 0.25
        pauses.append(step)

    assert min(pauses) < 1.5
    assert 14 < max(pauses) <= 16.25
    assert 7 < sum(pauses) / len(pauses) < 9


def test_a_link_that_worked_starts_over_and_a_duplicate_does_not():
    ann = typed("ann")
    for worked, pause in ((True, 1.0), (False, 32.0)):
        redial = plan(ann)
        for _ in range(5):
            redial.failed(ann, SILENT, -100.0)
        assert due(redial, 0.0) == [ann]
        redial.linked(ann, ANN)
        redial.ended(ann, 0.0, worked=worked, now_ms=NOW_MS)

        assert due(redial, pause - 0.01) == []
        assert due(redial, pause) == [ann]


def test_a_linked_device_is_not_dialled_wherever_it_may_be():
    expected, elsewhere = typed("ann", ANN), typed("10.0.0.2", ANN)
    redial = plan(expected, elsewhere)

    assert due(redial, 0.0, ANN) == []
    assert due(redial, 0.0) == [expected]  # and one at a time
    redial.failed(expected, SILENT, 0.0)
    assert due(redial, 0.0) == [elsewhere]


def test_addresses_of_one_kin_are_tried_one_after_the_other():
    four, six = on_lan("10.0.0.2", "ann"), on_lan("fd00::2", "ann")
    redial = plan(four, six)

    assert due(redial, 0.0) == [four]
    redial.failed(four, SILENT, 0.0)
    assert due(redial, 0.0) == [six]
    redial.linked(six, ANN)
    redial.ended(six, 0.0, worked=True, now_ms=NOW_MS)

    assert due(redial, 1.0, ANN) == []
    assert len(due(redial, 1.0)) == 1


@pytest.mark.parametrize("code", [ErrorCode.NOT_MEMBER, ErrorCode.BAD_AUTH, ErrorCode.REVOKED])
def test_a_failed_proof_is_remembered_for_an_hour_also_on_the_lan(code: ErrorCode):
    stranger = on_lan("10.0.0.2")
    redial = plan(stranger)
    due(redial, 0.0)
    fail(redial, stranger, 0.0, code)
    redial.feed(stranger, 10.0)

    assert due(redial, REFUSED_S - 1) == []
    assert due(redial, REFUSED_S) == [stranger]


def test_our_own_address_is_remembered_until_the_network_is_another():
    mirror = on_lan("10.0.0.2")
    redial = plan(mirror)
    due(redial, 0.0)
    fail(redial, mirror, 0.0, ErrorCode.SELF)

    assert due(redial, 1e9) == []
    redial.wake(1e9)
    assert due(redial, 1e9 + 1) == [mirror]


def test_a_person_who_gives_another_key_is_believed_at_once():
    redial = plan(typed("ann", BOB))
    due(redial, 0.0)
    fail(redial, typed("ann", BOB), 0.0, ErrorCode.BAD_AUTH)

    redial.feed(typed("ann", ANN), 5.0)

    assert due(redial, 5.0) == [typed("ann", ANN)]


def test_what_peers_say_does_not_change_what_a_person_gave():
    redial = plan(typed("ann", ANN))
    redial.feed(told("ann", BOB), 0.0)
    assert due(redial, 0.0) == [typed("ann", ANN)]

    redial = plan(told("10.0.0.2", BOB))
    redial.feed(typed("10.0.0.2", ANN), 0.0)
    assert due(redial, 0.0) == [typed("10.0.0.2", ANN)]


def test_another_network_makes_everything_due_within_a_second():
    ann, bob = typed("ann"), typed("bob")
    redial = plan(ann, bob)
    due(redial, 0.0)
    for _ in range(9):
        redial.failed(ann, SILENT, 0.0)
        redial.failed(bob, SILENT, 0.0)

    redial.wake(5.0)

    assert due(redial, 6.0) == [ann, bob]


def test_a_machine_seen_again_on_the_lan_is_dialled_again_but_not_more_than_once_a_second():
    ann = on_lan("10.0.0.2")
    redial = plan(ann)
    due(redial, 0.0)
    for _ in range(6):
        redial.failed(ann, SILENT, 0.0)

    redial.feed(ann, 0.5)

    assert due(redial, 0.9) == []
    assert due(redial, 1.0) == [ann]


@pytest.mark.parametrize("host", ["10.0.0.2", "fe80::2%7"])
def test_a_found_address_where_somebody_is_linked_has_time(host: str):
    redial = plan(on_lan(host))
    linked = {ANN: host.partition("%")[0]}

    assert redial.due(0.0, linked)[0] == []
    assert redial.due(SAME_HOST_S, linked)[0] == [on_lan(host)]
    assert plan(on_lan(host)).due(0.0, {ANN: "10.0.0.3"})[0] == [on_lan(host)]
    assert plan(typed("10.0.0.2")).due(0.0, {ANN: "10.0.0.2"})[0] == [typed("10.0.0.2")]


def test_told_addresses_are_dialled_one_a_second():
    redial = plan(*(told(f"192.0.2.{n}") for n in range(1, 6)), typed("ann"), on_lan("10.0.0.2"))

    per_second = [len(due(redial, float(second))) for second in range(6)]

    assert per_second == [3, 1, 1, 1, 1, 0]
    assert redial.due(0.5, {})[1] <= 2.0


def test_the_wait_is_until_the_next_address_may_be_dialled():
    redial = plan(told("192.0.2.1"), told("192.0.2.2"))

    _, wait = redial.due(0.0, {})

    assert wait == 1.0


def test_up_to_twelve_peers_are_all_dialled_and_of_more_only_eight():
    few = plan(*(on_lan(f"10.0.0.{n}") for n in range(MESH)))
    many = plan(*(on_lan(f"10.0.0.{n}") for n in range(MESH + 1)))
    many.feed(typed("rented", path=PeerPath.BOOTSTRAP), 0.0)
    many.feed(typed("other", path=PeerPath.BOOTSTRAP), 0.0)

    assert len(due(few, 0.0)) == MESH
    dialled = due(many, 0.0)
    assert [a.host for a in dialled[:2]] == ["rented", "other"]
    assert len(dialled) == OUTBOUND - RESERVED
    many.feed(typed("third", path=PeerPath.FILE), 0.0)
    assert [a.host for a in due(many, 0.0)] == ["third"]


def test_peers_that_are_linked_count_among_the_known():
    redial = plan(*(on_lan(f"10.0.0.{n}") for n in range(8)))

    inbound = [bytes([n]) * 32 for n in range(MESH)]

    assert len(due(redial, 0.0, *inbound)) == OUTBOUND - RESERVED


def test_a_found_address_that_fails_again_and_again_is_dropped_and_a_persons_never():
    lan, ann = on_lan("10.0.0.2"), typed("ann")
    redial = plan(lan, ann)
    for _ in range(GIVE_UP_AFTER):
        redial.failed(lan, SILENT, 0.0)
        redial.failed(ann, SILENT, 0.0)

    assert due(redial, 1000.0) == [ann]
    redial.feed(lan, 1000.0)
    assert due(redial, 1000.0) == [lan]


def test_a_forgotten_address_is_dialled_no_more_also_while_a_dial_is_under_way():
    ann = typed("ann")
    redial = plan(ann)
    due(redial, 0.0)

    redial.forget(ann)
    redial.failed(ann, SILENT, 1.0)
    redial.linked(ann, ANN)
    redial.ended(ann, 1.0, worked=True, now_ms=NOW_MS)

    assert due(redial, 1000.0) == []
    assert redial.statuses(()) == ()


def give_up(redial: Redial, address: PeerAddress) -> None:
    for _ in range(GIVE_UP_AFTER):
        redial.failed(address, SILENT, 0.0)


@pytest.mark.parametrize("first", [on_lan("10.0.0.2", "ann"), told("10.0.0.2")])
def test_a_found_address_that_a_person_adds_is_theirs_and_never_dropped(first: PeerAddress):
    redial = plan(first, typed("10.0.0.2"))

    give_up(redial, first)

    assert [a.url for a in due(redial, 1000.0)] == [first.url]
    redial.failed(first, SILENT, 1000.0)
    assert [status.path for status in redial.statuses(())] == [PeerPath.FILE]


def test_an_address_added_by_hand_stays_the_machine_that_the_lan_shows():
    redial = plan(on_lan("10.0.0.2", "ann"), on_lan("fd00::2", "ann"), typed("10.0.0.2"))

    assert [a.host for a in due(redial, 0.0)] == ["10.0.0.2"]


@pytest.mark.parametrize("path", [PeerPath.BOOTSTRAP, PeerPath.INVITE])
@pytest.mark.parametrize("added_first", [True, False])
def test_an_address_removed_from_the_file_goes_on_where_it_stands_elsewhere(
    path: PeerPath, added_first: bool
):
    added, elsewhere = typed("ann"), typed("ann", path=path)
    redial = plan(*((added, elsewhere) if added_first else (elsewhere, added)))

    redial.forget(added)
    give_up(redial, elsewhere)
    redial.forget(added)

    assert due(redial, 1000.0) == [elsewhere]
    redial.forget(elsewhere)
    assert redial.statuses(()) == ()


def test_an_address_removed_from_the_file_is_on_the_lan_still_but_no_more_a_persons():
    redial = plan(typed("10.0.0.2"), on_lan("10.0.0.2"))

    redial.forget(typed("10.0.0.2"))

    assert due(redial, 0.0) == [on_lan("10.0.0.2")]
    give_up(redial, on_lan("10.0.0.2"))
    assert due(redial, 1000.0) == []


def test_a_wrong_key_is_forgotten_with_the_address_that_it_was_added_with():
    redial = plan(typed("ann", ANN, PeerPath.BOOTSTRAP), typed("ann", BOB))
    assert due(redial, 0.0) == [typed("ann", BOB)]
    fail(redial, typed("ann", BOB), 0.0, ErrorCode.BAD_AUTH)

    redial.forget(typed("ann"))

    assert due(redial, 1.0) == [typed("ann", ANN, PeerPath.BOOTSTRAP)]
    assert due(redial, 1.0, BOB) == []


def test_what_was_proved_at_a_linked_address_outlives_the_key_it_was_added_with():
    redial = plan(typed("ann", ANN), typed("ann", path=PeerPath.BOOTSTRAP))
    due(redial, 0.0)
    redial.linked(typed("ann", ANN), ANN)

    redial.forget(typed("ann", ANN))

    assert redial.path_to(ANN, "192.0.2.9") is PeerPath.BOOTSTRAP


def test_a_flood_of_told_addresses_does_not_push_out_what_a_person_gave():
    redial = plan(typed("ann"), on_lan("10.0.0.2"))
    for n in range(3 * ENTRIES):
        redial.feed(told(f"192.0.{n // 250}.{n % 250}"), 0.0)

    assert len(redial._entries) <= ENTRIES
    assert due(redial, 0.0)[:2] == [typed("ann"), on_lan("10.0.0.2")]


def test_the_statuses_name_what_is_tried_and_why_it_fails():
    ann, bob = typed("ann", ANN), typed("bob")
    redial = plan(ann, bob, typed("10.0.0.9", ANN))
    due(redial, 0.0)
    redial.failed(bob, SILENT, 0.0)

    shown = {status.address: status for status in redial.statuses(())}

    assert set(shown) == {"wss://ann:47311", "wss://bob:47311"}  # one machine, one line
    assert shown["wss://ann:47311"].state == "connecting"
    assert shown["wss://ann:47311"].device == ANN
    assert shown["wss://bob:47311"].state == "unreachable"
    assert shown["wss://bob:47311"].problem == "No Brothernet listens there."
    assert redial.statuses([ANN])[0].address == "wss://bob:47311"


def test_the_statuses_leave_out_strangers_and_ourselves():
    mirror, stranger, friend = typed("self"), on_lan("10.0.0.2"), typed("other-forum")
    redial = plan(mirror, stranger, friend, told("192.0.2.1"))
    due(redial, 0.0)
    fail(redial, mirror, 0.0, ErrorCode.SELF)
    fail(redial, stranger, 0.0, ErrorCode.NOT_MEMBER)
    fail(redial, friend, 0.0, ErrorCode.NOT_MEMBER)

    assert [status.address for status in redial.statuses(())] == ["wss://other-forum:47311"]


def test_when_a_machine_was_last_linked_is_kept():
    ann = typed("ann")
    redial = plan(ann)
    due(redial, 0.0)
    redial.linked(ann, ANN)
    assert redial.statuses(()) == ()
    redial.ended(ann, 0.0, worked=True, now_ms=NOW_MS)

    (status,) = redial.statuses(())
    assert (status.device, status.last_seen) == (ANN, NOW_MS)


def test_the_path_to_a_machine_is_known_by_its_key_else_by_its_address():
    redial = plan(on_lan("10.0.0.2"), typed("ann", ANN, PeerPath.BOOTSTRAP), on_lan("10.0.0.3"))
    assert redial.path_to(BOB, "10.0.0.2") is PeerPath.LAN
    assert redial.path_to(ANN, "192.0.2.9") is PeerPath.BOOTSTRAP
    assert redial.path_to(BOB, "192.0.2.9") is None

    redial.linked(on_lan("10.0.0.3"), ANN)
    assert redial.path_to(ANN, "192.0.2.9") is PeerPath.LAN
    fail(redial, on_lan("10.0.0.2"), 0.0, ErrorCode.NOT_MEMBER)
    assert redial.path_to(BOB, "10.0.0.2") is None
