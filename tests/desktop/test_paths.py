from __future__ import annotations

from pathlib import Path

import pytest

from trayapp.desktop import paths
from trayapp.errors import SettingsError
from trayapp.settings import Settings


def test_a_data_directory_asked_for_is_taken_as_it_is(tmp_path: Path):
    assert paths.data_dir(tmp_path / "forum") == tmp_path / "forum"


def test_a_relative_data_directory_holds_wherever_a_child_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    assert paths.data_dir(Path("forum")) == tmp_path / "forum"


def test_without_one_it_is_this_users_own():
    assert paths.data_dir(None).name == "brothernet"


def test_no_settings_file_means_the_defaults(tmp_path: Path):
    assert paths.read_settings(tmp_path) == Settings()


def test_the_settings_file_is_read(tmp_path: Path):
    (tmp_path / "settings.toml").write_text("lan = false", encoding="utf-8")

    assert paths.read_settings(tmp_path) == Settings(lan=False)


def test_a_settings_file_that_is_no_text_is_refused_in_words(tmp_path: Path):
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="cannot be read"):
        paths.read_settings(tmp_path)


def test_the_icons_are_found_in_a_checkout():
    assert paths.ui_folder().parent == paths.icons_folder().parent
