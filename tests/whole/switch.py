"""A user-space Ethernet switch between network namespaces, one TAP device each.

The kernel at hand has no netem, so a port delays, loses, slows and cuts by itself; it can also
swallow multicast. Needs root, /dev/net/tun and iproute2. The event loop *is* the wire: a test
that blocks it stops the network.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import random
import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_CLONE_NEWNET = 0x40000000
_FRAMES_AT_ONCE = 64
_QUEUED_SECONDS = 1.0
"""What a slowed port holds back at most; more is dropped, as a real modem would."""

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = count()


@dataclass(slots=True)
class Port:
    """One machine's plug. Change its fields at any time; they hold for frames from then on."""

    namespace: str
    address: str
    fd: int = -1
    delay_s: float = 0.0
    loss: float = 0.0
    bytes_per_s: float = 0.0
    """0: as fast as it goes."""
    multicast: bool = True
    """False: broadcasts still pass (ARP needs them), multicast neither enters nor leaves."""
    group: int = 0
    free_at: float = 0.0
    """When a slowed port has sent what it holds, by the loop's clock."""
    carried: int = 0
    """Bytes handed to the machine so far, Ethernet headers included."""


class Switch:
    """Namespaces on one wire: `async with Switch(3) as lan: await lan.start(0, [...])`."""

    def __init__(self, machines: int, *, prefix: str = "10.77.0", seed: int = 1) -> None:
        self._prefix = prefix
        self._random = random.Random(seed)
        self._ports_of: dict[bytes, int] = {}
        self._processes: list[asyncio.subprocess.Process] = []
        tag = f"bn{os.getpid() % 100000}x{next(_numbers)}"
        self.ports = [Port(f"{tag}n{i}", f"{prefix}.{i + 1}") for i in range(machines)]

    async def __aenter__(self) -> Self:
        try:
            for i, port in enumerate(self.ports):
                self._plug_in(i, port)
        except BaseException:
            await self._unplug()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._unplug()

    async def start(
        self, machine: int, argv: Sequence[str], **how: object
    ) -> asyncio.subprocess.Process:
        """Start a program on one machine; it is killed when the switch goes."""
        process = await asyncio.create_subprocess_exec(
            "ip",
            "netns",
            "exec",
            self.ports[machine].namespace,
            *argv,
            **how,  # type: ignore[arg-type]
        )
        self._processes.append(process)
        return process

    def partition(self, *groups: Iterable[int]) -> None:
        """Cut the wire: machines hear only those of their own group."""
        for number, members in enumerate(groups):
            for machine in members:
                self.ports[machine].group = number

    def heal(self) -> None:
        """Join all machines again."""
        for port in self.ports:
            port.group = 0

    def _plug_in(self, i: int, port: Port) -> None:
        _ip("netns", "add", port.namespace)
        port.fd = _tap_inside(port.namespace)
        for command in (
            "link set lo up",
            "link set eth0 mtu 1400",
            f"addr add {port.address}/24 dev eth0",
            "link set eth0 up",
        ):
            _ip("-n", port.namespace, *command.split())
        asyncio.get_running_loop().add_reader(port.fd, self._receive, i)

    async def _unplug(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        loop = asyncio.get_running_loop()
        for port in self.ports:
            if port.fd >= 0:
                loop.remove_reader(port.fd)
                os.close(port.fd)
            _ip("netns", "del", port.namespace, check=False)

    def _receive(self, i: int) -> None:
        source = self.ports[i]
        for _ in range(_FRAMES_AT_ONCE):
            try:
                frame = os.read(source.fd, 65536)
            except OSError:  # nothing more to read, or the device is gone
                return
            self._ports_of[frame[6:12]] = i
            for port in self._heard_by(i, frame):
                self._carry(source, port, frame)

    def _heard_by(self, i: int, frame: bytes) -> list[Port]:
        source = self.ports[i]
        for_all = bool(frame[0] & 1)
        multicast = for_all and frame[:6] != b"\xff" * 6
        known = None if for_all else self._ports_of.get(frame[:6])
        candidates = range(len(self.ports)) if known is None else (known,)
        return [
            port
            for j, port in ((j, self.ports[j]) for j in candidates)
            if j != i
            and port.group == source.group
            and not (multicast and not (port.multicast and source.multicast))
        ]

    def _carry(self, source: Port, port: Port, frame: bytes) -> None:
        if self._random.random() >= (1 - source.loss) * (1 - port.loss):
            return
        wait = source.delay_s + port.delay_s
        for slowed in (source, port):
            if slowed.bytes_per_s:
                queued = self._queued(slowed, len(frame))
                if queued is None:
                    return
                wait = max(wait, queued)
        if wait:
            asyncio.get_running_loop().call_later(wait, _write, port, frame)
        else:
            _write(port, frame)

    def _queued(self, port: Port, size: int) -> float | None:
        now = asyncio.get_running_loop().time()
        begin = max(now, port.free_at)
        if begin - now > _QUEUED_SECONDS:
            return None
        port.free_at = begin + size / port.bytes_per_s
        return port.free_at - now


def _write(port: Port, frame: bytes) -> None:
    try:
        port.carried += os.write(port.fd, frame)
    except OSError:  # the machine went down with frames still on the wire
        return


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


def _tap_inside(namespace: str) -> int:
    """Make eth0 in a namespace; its descriptor keeps working from outside."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(there)
        try:
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            request = struct.pack("16sH", b"eth0", _IFF_TAP | _IFF_NO_PI)
            fcntl.ioctl(fd, _TUNSETIFF, request)
        finally:
            _enter(back)
        return fd
    finally:
        os.close(back)
        os.close(there)


def _enter(namespace_fd: int) -> None:
    if _libc.setns(namespace_fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
