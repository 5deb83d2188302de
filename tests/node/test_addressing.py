from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.node.nodes import QuietLinks, open_node
from trayapp.errors import InvalidAddress, NotFound, SettingsError
from trayapp.forum.network import read_invite
from trayapp.node import addressing, founding, pulse
from trayapp.peers import peers_file
from trayapp.peers.finder import DEFAULT_PORT
from trayapp.status import PeerPath


async def test_a_bare_invite_holds_no_address(tmp_path: Path):
    async with open_node(tmp_path) as node:
        network = await founding.create(node, "Allotments")
        node.links = QuietLinks()

        invite = read_invite(await addressing.invite(node, bare=True))

        assert (invite.network, invite.addresses) == (network, ())


async def test_an_invite_names_where_this_machine_listens(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        node.links = QuietLinks()

        invite = read_invite(await addressing.invite(node, bare=False))

        assert invite.addresses == node.links.listening


async def test_while_it_does_not_listen_the_invite_names_where_it_would(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")

        invite = read_invite(await addressing.invite(node, bare=False))

        assert invite.addresses
        key = node.identity.key.hex()
        assert all(a.endswith(f":{DEFAULT_PORT}#{key}") for a in invite.addresses)


async def test_addresses_are_added_and_removed(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")

        await addressing.add_peer(node, "192.0.2.7")
        assert list(peers_file.read(tmp_path / "peers.json")) == ["wss://192.0.2.7:47311"]
        assert [(p.address, p.path, p.state) for p in await pulse.peers(node)] == [
            ("wss://192.0.2.7:47311", PeerPath.FILE, "unreachable")
        ]
        await addressing.remove_peer(node, "192.0.2.7:47311")

        assert await pulse.peers(node) == ()
        assert peers_file.read(tmp_path / "peers.json") == {}
        with pytest.raises(NotFound):
            await addressing.remove_peer(node, "192.0.2.7")
        with pytest.raises(InvalidAddress):
            await addressing.add_peer(node, "https://example.org")


async def test_what_is_added_is_dialled_at_once_and_what_is_removed_no_more(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        node.links = links = QuietLinks()

        await addressing.add_peer(node, "192.0.2.7")
        assert links.dialled == ["wss://192.0.2.7:47311"]
        await addressing.remove_peer(node, "192.0.2.7")
        assert links.dialled == []


async def test_addresses_added_and_removed_at_once_are_all_minded(tmp_path: Path):
    old, new = [f"192.0.2.{n}" for n in range(8)], [f"198.51.100.{n}" for n in range(8)]
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        await asyncio.gather(*(addressing.add_peer(node, host) for host in old))
        assert [a.host for a in peers_file.read(tmp_path / "peers.json").values()] == old

        adding = [addressing.add_peer(node, host) for host in new]
        await asyncio.gather(*adding, *(addressing.remove_peer(node, host) for host in old))

        assert [a.host for a in peers_file.read(tmp_path / "peers.json").values()] == new


async def test_a_list_of_addresses_that_is_none_is_left_alone(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        (tmp_path / "peers.json").write_text("not json", encoding="utf-8")

        assert await pulse.peers(node) == ()
        with pytest.raises(SettingsError, match=r"peers\.json"):
            await addressing.add_peer(node, "192.0.2.7")
        assert (tmp_path / "peers.json").read_text(encoding="utf-8") == "not json"
