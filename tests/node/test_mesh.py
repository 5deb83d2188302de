from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.node.nodes import general, open_node, stored
from trayapp.errors import InvalidAddress, PortInUse
from trayapp.forum.network import write_invite
from trayapp.node import addressing, founding, publishing, pulse
from trayapp.node.budget import Budget
from trayapp.node.keeping import Keeping
from trayapp.node.mesh import Mesh, Reach, parse_listen
from trayapp.node.node import Node
from trayapp.status import PeerPath, SyncState
from trayapp.store import address_book
from trayapp.store.address_book import Met

pytestmark = pytest.mark.network
LOOPBACK = Reach(host="127.0.0.1", port=0, lan=False)


@asynccontextmanager
async def meshed(node: Node, reach: Reach = LOOPBACK) -> AsyncIterator[Mesh]:
    mesh = Mesh(
        node, Keeping(node, Budget(node.data_dir, now_ms=node.now_ms, daily_bytes=10**9)), reach
    )
    listening = asyncio.Event()
    task = asyncio.ensure_future(mesh.run(listening))
    waiting = asyncio.ensure_future(listening.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED, timeout=5)
    try:
        if task.done():
            await task
        yield mesh
    finally:
        waiting.cancel()
        task.cancel()
        await asyncio.wait([task, waiting])


async def until(holds) -> None:
    async with asyncio.timeout(10):
        while not await holds():
            await asyncio.sleep(0.05)


async def test_two_nodes_meet_by_an_address_and_hold_the_same(tmp_path: Path):
    async with open_node(tmp_path / "ann") as ann, open_node(tmp_path / "bob", "bob") as bob:
        network = await founding.create(ann, "Allotments", "ann")
        await founding.join(bob, write_invite(network), "bob")
        async with meshed(ann) as mesh, meshed(bob):
            await addressing.add_peer(bob, mesh.listening[0])

            async def same() -> bool:
                return set(await stored(ann)) == set(await stored(bob)) != set()

            await until(same)
            said = await publishing.publish_thread(ann, await general(ann), "Boat trip", "Hm?")

            async def arrived() -> bool:
                return said.id in await stored(bob)

            await until(arrived)

            async def synced() -> bool:
                status = await pulse.status(bob)
                return status.sync.state is SyncState.SYNCED

            await until(synced)
            [peer] = await pulse.peers(bob)
            assert (peer.name, peer.path, peer.state) == ("ann", PeerPath.FILE, "connected")
        assert ann.links is None


async def test_the_addresses_of_an_invite_are_dialled(tmp_path: Path):
    async with open_node(tmp_path / "ann") as ann, open_node(tmp_path / "bob", "bob") as bob:
        network = await founding.create(ann, "Allotments", "ann")
        async with meshed(ann) as mesh:
            await founding.join(bob, write_invite(network, mesh.listening), "bob")
            reach = Reach(host="127.0.0.1", port=0, lan=False, invited=mesh.listening)
            async with meshed(bob, reach):

                async def linked() -> bool:
                    peers = await pulse.peers(bob)
                    return [(p.path, p.state) for p in peers] == [(PeerPath.INVITE, "connected")]

                await until(linked)


@pytest.mark.parametrize(
    ("written", "bootstrap", "complaint"),
    [
        ('{"peers": ["http://x"]}', (), "peers.json"),
        ("", ("http://rented",), "not with http://"),
    ],
)
async def test_a_slip_in_a_list_of_addresses_is_told(
    tmp_path: Path, written: str, bootstrap: tuple[str, ...], complaint: str
):
    async with open_node(tmp_path) as ann:
        await founding.create(ann, "Allotments")
        if written:
            await asyncio.to_thread((tmp_path / "peers.json").write_text, written)
        reach = Reach(host="127.0.0.1", port=0, lan=False, bootstrap=bootstrap)
        async with meshed(ann, reach):

            async def told() -> bool:
                return complaint in (await pulse.status(ann)).sync.problem

            await until(told)


async def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Path):
    async with open_node(tmp_path / "ann") as ann, open_node(tmp_path / "bob", "bob") as bob:
        await founding.create(ann, "Allotments")
        await founding.create(bob, "Boats")
        async with meshed(ann) as mesh:
            port = int(mesh.listening[0].rpartition("#")[0].rpartition(":")[2])
            with pytest.raises(PortInUse, match=str(port)):
                async with meshed(bob, Reach(host="127.0.0.1", port=port, lan=False)):
                    pass
        assert bob.links is None


async def test_a_machine_met_before_is_found_without_those_who_told_of_it(tmp_path: Path):
    async with open_node(tmp_path / "ann") as ann, open_node(tmp_path / "bob", "bob") as bob:
        network = await founding.create(ann, "Allotments", "ann")
        await founding.join(bob, write_invite(network), "bob")
        async with meshed(ann) as mesh:
            address = mesh.listening[0].partition("#")[0]
            met = Met(ann.identity.key, address, PeerPath.BOOTSTRAP, bob.now_ms())
            await bob.database.write(lambda conn: address_book.met(conn, met))
            async with meshed(bob):

                async def linked() -> bool:
                    return any(p.state == "connected" for p in await pulse.peers(bob))

                await until(linked)


async def test_a_machine_that_takes_nothing_more_says_why(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await founding.create(node, "Allotments")
        full = Budget(
            node.data_dir, now_ms=node.now_ms, daily_bytes=10**9, free=lambda _: (10**9, 5)
        )
        mesh = Mesh(node, Keeping(node, full), LOOPBACK)

        status = mesh.sync()

        assert status.state is SyncState.ATTENTION
        assert "nearly full" in status.problem


def test_where_to_listen_is_host_and_port():
    assert parse_listen("") == (None, None)
    assert parse_listen("127.0.0.1:0") == ("127.0.0.1", 0)
    assert parse_listen(":47311") == (None, 47311)
    assert parse_listen("[::1]:5") == ("::1", 5)
    for wrong in ("47311", "host", "host:", "host:x", "host:70000", "host:-1"):
        with pytest.raises(InvalidAddress, match="no place to listen on"):
            parse_listen(wrong)
