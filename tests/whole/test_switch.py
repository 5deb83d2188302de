"""The wire the other tests stand on: it carries, cuts, slows and swallows as it says."""

from __future__ import annotations

import asyncio

from tests import needs
from tests.whole.switch import Switch

_HEAR = """
import socket, sys
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(("", 5000))
ear.settimeout(float(sys.argv[1]))
print("ready", flush=True)
print(ear.recv(99).decode(), flush=True)
"""
_SAY = """
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", (sys.argv[1], 5000))
"""


async def _says(lan: Switch, speaker: int, listener: int, patience: float = 3.0) -> str:
    hear = await lan.start(
        listener,
        ["python3", "-c", _HEAR, str(patience)],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert hear.stdout
    await hear.stdout.readline()
    say = await lan.start(speaker, ["python3", "-c", _SAY, lan.ports[listener].address])
    await say.wait()
    heard = (await hear.stdout.readline()).decode().strip()
    await hear.wait()
    return heard


async def test_machines_on_one_wire_hear_each_other():
    needs.tun()
    async with Switch(2) as lan:
        assert await _says(lan, 0, 1) == "hello"


async def test_a_cut_wire_carries_nothing_until_it_heals():
    needs.tun()
    async with Switch(2) as lan:
        lan.partition([0], [1])
        assert await _says(lan, 0, 1, patience=0.5) == ""
        lan.heal()
        assert await _says(lan, 0, 1) == "hello"


async def test_a_slowed_port_takes_its_time():
    needs.tun()
    async with Switch(2) as lan:
        lan.ports[1].bytes_per_s = 500
        loop = asyncio.get_running_loop()
        assert await _says(lan, 0, 1) == "hello"
        assert lan.ports[1].free_at > 0
        assert lan.ports[1].free_at <= loop.time() + 1
