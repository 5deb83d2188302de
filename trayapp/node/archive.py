"""Reading the posts out of an archive: a folder, .tar.xz, .tar.gz or .zip of JSON files.

What kind it is, its first bytes decide. Nothing is unpacked to the disk. What a post must look like
is the matter of `forum/discourse.py`.
"""

from __future__ import annotations

import codecs
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn

import msgspec

from trayapp.errors import ImportRefused

MEMBER_BYTES = 16 * 1024 * 1024
UNPACKED_BYTES = 8 * 1024**3
MEMBERS = 2_000_000

_XZ = b"\xfd7zXZ\0"
_GZIP = b"\x1f\x8b"
_ZIP = b"PK"
_NAMES = (".tar.xz", ".txz", ".tar.gz", ".tgz", ".zip")
_BETWEEN_BYTES = 64 * 1024
"""What may stand between two files of a tar: headers, padding."""
_CHUNK_BYTES = 256 * 1024
_BROKEN = (
    *(EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, tarfile.TarError),
    # NotImplementedError: a compression that zipfile does not know. The last two: damaged headers.
    *(zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError),
)


class Archive:
    """An open archive, to be gone through once. `done` of `total` says how far that has come.

    Both count packed bytes in a tar, files in a folder or a zip.
    """

    def __init__(
        self,
        path: Path,
        files: Iterator[bytes],
        total: int,
        position: Callable[[], int] | None = None,
    ) -> None:
        self.total = total
        self._path = path
        self._files = files
        self._position = position
        self._found = 0

    @property
    def done(self) -> int:
        return self._position() if self._position else self._found

    def __iter__(self) -> Iterator[Any]:
        """Each JSON file, decoded; None for one that is no JSON."""
        with _sentences(self._path):
            for content in self._files:
                self._found += 1
                yield _decoded(content)
        if not self._found:
            raise ImportRefused(f"There is no post in {self._path}: it holds no .json file.")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive by what it is, not by its name.

    Raises:
        ImportRefused: it is missing, of another kind, broken, holds no JSON file, or is far larger
            unpacked than any forum. Going through it raises the same.
    """
    with ExitStack() as stack:
        with _sentences(path):
            archive = _open(path, stack)
        yield archive


def _open(path: Path, stack: ExitStack) -> Archive:
    if not path.exists():
        raise ImportRefused(f"There is no file or folder {path}.")
    if path.is_dir():
        paths = _folder_files(path)
        return Archive(path, _folder_contents(paths), len(paths))
    if not path.is_file():  # to open a pipe waits until somebody writes into it
        raise ImportRefused(f"{path} is neither a file nor a folder.")
    file = stack.enter_context(path.open("rb"))
    start = file.read(len(_XZ))
    file.seek(0)
    if start.startswith(_ZIP):
        packed = stack.enter_context(zipfile.ZipFile(file))
        members = _zip_members(packed, path)
        return Archive(path, _zip_contents(packed, members), len(members))
    size = os.fstat(file.fileno()).st_size
    unpacked = _unpacked(path, file, start)
    stack.callback(unpacked.close)
    return Archive(path, _tar_contents(_Metered(unpacked, path)), size, file.tell)


def _unpacked(path: Path, file: BinaryIO, start: bytes) -> lzma.LZMAFile | gzip.GzipFile:
    if start == _XZ:
        return lzma.LZMAFile(file)
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    if path.name.lower().endswith(_NAMES):
        raise tarfile.ReadError("not what its name says")
    raise ImportRefused(
        f"{path} is of a kind that cannot be imported. "
        "It may be a folder, a .tar.xz, a .tar.gz or a .zip of post JSON."
    )


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Say what the system and the unpackers mean."""
    try:
        yield
    except _BROKEN as error:
        raise ImportRefused(
            f"{path} is broken: it cannot be unpacked to its end. Fetch it again."
        ) from error
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror or error}.") from error


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_post(name: str) -> bool:
    """Whether a file of this name is meant: not the hidden twins that macOS packs along."""
    last = PurePosixPath(name).name
    return last.lower().endswith(".json") and not last.startswith(".")


def _check_member(size: int, total: int, count: int, path: Path) -> None:
    """A few bytes can unpack to a disk full of zeros."""
    if size > MEMBER_BYTES:
        _refuse(path, f"a file in it has over {MEMBER_BYTES // 1024**2} MiB")
    if total > UNPACKED_BYTES:
        _refuse(path, f"it unpacks to over {UNPACKED_BYTES // 1024**3} GiB")
    if count > MEMBERS:
        _refuse(path, f"it holds over {MEMBERS:,} files")


def _refuse(path: Path, why: str) -> NoReturn:
    raise ImportRefused(f"{path} is not imported: {why}.")


# --- folders ---


def _folder_files(folder: Path) -> list[Path]:
    """The files of a folder and those below, in order. Links to folders are not followed."""
    found: list[Path] = []
    total = 0
    for place, _, names in os.walk(folder, onerror=_raise):
        for path in (Path(place) / name for name in filter(_is_post, names)):
            if path.is_file():
                size = path.stat().st_size
                total += size
                found.append(path)
                _check_member(size, total, len(found), folder)
    return sorted(found)


def _raise(error: OSError) -> NoReturn:
    raise error


def _folder_contents(paths: list[Path]) -> Iterator[bytes]:
    return (path.read_bytes() for path in paths)


# --- zip ---


def _zip_members(packed: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    everything = packed.infolist()
    total = 0
    for count, member in enumerate(everything, 1):
        total += member.file_size
        _check_member(member.file_size, total, count, path)
    members = [m for m in everything if _is_post(m.filename) and not m.is_dir()]
    if any(member.flag_bits & 1 for member in members):
        _refuse(path, "its files are under a password")
    return members


def _zip_contents(packed: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[bytes]:
    # A member never gives more than the size it announces, which was checked.
    return (packed.read(member) for member in members)


# --- tar ---


class _Metered:
    """An unpacked stream that ends a bomb: tarfile would read its headers of any size at once."""

    def __init__(self, stream: lzma.LZMAFile | gzip.GzipFile, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._total = 0
        self._since = 0

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._since += len(block)
        self._total += len(block)
        _check_member(self._since - _BETWEEN_BYTES, self._total, 0, self._path)
        return block

    def next_member(self, size: int, count: int) -> None:
        """A file was reached: what was read before it does not count against it."""
        self._since = 0
        _check_member(size, self._total, count, self._path)


def _tar_contents(stream: _Metered) -> Iterator[bytes]:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK_BYTES) as tar:  # type: ignore[call-overload]
        count = 0
        while member := tar.next():
            count += 1
            stream.next_member(member.size, count)
            tar.members.clear()  # else it remembers every one
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None and _is_post(member.name):
                yield content.read()
        _read_to_the_end(tar)


def _read_to_the_end(tar: tarfile.TarFile) -> None:
    """See that nothing but zeros follows.

    A damaged header looks to tarfile like the end of the archive, and the check sums of xz and gzip
    stand behind all that they cover.
    """
    assert tar.fileobj is not None
    while block := tar.fileobj.read(_CHUNK_BYTES):
        if block.strip(b"\0"):
            raise tarfile.ReadError("a header in the middle is damaged")
