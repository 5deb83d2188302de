import os
from pathlib import Path

import pytest

from trayapp.errors import StoreDamaged, StoreError
from trayapp.forum import network
from trayapp.forum.network import Network
from trayapp.store import key_file

SEED = bytes(range(32))


def boats() -> Network:
    return network.found("Boats", b"r" * 32, salt=b"s" * network.SALT_BYTES, key=b"k" * 32)


def test_the_device_key_is_made_once_and_found_again(tmp_path: Path):
    made = key_file.load_or_make_identity(tmp_path / "data", lambda: SEED)
    found = key_file.load_or_make_identity(tmp_path / "data", lambda: b"\7" * 32)

    assert made.key == found.key


@pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")
def test_only_the_owner_may_read_the_keys(tmp_path: Path):
    old = os.umask(0)
    try:
        key_file.load_or_make_identity(tmp_path, lambda: SEED)
        key_file.save_network(tmp_path, boats())
    finally:
        os.umask(old)

    names = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert names == {"device.key": 0o600, "network.key": 0o600}


@pytest.mark.parametrize("content", [b"", b"short", SEED + b"\0"])
def test_a_damaged_device_key_is_told_and_left_as_it_is(tmp_path: Path, content: bytes):
    (tmp_path / "device.key").write_bytes(content)

    with pytest.raises(StoreDamaged, match="does not hold a device key"):
        key_file.load_or_make_identity(tmp_path, lambda: SEED)

    assert (tmp_path / "device.key").read_bytes() == content


def test_the_forums_key_is_kept_and_found_again(tmp_path: Path):
    assert key_file.load_network(tmp_path) is None

    key_file.save_network(tmp_path, boats())

    assert key_file.load_network(tmp_path) == boats()
    key_file.forget_network(tmp_path)
    key_file.forget_network(tmp_path)
    assert key_file.load_network(tmp_path) is None


@pytest.mark.parametrize(
    "content", [b"", b"\xc1", b"\x80", b"\x82\xa7genesis\xc4\x00\xa3key\xc4\x00", b"\x91" * 5000]
)
def test_a_damaged_forum_key_says_how_to_go_on(tmp_path: Path, content: bytes):
    (tmp_path / "network.key").write_bytes(content)

    with pytest.raises(StoreDamaged, match="join again"):
        key_file.load_network(tmp_path)


def test_a_key_is_never_written_over(tmp_path: Path):
    key_file.save_network(tmp_path, boats())
    before = (tmp_path / "network.key").read_bytes()

    with pytest.raises(StoreError, match="left as it is"):
        key_file.save_network(
            tmp_path,
            network.found("Cars", b"r" * 32, salt=b"s" * network.SALT_BYTES, key=b"l" * 32),
        )

    assert (tmp_path / "network.key").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["network.key"]


def test_a_disk_without_hard_links_gets_its_keys_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def no_links(*_: object) -> None:
        raise OSError(1, "not here")

    monkeypatch.setattr(os, "link", no_links)

    made = key_file.load_or_make_identity(tmp_path, lambda: SEED)
    assert (tmp_path / "device.key").read_bytes() == SEED
    key_file.save_network(tmp_path, boats())
    with pytest.raises(StoreError, match="left as it is"):
        key_file.save_network(tmp_path, boats())
    assert made.key


def test_what_a_crash_left_half_written_is_in_nobodys_way(tmp_path: Path):
    (tmp_path / "device.key.new").write_bytes(b"half")

    key_file.load_or_make_identity(tmp_path, lambda: SEED)

    assert (tmp_path / "device.key").read_bytes() == SEED
