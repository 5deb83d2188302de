"""Starting programs that are not ours: the browser, first of all.

A packed executable tells its children where its own libraries lie. Our own children need that;
a foreign program would load our libraries instead of its own and fall over.
"""

from __future__ import annotations

import os
import subprocess
import sys
import webbrowser
from collections.abc import MutableMapping

_PACKED_PREFIXES = ("_PYI_", "_MEIPASS")
_LIBRARY_PATH = "LD_LIBRARY_PATH"


def forget_packing(environment: MutableMapping[str, str]) -> None:
    """Make an environment as it was before the packed executable unpacked itself."""
    original = environment.pop(f"{_LIBRARY_PATH}_ORIG", None)
    if original:
        environment[_LIBRARY_PATH] = original
    elif getattr(sys, "frozen", False):
        environment.pop(_LIBRARY_PATH, None)
    unpacked = getattr(sys, "_MEIPASS", None)
    for name, value in list(environment.items()):
        ours = unpacked is not None and value.startswith(unpacked)
        if name.startswith(_PACKED_PREFIXES) or ours:
            del environment[name]


def open_browser(url: str) -> bool:
    """Open an address in the person's browser; False when there is none.

    The address is handed to a child of ours that does it with a clean environment, where one
    is needed: `webbrowser` itself takes no environment.
    """
    if not getattr(sys, "frozen", False) or sys.platform != "linux":
        return webbrowser.open(url)
    environment = dict(os.environ)
    forget_packing(environment)
    try:
        subprocess.Popen(["xdg-open", url], env=environment, start_new_session=True)
    except OSError:
        return False
    return True
