"""Archives of every kind, whole and broken, as a person may hand them over."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import needs
from tests.generated import posts, write_posts
from trayapp.errors import ImportRefused
from trayapp.node import archive
from trayapp.node.archive import open_archive

MADE = posts(topics=5)
Pack = Callable[[Path, dict[str, bytes]], Path]


def _files() -> dict[str, bytes]:
    return {f"posts/2024-01/{post['id']}.json": json.dumps(post).encode() for post in MADE}


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _tar_xz(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "posts.tar.xz"
    path.write_bytes(lzma.compress(_tar(files), preset=0))
    return path


def _tar_gz(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "posts.tar.gz"
    path.write_bytes(gzip.compress(_tar(files)))
    return path


def _zip(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "posts.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def _folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / "posts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "posts"


every_kind = pytest.mark.parametrize("pack", [_tar_xz, _tar_gz, _zip, _folder])
packed_kinds = pytest.mark.parametrize("pack", [_tar_xz, _tar_gz, _zip])
tar_kinds = pytest.mark.parametrize("pack", [_tar_xz, _tar_gz])


def _read(path: Path) -> list[Any]:
    with open_archive(path) as opened:
        return list(opened)


def _by_id(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda post: post["id"])


@every_kind
def test_every_kind_of_archive_gives_the_same_posts(tmp_path: Path, pack: Pack):
    assert _by_id(_read(pack(tmp_path, _files()))) == MADE


def test_a_folder_is_read_with_all_that_is_below_it(tmp_path: Path):
    assert _by_id(_read(write_posts(tmp_path, topics=5))) == MADE


@packed_kinds
def test_what_an_archive_is_its_bytes_say_and_not_its_name(tmp_path: Path, pack: Pack):
    renamed = pack(tmp_path, _files()).rename(tmp_path / "download (1)")
    assert _by_id(_read(renamed)) == MADE


@every_kind
def test_a_file_that_is_no_json_is_met_and_the_others_are_read(tmp_path: Path, pack: Pack):
    bad = {"posts/a.json": b"<html>", "posts/b.json": b"", "posts/c.json": b"\xff\xfe{}"}
    bad["posts/d.json"] = b"[" * 100_000
    found = _read(pack(tmp_path, _files() | bad))
    assert found.count(None) == len(bad)
    assert _by_id([post for post in found if post]) == MADE


@every_kind
def test_files_that_are_no_posts_by_name_are_passed_over(tmp_path: Path, pack: Pack):
    others = {"README.md": b"#", "posts/._1.json": b"\0\5", ".hidden.json": b"{}", "x.JSON": b"7"}
    found = _read(pack(tmp_path, _files() | others))
    assert 7 in found
    assert len(found) == len(MADE) + 1


def test_a_byte_order_mark_does_no_harm(tmp_path: Path):
    assert _read(_folder(tmp_path, {"a.json": b'\xef\xbb\xbf{"id": 1}'})) == [{"id": 1}]


@every_kind
def test_done_grows_up_to_the_total(tmp_path: Path, pack: Pack):
    with open_archive(pack(tmp_path, _files())) as opened:
        steps = [opened.done for _ in opened]
        assert steps == sorted(steps)
        assert opened.done == opened.total > 0


def test_a_missing_path_is_refused(tmp_path: Path):
    with pytest.raises(ImportRefused, match=r"no file or folder .*nowhere\.zip"):
        _read(tmp_path / "nowhere.zip")


def test_another_kind_of_file_is_refused_with_the_kinds_there_are(tmp_path: Path):
    (tmp_path / "posts.rar").write_bytes(b"Rar!\x1a\x07\x00")
    with pytest.raises(ImportRefused, match=r"\.tar\.xz, a \.tar\.gz or a \.zip"):
        _read(tmp_path / "posts.rar")


@pytest.mark.parametrize("content", [b"", b"not what the name says"])
@pytest.mark.parametrize("name", ["posts.tar.xz", "posts.tar.gz", "POSTS.ZIP"])
def test_a_file_that_is_not_what_its_name_says_is_broken(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImportRefused, match="broken"):
        _read(tmp_path / name)


@packed_kinds
def test_an_archive_cut_short_anywhere_is_refused(tmp_path: Path, pack: Pack):
    path = pack(tmp_path, _files())
    whole = path.read_bytes()
    for length in range(len(whole) - 1, 5, -len(whole) // 40 or -1):
        path.write_bytes(whole[:length])
        with pytest.raises(ImportRefused, match="broken"):
            _read(path)


@packed_kinds
def test_a_damaged_byte_gives_a_refusal_or_the_same_posts_and_nothing_else(
    tmp_path: Path, pack: Pack
):
    path = pack(tmp_path, _files())
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), len(whole) // 150 or 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            found = _read(path)
        except ImportRefused:
            refused += 1
        else:  # a date, a right, the name of a file
            assert _by_id(found) == MADE
    assert refused > 20


@tar_kinds
def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end(tmp_path: Path, pack: Pack):
    whole = bytearray(_tar(_files()))
    middle = whole.index(b"posts/2024-01/9.json")
    whole[middle + 148] ^= 1  # its check sum
    path = pack(tmp_path, _files())
    compress = lzma.compress if path.suffix == ".xz" else gzip.compress
    path.write_bytes(compress(bytes(whole)))
    with pytest.raises(ImportRefused, match="broken"):
        _read(path)


@every_kind
def test_an_archive_without_a_post_is_refused(tmp_path: Path, pack: Pack):
    with pytest.raises(ImportRefused, match=r"holds no \.json file"):
        _read(pack(tmp_path, {"README.md": b"nothing here"}))


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(ImportRefused, match=r"holds no \.json file"):
        _read(tmp_path)


@every_kind
def test_a_file_that_unpacks_to_more_than_any_post_is_refused(tmp_path: Path, pack: Pack):
    bomb = b" " * (archive.MEMBER_BYTES + 2 * 2**20)
    with pytest.raises(ImportRefused, match="over 16 MiB"):
        _read(pack(tmp_path, {"posts/1.json": b"{}", "posts/2.json": bomb}))


@tar_kinds
def test_an_endless_header_is_refused_before_it_is_held(tmp_path: Path, pack: Pack):
    """tarfile reads an extended header of any announced size at once."""
    header = tarfile.TarInfo("long")
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = 64 * 2**20
    path = pack(tmp_path, {})
    compress = lzma.compress if path.suffix == ".xz" else gzip.compress
    path.write_bytes(compress(header.tobuf(tarfile.GNU_FORMAT) + b"a" * header.size))
    with pytest.raises(ImportRefused, match="over 16 MiB"):
        _read(path)


@every_kind
def test_an_archive_that_unpacks_to_more_than_any_forum_is_refused(
    tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archive, "UNPACKED_BYTES", 1_000)
    with pytest.raises(ImportRefused, match="unpacks to over"):
        _read(pack(tmp_path, _files()))


@every_kind
def test_an_archive_of_more_files_than_any_forum_has_is_refused(
    tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archive, "MEMBERS", 3)
    with pytest.raises(ImportRefused, match="over 3 files"):
        _read(pack(tmp_path, _files()))


def test_an_encrypted_zip_is_refused(tmp_path: Path):
    path = _zip(tmp_path, _files())
    whole = bytearray(path.read_bytes())
    directory = whole.index(b"PK\1\2")
    whole[directory + 8] |= 1
    path.write_bytes(whole)
    with pytest.raises(ImportRefused, match="password"):
        _read(path)


def test_links_and_devices_in_a_tar_are_passed_over(tmp_path: Path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            entry = tarfile.TarInfo(f"{kind!r}.json")
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
        entry = tarfile.TarInfo("1.json")
        entry.size = 2
        tar.addfile(entry, io.BytesIO(b"{}"))
    path = tmp_path / "posts.tar.gz"
    path.write_bytes(gzip.compress(packed.getvalue()))
    assert _read(path) == [{}]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_a_pipe_in_a_folder_holds_nobody_up(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.json")
    assert _by_id(_read(_folder(tmp_path, _files()))) == MADE
    assert _by_id(_read(tmp_path)) == MADE


def test_what_the_system_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = _zip(tmp_path, _files())

    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImportRefused, match="cannot be read: Permission denied"):
        _read(path)


def test_a_folder_that_may_not_be_looked_into_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = _folder(tmp_path, _files())
    (path / "posts" / "locked").mkdir()
    look = os.scandir

    def refuse(place: str) -> Any:
        if place.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return look(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ImportRefused, match="cannot be read: Permission denied"):
        _read(path)


def test_the_real_archive_is_read_in_seconds():
    begun = time.perf_counter()
    found = _read(needs.archive())
    assert len(found) == 4_661
    assert time.perf_counter() - begun < 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files there")
def test_what_is_neither_file_nor_folder_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")

    with (
        pytest.raises(ImportRefused, match="neither a file nor a folder"),
        open_archive(tmp_path / "pipe"),
    ):
        pass
