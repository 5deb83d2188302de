"""Who is told where machines can be reached: our own record, and PEERS from a bootstrap.

Every machine tells its links its own signed record. A bootstrap passes on what it knows: all of it
when a link is READY, then what changes, within a second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from trayapp.peers.directory import Changes, Directory, own_record
from trayapp.peers.greeting import Passport
from trayapp.peers.link import Link
from trayapp.sync.actions import HearRecords
from trayapp.sync.address_record import LONGEST_TTL_S, SignedRecord
from trayapp.sync.messages import RECORDS_PER_FRAME, Announce, Peers, Role

COALESCE_S = 0.25
"""Changes wait this long for others to go with them."""
RENEW_S = LONGEST_TTL_S / 2
EXPIRE_S = 1.0
GONE_PER_FRAME = 1_024


class Introductions:
    """The say of one machine about addresses."""

    def __init__(
        self,
        passport: Passport,
        directory: Directory,
        role: Role,
        listening: Callable[[], Sequence[str]],
    ) -> None:
        """Args: `listening` gives the addresses of this machine as they are now."""
        self._passport = passport
        self._directory = directory
        self._passes_on = role is Role.BOOTSTRAP
        self._listening = listening
        self._own: SignedRecord | None = None
        self._own_addresses: tuple[str, ...] = ()
        self._own_made_at = 0.0
        self._expired_at = 0.0
        self._seen_version = directory.version
        self._changed_at: float | None = None

    def welcome(self, link: Link, links: Collection[bytes], now: float) -> None:
        """A link is READY: tell our own address, and as a bootstrap everybody's."""
        if self._own is None:
            self._renew(links, now)
        if self._own is not None:
            link.session.say_addresses(Announce(self._own))
        if self._passes_on:
            everything = Changes(self._directory.version, True, self._directory.full(), ())
            self._tell(link, everything)

    def hear(self, action: HearRecords, link: Link, now: float) -> None:
        """Take in what a peer says.

        Raises:
            RemoteProtocolError: a record is malformed, or not signed by its device.
        """
        host = link.channel.remote_host
        for record in action.records:
            self._directory.hear(record, now, learned_from=host)
        self._directory.withdraw(action.gone, learned_from=host)

    def alive(self, peer: bytes, now: float) -> None:
        """A linked peer gave a sign of life."""
        self._directory.pinged(peer, now)

    def tick(self, links: Sequence[Link], now: float) -> None:
        """Renew our own record in time, and pass on changes."""
        if now - self._expired_at >= EXPIRE_S:
            self._expired_at = now
            self._directory.expire(now)
        if self._renew([link.peer for link in links], now) and self._own is not None:
            for link in links:
                link.session.say_addresses(Announce(self._own))
        if self._passes_on:
            self._pass_on(links, now)

    def _renew(self, links: Collection[bytes], now: float) -> bool:
        """Sign our record anew where it is old or wrong; True if that was so."""
        addresses = tuple(self._listening())
        fresh = self._own is not None and now - self._own_made_at < RENEW_S
        if addresses == self._own_addresses and (fresh or not addresses):
            return False
        self._own = own_record(self._passport, addresses, list(links))
        self._own_addresses, self._own_made_at = addresses, now
        return True

    def _pass_on(self, links: Sequence[Link], now: float) -> None:
        if self._directory.version != self._seen_version:
            self._seen_version = self._directory.version
            self._changed_at = self._changed_at or now
        if self._changed_at is None or now - self._changed_at < COALESCE_S:
            return
        self._changed_at = None
        for link in links:
            if link.told_directory is not None:
                self._tell(link, self._directory.changes(link.told_directory))

    def _tell(self, link: Link, changes: Changes) -> None:
        """Say it in as many frames as it takes; a peer's own record is none of its news."""
        link.told_directory = changes.version
        add, whole, gone = changes.add, changes.whole, changes.gone
        while whole or add or gone:
            link.session.say_addresses(Peers(whole, add[:RECORDS_PER_FRAME], gone[:GONE_PER_FRAME]))
            whole, add, gone = False, add[RECORDS_PER_FRAME:], gone[GONE_PER_FRAME:]
