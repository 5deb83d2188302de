from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from trayapp.api import token
from trayapp.api.token import Doorplate

PLATE = Doorplate("http://127.0.0.1:4000", "secret", 42)


def test_what_is_written_is_read(tmp_path: Path):
    token.write(tmp_path, PLATE)

    assert token.read(tmp_path) == PLATE
    written = json.loads((tmp_path / "api.json").read_text(encoding="utf-8"))
    assert {"url", "token", "pid"} <= written.keys()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_the_file_is_its_owners_alone_even_over_an_open_one(tmp_path: Path):
    (tmp_path / "api.json").write_text("{}", encoding="utf-8")
    (tmp_path / "api.json").chmod(0o644)

    token.write(tmp_path, PLATE)

    assert (tmp_path / "api.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"url": 1}', b"\xff\xfe", b'{"url": "x"}'])
def test_a_file_that_is_none_of_ours_counts_as_none(tmp_path: Path, text: bytes):
    (tmp_path / "api.json").write_bytes(text)

    assert token.read(tmp_path) is None


def test_no_file_no_node(tmp_path: Path):
    token.remove(tmp_path)

    assert token.read(tmp_path) is None


def test_it_is_gone_when_removed_and_nothing_is_left_beside_it(tmp_path: Path):
    token.write(tmp_path, PLATE)
    token.remove(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_tokens_differ():
    assert token.new_token() != token.new_token()
