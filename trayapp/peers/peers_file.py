"""peers.json in the data directory: addresses that this machine's person wants dialled.

`{"peers": ["wss://host:port#key", "192.168.1.20"]}`. A person may edit it while the node runs; only
`add` and `remove` write it, whole or not at all; who calls them lets one finish before the next.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from trayapp.errors import InvalidAddress, NotFound, SettingsError, StoreFull, StoreReadOnly
from trayapp.peers.finder import PeerAddress, parse_address
from trayapp.status import PeerPath

NAME = "peers.json"
LOOK_S = 2.0


def read(path: Path) -> dict[str, PeerAddress]:
    """The addresses by their url, in the file's order; none where there is no file.

    Raises:
        SettingsError: the file is not as above. It says where.
    """
    addresses, problem = _usable(path)
    if problem:
        raise problem
    return addresses


def add(path: Path, text: str) -> PeerAddress:
    """Write an address into the file; one of the same host and port is replaced.

    Raises:
        InvalidAddress: the text is none.
        SettingsError: the file is malformed; it is left alone.
    """
    address = parse_address(text, PeerPath.FILE)
    _write(path, read(path) | {address.url: address})
    return address


def remove(path: Path, text: str) -> PeerAddress:
    """Take an address out of the file, with or without its key.

    Raises:
        InvalidAddress: the text is none.
        NotFound: it does not stand in the file.
        SettingsError: the file is malformed; it is left alone.
    """
    url = parse_address(text, PeerPath.FILE).url
    addresses = read(path)
    if url not in addresses:
        raise NotFound(f"{url} is not among the addresses you added.")
    removed = addresses.pop(url)
    _write(path, addresses)
    return removed


class PeersFileFinder:
    """Yields what stands in the file, and what is added later."""

    def __init__(
        self,
        path: Path,
        *,
        on_removed: Callable[[PeerAddress], None] = lambda _: None,
        look_s: float = LOOK_S,
    ) -> None:
        self._path = path
        self._on_removed = on_removed
        self._look_s = look_s
        self.problem = ""
        """What is wrong with the file now, as a sentence. Entries that are addresses still count,
        and where the file is none at all, those of before."""

    async def addresses(self) -> AsyncIterator[PeerAddress]:
        """Every address, again when its key changes. Looks at the file every two seconds."""
        known: dict[str, PeerAddress] = {}
        seen: tuple[int, int] | None = None
        while True:
            stamp = await asyncio.to_thread(_stamp, self._path)
            if stamp != seen:
                seen = stamp
                current = await self._current(known)
                for url in known.keys() - current.keys():
                    self._on_removed(known[url])
                fresh = [a for url, a in current.items() if known.get(url) != a]
                known = current
                for address in fresh:
                    yield address
            await asyncio.sleep(self._look_s)

    async def _current(self, known: dict[str, PeerAddress]) -> dict[str, PeerAddress]:
        try:
            current, problem = await asyncio.to_thread(_usable, self._path)
        except SettingsError as error:
            current, problem = known, error
        self.problem = str(problem or "")
        return current


def _usable(path: Path) -> tuple[dict[str, PeerAddress], SettingsError | None]:
    """The entries that are addresses, and what is wrong with another.

    Raises:
        SettingsError: the file as a whole is not as above.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}, None
    except (ValueError, OSError) as error:  # ValueError: no UTF-8, or no JSON
        raise SettingsError(NAME, f"cannot be read: {error}") from error
    entries = content.get("peers") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise SettingsError(NAME, 'has to look like {"peers": ["wss://host:port#key"]}')
    addresses = {}
    problem = None
    for entry in entries:
        try:
            address = parse_address(entry, PeerPath.FILE)
        except InvalidAddress as error:
            problem = problem or SettingsError(NAME, f"holds a line that is wrong. {error}")
        else:
            addresses[address.url] = address
    return addresses, problem


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when the file does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _write(path: Path, addresses: dict[str, PeerAddress]) -> None:
    text = json.dumps({"peers": [str(address) for address in addresses.values()]}, indent=2)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        try:
            with fresh.open("x", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreFull(f"The disk is full; {NAME} stays as it was.") from error
        raise StoreReadOnly(f"{path} cannot be written ({error.strerror}).") from error
