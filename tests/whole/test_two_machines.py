"""The promise of the program, on real processes in real network namespaces."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests import needs
from tests.whole.machine import Machine, wait_until
from tests.whole.switch import Switch

pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]

POSTS = 4661


async def _imported(machine: Machine) -> dict[str, Any]:
    """Start a forum on the machine and bring the real posts in."""
    needs.tun()
    archive = needs.archive()
    await machine.run("create", "Allotments", "--as", "ann")
    return await machine.run("import", "discourse", str(archive))


async def _join(ann: Machine, bob: Machine) -> None:
    link = (await ann.run("invite", "--bare"))["link"]
    await bob.run("join", link, "--as", "bob")


def _lan_peer(answer: dict[str, Any]) -> bool:
    return any(p["path"] == "lan" and p["state"] != "unreachable" for p in answer["peers"])


async def _equal(ann: Machine, bob: Machine, patience_s: float) -> None:
    async def holds() -> bool:
        return (await asyncio.to_thread(ann.digest)) == (await asyncio.to_thread(bob.digest))

    await wait_until(holds, patience_s)


async def _texts(machine: Machine, thread: str) -> list[str]:
    return [post["text"] for post in (await machine.run("read", thread))["posts"]]


async def _reads(machine: Machine, thread: str, text: str, patience_s: float = 10) -> None:
    async def holds() -> bool:
        return text in await _texts(machine, thread)

    await wait_until(holds, patience_s)


async def test_a_friend_on_the_lan_is_found_and_both_keep_the_same_forum(tmp_path: Path):
    async with Switch(2) as lan:
        ann, bob = Machine(tmp_path / "ann", lan, 0), Machine(tmp_path / "bob", lan, 1)
        report = await _imported(ann)
        assert report["read"] == POSTS
        await _join(ann, bob)
        await ann.start()
        await bob.start()

        found = await bob.until(("peers",), _lan_peer, 5)
        assert {p["path"] for p in found["peers"]} == {"lan"}

        await _equal(ann, bob, 60)
        for machine in (ann, bob):
            status = await machine.run("status")
            assert status["digest"] == machine.digest()
            assert status["operations"] == len(machine.operations())
        await bob.until(("status",), lambda s: s["sync"]["state"] == "synced", 45)

        thread = (await bob.run("threads"))["threads"][0]["id"]
        await bob.run("post", "--thread", thread, "a post on Bob's machine")
        await _reads(ann, thread, "a post on Bob's machine")
        await ann.run("post", "--thread", thread, "a post on Ann's machine")
        await _reads(bob, thread, "a post on Ann's machine")
        await ann.stop()
        await bob.stop()
        assert ann.digest() == bob.digest()


async def test_posts_made_on_both_sides_of_a_cut_are_on_both_after_healing(tmp_path: Path):
    needs.tun()
    async with Switch(2) as lan:
        ann, bob = Machine(tmp_path / "ann", lan, 0), Machine(tmp_path / "bob", lan, 1)
        await ann.run("create", "Allotments", "--as", "ann")
        subnet = (await ann.run("subnet", "Sheds"))["id"]
        thread = (await ann.run("post", "--subnet", subnet, "--title", "Keys", "Who?"))["thread"]
        await _join(ann, bob)
        await ann.start()
        await bob.start()
        await _equal(ann, bob, 15)

        lan.partition([0], [1])
        await ann.run("post", "--thread", thread, "said on Ann's side")
        await bob.run("post", "--thread", thread, "said on Bob's side")
        assert ann.digest() != bob.digest()
        lan.heal()

        await _equal(ann, bob, 60)
        for machine in (ann, bob):
            texts = await _texts(machine, thread)
            assert {"said on Ann's side", "said on Bob's side"} <= set(texts)


@pytest.mark.parametrize("share", [0.3, 0.8])
async def test_a_machine_killed_during_the_first_sync_goes_on_where_it_was(
    tmp_path: Path, share: float
):
    async with Switch(2) as lan:
        ann, bob = Machine(tmp_path / "ann", lan, 0), Machine(tmp_path / "bob", lan, 1)
        await _imported(ann)
        await _join(ann, bob)
        total = len(ann.operations())
        lan.ports[1].bytes_per_s = 900_000
        await ann.start()
        began = asyncio.get_running_loop().time()
        await bob.start()

        await bob.until(("status",), lambda s: s["sync"]["done"] >= share * total, 120)
        await bob.kill()
        held = len(bob.operations())
        assert 1 <= held <= total - 1
        lan.ports[1].carried = 0

        await bob.start()
        await _equal(ann, bob, 120)
        assert asyncio.get_running_loop().time() - began >= 10
        page = 4 * 2**20
        missing = sum(_sizes(ann, bob_had=held, total=total))
        assert lan.ports[1].carried <= (missing + page) * 1.1


def _sizes(ann: Machine, *, bob_had: int, total: int) -> list[float]:
    """What the missing operations weigh, by the mean: the file tells the whole."""
    mean = ann.bytes_of_operations() / total
    return [mean] * (total - bob_had)


async def test_a_machine_without_multicast_gets_in_through_the_bootstrap_list(tmp_path: Path):
    needs.tun()
    async with Switch(3) as lan:
        ann, bob = Machine(tmp_path / "ann", lan, 0), Machine(tmp_path / "bob", lan, 1)
        cat = Machine(tmp_path / "cat", lan, 2)
        lan.ports[2].multicast = False
        await ann.run("create", "Allotments", "--as", "ann")
        await _join(ann, bob)
        await _join(ann, cat)
        await ann.start()
        entry = (await bob.start())["listening"][0]
        (cat.folder / "settings.toml").write_text(f'bootstrap = ["{entry}"]\n')
        await cat.start()

        await cat.until(("peers",), lambda p: any(x["path"] == "bootstrap" for x in p["peers"]), 10)
        await _equal(ann, cat, 30)
        thread = await cat.run(
            "post",
            "--subnet",
            (await cat.run("subnets"))["subnets"][0]["id"],
            "--title",
            "Hi",
            "I am in",
        )
        await _reads(ann, thread["thread"], "I am in")
