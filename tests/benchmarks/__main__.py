"""Rows 1, 3, 6 and 8 of the plan's figures, between two real processes over the real channel.

Usage: python -m tests.benchmarks [--posts N] [--json FILE]. Prints a table, the floor beside it,
measured in the same minute. Nothing is asserted: figures are to be read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import floor, forum
from tests.whole.machine import Machine
from trayapp.api.client import Client
from trayapp.store import key_file

_NEW = 100
_LIVE_PER_S = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what it is, what it has to be, what it is here, and its floor."""

    number: str
    quantity: str
    must: str
    value: str
    floor: str = "-"


async def main() -> None:
    """Make both machines, run the job, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        rows = await _measure(Path(folder), options.posts)
    _print(rows)
    if options.json:
        text = json.dumps([asdict(row) for row in rows], indent=1)
        await asyncio.to_thread(options.json.write_text, text + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    return parser.parse_args()


async def _measure(folder: Path, count: int) -> list[Row]:
    ann, bob = Machine(folder / "ann"), Machine(folder / "bob")
    _say(f"signing {count:,} posts")
    await ann.run("create", "Benchmark", "--as", "ann")
    await asyncio.to_thread(forum.fill, ann.folder, count)
    await bob.run("join", (await ann.run("invite", "--bare"))["link"], "--as", "bob")
    floors = await asyncio.to_thread(_floors, folder, ann)
    async with _serving(ann) as of_ann, _serving(bob) as of_bob:
        _say("first sync")
        first = await _first_sync(ann, bob, of_ann, of_bob, count, floors)
        _say("live posts")
        live = await _live(of_ann, of_bob)
        await of_bob.call("remove_peer", address=ann.ready["listening"][0])
    async with _serving(ann) as of_ann, _serving(bob) as of_bob:
        _say(f"{_NEW} posts after a restart")
        again = await _reconcile(bob, of_ann, of_bob)
    return [*first, *again, *live]


def _floors(folder: Path, ann: Machine) -> dict[int, floor.Taken]:
    network = key_file.load_network(ann.folder)
    assert network is not None
    taken = {}
    for verify_each in (1, 500):
        _say(f"the floor, one signature in {verify_each}")
        target = folder / f"floor{verify_each}.db"
        taken[verify_each] = floor.first_sync(
            ann.folder / "forum.db", target, network.id, verify_each=verify_each
        )
        target.unlink()
    return taken


@asynccontextmanager
async def _serving(machine: Machine) -> AsyncIterator[Client]:
    await machine.start("--listen", "127.0.0.1:0", "--no-lan")
    try:
        async with Client.connect(machine.folder) as client:
            yield client
    finally:
        await machine.stop()


async def _first_sync(
    ann: Machine,
    bob: Machine,
    of_ann: Client,
    of_bob: Client,
    count: int,
    floors: dict[int, floor.Taken],
) -> list[Row]:
    wanted = (await of_ann.call("status"))["digest"]["1"]
    cpu = bob.cpu_seconds()
    began = time.perf_counter()
    await of_bob.call("add_peer", address=ann.ready["listening"][0])
    readable = 0.0
    while (status := await of_bob.call("status"))["digest"]["1"] != wanted:
        if not readable and status["operations"] > 10:
            readable = time.perf_counter() - began
        if status["operations"] > count * 2:
            raise SystemExit("the copies do not agree")
        await asyncio.sleep(0.05)
        wanted = (await of_ann.call("status"))["digest"]["1"]
    took = time.perf_counter() - began
    every, some = floors[1], floors[500]
    beside = f"{every.seconds:.1f} s each signature; {some.seconds:.1f} s one in 500"
    return [
        Row("1", f"first sync of {count:,}", "7 s, 3 x floor", f"{took:.1f} s", beside),
        Row("1", "of the floor with each signature", "", f"{took / every.seconds:.1f} x"),
        Row("1", "the receiver's CPU", "", f"{bob.cpu_seconds() - cpu:.1f} s",
            f"{every.cpu_seconds:.1f} s"),
        Row("2", "newest posts readable", "2 s", f"{readable:.2f} s"),
        Row("8", "the receiver's peak RSS", "120 MB", f"{bob.peak_rss_mb():.0f} MB",
            f"{every.rss_mb:.0f} MB"),
    ]  # fmt: skip


async def _live(of_ann: Client, of_bob: Client) -> list[Row]:
    threads = (await of_ann.call("threads", limit=1))["threads"]
    heard: dict[str, float] = {}

    async def listen() -> None:
        async for _, event, data in of_bob.events():
            if event == "reply_arrived":
                heard[data["post"]] = time.perf_counter()

    listening = asyncio.ensure_future(listen())
    said: dict[str, float] = {}
    for number in range(_NEW):
        began = time.perf_counter()
        post = await of_ann.call("publish_reply", thread=threads[0]["id"], text=f"live {number}")
        said[post["id"]] = began
        await asyncio.sleep(1 / _LIVE_PER_S)
    await _until(lambda: len(heard) >= _NEW, 10)
    listening.cancel()
    waits = sorted((heard[post] - began) * 1000 for post, began in said.items() if post in heard)
    p99 = waits[int(len(waits) * 0.99) - 1]
    figure = f"{median(waits):.1f} / {p99:.1f} ms ({len(waits)} of {_NEW} heard)"
    return [Row("6", "live: publish to event, p50 / p99", "3 / 15 ms", figure)]


async def _reconcile(bob: Machine, of_ann: Client, of_bob: Client) -> list[Row]:
    threads = (await of_ann.call("threads", limit=1))["threads"]
    for number in range(_NEW):
        await of_ann.call("publish_reply", thread=threads[0]["id"], text=f"missed {number}")
    wanted = (await of_ann.call("status"))["digest"]["1"]
    began = time.perf_counter()
    await of_ann.call("add_peer", address=bob.ready["listening"][0])
    while (await of_bob.call("status"))["digest"]["1"] != wanted:
        await asyncio.sleep(0.002)
    took = (time.perf_counter() - began) * 1000
    return [Row("3", f"reconcile +{_NEW}, connecting included", "100 ms", f"{took:.0f} ms")]


async def _until(holds: Callable[[], Any], patience_s: float) -> None:
    began = time.perf_counter()
    while not holds() and time.perf_counter() - began < patience_s:
        await asyncio.sleep(0.01)


def _print(rows: list[Row]) -> None:
    head = Row("row", "quantity", "must", "here", "floor")
    widths = [max(len(getattr(r, f)) for r in [head, *rows]) for f in Row.__slots__]
    for row in [head, *rows]:
        cells = (getattr(row, name).ljust(w) for name, w in zip(Row.__slots__, widths, strict=True))
        print("  ".join(cells).rstrip())


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
