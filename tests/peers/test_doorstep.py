from __future__ import annotations

from trayapp.peers.doorstep import IN_ALL, PER_ADDRESS, Doorstep


def test_the_fifth_from_one_address_sends_the_first_of_them_away():
    step: Doorstep[int] = Doorstep()

    gone = [step.come(number, "192.0.2.1") for number in range(PER_ADDRESS + 2)]

    assert gone == [None] * PER_ADDRESS + [0, 1]
    assert len(step) == PER_ADDRESS


def test_an_ipv6_network_counts_as_one_address():
    step: Doorstep[int] = Doorstep()

    gone = [step.come(n, f"2001:db8:0:1:{n:x}::{n:x}") for n in range(PER_ADDRESS + 1)]
    elsewhere = step.come(99, "2001:db8:0:2::1")

    assert gone == [None] * PER_ADDRESS + [0]
    assert elsewhere is None


def test_one_too_many_in_all_sends_the_oldest_away():
    step: Doorstep[int] = Doorstep()

    gone = [step.come(number, f"192.0.2.{number}") for number in range(IN_ALL + 1)]

    assert gone == [None] * IN_ALL + [0]


def test_who_has_gone_makes_room():
    step: Doorstep[int] = Doorstep()
    for number in range(PER_ADDRESS):
        step.come(number, "192.0.2.1")

    step.go(2)
    step.go(2)

    assert step.come(10, "192.0.2.1") is None
    assert step.come(11, "192.0.2.1") == 0


def test_a_place_without_an_address_counts_too():
    step: Doorstep[int] = Doorstep()

    assert [step.come(number, "unknown") for number in range(PER_ADDRESS + 1)][-1] == 0
