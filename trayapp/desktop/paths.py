"""Where things lie: the data directory and what is in it, the page, the icons."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs

from trayapp import settings
from trayapp.errors import SettingsError
from trayapp.settings import Settings

SETTINGS = "settings.toml"
LOGS = "logs"

_PACKAGE = Path(__file__).resolve().parent.parent


def data_dir(given: Path | None) -> Path:
    """The data directory: the one asked for, else this user's own."""
    if given is not None:
        return given.expanduser().absolute()
    return Path(platformdirs.user_data_dir("brothernet", appauthor=False))


def read_settings(folder: Path) -> Settings:
    """What the person chose in `settings.toml`; the defaults where there is no such file.

    Raises:
        SettingsError: the file is there and cannot be used.
    """
    try:
        text = (folder / SETTINGS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(SETTINGS, f"cannot be read: {error}") from error
    return settings.parse(text)


def program() -> list[str]:
    """How to start this program again: the executable itself where it is packed into one."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "trayapp"]


def ui_folder() -> Path:
    """The page's files: inside a wheel or an executable, beside the package in a checkout."""
    return _part("ui")


def icons_folder() -> Path:
    """The icons, likewise."""
    return _part("icons")


def icon() -> Path:
    """The program's icon, as a PNG."""
    return icons_folder() / "brothernet-64.png"


def _part(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
