"""One node for each data directory: a second start brings forward what runs already."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from trayapp.api.client import Client
from trayapp.errors import NodeUnreachable


class Running(Enum):
    """What a second start finds."""

    NOBODY = "nobody"
    """It is the first."""
    SHOWN = "shown"
    """A window comes forward, or one is opened."""
    WITHOUT_WINDOW = "without window"
    """A node without a screen: whoever wants a window opens one on it."""


async def bring_forward(data_dir: Path, path: str = "") -> Running:
    """Ask the node of a data directory to show its page, at `path` such as `/t/THREAD`."""
    try:
        async with Client.connect(data_dir) as client:
            shown = (await client.call("show_page", path=path))["shown"]
    except NodeUnreachable:
        return Running.NOBODY
    return Running.SHOWN if shown else Running.WITHOUT_WINDOW
