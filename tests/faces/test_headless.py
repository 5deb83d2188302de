from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.faces.programs import PROGRAM, asked, headless, run
from trayapp import daemon
from trayapp.faces import headless as face
from trayapp.faces.terminal import Terminal

pytestmark = pytest.mark.network
QUIET = ("--listen", "127.0.0.1:0", "--no-lan")


async def test_one_line_says_when_it_serves_and_a_signal_ends_it(tmp_path: Path):
    forum = await asked(tmp_path, "create", "Allotments")
    async with headless(tmp_path, *QUIET) as node:
        ready = node.ready
        [address] = ready["listening"]
        took_s, said = await node.stop()

    assert ready["ready"] is True
    assert ready["device"] == forum["device"]
    assert ready["network"] == forum["network"]["id"]
    assert address.startswith("wss://127.0.0.1:")
    assert address.endswith(f"#{forum['device']}")
    assert ready["api"].startswith("http://127.0.0.1:")
    assert node.process.returncode == 0
    assert took_s < 3
    assert said == ""
    assert not (tmp_path / "api.json").exists()


async def test_ctrl_c_ends_it_too_and_with_friends_linked_within_three_seconds(tmp_path: Path):
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    await asked(ann, "create", "Allotments", "--as", "ann")
    await asked(bob, "join", (await asked(ann, "invite", "--bare"))["link"], "--as", "bob")
    async with headless(ann, *QUIET) as first, headless(bob, *QUIET) as second:
        await asked(bob, "peers", "add", first.ready["listening"][0])
        async with asyncio.timeout(20):
            while [p["state"] for p in (await asked(ann, "peers"))["peers"]] != ["connected"]:
                await asyncio.sleep(0.1)
        thread = await asked(
            bob, "post", "--subnet", (await _general(ann, bob)), "--title", "Boat", "Hm?"
        )
        async with asyncio.timeout(10):
            while (await run(ann, "read", thread["thread"])).code != 0:
                await asyncio.sleep(0.1)

        took_s, said = await first.stop(signal.SIGINT)
        assert (first.process.returncode, said) == (0, "")
        assert took_s < 3
        took_s, said = await second.stop()
        assert (second.process.returncode, said) == (0, "")
        assert took_s < 3


async def _general(ann: Path, bob: Path) -> str:
    wanted = (await asked(ann, "subnets"))["subnets"][0]["id"]
    async with asyncio.timeout(10):
        while wanted not in [s["id"] for s in (await asked(bob, "subnets"))["subnets"]]:
            await asyncio.sleep(0.1)
    return str(wanted)


async def test_with_no_forum_yet_it_serves_the_page_that_starts_one(tmp_path: Path):
    async with headless(tmp_path, *QUIET) as node:
        assert (node.ready["network"], node.ready["listening"]) == (None, [])

        made = await asked(tmp_path, "create", "Allotments", "--as", "ann")

        async with asyncio.timeout(5):
            while not (status := await asked(tmp_path, "status"))["listening"]:
                await asyncio.sleep(0.1)
        assert status["network"] == made["network"]


async def test_a_listening_place_that_is_taken_is_refused(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        empty = await run(tmp_path, "headless", "--listen", place, "--no-lan")
        await asked(tmp_path, "create", "Allotments")
        refused = await run(tmp_path, "headless", "--listen", place, "--no-lan")

    assert (empty.code, refused.code) == (1, 1)
    assert empty.out == refused.out == ""
    assert "is taken" in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize("place", ["nonsense", "127.0.0.1:x", "192.0.2.1:0"])
async def test_a_place_that_is_none_is_refused(tmp_path: Path, place: str):
    refused = await run(tmp_path, "headless", "--listen", place)

    assert (refused.code, refused.out) == (1, "")
    assert len(refused.err.splitlines()) == 1


async def test_a_second_node_on_the_same_data_is_refused_at_once(tmp_path: Path):
    async with headless(tmp_path, "--no-net") as node:
        began = asyncio.get_running_loop().time()
        refused = await run(tmp_path, "headless", "--no-net")

        assert asyncio.get_running_loop().time() - began < 4
        assert (refused.code, refused.out) == (1, "")
        assert f"(process {node.process.pid}) is running" in refused.err


async def test_what_a_killed_node_left_behind_is_in_nobodys_way(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")
    async with headless(tmp_path, "--no-net") as node:
        node.process.kill()
        await node.process.wait()
    assert (tmp_path / "api.json").exists()

    assert (await asked(tmp_path, "subnets"))["subnets"]
    async with headless(tmp_path, "--no-net"):
        assert (await asked(tmp_path, "subnets"))["subnets"]


async def test_the_api_answers_on_the_port_asked_for(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with headless(tmp_path, "--no-net", "--api-port", str(port)) as node:
        assert node.ready["api"] == f"http://127.0.0.1:{port}"
        (tmp_path / "other").mkdir()
        refused = await run(tmp_path / "other", "headless", "--no-net", "--api-port", str(port))
        assert refused.code == 1
        assert str(port) in refused.err


async def test_a_node_for_one_command_ends_with_it_also_when_it_is_killed(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "--data", str(tmp_path), "headless", "--no-net", "--brief",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdin
    assert json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["ready"]

    process.stdin.close()

    assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="no folder there that even root cannot write")
async def test_a_directory_that_cannot_be_written_is_refused():
    refused = await run(Path("/sys/brothernet"), "headless", "--no-net")

    assert (refused.code, refused.out) == (1, "")
    assert "cannot be written" in refused.err
    assert len(refused.err.splitlines()) == 1


_FULL_DISK = """
mount -t tmpfs -o size=4m none "$1"
program() { data="$1"; python="$2"; shift 2; "$python" -m trayapp --data "$data" --json "$@"; }
program "$1" "$2" status > /dev/null
dd if=/dev/zero of="$1/filler" bs=4k 2> /dev/null
program "$1" "$2" create Allotments --as ann
echo "code $?"
ls "$1"
rm "$1/filler"
program "$1" "$2" create Allotments --as ann
program "$1" "$2" subnets
"""


async def test_on_a_full_disk_nothing_is_half_made_and_with_room_it_works(tmp_path: Path):
    if sys.platform != "linux" or os.geteuid() != 0:
        needs._missing("the right to mount a small disk (root on Linux)")
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-m", "sh", "-c", _FULL_DISK, "sh", str(tmp_path), sys.executable),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)

    code, *left, made, subnets = out.decode().splitlines()
    assert code == "code 1"
    [sentence] = err.decode().splitlines()
    assert "is full. Nothing was lost" in sentence
    assert "network.key" not in left
    assert json.loads(made)["network"]["name"] == "Allotments"
    assert [s["title"] for s in json.loads(subnets)["subnets"]] == ["General"]


async def test_wrong_settings_are_refused_by_name(tmp_path: Path):
    (tmp_path / "settings.toml").write_text("lann = true", encoding="utf-8")

    refused = await run(tmp_path, "headless", "--no-net")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("Setting 'lann' is not known")


async def test_the_log_holds_no_text_of_posts_and_no_keys(tmp_path: Path):
    await asked(tmp_path, "create", "Allotments")
    async with headless(tmp_path, *QUIET) as node:
        await run(tmp_path, "subnet", "a title nobody logs")
        await run(tmp_path, "read", "00000000")
        await node.stop()

    log = (tmp_path / "logs" / "brothernet.log").read_text(encoding="utf-8")
    assert "nobody logs" not in log
    assert (tmp_path / "device.key").read_bytes().hex() not in log


@pytest.mark.parametrize("port", ["99999", "-1"])
async def test_a_port_that_is_none_is_refused_with_a_sentence(tmp_path: Path, port: str):
    refused = await run(tmp_path, "headless", "--no-net", f"--api-port={port}")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"The page cannot be served on port {port}: it is no port.\n"


async def test_it_serves_on_when_nobody_reads_that_it_is_ready(tmp_path: Path):
    reader, writer = os.pipe()
    os.close(reader)
    node = await asyncio.create_subprocess_exec(
        *PROGRAM, "--data", str(tmp_path), "headless", "--no-net",
        stdin=asyncio.subprocess.DEVNULL, stdout=writer, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(writer)
    try:
        async with asyncio.timeout(20):
            while not (tmp_path / "api.json").exists():
                await asyncio.sleep(0.05)
        plate = json.loads((tmp_path / "api.json").read_text())
        assert (await asked(tmp_path, "status"))["network"] is None
        assert plate["pid"] == node.pid
        node.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(node.communicate(), 10)
        assert (node.returncode, err) == (0, b"")
    finally:
        if node.returncode is None:
            node.kill()
            await node.communicate()


def test_a_bug_is_told_in_a_sentence_and_not_as_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(daemon, "run", broken)

    code = face.headless(no_net=True, terminal=Terminal(tmp_path))

    assert code == 1
    said = f"Brothernet made a mistake; its log in {tmp_path / 'logs'} says where.\n"
    assert capsys.readouterr().err == said
