from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.peers.friends import NOW_MS, identity, network, passport
from trayapp.errors import RemoteProtocolError
from trayapp.peers import directory as directory_module
from trayapp.peers.directory import REMEMBERED_S, SILENT_S, Directory, own_record
from trayapp.peers.greeting import Passport
from trayapp.sync.address_record import AddressRecord, SignedRecord, signed_text

ANN, BOB, ME = identity("ann").key, identity("bob").key, identity("me").key
RENTED, HOME = "8.8.8.8", "192.168.1.9"


def record(
    who: str = "ann",
    ms: int = NOW_MS,
    addresses: Sequence[str] = ("wss://9.9.9.9:47311",),
    forum: str = "Garden",
) -> SignedRecord:
    return own_record(passport(who, forum, now_ms=ms), addresses, [BOB])


def directory() -> Directory:
    return Directory(network().id, ME)


def hear(known: Directory, signed: SignedRecord, now: float = 0.0, via: str = RENTED) -> bool:
    return known.hear(signed, now, learned_from=via)


def keys(records: Sequence[SignedRecord]) -> set[bytes]:
    return {AddressRecord.unpack(signed.record).key for signed in records}


def test_what_a_device_says_of_itself_is_kept_and_passed_on_as_it_came():
    known, said = directory(), record()

    assert hear(known, said)
    assert known.full() == (said,)
    assert AddressRecord.unpack(said.record).links == (BOB,)


@pytest.mark.parametrize("who", ["of another forum", "in another's name", "altered"])
def test_a_record_that_its_device_did_not_sign_for_this_forum_is_the_peers_fault(who: str):
    honest = record()
    forged = {
        "of another forum": record(forum="Another forum"),
        "in another's name": SignedRecord(honest.record, record("eve").signature),
        "altered": SignedRecord(honest.record.replace(b"9.9.9.9", b"6.6.6.6"), honest.signature),
    }[who]
    known = directory()

    with pytest.raises(RemoteProtocolError):
        hear(known, forged)
    assert known.full() == ()


def test_bytes_that_are_no_record_are_the_peers_fault():
    with pytest.raises(RemoteProtocolError):
        hear(directory(), SignedRecord(b"\x80", bytes(64)))


def test_our_own_record_coming_back_is_no_news():
    known = directory()

    assert not hear(known, record("me"))
    assert known.version == 0


def test_the_newest_word_of_a_device_counts_in_whatever_order_they_come():
    known, old, new = directory(), record(ms=NOW_MS), record(ms=NOW_MS + 1)

    assert hear(known, new)
    assert not hear(known, old)
    assert not hear(known, new)
    assert known.full() == (new,)


def test_a_record_holds_until_its_ttl_after_it_came():
    known = directory()
    hear(known, record(), now=1000.0)

    known.expire(1299.0)
    assert keys(known.full()) == {ANN}
    known.expire(1300.0)
    assert known.full() == ()


def test_an_expired_record_does_not_come_back_to_life():
    known, old = directory(), record()
    hear(known, old)
    known.expire(300.0)

    assert not hear(known, old, 301.0)
    assert hear(known, record(ms=NOW_MS + 1), 302.0)


def test_a_device_that_set_its_clock_right_is_heard_again_after_an_hour():
    known = directory()
    hear(known, record(ms=NOW_MS + 10**9))

    assert not hear(known, record(), 3000.0)
    assert hear(known, record(), REMEMBERED_S + 1)


def test_a_linked_peer_is_dropped_ninety_seconds_after_its_last_ping():
    known = directory()
    hear(known, record("ann"))
    hear(known, record("bob"))
    known.pinged(ANN, 0.0)
    known.pinged(ANN, 50.0)

    known.expire(50.0 + SILENT_S - 1)
    assert keys(known.full()) == {ANN, BOB}
    known.expire(50.0 + SILENT_S)
    assert keys(known.full()) == {BOB}


def test_a_peer_takes_back_only_what_it_told():
    known = directory()
    hear(known, record("ann"), via=RENTED)
    hear(known, record("bob"), via=HOME)

    known.withdraw([ANN, BOB, BOB, ME, ANN], learned_from=RENTED)

    assert keys(known.full()) == {BOB}


def test_changes_since_a_version_are_just_those():
    known = directory()
    hear(known, record("ann"))
    hear(known, record("bob"))
    told = known.changes(0)
    assert (told.whole, keys(told.add), told.gone) == (False, {ANN, BOB}, ())
    assert known.changes(told.version) == directory_module.Changes(told.version, False, (), ())

    newer = record("bob", ms=NOW_MS + 1)
    hear(known, newer)
    known.withdraw([ANN], learned_from=RENTED)
    told = known.changes(told.version)
    assert (told.add, told.gone) == ((newer,), (ANN,))

    hear(known, record("ann", ms=NOW_MS + 2))
    assert known.changes(0).gone == ()


def test_one_that_was_away_for_too_long_is_told_everything(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(directory_module, "RECORDS", 3)
    known = directory()
    for number in range(10):
        hear(known, record(f"friend {number}"), now=float(number))
        known.expire(number + 300.0)
    hear(known, record("ann"), now=1000.0)

    told = known.changes(1)

    assert told.whole
    assert keys(told.add) == {ANN}
    assert not known.changes(told.version).whole


def test_there_is_an_end_to_how_many_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(directory_module, "RECORDS", 3)
    monkeypatch.setattr(directory_module, "REMEMBERED", 5)
    known = directory()

    heard = [hear(known, record(f"friend {number}")) for number in range(8)]

    assert heard == [True] * 3 + [False] * 5
    assert hear(known, record("friend 0", ms=NOW_MS + 1))
    assert len(known._newest) <= 5


def test_our_own_record_says_no_more_than_fits():
    addresses = [f"wss://9.9.9.{n}:47311" for n in range(20)]
    links = [bytes([n]) * 32 for n in range(60)]
    who = Passport(identity("me"), network(), lambda: NOW_MS, "0.1.0")

    signed = own_record(who, addresses, links)

    said = AddressRecord.unpack(signed.record)
    assert (len(said.addresses), len(said.links), said.ms, said.ttl_s) == (8, 40, NOW_MS, 300)
    assert hear(Directory(network().id, ANN), signed)
    assert signed_text(network().id, signed.record).startswith(b"addr1\0")


async def test_new_records_are_yielded_for_dialling_by_the_rules():
    known = directory()
    finding = known.addresses()
    hear(known, record("ann", addresses=["wss://192.168.1.5:47311", "wss://9.9.9.9:47311"]))
    hear(known, record("bob", addresses=["wss://192.168.1.6:47311"]), via=HOME)

    async with asyncio.timeout(5):
        found = [await anext(finding), await anext(finding)]

    assert [(a.host, a.key, a.heard) for a in found] == [
        ("9.9.9.9", ANN, True),
        ("192.168.1.6", BOB, True),
    ]
