from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.errors import InvalidAddress
from trayapp.peers.finder import DEFAULT_PORT, PeerAddress, parse_address
from trayapp.status import PeerPath

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("text", "host", "port", "key"),
    [
        ("wss://example.org:4000", "example.org", 4000, None),
        ("wss://example.org", "example.org", DEFAULT_PORT, None),
        (f"wss://example.org:4000#{KEY.hex()}", "example.org", 4000, KEY),
        (f"192.168.1.5#{KEY.hex().upper()}", "192.168.1.5", DEFAULT_PORT, KEY),
        ("WSS://Example.ORG:4000/v1", "example.org", 4000, None),
        ("wss://example.org/", "example.org", DEFAULT_PORT, None),
        ("  garden-pc  ", "garden-pc", DEFAULT_PORT, None),
        ("garden_pc.local.:80", "garden_pc.local", 80, None),
        ("[fd00::2]:4000", "fd00::2", 4000, None),
        ("[FD00:0::2]", "fd00::2", DEFAULT_PORT, None),
        ("fd00::2", "fd00::2", DEFAULT_PORT, None),
        ("wss://[fe80::1%eth0]:4000", "fe80::1%eth0", 4000, None),
        ("fe80::1%Eth_0-a.100", "fe80::1%Eth_0-a.100", DEFAULT_PORT, None),
        ("[fe80::1%7]", "fe80::1%7", DEFAULT_PORT, None),
        ("bücher.example", "xn--bcher-kva.example", DEFAULT_PORT, None),
    ],
)
def test_an_address_is_read_in_every_form_a_person_may_write(
    text: str, host: str, port: int, key: bytes | None
):
    assert parse_address(text, PeerPath.FILE) == PeerAddress(host, port, key, PeerPath.FILE)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "names no machine"),
        ("wss://", "names no machine"),
        (":4000", "names no machine"),
        ("ann smith", "names no machine"),
        ("-ann", "names no machine"),
        ("ann..org", "names no machine"),
        ("1.2.3", "names no machine"),
        ("256.1.1.1", "names no machine"),
        ("wss://example.org/forum", "names no machine"),
        ("fd00::2::1", "names no machine"),
        (f"{'a' * 64}.org", "names no machine"),
        ("a\N{HORIZONTAL ELLIPSIS}b.org", "names no machine"),
        ("\ud800.org", "names no machine"),
        ("[2a00::1%a..b]:5000", "no zone"),
        ("[2a00::1%eth0]:5000", "no zone"),
        ("[::1%lo]:5000", "no zone"),
        ("[fe80::1%a..b]:5000", "no zone"),
        ("[fe80::1%.a]", "no zone"),
        ("[fe80::1%a.]", "no zone"),
        ("[fe80::1%eth0\n]", "no zone"),
        ("[fe80::1%eth 0]", "no zone"),
        ("[fe80::1%\x00]", "no zone"),
        ("[fe80::1%b\xfccher]", "no zone"),
        (f"[fe80::1%{'a' * 16}]", "no zone"),
        ("[fe80::1%]", "names no machine"),
        ("[fd00::2", "is no address"),
        ("[fd00::2]4000", "is no address"),
        ("[example.org]", "is no address"),
        ("http://example.org", "not with http://"),
        ("ws://example.org", "not with ws://"),
        ("example.org:", "is no port"),
        ("example.org:0", "is no port"),
        ("example.org:65536", "is no port"),
        ("example.org:-1", "is no port"),
        ("example.org:٤", "is no port"),
        ("example.org#", "64 hex digits"),
        ("example.org#abc", "64 hex digits"),
        (f"example.org#{'ab ' * 32}", "64 hex digits"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, complaint: str):
    with pytest.raises(InvalidAddress, match=complaint):
        parse_address(text, PeerPath.FILE)


@given(st.text(max_size=80))
def test_any_text_is_an_address_that_reads_back_or_is_refused(text: str):
    try:
        address = parse_address(text, PeerPath.FILE)
    except InvalidAddress:
        return
    assert parse_address(str(address), PeerPath.FILE) == address


def test_an_address_shows_its_key_only_in_full():
    address = PeerAddress("fd00::2", 4000, KEY, PeerPath.LAN)

    assert address.url == "wss://[fd00::2]:4000"
    assert str(address) == f"wss://[fd00::2]:4000#{KEY.hex()}"
