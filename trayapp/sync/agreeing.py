"""What one session does about copies that differ: stream, reconcile, or leave it to the peer."""

from __future__ import annotations

from trayapp.sync.asking import Asking
from trayapp.sync.copies import Pair
from trayapp.sync.limits import NEG_PAUSE_LEAST_S
from trayapp.sync.line import Line
from trayapp.sync.reconciling import Reconciling
from trayapp.sync.serving import Serving

HOLDING_BACK_PAUSE_S = 3_600.0
"""Short of room we reconcile hourly, only to say HAVE."""


class Agreeing:
    """Moves a session towards equal copies, where it is our turn."""

    def __init__(
        self, line: Line, asking: Asking, serving: Serving, reconciling: Reconciling
    ) -> None:
        self._line = line
        self._asking = asking
        self._serving = serving
        self._reconciling = reconciling

    def agree(self, now: float) -> None:
        """Begin what is due; nothing while ids of this peer are wanted, or it owes an answer."""
        shared, peer = self._line.shared, self._line.peer
        if shared.wants.is_tardy(peer) or shared.wants.offered(peer):
            return
        for pair in self._line.pairs:
            streamed = shared.streams.holds_up(pair.log, peer, now)
            if not (pair.settled or streamed or self._reconciling.is_busy(pair.log)):
                self._agree_on(pair, now)

    def _agree_on(self, pair: Pair, now: float) -> None:
        line, copies = self._line, self._line.shared.copies
        ours = copies.ours[pair.log]
        free = line.shared.streams.peer_of(pair.log) is None
        if copies.taking and free and pair.worth_a_stream(ours):
            self._asking.stream(pair.log, now)
            return
        smaller = pair.due or (ours.count, line.me) < (pair.theirs.count, line.peer)
        if not smaller and self._serving.is_busy(now):  # it fetches: it will see by itself
            return
        pause = NEG_PAUSE_LEAST_S if copies.taking else HOLDING_BACK_PAUSE_S
        if line.their_taking and pair.may_reconcile(ours, now, smaller=smaller, pause=pause):
            self._reconciling.open(pair.log, now)
