"""Keep the parts that meet the weather alive: restart what failed, let bugs surface.

Weather is what the outside world does to us: an error of ours for a person, or of the operating
system. Anything else is a bug: it ends the node, loudly, instead of hiding in a loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from trayapp.errors import TrayAppError

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""Work that ran so long before it failed starts again with the shortest pause."""

_log = logging.getLogger(__name__)


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    first_pause_s: float = FIRST_PAUSE_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> None:
    """Run `work` until it returns by itself, again after each failure that is weather.

    Each failure is logged once: the same sentence again and again is not news.

    Args:
        name: what failed, in the log.
        work: starts the work anew on every call.

    Raises:
        Exception: whatever is no weather; the caller's TaskGroup ends the node with it.
    """
    loop = asyncio.get_running_loop()
    pause_s, told = first_pause_s, ""
    while True:
        began = loop.time()
        try:
            return await work()
        except (TrayAppError, OSError) as error:
            sentence = str(error) or type(error).__name__
        if loop.time() - began > STEADY_S:
            pause_s = first_pause_s
        level = logging.DEBUG if sentence == told else logging.WARNING
        _log.log(level, "%s failed: %s It is tried again.", name, sentence)
        told = sentence
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, longest_pause_s)
