"""What some tests need from the machine: a screen, a bus, a browser, a wire, the real posts.

Each function gives the thing or ends the test: skipped with the reason on somebody's laptop, failed
where `CI` is set, because a check that may skip there checks nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = "discourse-posts.tar.xz"
TRANSCRIPTS = "negentropy-transcripts.json"


def display() -> None:
    """A virtual screen with a window manager, and the tools that look at it and click."""
    _programs("Xvfb", "openbox", "xdotool")


def bus() -> None:
    """A D-Bus session bus of our own."""
    _programs("dbus-daemon")


def webview() -> None:
    """GTK 3, WebKitGTK 4.1 and the appindicator library, as the real tray and window use them."""
    if find_spec("gi") is None:
        _missing("PyGObject (python3-gi)")
    import gi

    for library, version in (("Gtk", "3.0"), ("WebKit2", "4.1"), ("AyatanaAppIndicator3", "0.1")):
        try:
            gi.require_version(library, version)
        except ValueError:
            _missing(f"the typelib of {library} {version}")


def chromium() -> Path:
    """The browser that the tests of the page drive."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else _missing("Chromium")


def tun() -> None:
    """Network namespaces and a tun device: what the switch between test machines is made of."""
    if sys.platform != "linux":
        _missing("Linux (network namespaces)")
    _programs("ip")
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        _missing(f"a tun device ({error.strerror})")
    if os.geteuid() != 0:
        _missing("the right to make network namespaces (root)")


def archive() -> Path:
    """The 4,661 real posts, packed. Tests that any posts will do for take `forum_archive`."""
    return _data_file(ARCHIVE)


def transcripts() -> Path:
    """Conversations of the JavaScript reference of negentropy, as JSON."""
    return _data_file(TRANSCRIPTS)


def find_data(name: str) -> Path | None:
    """Where a file of real data lies: beside the checkout, or where $BROTHERNET_DATA says."""
    places = [ROOT.parent / "shared" / "data"]
    if elsewhere := os.environ.get("BROTHERNET_DATA"):
        places.append(Path(elsewhere))
    return next((place / name for place in places if (place / name).is_file()), None)


def in_ci() -> bool:
    """Whether a missing thing is a failure rather than a reason to skip."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def _data_file(name: str) -> Path:
    return find_data(name) or _missing(f"{name} (in ../shared/data or $BROTHERNET_DATA)")


def _programs(*names: str) -> None:
    absent = [name for name in names if shutil.which(name) is None]
    if absent:
        _missing(", ".join(absent))


def _missing(what: str) -> NoReturn:
    if in_ci():
        pytest.fail(f"needs {what}, and with CI set nothing may be missing", pytrace=False)
    pytest.skip(f"needs {what}")
