from __future__ import annotations

import pytest

from trayapp.errors import SettingsError
from trayapp.settings import Settings, parse


def test_an_empty_file_means_the_defaults():
    assert parse("") == Settings(
        listen="", lan=True, bootstrap=(), notifications=True, daily_bytes=2_147_483_648
    )


def test_what_is_written_counts():
    settings = parse('listen = "127.0.0.1:0"\nlan = false\nbootstrap = ["wss://a:1", "wss://b:2"]')

    assert settings == Settings(
        listen="127.0.0.1:0", lan=False, bootstrap=("wss://a:1", "wss://b:2")
    )


def test_a_misspelt_setting_is_refused_by_name():
    with pytest.raises(SettingsError, match="'bootstrp' is not known; known are bootstrap, daily"):
        parse("bootstrp = []")


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ("lan = 1", "lan", "must be true or false"),
        ('notifications = "no"', "notifications", "must be true or false"),
        ("listen = 47311", "listen", "must be a text: HOST:PORT"),
        ('bootstrap = "wss://a:1"', "bootstrap", "must be a list of texts"),
        ("bootstrap = [1]", "bootstrap", "must be a list of texts"),
        ("daily_bytes = -1", "daily_bytes", "must be a number of bytes"),
        ("daily_bytes = true", "daily_bytes", "must be a number of bytes"),
        ("daily_bytes = 1.5", "daily_bytes", "must be a number of bytes"),
        ("lan == true", "settings.toml", "cannot be read"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_own_sentence(
    text: str, key: str, sentence: str
):
    with pytest.raises(SettingsError, match=sentence) as refused:
        parse(text)

    assert refused.value.key == key
