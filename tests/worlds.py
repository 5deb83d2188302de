"""Small forums of generated operations: every kind, every quarrel, all ways to arrive."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.builders import Author, Clock
from tests.naive_board import NaiveBoard
from trayapp.forum import bodies
from trayapp.forum.operation import ZERO, Kind, Log, Operation

SITES = ("discourse", "https://elsewhere.example")


class World:
    """Some authors who say whatever the dice tell them, honest or not."""

    def __init__(self, seed: int, steps: int = 40) -> None:
        self.dice = random.Random(seed)
        self.clock = Clock()
        self.authors = [Author(f"{seed}/{n}", clock=self.clock) for n in range(3)]
        self.authors.append(self.authors[0].clone())  # a data directory copied to a second machine
        self.said: list[Operation] = []
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        author = self.dice.choice(self.authors)
        act = self.dice.choice(
            (
                self._subnet, self._thread, self._thread, self._reply, self._reply, self._reply,
                self._edit, self._edit, self._edit, self._delete, self._delete, self._react,
                self._profile, self._imported, self._imported, self._imported, self._nonsense,
            )
        )  # fmt: skip
        if self.dice.random() < 0.3:
            self.clock.now_ms -= 1_000  # two say something in the same millisecond
        self.said.append(act(author))

    def _any(self, *kinds: int) -> bytes:
        """Something said, of these kinds if there is any; now and then nothing at all."""
        fit = [one.id for one in self.said if one.kind in kinds]
        pool = fit if fit and self.dice.random() < 0.9 else [one.id for one in self.said]
        return self.dice.choice([*pool, b"\7" * 32])

    def _words(self) -> str:
        return " ".join(self.dice.choice(("boat", "oven", "frost", "Käse", "x")) for _ in "123")

    def _subnet(self, author: Author) -> Operation:
        return author.subnet(self._words())

    def _thread(self, author: Author) -> Operation:
        return author.thread(self._any(Kind.SUBNET, Kind.IMPORTED), self._words(), self._words())

    def _reply(self, author: Author) -> Operation:
        return author.reply(self._any(Kind.THREAD, Kind.IMPORTED), self._words(), self._any())

    def _edit(self, author: Author) -> Operation:
        target = self._any(Kind.SUBNET, Kind.THREAD, Kind.REPLY, Kind.IMPORTED)
        found = next((one for one in self.said if one.id == target), None)
        if found is not None and self.dice.random() < 0.8:
            author = next(one for one in self.authors if one.key == found.author)
        base = [one.id for one in self.said if one.kind == Kind.EDIT and one.ref == target]
        base = [one for one in base if self.dice.random() < 0.6]
        kind = self.dice.choice((Kind.REPLY, found.kind if found else Kind.THREAD))
        new: bodies.Editable = bodies.Reply(self._words())
        if kind == Kind.SUBNET:
            new = bodies.Subnet(self._words())
        elif kind == Kind.THREAD:
            new = bodies.Thread(self._words(), self._words())
        elif kind == Kind.IMPORTED:
            source = bodies.Source(SITES[0], str(self.dice.randrange(6)), 2, "quill", 10**12)
            new = bodies.Imported(source, self._words(), self._words())
        body = bodies.Edit(tuple(sorted(base)), bodies.fields_of(new))
        return author.say(Kind.EDIT, target, body)

    def _delete(self, author: Author) -> Operation:
        target = self._any(Kind.SUBNET, Kind.THREAD, Kind.REPLY, Kind.IMPORTED)
        found = next((one for one in self.said if one.id == target), None)
        if found is not None and self.dice.random() < 0.7:
            author = next(one for one in self.authors if one.key == found.author)
        return author.delete(target)

    def _react(self, author: Author) -> Operation:
        return author.react(self._any(), self.dice.choice("+-"), self.dice.random() < 0.7)

    def _profile(self, author: Author) -> Operation:
        body = bodies.Profile(self._words()[:40])
        ref = author.key if self.dice.random() < 0.8 else self.authors[0].key
        return author.say(Kind.PROFILE, ref, body)

    def _imported(self, author: Author) -> Operation:
        ref = ZERO if self.dice.random() < 0.3 else self._any(Kind.IMPORTED, Kind.SUBNET)
        return author.imported(
            ref,
            str(self.dice.randrange(6)),
            self._words(),
            title=self._words() if self.dice.random() < 0.5 else None,
            site=self.dice.choice(SITES),
            time=10**12 + self.dice.randrange(3),
        )

    def _nonsense(self, author: Author) -> Operation:
        kind = self.dice.choice((17, 18, 19, 20, 22, 16, 25, 23, 999))
        raw = self.dice.choice((b"", b"\xc0", b"\x81\xa4text\x05", b"\x80"))
        ref = self._any()
        if self.dice.random() < 0.3:
            return author.signed(kind, ref, raw, seq=0, prev=ZERO, log=Log.CONTROL)
        return author.say(kind, ref, raw)


def deliveries(
    said: Sequence[Operation], dice: random.Random, sizes: Sequence[int] = (1, 1, 2, 5, 100)
) -> list[list[Operation]]:
    """Batches in which operations might come in: shuffled, split, repeated, erased on the way."""
    bare = NaiveBoard(said).bare()
    queue = [*said, *dice.choices(said, k=len(said) // 5)]
    dice.shuffle(queue)
    queue = [
        one.without_body() if one.id in bare and one.body and dice.random() < 0.5 else one
        for one in queue
    ]
    batches = []
    while queue:
        size = dice.choice(sizes)
        batches.append(queue[:size])
        queue = queue[size:]
    return batches
