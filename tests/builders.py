"""Signed operations for tests: authors with keys made from a seed, and a clock that is a number.

    ann = Author("ann")
    general = ann.subnet("General")
    boat = ann.thread(general, "Boat trip", "Who is in?")
    bob = Author("bob", clock=ann.clock)
    yes = bob.reply(boat, "I am.")

Every method returns one `Operation` with the right seq, prev and stamp, and remembers it as the
author's last. Nothing is stored or sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from trayapp.forum import bodies, timestamp
from trayapp.forum.bodies import Body
from trayapp.forum.identity import Identity
from trayapp.forum.operation import ZERO, Draft, Kind, Log, Operation, sign

NETWORK_ID = hashlib.sha256(b"a forum for tests").digest()
START_MS = timestamp.BUILD_MS + 86_400_000
STEP_MS = 1_000


@dataclass(slots=True)
class Clock:
    """Milliseconds that move only when told, or by one step for each operation."""

    now_ms: int = START_MS

    def advance(self, ms: int = STEP_MS) -> int:
        self.now_ms += ms
        return self.now_ms


def seed_of(name: str | int) -> bytes:
    """The 32 bytes of secret behind a made-up author's name."""
    return hashlib.sha256(f"seed/{name}".encode()).digest()


def id_of(post: Operation | bytes) -> bytes:
    """Builders take an operation or its id wherever one is named."""
    return post if isinstance(post, bytes) else post.id


class Author:
    """A device that signs. `network` is the id of the forum; several authors may share a clock."""

    def __init__(
        self, seed: str | int | bytes, network: bytes = NETWORK_ID, clock: Clock | None = None
    ) -> None:
        self.identity = Identity(seed if isinstance(seed, bytes) else seed_of(seed))
        self.key = self.identity.key
        self.network = network
        self.clock = clock or Clock()
        self.hlc = 0
        self.said: list[Operation] = []

    def profile(self, name: str, bio: str = "") -> Operation:
        return self.say(Kind.PROFILE, self.key, bodies.Profile(name, bio))

    def subnet(self, title: str, text: str = "") -> Operation:
        return self.say(Kind.SUBNET, ZERO, bodies.Subnet(title, text))

    def thread(self, subnet: Operation | bytes, title: str, text: str = "First!") -> Operation:
        return self.say(Kind.THREAD, subnet, bodies.Thread(title, text))

    def reply(
        self, thread: Operation | bytes, text: str, re: Operation | bytes | None = None
    ) -> Operation:
        answered = None if re is None else id_of(re)
        return self.say(Kind.REPLY, thread, bodies.Reply(text, answered))

    def edit(
        self,
        post: Operation,
        new: bodies.Editable,
        base: Sequence[Operation | bytes] = (),
    ) -> Operation:
        """`new` is the whole new body; `base` the versions it replaces besides the original."""
        edit = bodies.Edit(tuple(sorted(id_of(b) for b in base)), bodies.fields_of(new))
        return self.say(Kind.EDIT, post, edit)

    def delete(self, post: Operation | bytes) -> Operation:
        return self.say(Kind.DELETE, post, bodies.Delete())

    def react(self, post: Operation | bytes, emoji: str, on: bool = True) -> Operation:
        return self.say(Kind.REACT, post, bodies.React(emoji, on))

    def imported(
        self,
        ref: Operation | bytes,
        post: str,
        text: str = "From elsewhere.",
        *,
        title: str | None = None,
        re: Operation | bytes | None = None,
        site: str = "discourse",
        version: int = 1,
        author: str = "quill",
        time: int = timestamp.EARLIEST_MS + 1_000_000,
        counts: tuple[tuple[str, int], ...] = (),
    ) -> Operation:
        """`ref` is `ZERO` for a subnet, a subnet for a thread, a thread for a reply."""
        source = bodies.Source(site, post, version, author, time, None, counts)
        body = bodies.Imported(source, text, title, None if re is None else id_of(re))
        return self.say(Kind.IMPORTED, ref, body)

    def say(self, kind: int, ref: Operation | bytes, body: Body | bytes) -> Operation:
        """Sign anything: the next operation of this author, one step of the clock later."""
        last = self.said[-1] if self.said else None
        self.hlc = timestamp.tick(self.hlc, self.clock.advance())
        operation = self.signed(
            kind, ref, body, seq=last.seq + 1 if last else 0, prev=last.id if last else ZERO
        )
        self.said.append(operation)
        return operation

    def signed(
        self,
        kind: int,
        ref: Operation | bytes,
        body: Body | bytes,
        *,
        seq: int,
        prev: bytes,
        hlc: int | None = None,
        log: Log = Log.CONTENT,
    ) -> Operation:
        """Sign exactly this, and remember nothing: forks, odd stamps, the control log."""
        draft = Draft(
            log=log,
            kind=kind,
            seq=seq,
            hlc=(self.hlc or self.clock.now_ms << timestamp.COUNTER_BITS) if hlc is None else hlc,
            prev=prev,
            ref=id_of(ref),
            body=body if isinstance(body, bytes) else bodies.encode(body),
        )
        return sign(draft, self.identity, self.network)

    def clone(self) -> Author:
        """The same device key with the same history: a data directory copied elsewhere."""
        twin = Author(b"\0" * 32, self.network, self.clock)
        twin.identity, twin.key, twin.hlc = self.identity, self.key, self.hlc
        twin.said = list(self.said)
        return twin
