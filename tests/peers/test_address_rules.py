from __future__ import annotations

import pytest

from tests.peers.friends import identity
from trayapp.peers.address_rules import dialable, may_dial
from trayapp.peers.finder import PeerAddress
from trayapp.status import PeerPath


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "2002:7f00:1::",
        "169.254.1.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.1.1",
        "224.0.0.251", "239.1.2.3", "ff02::fb",
        "0.0.0.0", "::", "255.255.255.255", "240.0.0.1", "192.0.2.1", "2001:db8::1",
        "example.org", "localhost", "",
        "2606:4700::1111%eth0", "2606:4700::1111%a..b", "::ffff:8.8.8.8%1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("teller", ["8.8.8.8", "192.168.1.9", "127.0.0.1", "unknown"])
def test_some_addresses_are_never_dialled_on_hearsay(host: str, teller: str):
    assert not may_dial(host, teller)


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
@pytest.mark.parametrize("teller", ["1.1.1.1", "192.168.1.9", "unknown"])
def test_public_addresses_are_dialled_whoever_told(host: str, teller: str):
    assert may_dial(host, teller)


@pytest.mark.parametrize(
    ("host", "teller", "allowed"),
    [
        ("192.168.1.5", "192.168.77.9", True),
        ("192.168.1.5", "::ffff:192.168.77.9", True),
        ("192.168.1.5", "10.0.0.9", False),
        ("192.168.1.5", "8.8.8.8", False),
        ("10.77.0.1", "10.0.0.9", True),
        ("10.77.0.1", "100.64.0.2", False),
        ("172.16.0.1", "172.31.255.9", True),
        ("172.32.0.1", "8.8.8.8", True),
        ("100.64.0.1", "100.100.0.2", True),
        ("100.64.0.1", "8.8.8.8", False),
        ("fd00::2", "fd12::9", True),
        ("fd00::2", "2606:4700::1111", False),
        ("::ffff:192.168.1.5", "8.8.8.8", False),
        ("2002:c0a8:105::", "8.8.8.8", False),
        ("192.168.1.5", "unknown", False),
    ],
)
def test_private_addresses_are_dialled_only_as_told_from_the_same_range(
    host: str, teller: str, allowed: bool
):
    assert may_dial(host, teller) is allowed


def test_of_a_record_only_what_the_rules_allow_is_dialled_and_as_hearsay():
    ann = identity("ann").key
    addresses = (
        "wss://8.8.8.8:47311",
        "wss://8.8.8.8:443",
        "wss://8.8.8.8:22",
        "wss://8.8.8.8:1024",
        "wss://127.0.0.1:47311",
        "wss://example.org:47311",
        f"wss://[2606:4700::1111]:47311#{identity('eve').key.hex()}",
        "wss://[2606:4700::1111%a..b]:47311",
        "wss://[fe80::1%eth0]:47311",
        "nonsense://",
    )

    found = list(dialable(addresses, ann, "1.1.1.1"))

    assert found == [
        PeerAddress("8.8.8.8", 47311, ann, PeerPath.BOOTSTRAP, heard=True),
        PeerAddress("8.8.8.8", 1024, ann, PeerPath.BOOTSTRAP, heard=True),
        PeerAddress("2606:4700::1111", 47311, ann, PeerPath.BOOTSTRAP, heard=True),
    ]
