from __future__ import annotations

import logging
from pathlib import Path

import pytest

from trayapp.desktop import logs
from trayapp.errors import StoreReadOnly

LOG = logging.getLogger("trayapp.test")


def _written(folder: Path) -> str:
    return (folder / "logs" / "brothernet.log").read_text(encoding="utf-8")


def test_what_happens_is_kept_in_the_data_directory_while_the_block_runs(tmp_path: Path):
    with logs.kept_in(tmp_path, aloud=False):
        LOG.info("a line of ours")
        logging.getLogger("aiohttp.access").info("a line of theirs")
        logging.getLogger("aiohttp.server").warning("a warning of theirs")
    LOG.warning("afterwards")

    written = _written(tmp_path)
    assert "a line of ours" in written
    assert "a warning of theirs" in written
    assert "a line of theirs" not in written
    assert "afterwards" not in written


def test_warnings_are_said_aloud_where_somebody_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with logs.kept_in(tmp_path, aloud=True):
        LOG.info("quietly")
        LOG.warning("Port 47311 is taken.")
    assert capsys.readouterr().err == "Port 47311 is taken.\n"

    with logs.kept_in(tmp_path, aloud=False):
        LOG.warning("not aloud")
    assert capsys.readouterr().err == ""


def test_five_files_of_a_megabyte_are_kept(tmp_path: Path):
    with logs.kept_in(tmp_path, aloud=False):
        for _ in range(80):
            LOG.info("x" * 100_000)

    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == 5
    assert all(file.stat().st_size <= 1_000_000 for file in files)


def test_a_directory_that_cannot_be_written_is_refused_in_words(tmp_path: Path):
    (tmp_path / "logs").write_text("a file in its place", encoding="utf-8")

    with (
        pytest.raises(StoreReadOnly, match="cannot be written"),
        logs.kept_in(tmp_path, aloud=False),
    ):
        pass
