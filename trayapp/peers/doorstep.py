"""Who has come in and proved nothing yet: few at a time, and the newest rather than the oldest.

Pure bookkeeping (PROTOCOL.md section 8): the listener says who comes and goes, and sends away whom
this names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable
from typing import Generic, TypeVar

PER_ADDRESS = 4
IN_ALL = 32

Visitor = TypeVar("Visitor", bound=Hashable)


class Doorstep(Generic[Visitor]):
    """The half-open links, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: dict[Visitor, str] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def come(self, visitor: Visitor, host: str) -> Visitor | None:
        """Somebody comes in from an IP address.

        Returns:
            Who has to go for it, if anybody: the oldest from there, or the oldest of all. Slow
            strangers so never keep a friend out, who needs a few milliseconds only.
        """
        neighbourhood = _neighbourhood(host)
        self._waiting[visitor] = neighbourhood
        neighbours = [v for v, where in self._waiting.items() if where == neighbourhood]
        oldest = None
        if len(neighbours) > PER_ADDRESS:
            oldest = neighbours[0]
        elif len(self._waiting) > IN_ALL:
            oldest = next(iter(self._waiting))
        if oldest is not None:
            self.go(oldest)
        return oldest

    def go(self, visitor: Visitor) -> None:
        """Somebody proved who it is, or left."""
        self._waiting.pop(visitor, None)


def _neighbourhood(host: str) -> str:
    """What counts as one address: an IPv6 /64 does, for whoever has one has all of it."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
