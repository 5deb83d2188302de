"""This device's secret key and the forum's key: two small files, for their owner alone.

Written whole or not at all, and never over one that is there. A copy of the database alone cannot
speak for anybody.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from trayapp.errors import InvalidInvite, StoreDamaged, StoreError
from trayapp.forum import network
from trayapp.forum.identity import SEED_BYTES, Identity
from trayapp.forum.network import Network
from trayapp.store.database import translated

DEVICE_FILE = "device.key"
NETWORK_FILE = "network.key"


def load_or_make_identity(data_dir: Path, make_seed: Callable[[], bytes]) -> Identity:
    """This machine's device key, made at the first start.

    Raises:
        StoreDamaged: the file is there and does not hold a key.
        StoreReadOnly, StoreFull: it is not there and cannot be written.
    """
    path = data_dir / DEVICE_FILE
    seed = _read(path)
    if seed is None:
        seed = make_seed()
        _write(path, seed)
    if len(seed) != SEED_BYTES:
        raise StoreDamaged(
            f"{path} does not hold a device key ({len(seed)} bytes instead of {SEED_BYTES}). Put "
            "back a copy, or move it away: this machine then goes on as a new device."
        )
    return Identity(seed)


def load_network(data_dir: Path) -> Network | None:
    """The forum this directory keeps; None before one is started or joined.

    Raises:
        StoreDamaged: the file is there and does not hold a forum's key.
    """
    path = data_dir / NETWORK_FILE
    packed = _read(path)
    if packed is None:
        return None
    try:
        kept = msgspec.msgpack.decode(packed, type=dict[str, bytes])
        return network.from_genesis(kept["genesis"], kept["key"])
    except (
        msgspec.MsgspecError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
        InvalidInvite,
    ) as error:
        raise StoreDamaged(
            f"{path} does not hold a forum's key. Put back a copy, or move it away and join again "
            "with an invite link: your posts and your device key are kept in other files."
        ) from error


def save_network(data_dir: Path, entered: Network) -> None:
    """Keep the forum's key.

    Raises:
        StoreError: another forum's key is there already.
        StoreReadOnly, StoreFull: it cannot be written.
    """
    path = data_dir / NETWORK_FILE
    _write(path, msgspec.msgpack.encode({"genesis": entered.genesis, "key": entered.key}))


def forget_network(data_dir: Path) -> None:
    """Take back `save_network`, when what should have gone with it failed."""
    path = data_dir / NETWORK_FILE
    with translated(path):
        path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    with translated(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _write(path: Path, secret: bytes) -> None:
    """Write a file of 0600 beside it, have it on the disk, then give it its name."""
    fresh = path.with_name(path.name + ".new")
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        _name(fresh, path)


def _name(fresh: Path, path: Path) -> None:
    """Rename, but never over a file that is there."""
    try:
        # The file system refuses a second link of this name, at the same moment as it makes one.
        os.link(fresh, path)
        fresh.unlink()
    except FileExistsError:
        fresh.unlink()
        raise StoreError(f"{path} is there already, and is left as it is.") from None
    except OSError:  # no hard links here (FAT, some network drives)
        if path.exists():
            raise StoreError(f"{path} is there already, and is left as it is.") from None
        fresh.rename(path)
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """Have the new name itself on the disk; Windows keeps it without being asked."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
