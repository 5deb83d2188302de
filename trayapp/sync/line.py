"""What the parts of one session share, and what all sessions of a node share."""

from __future__ import annotations

from dataclasses import dataclass, field

from trayapp.sync.actions import Action
from trayapp.sync.copies import Copies, Pair
from trayapp.sync.gossip import Seen
from trayapp.sync.messages import Message
from trayapp.sync.outbox import Outbox
from trayapp.sync.wants import Streams, Wants


@dataclass(frozen=True, slots=True)
class Shared:
    """One of these for the whole node."""

    wants: Wants = field(default_factory=Wants)
    streams: Streams = field(default_factory=Streams)
    copies: Copies = field(default_factory=Copies)
    seen: Seen = field(default_factory=Seen)
    """Operations stored lately: pushed again by another peer they are not even checked."""


class Line:
    """One peer, the frames that go to it, and what its frames make the shell do."""

    def __init__(self, me: bytes, peer: bytes, shared: Shared) -> None:
        self.me = me
        self.peer = peer
        self.shared = shared
        self.outbox = Outbox()
        self.actions: list[Action] = []
        self.their_taking = True
        self.pairs: tuple[Pair, ...] = shared.copies.with_peer(peer)
        self.known = Seen(1_024)
        """Operations this peer holds or was told of: nobody tells it again."""

    def say(self, message: Message) -> None:
        """Queue a frame for the peer."""
        self.outbox.say(message)

    def do(self, action: Action) -> None:
        """Queue an action for the shell."""
        self.actions.append(action)
