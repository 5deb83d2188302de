"""The bootstrap list: machines everybody can reach, as the settings name them.

An ordinary node with a full copy on a rented machine; its entry carries its key (PROTOCOL.md
section 10). It can withhold, never forge, and the forum works with all of them off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from trayapp.errors import InvalidAddress
from trayapp.peers.finder import PeerAddress, parse_address
from trayapp.status import PeerPath


class BootstrapFinder:
    """Yields the entries of the list, once."""

    def __init__(self, entries: Iterable[str], path: PeerPath = PeerPath.BOOTSTRAP) -> None:
        """Read the list; the addresses of an invite come the same way, with their own path."""
        self.problems: list[str] = []
        """One sentence for each entry that is no address."""
        self._addresses: list[PeerAddress] = []
        for entry in entries:
            try:
                self._addresses.append(parse_address(entry, path))
            except InvalidAddress as error:
                self.problems.append(str(error))

    async def addresses(self) -> AsyncIterator[PeerAddress]:
        """Every usable entry; names among them are looked up at each dial."""
        for address in self._addresses:
            yield address
