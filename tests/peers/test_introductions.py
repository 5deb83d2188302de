"""Who is told where machines can be reached, and when."""

from typing import Any

import pytest

from tests.peers.friends import identity, passport
from trayapp.errors import RemoteProtocolError
from trayapp.peers.directory import Directory, own_record
from trayapp.peers.introductions import COALESCE_S, RENEW_S, Introductions
from trayapp.sync.actions import HearRecords
from trayapp.sync.address_record import AddressRecord, SignedRecord
from trayapp.sync.messages import Announce, Peers, Role

HERE = "wss://198.51.100.7:47311"


class FakeLink:
    """A link that writes down what its peer is told of addresses."""

    def __init__(self, name):
        self.peer = identity(name).key
        self.told_directory = None
        self.remote_host = "198.51.100.9"
        self.said = []

    @property
    def session(self):
        return self

    @property
    def channel(self):
        return self

    def say_addresses(self, message):
        self.said.append(message)

    def heard(self):
        said, self.said = self.said, []
        return said


class House:
    """Introductions of one machine, with a directory and a clock."""

    def __init__(self, role=Role.PEER, addresses=(HERE,)):
        self.addresses = list(addresses)
        self.passport = passport("ann")
        self.directory = Directory(self.passport.network.id, self.passport.identity.key)
        self.introductions = Introductions(
            self.passport, self.directory, role, lambda: self.addresses
        )
        self.links = []
        self.now = 1_000.0

    def welcome(self, name):
        link: Any = FakeLink(name)
        self.links.append(link)
        self.introductions.welcome(link, [one.peer for one in self.links], self.now)
        return link

    def wait(self, seconds):
        self.now += seconds
        self.introductions.tick(self.links, self.now)


def record_of(name, *addresses, number=0):
    return own_record(passport(name, now_ms=1_800_000_000_000 + number), addresses or (HERE,), [])


def test_a_new_peer_is_told_our_own_address_and_nobody_elses():
    house = House()
    house.directory.hear(record_of("bob"), house.now, learned_from="198.51.100.8")

    (announce,) = house.welcome("eve").heard()

    record = AddressRecord.unpack(announce.signed.record)
    assert (record.key, record.addresses) == (house.passport.identity.key, (HERE,))


def test_a_machine_that_does_not_listen_has_nothing_to_tell():
    house = House(addresses=())

    assert house.welcome("eve").heard() == []
    house.wait(RENEW_S + 1)
    assert house.links[0].heard() == []


def test_a_changed_address_is_told_at_once_and_an_old_record_renewed():
    house = House()
    eve = house.welcome("eve")
    eve.heard()
    house.wait(1)
    assert eve.heard() == []

    house.addresses.append("wss://198.51.100.7:5000")
    house.wait(0.25)
    (announce,) = eve.heard()
    assert len(AddressRecord.unpack(announce.signed.record).addresses) == 2

    house.wait(RENEW_S)
    assert [type(message) for message in eve.heard()] == [Announce]


def test_a_change_that_a_newcomer_is_told_first_reaches_the_others_too():
    house = House()
    eve = house.welcome("eve")
    eve.heard()
    house.addresses.append("wss://198.51.100.7:5000")
    house.welcome("joe")

    house.wait(0.25)

    (announce,) = eve.heard()
    assert len(AddressRecord.unpack(announce.signed.record).addresses) == 2


def test_a_bootstrap_tells_a_new_peer_all_it_knows():
    house = House(Role.BOOTSTRAP)
    for number in range(100):
        house.directory.hear(record_of(f"p{number}"), house.now, learned_from="198.51.100.8")

    _, first, second = house.welcome("eve").heard()

    assert (first.whole, second.whole) == (True, False)
    assert len(first.add) + len(second.add) == 100


def test_a_bootstrap_that_knows_nobody_says_so():
    house = House(Role.BOOTSTRAP)

    assert house.welcome("eve").heard()[1:] == [Peers(True, (), ())]


def test_changes_are_passed_on_together_within_a_second():
    house = House(Role.BOOTSTRAP)
    eve = house.welcome("eve")
    eve.heard()
    for name in ("bob", "joe"):
        house.directory.hear(record_of(name), house.now, learned_from="198.51.100.8")
        house.wait(COALESCE_S / 2)
    assert eve.heard() == []

    house.wait(COALESCE_S)

    (peers,) = eve.heard()
    assert (peers.whole, len(peers.add), peers.gone) == (False, 2, ())
    house.wait(1)
    assert eve.heard() == []


def test_a_peer_is_gone_ninety_seconds_after_its_last_sign_of_life():
    house = House(Role.BOOTSTRAP)
    eve = house.welcome("eve")
    house.directory.hear(record_of("bob"), house.now, learned_from="198.51.100.8")
    house.introductions.alive(identity("bob").key, house.now)
    house.wait(1)
    house.wait(1)
    eve.heard()

    house.wait(87)
    house.wait(1)
    assert eve.heard() == []
    house.wait(2)
    house.wait(1)

    (peers,) = eve.heard()
    assert peers.gone == (identity("bob").key,)


def test_an_ordinary_machine_passes_nothing_on():
    house = House()
    eve = house.welcome("eve")
    eve.heard()
    house.directory.hear(record_of("bob"), house.now, learned_from="198.51.100.8")

    house.wait(1)
    house.wait(1)

    assert eve.heard() == []


def test_what_a_peer_tells_reaches_the_directory():
    house = House()
    eve: Any = FakeLink("eve")

    house.introductions.hear(HearRecords((record_of("bob"),)), eve, house.now)
    assert len(house.directory.full()) == 1

    house.introductions.hear(HearRecords((), (identity("bob").key,)), eve, house.now)
    assert house.directory.full() == ()


def test_a_forged_record_is_the_peers_fault():
    house = House()
    eve: Any = FakeLink("eve")
    forged = SignedRecord(record_of("bob").record, bytes(64))

    with pytest.raises(RemoteProtocolError):
        house.introductions.hear(HearRecords((forged,)), eve, house.now)
