from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.peers.friends import identity, until
from trayapp.errors import InvalidAddress, NotFound, SettingsError, StoreFull, StoreReadOnly
from trayapp.peers import peers_file
from trayapp.peers.finder import PeerAddress
from trayapp.peers.peers_file import PeersFileFinder, add, read, remove
from trayapp.status import PeerPath

KEY = identity("ann").key
ANN = PeerAddress("192.0.2.1", 4000, None, PeerPath.FILE)
BOB = PeerAddress("bob.example", 47311, None, PeerPath.FILE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "peers.json"


def edit(path: Path, text: str) -> None:
    """What a person does in an editor."""
    path.write_text(text)


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[tuple[PeersFileFinder, list[str]]]:
    """A finder at work, and what it said: `+address`, `-address`."""
    said: list[str] = []
    finder = PeersFileFinder(path, on_removed=lambda a: said.append(f"-{a}"), look_s=0.01)

    async def listen() -> None:
        async for address in finder.addresses():
            said.append(f"+{address}")  # noqa: PERF401  as it comes

    work = asyncio.ensure_future(listen())
    try:
        yield finder, said
    finally:
        work.cancel()
        await asyncio.wait([work])


def test_no_file_means_no_addresses(path: Path):
    assert read(path) == {}


def test_what_was_added_is_read_back_and_readable_to_a_person(path: Path):
    assert add(path, "192.0.2.1:4000") == ANN
    add(path, f"bob.example#{KEY.hex()}")

    assert list(read(path)) == [ANN.url, BOB.url]
    assert json.loads(path.read_text()) == {
        "peers": ["wss://192.0.2.1:4000", f"wss://bob.example:47311#{KEY.hex()}"]
    }
    assert list(path.parent.iterdir()) == [path]


def test_the_same_place_added_again_takes_the_new_key(path: Path):
    add(path, "192.0.2.1:4000")
    add(path, "bob.example")
    add(path, f"wss://192.0.2.1:4000#{KEY.hex()}")

    assert [address.key for address in read(path).values()] == [KEY, None]


def test_an_address_is_removed_with_or_without_its_key(path: Path):
    add(path, f"192.0.2.1:4000#{KEY.hex()}")
    add(path, "bob.example")

    assert remove(path, "192.0.2.1:4000").key == KEY
    assert list(read(path)) == [BOB.url]
    with pytest.raises(NotFound, match=r"wss://192\.0\.2\.1:4000 is not among"):
        remove(path, "192.0.2.1:4000")


def test_what_is_no_address_is_not_written(path: Path):
    with pytest.raises(InvalidAddress):
        add(path, "http://example.org")

    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "cannot be read: Expecting"),
        ("[]", "has to look like"),
        ('{"peers": "192.0.2.1"}', "has to look like"),
        ('{"peers": [1]}', "has to look like"),
        ('{"peers": ["192.0.2.1", "http://x"]}', "not with http://"),
    ],
)
def test_a_malformed_file_is_named_and_left_alone(path: Path, text: str, complaint: str):
    path.write_text(text)

    for change in (add, remove):
        with pytest.raises(SettingsError, match=complaint):
            change(path, "192.0.2.1")
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_named(path: Path):
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="cannot be read"):
        read(path)


@pytest.mark.skipif(os.name == "nt", reason="folders are writable there")
def test_a_disk_that_refuses_keeps_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch):
    add(path, "192.0.2.1:4000")

    def refuse(error: OSError) -> None:
        def fsync(_: int) -> None:
            raise error

        monkeypatch.setattr(peers_file.os, "fsync", fsync)  # type: ignore[attr-defined]

    refuse(OSError(28, "No space left on device"))
    with pytest.raises(StoreFull):
        add(path, "bob.example")
    refuse(OSError(30, "Read-only file system"))
    with pytest.raises(StoreReadOnly, match="Read-only"):
        add(path, "bob.example")

    assert list(read(path)) == [ANN.url]
    assert list(path.parent.iterdir()) == [path]


def test_a_writer_that_is_faster_does_not_take_away_what_is_being_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    faster = [partial(add, path, "192.0.2.1:4000")]

    def fsync(_: int) -> None:
        if faster:
            faster.pop()()

    monkeypatch.setattr(peers_file.os, "fsync", fsync)  # type: ignore[attr-defined]
    add(path, "bob.example")

    assert list(read(path)) == [BOB.url]
    assert list(path.parent.iterdir()) == [path]


async def test_what_stands_in_the_file_at_the_start_is_yielded(path: Path):
    add(path, "192.0.2.1:4000")
    add(path, "bob.example")

    async with watched(path) as (_, said):
        await until(lambda: len(said) == 2)

        assert said == [f"+{ANN}", f"+{BOB}"]


async def test_a_change_is_noticed_and_only_the_change_is_said(path: Path):
    async with watched(path) as (_, said):
        add(path, "192.0.2.1:4000")
        await until(lambda: said == [f"+{ANN}"])
        add(path, "bob.example")
        await until(lambda: said[1:] == [f"+{BOB}"])
        remove(path, "192.0.2.1:4000")
        await until(lambda: said[2:] == [f"-{ANN}"])
        os.unlink(path)  # noqa: PTH108
        await until(lambda: said[3:] == [f"-{BOB}"])


async def test_a_slip_in_the_file_is_told_and_costs_nothing_else(path: Path):
    add(path, "192.0.2.1:4000")
    async with watched(path) as (finder, said):
        await until(lambda: len(said) == 1)

        edit(path, '{"peers": ["wss://192.0.2.1:4000", ')
        await until(lambda: "peers.json" in finder.problem)
        assert said == [f"+{ANN}"]

        edit(path, '{"peers": ["http://x", "bob.example", "wss://192.0.2.1:4000"]}')
        await until(lambda: "http://" in finder.problem)
        await until(lambda: said[1:] == [f"+{BOB}"])

        edit(path, '{"peers": ["bob.example", "wss://192.0.2.1:4000"]}')
        await until(lambda: finder.problem == "")
        assert said == [f"+{ANN}", f"+{BOB}"]
