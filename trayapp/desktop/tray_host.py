"""Whether this desktop has a place for a tray icon.

On Linux the icon may go nowhere without a word: stock GNOME shows none. Elsewhere there is always
a tray.
"""

from __future__ import annotations

import os
import sys

_WATCHER = "org.kde.StatusNotifierWatcher"
_ASK_MS = 2000


def has_tray() -> bool:
    """Ask the session bus and the X server; True where either shows icons."""
    if sys.platform != "linux":
        return True
    return _has_watcher() or _has_xembed()


def _has_watcher() -> bool:
    """A StatusNotifierItem host: KDE, Xfce, GNOME with its extension."""
    try:
        import gi

        gi.require_version("Gio", "2.0")
        from gi.repository import Gio, GLib
    except (ImportError, ValueError):
        return False
    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        answer = bus.call_sync(
            *("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"),
            "NameHasOwner",
            GLib.Variant("(s)", (_WATCHER,)),
            GLib.VariantType("(b)"),
            Gio.DBusCallFlags.NONE,
            _ASK_MS,
            None,
        )
    except GLib.Error:  # no session bus at all
        return False
    return bool(answer.unpack()[0])


def _has_xembed() -> bool:
    """An older panel that takes icons as little windows."""
    if not os.environ.get("DISPLAY"):
        return False
    from Xlib import X
    from Xlib.display import Display
    from Xlib.error import DisplayError

    try:
        display = Display()
    except (DisplayError, OSError):
        return False
    try:
        selection = display.intern_atom(f"_NET_SYSTEM_TRAY_S{display.get_default_screen()}")
        return bool(display.get_selection_owner(selection) != X.NONE)
    finally:
        display.close()
