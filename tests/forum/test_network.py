from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import seed_of
from trayapp.errors import InvalidBody, InvalidInvite
from trayapp.forum.identity import Identity
from trayapp.forum.network import (
    INVITE_PREFIX,
    Network,
    found,
    from_genesis,
    read_invite,
    write_invite,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "genesis.json").read_text())
ROOT = Identity(seed_of("ann")).key
SALT = bytes(range(16))
KEY = seed_of("network key")
ADDRESSES = (
    f"wss://192.0.2.7:47311#{ROOT.hex()}",
    "wss://[2001:db8::7]:47311",
    "wss://a.example:1",
)

_letters = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
names = st.text(_letters, min_size=1, max_size=40).filter(lambda name: name.strip() == name)


def allotment() -> Network:
    return found("Allotment 12", ROOT, salt=SALT, key=KEY)


def genesis(**changes: Any) -> bytes:
    fields = {"v": 1, "name": "Allotment", "roots": [ROOT], "salt": SALT, "policy": {}}
    return msgspec.msgpack.encode(fields | changes)


def link_of(fields: Any) -> str:
    packed = msgspec.msgpack.encode(fields)
    return INVITE_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def test_the_frozen_forum_keeps_its_genesis_id_and_link():
    made = allotment()

    assert made.genesis.hex() == GOLDEN["genesis"]
    assert made.id.hex() == GOLDEN["id"]
    assert write_invite(made, ADDRESSES) == GOLDEN["invite"]
    read = read_invite(GOLDEN["invite"])
    assert (read.network, read.addresses) == (made, ADDRESSES)


def test_the_id_of_a_forum_is_the_hash_of_the_bytes_that_founded_it():
    made = allotment()

    assert made.id == hashlib.sha256(b"net1\0" + made.genesis).digest()
    assert (made.name, made.roots, made.key) == ("Allotment 12", (ROOT,), KEY)


@given(names, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
def test_a_forum_survives_its_genesis(name, salt, key):
    made = found(name, ROOT, salt=salt, key=key)

    assert from_genesis(made.genesis, key) == made
    assert made.name == name


def test_two_forums_of_one_name_and_founder_differ_by_their_salt():
    other = found("Allotment 12", ROOT, salt=bytes(16), key=KEY)

    assert other.id != allotment().id


def test_a_genesis_is_kept_as_it_came_also_with_fields_of_a_later_program():
    raw = genesis(motto="from the future", name="Ours")
    network = from_genesis(raw, KEY)

    assert network.genesis == raw
    assert network.id == hashlib.sha256(b"net1\0" + raw).digest()
    assert network.name == "Ours"


@pytest.mark.parametrize("name", ["", " \n", "x" * 41, "half \ud83d"])
def test_a_forum_needs_a_name_that_can_be_shown(name):
    with pytest.raises(InvalidBody) as refused:
        found(name, ROOT, salt=SALT, key=KEY)

    assert str(refused.value).startswith(("A forum", "The forum's name"))


def test_spaces_around_a_name_are_not_part_of_it():
    assert found("  Allotment 12 ", ROOT, salt=SALT, key=KEY) == allotment()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff" * 40,
        msgspec.msgpack.encode([1, 2]),
        msgspec.msgpack.encode({1: 2}),
        genesis(name=""),
        genesis(name="x" * 41),
        genesis(name=7),
        genesis(roots=[]),
        genesis(roots=[ROOT] * 6),
        genesis(roots=[ROOT[:31]]),
        genesis(roots=ROOT),
        genesis(salt=bytes(15)),
        genesis(salt="0123456789abcdef"),
        genesis(v=0),
        genesis(v="1"),
        b"\x91" * 5_000,
    ],
)
def test_a_genesis_that_is_none_is_a_damaged_invite(raw):
    with pytest.raises(InvalidInvite, match="damaged"):
        from_genesis(raw, KEY)


def test_a_network_key_of_another_length_is_a_damaged_invite():
    with pytest.raises(InvalidInvite, match="damaged"):
        from_genesis(genesis(), KEY[:31])


def test_a_genesis_of_a_later_version_asks_for_a_newer_program():
    with pytest.raises(InvalidInvite, match="newer version"):
        from_genesis(genesis(v=2, name=["another", "shape"]), KEY)


@given(names, st.lists(st.text(max_size=60), max_size=4))
def test_an_invite_brings_the_forum_and_its_addresses(name, addresses):
    network = found(name, ROOT, salt=SALT, key=KEY)
    invite = read_invite(write_invite(network, addresses))

    assert (invite.network, invite.addresses) == (network, tuple(addresses))


def test_a_link_says_all_behind_the_number_sign_in_letters_that_survive_a_chat():
    link = write_invite(allotment(), ADDRESSES)
    prefix, _, rest = link.partition("#")

    assert prefix == "brothernet://join"
    assert rest.replace("-", "").replace("_", "").isalnum()
    assert rest.isascii()


def test_at_most_four_addresses_go_into_a_link():
    many = [f"wss://192.0.2.{n}:47311" for n in range(9)]

    assert read_invite(write_invite(allotment(), many)).addresses == tuple(many[:4])
    assert read_invite(write_invite(allotment())).addresses == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda link: f"  {link}\n",
        lambda link: "\n".join(link[n : n + 60] for n in range(0, len(link), 60)),
        lambda link: link.replace("join#", "join/#"),
        lambda link: link.replace("brothernet", "BROTHERNET"),
        lambda link: link + "=" * (-len(link.partition("#")[2]) % 4),
    ],
    ids=["spaces", "wrapped by a mail", "slash put in", "capitals", "padding"],
)
def test_a_link_is_read_however_it_was_pasted(spoil):
    assert read_invite(spoil(write_invite(allotment(), ADDRESSES))).network == allotment()


@pytest.mark.parametrize(
    "text",
    ["hello", "https://example.org/#abc", "brothernet://t/abc", "join#abc", "xbrothernet://join#a"],
)
def test_what_is_no_invite_is_said_to_be_none(text):
    with pytest.raises(InvalidInvite, match="no Brothernet invite"):
        read_invite(text)


def test_pasting_nothing_has_its_own_sentence():
    with pytest.raises(InvalidInvite, match="No link was given"):
        read_invite(" \n ")


def test_a_link_cut_short_anywhere_is_damaged():
    link = write_invite(allotment(), ADDRESSES)

    for length in range(len(INVITE_PREFIX), len(link)):
        with pytest.raises(InvalidInvite, match="damaged"):
            read_invite(link[:length])


@pytest.mark.parametrize(
    "link",
    [
        f"{INVITE_PREFIX}ö€",
        f"{INVITE_PREFIX}a+b/",
        INVITE_PREFIX + "A" * 8_196,
        write_invite(allotment()).replace("join#", "join#!!!!"),
        write_invite(allotment()) + ".",
        link_of({"genesis": genesis(motto="x" * 9_000), "net_key": KEY}),
        link_of([1]),
        link_of({}),
        link_of({"genesis": genesis()}),
        link_of({"genesis": "text", "net_key": KEY}),
        link_of({"genesis": genesis(), "net_key": KEY, "addresses": "wss://a"}),
        link_of({"genesis": genesis(), "net_key": KEY, "addresses": ["x"] * 5}),
        link_of({"genesis": genesis(), "net_key": KEY, "addresses": ["x" * 401]}),
        link_of({"genesis": genesis(), "net_key": KEY, "addresses": [7]}),
    ],
    ids=range(14),
)
def test_a_link_of_another_shape_is_damaged(link):
    with pytest.raises(InvalidInvite, match="damaged"):
        read_invite(link)


def test_what_a_later_program_adds_to_a_link_is_passed_over():
    link = link_of({"genesis": genesis(), "net_key": KEY, "invite_seed": bytes(32)})

    assert read_invite(link).network == from_genesis(genesis(), KEY)


@given(st.text(max_size=200))
def test_any_text_behind_the_prefix_is_an_invite_or_a_sentence(text):
    with pytest.raises(InvalidInvite):
        read_invite(INVITE_PREFIX + text)


def test_the_network_key_shows_nowhere():
    network = allotment()

    for shown in (repr(network), str(network), repr(read_invite(write_invite(network)))):
        assert KEY.hex() not in shown
        assert repr(KEY) not in shown
