from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.node.nodes import open_node, stored
from trayapp.errors import AlreadyInForum, InvalidBody, InvalidInvite, TrayAppError
from trayapp.forum.network import Network, write_invite
from trayapp.node import founding, reading
from trayapp.node.node import Node
from trayapp.store import address_book, key_file
from trayapp.store.people import person

ADDRESS = "wss://192.0.2.7:47311#" + "ab" * 32


async def _name(node: Node) -> str:
    me = node.identity.key
    return (await node.database.read(lambda conn: person(conn, me))).name


async def test_a_new_forum_has_a_first_subnet_and_its_founders_name(tmp_path: Path):
    async with open_node(tmp_path) as node:
        network = await founding.create(node, " Allotments ", " ann ")

        assert network.name == "Allotments"
        assert network.roots == (node.identity.key,)
        assert node.network == network
        assert [s.title for s in await reading.subnets(node)] == ["General"]
        assert await _name(node) == "ann"


async def test_it_is_still_there_at_the_next_start(tmp_path: Path):
    async with open_node(tmp_path) as node:
        network = await founding.create(node, "Allotments")
    async with open_node(tmp_path) as node:
        assert node.network == network
        assert node.opened.is_set()


async def test_a_link_leads_into_the_same_forum_and_its_addresses_are_remembered(tmp_path: Path):
    async with open_node(tmp_path / "ann") as ann, open_node(tmp_path / "bob", "bob") as bob:
        network = await founding.create(ann, "Allotments", "ann")

        joined = await founding.join(bob, write_invite(network, [ADDRESS]), "bob")

        assert joined == bob.network == network
        assert await bob.database.read(address_book.invitations) == [ADDRESS]
        assert await _name(bob) == "bob"
        assert await reading.subnets(bob) == []


async def test_a_second_forum_is_refused_with_what_to_do(tmp_path: Path):
    async with open_node(tmp_path / "ann") as ann, open_node(tmp_path / "bob", "bob") as bob:
        link = write_invite(await founding.create(ann, "Allotments"))
        await founding.create(bob, "Boats")

        for second in (founding.create(bob, "Compost"), founding.join(bob, link)):
            with pytest.raises(AlreadyInForum, match=r"'Boats' already.*--data DIR"):
                await second


async def test_of_two_at_the_same_moment_one_is_refused(tmp_path: Path):
    async with open_node(tmp_path) as node:
        outcomes = await asyncio.gather(
            founding.create(node, "Allotments"),
            founding.create(node, "Boats"),
            return_exceptions=True,
        )

        assert [type(outcome) for outcome in outcomes].count(AlreadyInForum) == 1
        assert [s.title for s in await reading.subnets(node)] == ["General"]


@pytest.mark.parametrize(
    ("name", "nick"), [("", None), ("x" * 41, None), ("Allotments", ""), ("Allotments", "n" * 41)]
)
async def test_names_that_do_not_fit_start_nothing(tmp_path: Path, name: str, nick: str | None):
    async with open_node(tmp_path) as node:
        with pytest.raises(InvalidBody):
            await founding.create(node, name, nick)

        assert not node.opened.is_set()
        assert await stored(node) == []
        assert key_file.load_network(tmp_path) is None


@pytest.mark.parametrize(
    "link", ["", "https://example.org", "brothernet://join#", "brothernet://join#AAAA"]
)
async def test_a_damaged_or_foreign_link_joins_nothing(tmp_path: Path, link: str):
    async with open_node(tmp_path) as node:
        with pytest.raises(InvalidInvite):
            await founding.join(node, link)

        assert key_file.load_network(tmp_path) is None


_BREAK_COMMITS = """
PRAGMA foreign_keys = ON;
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER breaks AFTER INSERT ON op BEGIN INSERT INTO child VALUES (1); END;
"""


async def test_of_a_commit_that_fails_nothing_is_left_and_it_works_afterwards(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await node.database._writer.run(lambda conn: conn.executescript(_BREAK_COMMITS))

        with pytest.raises(sqlite3.IntegrityError):
            await founding.create(node, "Allotments", "ann")

        assert await stored(node) == []
        assert key_file.load_network(tmp_path) is None
        assert not node.opened.is_set()
        await node.database.write(lambda conn: conn.execute("DROP TRIGGER breaks"))
        await founding.create(node, "Allotments", "ann")
        assert [s.title for s in await reading.subnets(node)] == ["General"]


async def test_another_forums_key_is_never_removed(tmp_path: Path):
    async with open_node(tmp_path / "elsewhere") as other:
        network = await founding.create(other, "Boats")
    async with open_node(tmp_path / "here") as node:
        key_file.save_network(tmp_path / "here", network)

        with pytest.raises(TrayAppError, match="is there already"):
            await founding.create(node, "Allotments")

        assert key_file.load_network(tmp_path / "here") == network
        assert await stored(node) == []


async def test_a_crash_after_the_key_was_written_leaves_the_addresses_of_the_invite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with open_node(tmp_path / "elsewhere") as other:
        network = await founding.create(other, "Boats")
    here, address = tmp_path / "here", "wss://192.0.2.7:47311"

    class Crash(BaseException):
        """Nothing that runs after it, as with a power cut."""

    def save_and_crash(folder: Path, entered: Network) -> None:
        save(folder, entered)
        raise Crash

    save = key_file.save_network
    async with open_node(here, "bob") as node:
        monkeypatch.setattr(key_file, "save_network", save_and_crash)
        with pytest.raises(Crash):
            await founding.join(node, write_invite(network, [address]), "bob")

    async with open_node(here, "bob") as node:
        assert node.network == network
        assert await node.database.read(address_book.invitations) == [address]


async def test_the_addresses_of_an_invite_that_led_nowhere_are_forgotten(tmp_path: Path):
    async with open_node(tmp_path) as node:
        await node.database.write(lambda conn: address_book.invited(conn, "wss://192.0.2.9:1"))

        await founding.create(node, "Boats")

        assert await node.database.read(address_book.invitations) == []
