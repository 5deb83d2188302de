from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faces.programs import PROGRAM, asked, headless, run
from tests.generated import write_posts
from trayapp.api.client import Client

pytestmark = pytest.mark.network


async def test_a_command_works_without_a_node_and_leaves_none_behind(tmp_path: Path):
    made = await asked(tmp_path, "create", "Allotments", "--as", "ann")
    status = await asked(tmp_path, "status")

    assert status["network"] == made["network"]
    assert not (tmp_path / "api.json").exists()
    async with headless(tmp_path, "--no-net"):
        pass


async def test_what_a_command_does_shows_at_once_in_a_node_that_runs(tmp_path: Path):
    async with headless(tmp_path, "--no-net") as node:
        made = await asked(tmp_path, "create", "Allotments")
        assert (await asked(tmp_path, "status"))["network"] == made["network"]
        assert node.process.returncode is None


async def test_commands_at_the_same_moment_wait_for_each_other(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")

    ended = await asyncio.gather(*(run(tmp_path, "subnet", f"Number {n}") for n in range(3)))

    assert [(e.code, e.err) for e in ended] == [(0, "")] * 3
    assert len((await asked(tmp_path, "subnets"))["subnets"]) == 4


async def test_a_command_at_the_moment_a_node_starts_finds_it(tmp_path: Path):
    """The lock is held already, and the doorplate comes a moment later."""
    async with headless(tmp_path, "--no-net"):
        plate = tmp_path / "api.json"
        kept = plate.read_text()
        plate.unlink()
        asked_for = asyncio.ensure_future(run(tmp_path, "status"))
        # Taken as a node that stays and just starts: its own node is refused meanwhile.
        await asyncio.sleep(5.5)
        plate.write_text(kept)

        done = await asked_for

    assert (done.code, done.err) == (0, "")


async def test_a_node_that_starts_waits_for_a_commands_own(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")
    brief = await asyncio.create_subprocess_exec(
        *PROGRAM, "--data", str(tmp_path), "headless", "--no-net", "--brief",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert brief.stdin
    assert brief.stdout
    await brief.stdout.readline()
    asyncio.get_running_loop().call_later(1, brief.stdin.close)

    async with headless(tmp_path, "--no-net") as node:
        assert node.ready["ready"]
        assert await brief.wait() == 0


async def test_why_its_own_node_cannot_start_is_said_by_the_command(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")
    (tmp_path / "network.key").write_bytes(b"not a key")

    refused = await run(tmp_path, "--json", "subnets")

    assert (refused.code, refused.out) == (1, "")
    assert "does not hold a forum's key" in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("https://example.org/join", "This is no Brothernet invite"),
        ("brothernet://join#AAAA", "damaged"),
    ],
)
async def test_a_link_that_leads_nowhere_joins_nothing(tmp_path: Path, link: str, sentence: str):
    refused = await run(tmp_path, "--json", "join", link, "--as", "bob")

    assert (refused.code, refused.out) == (1, "")
    assert sentence in refused.err
    assert (await asked(tmp_path, "status"))["network"] is None


async def test_a_directory_of_a_newer_version_is_left_alone(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")
    with closing(sqlite3.connect(tmp_path / "forum.db")) as db:
        db.execute("PRAGMA user_version = 99")

    refused = await run(tmp_path, "subnets")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("A newer Brothernet wrote this data directory")
    assert len(refused.err.splitlines()) == 1


async def test_a_command_that_is_killed_takes_its_node_with_it(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")
    command = await asyncio.create_subprocess_exec(
        *PROGRAM, "--data", str(tmp_path), "post", "--thread", "0" * 64, "-",
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    command.send_signal(signal.SIGKILL)
    await command.wait()

    assert (await asked(tmp_path, "subnets"))["subnets"]


async def test_ctrl_c_ends_a_command_quietly_and_its_import_with_it(tmp_path: Path):
    data, archive = tmp_path / "data", write_posts(tmp_path / "archive", 300)
    await asked(data, "create", "Allotments")
    async with headless(data, "--no-net"), Client.connect(data) as client:
        events = client.events()
        await client.call("subnets")
        told = asyncio.ensure_future(_until(events, "import_progress"))
        command = await asyncio.create_subprocess_exec(
            *PROGRAM, "--data", str(data), "import", "discourse", str(archive),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await asyncio.wait_for(told, 30)
        command.send_signal(signal.SIGINT)

        out, err = await asyncio.wait_for(command.communicate(), 30)
        assert (command.returncode, out, err) == (130, b"", b"")
        # Refused only while another import is under way.
        async with asyncio.timeout(20):
            while (await run(data, "import", "discourse", str(tmp_path / "none"))).err.startswith(
                "Another import"
            ):
                await asyncio.sleep(0.1)
        imported = (await client.call("status"))["operations"]
        assert imported < 1_000


async def _until(events: AsyncIterator[tuple[int, str, object]], wanted: str) -> None:
    async for _, name, _ in events:
        if name == wanted:
            return


async def test_a_page_address_is_printed_for_a_browser(tmp_path: Path):
    async with headless(tmp_path, "--no-net") as node:
        url = (await run(tmp_path, "window", "--print-url")).out.strip()

        assert url.startswith(f"{node.ready['api']}/enter?code=")
        assert url.endswith("#/")


async def test_a_page_address_needs_a_node_that_stays(tmp_path: Path):
    refused = await run(tmp_path, "window", "--print-url")

    assert (refused.code, refused.out) == (1, "")
    assert "No node runs for" in refused.err
