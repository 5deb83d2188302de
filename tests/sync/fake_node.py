"""A node without sockets or disk: real sessions, real operations, and a dict instead of a store.

`Village` joins any number of them by wires that a test may delay, cut and mend.
"""

from __future__ import annotations

import itertools
from collections import deque
from functools import cache

from trayapp.errors import RemoteProtocolError
from trayapp.forum.identity import Identity
from trayapp.forum.operation import Draft, Kind, Log, Operation, parse, sign
from trayapp.sync.actions import (
    Admit,
    Compare,
    EndReconcile,
    FindCursor,
    HearRecords,
    LookUp,
    NoteAck,
    Reconcile,
    SayPing,
    SendOperations,
    SendPage,
    Welcomed,
)
from trayapp.sync.asking import operation_id, position
from trayapp.sync.fingerprints import RunningDigest
from trayapp.sync.gossip import pushed_to
from trayapp.sync.line import Shared
from trayapp.sync.messages import Role
from trayapp.sync.negentropy import Initiator, Responder, SortedInventory
from trayapp.sync.reconciling import Outcome
from trayapp.sync.session import Session, State

NETWORK = bytes(range(32))
MS = 1_700_000_000_000
STEP_S = 0.003


@cache
def device(name):
    """A device with a fixed key."""
    return Identity(name.encode().ljust(32, b"."))


@cache
def operation(author, number, *, kind=Kind.REPLY, ref=bytes(32), log=Log.CONTENT, size=20):
    """A real signed operation; the same arguments give the same one."""
    body = b"" if kind == Kind.DELETE else f"{author} {number} ".encode().ljust(size, b"x")
    return sign(
        Draft(
            log=log,
            kind=kind,
            seq=number,
            hlc=(MS + number * 1000 + len(author)) << 16,
            prev=bytes(32) if number == 0 else bytes([number % 255 + 1]) * 32,
            ref=ref,
            body=body,
        ),
        device(author),
        NETWORK,
    )


def operations(author, *numbers, **shape):
    return [operation(author, number, **shape) for number in numbers]


class FakeNode:
    """Holds operations, and does what its sessions ask."""

    def __init__(self, name, held=()):
        self.name = name
        self.key = device(name).key
        self.shared = Shared()
        self.sessions = {}
        self.taking = True
        self.ops = {}
        self.received = []
        """Every operation that came over a wire, with how it came."""
        self.acks = []
        self.cursors = {}
        self.talks = {}
        self.newest_count = 20
        self.batches = 0
        self.hold(held)

    # --- the store ---

    def hold(self, held):
        """Store operations; return the ids that are new."""
        new = [one for one in held if one.id not in self.ops]
        for one in new:
            self.ops[one.id] = one
        self.look()
        return [one.id for one in new]

    def look(self):
        digests = []
        for log in (0, 1):
            digest = RunningDigest().with_ids(o.id for o in self.ops.values() if o.log == log)
            digests.append((digest.count, digest.digest16))
        self.shared.copies.hold(digests, taking=self.taking)

    def admit(self, raws):
        """Store what came with its body, or with the delete that explains why not."""
        arrived = [parse(raw) for raw in raws]
        deletes = {
            o.ref for o in [*self.ops.values(), *arrived] if o.kind == Kind.DELETE and o.log == 1
        }
        return self.hold(
            o for o in arrived if o.body is not None or not o.body_len or o.id in deletes
        )

    def post(self, *made, now=0.0):
        """Store operations made here and tell the others."""
        self.hold(made)
        self.tell([one.id for one in made], besides=None, now=now)

    def erase(self, delete, now=0.0):
        """Delete an operation for good: its header stays."""
        self.ops[delete.ref] = self.ops[delete.ref].without_body()
        self.post(delete, now=now)

    def tell(self, ids, besides, now):
        self.shared.seen.update(ids)
        peers = {key: s for key, s in self.sessions.items() if key != besides}
        items = [(one, self.ops[one].raw) for one in ids]
        for key, session in peers.items():
            push = {one for one in ids if key in pushed_to(one, list(peers))}
            session.offer(items, push, now)

    @property
    def held(self):
        return set(self.ops)

    # --- the shell ---

    def run(self, session, actions, now):
        """Do the actions, and those that follow from them."""
        queue = deque(actions)
        while queue:
            if session.state is State.CLOSED and not isinstance(queue[0], Admit):
                return
            self.do(session, queue.popleft(), now)
            queue.extend(session.actions())

    def do(self, session, action, now):
        match action:
            case Admit():
                self.do_admit(session, action, now)
            case Reconcile():
                self.do_reconcile(session, action, now)
            case SendOperations(ids):
                held = [self.ops[one] for one in ids if one in self.ops]
                gone = [one for one in ids if one not in self.ops]
                session.answer(action, list(self.with_deletes(held)), gone, now)
            case SendPage():
                session.answer(action, list(self.with_deletes(self.page(action))), (), now)
            case _:
                self.do_small(session, action, now)

    def do_small(self, session, action, now):
        match action:
            case Compare():
                self.look()
                session.compare(action, now, MS)
            case SayPing():
                self.look()
                session.ping(now, MS)
            case LookUp(ids):
                session.lack([one for one in ids if one not in self.ops], now)
            case FindCursor(log):
                session.stream_from(log, self.cursors.get((session.peer, log)), now)
            case NoteAck(ids):
                self.acks += [(session.peer, one) for one in ids]
            case EndReconcile(log, asking):
                self.talks.pop((session, log, asking), None)
            case _:
                assert isinstance(action, Welcomed | HearRecords)

    def do_admit(self, session, action, now):
        self.received += [(operation_id(raw), action.arrival) for raw in action.operations]
        if action.cursor is not None:
            self.cursors[session.peer, action.cursor.log] = action.cursor.position
        new = self.admit(action.operations)
        ids = [operation_id(raw) for raw in action.operations]
        held = [one for one in ids if one in self.ops and one not in new]
        session.admitted(action, new, now, held)
        if new and action.pass_on:
            self.tell(new, besides=session.peer, now=now)
        elif new:
            self.batches += 1
            for other in self.sessions.values():
                other.ping_after_batch(now)

    def do_reconcile(self, session, step, now):
        key = session, step.log, step.asking
        if step.first:
            items = [(o.timestamp_ms, o.id) for o in self.ops.values() if o.log == step.log]
            self.talks[key] = (Initiator if step.asking else Responder)(SortedInventory(items))
        talk = self.talks[key]
        if not step.asking:
            outcome = Outcome(talk.answer(step.message))
        else:
            reply = talk.open() if step.message is None else talk.answer(step.message)
            lacked = tuple(one for one in talk.need if one not in self.ops)
            outcome = Outcome(reply, talk.have, lacked)
        session.reconciled(step, outcome, now)

    def page(self, action):
        log = [o for o in self.ops.values() if o.log == action.log]
        if action.cursor is None:
            return sorted(log, key=lambda o: (o.hlc, o.id))[-self.newest_count :]
        page: list[Operation] = []
        size = 0
        for one in sorted(log, key=lambda o: position(o.raw)):
            if position(one.raw) > action.cursor and (not page or size < action.page_bytes):
                page.append(one)
                size += len(one.raw)
        return page

    def with_deletes(self, wanted):
        for one in wanted:
            if one.body is None and one.body_len:
                yield from (o.raw for o in self.ops.values() if o.ref == one.id and o.kind == 21)
            yield one.raw


class Wire:
    """A link between two nodes: frames in flight, each way in order."""

    def __init__(self, ends, now):
        self.ends = ends
        self.flying: list[deque[bytes]] = [deque(), deque()]
        self.up = True
        for end, node in enumerate(ends):
            other = ends[1 - end]
            if other.key in node.sessions:
                node.sessions[other.key].close()
            node.look()
            session = Session(node.key, other.key, node.shared, now, lambda: 0.5)
            session.greet("192.0.2.1", Role.PEER)
            node.sessions[other.key] = session

    def session(self, end):
        return self.ends[end].sessions[self.ends[1 - end].key]

    def collect(self):
        """Put what the sessions say onto the wire."""
        for end in (0, 1):
            self.flying[1 - end].extend(self.session(end).data_to_send())

    def deliver(self, end, now, twice=False):
        """Hand one frame to one end."""
        data = self.flying[end].popleft()
        node, session = self.ends[end], self.session(end)
        for _ in range(1 + twice):
            try:
                actions = session.receive(data, now)
            except RemoteProtocolError:
                if not twice:
                    raise
                return
            node.run(session, actions, now)

    def tick(self, now):
        for end in (0, 1):
            node, session = self.ends[end], self.session(end)
            node.run(session, session.tick(now), now)

    def cut(self):
        """What is in flight is lost; both ends notice."""
        self.up = False
        for flying in self.flying:
            flying.clear()
        for end in (0, 1):
            self.session(end).close()


class Village:
    """Nodes, wires, and a clock that moves when nothing else does."""

    def __init__(self, *nodes, wires=None):
        self.nodes = nodes
        self.now = 100.0
        pairs = itertools.combinations(nodes, 2) if wires is None else wires
        self.wires = [Wire(pair, self.now) for pair in pairs]
        self.frames = 0

    def mend(self):
        """Link again what was cut, or closed by an error."""
        for at, wire in enumerate(self.wires):
            closed = any(wire.session(end).state is State.CLOSED for end in (0, 1))
            if not wire.up or closed:
                wire.cut()
                self.wires[at] = Wire(wire.ends, self.now)

    def step(self):
        """Deliver all that is in flight, in a few milliseconds; False if nothing was."""
        moved = False
        self.now += STEP_S
        for wire in self.wires:
            wire.collect()
            for end in (0, 1):
                while wire.up and wire.flying[end]:
                    wire.deliver(end, self.now)
                    self.frames += 1
                    moved = True
        return moved

    def settle(self):
        """Deliver until nothing is in flight."""
        for _ in range(10_000):
            if not self.step():
                return
        raise AssertionError("they never stop talking")

    def wait(self, seconds, tick=0.25):
        """Let time pass, and deliver what it brings."""
        end = self.now + seconds
        while self.now < end:
            self.now += tick
            for wire in self.wires:
                if wire.up:
                    wire.tick(self.now)
            self.settle()

    def talk_until_quiet(self, seconds=300):
        """Let them talk until all are settled, with a limit in their own time."""
        end = self.now + seconds
        self.settle()
        while self.now < end:
            if self.is_quiet:
                return
            self.wait(1.0)
        states = [
            (w.ends[0].name, w.ends[1].name, w.session(0).pairs, w.session(1).pairs)
            for w in self.wires
        ]
        raise AssertionError(f"not settled after {seconds} s: {states}")

    @property
    def is_quiet(self):
        sessions = [wire.session(end) for wire in self.wires for end in (0, 1)]
        return all(s.is_settled for s in sessions) and not any(
            len(node.shared.wants) for node in self.nodes
        )
