from __future__ import annotations

from tests.peers.friends import identity
from trayapp.peers.bootstrap import BootstrapFinder
from trayapp.peers.finder import PeerAddress
from trayapp.status import PeerPath

KEY = identity("rented").key


async def test_every_entry_is_yielded_once_in_order_with_its_key():
    finder = BootstrapFinder([f"wss://example.org:4000#{KEY.hex()}", "192.0.2.1"])

    found = [address async for address in finder.addresses()]

    assert found == [
        PeerAddress("example.org", 4000, KEY, PeerPath.BOOTSTRAP),
        PeerAddress("192.0.2.1", 47311, None, PeerPath.BOOTSTRAP),
    ]
    assert finder.problems == []


async def test_an_entry_that_is_no_address_is_named_and_the_others_count():
    finder = BootstrapFinder(["http://example.org", "192.0.2.1"])

    assert [address.host async for address in finder.addresses()] == ["192.0.2.1"]
    assert len(finder.problems) == 1
    assert "not with http://" in finder.problems[0]


async def test_the_addresses_of_an_invite_come_with_their_own_path():
    finder = BootstrapFinder(["wss://192.0.2.1:4000"], PeerPath.INVITE)

    assert [address.path async for address in finder.addresses()] == [PeerPath.INVITE]
