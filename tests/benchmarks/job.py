"""The job every figure is about: N posts of some 500 bytes by 50 authors in 8 subnets, one seed.

The words are drawn as in prose (a few often, most seldom), so that full text search and disk weigh
what they would weigh in a real forum.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

AUTHORS = 50
SUBNETS = ("general", "tech", "art", "music", "news", "games", "science", "local")
_SYLLABLES = "ka lo mi ren tas ver on is el dra pho qui sta ne bur gle hon um ti sa wor ing er the"
_FIRST_MS = 1_700_000_000_000
_NEW_THREAD = 0.05
_RECENT_THREADS = 400


@dataclass(frozen=True, slots=True)
class Post:
    """One post of the job. `thread` is the number of the post that opened its thread."""

    number: int
    author: int
    subnet: int
    thread: int
    time_ms: int
    text: str


def author_seed(number: int) -> bytes:
    """The secret seed of one of the authors."""
    return hashlib.sha256(b"author%d" % number).digest()


def posts(count: int, seed: int = 42) -> Iterator[Post]:
    """The posts, oldest first. The first K of a longer job are those of a shorter one."""
    choice = random.Random(seed)
    words, weights = _vocabulary(choice)
    threads: list[tuple[int, int]] = []
    time_ms = _FIRST_MS
    for number in range(count):
        text = _text(choice, words, weights)
        time_ms += choice.randint(1, 60_000)
        if not threads or choice.random() < _NEW_THREAD:
            threads.append((number, choice.randrange(len(SUBNETS))))
            thread, subnet = threads[-1]
        else:
            back = min(int(choice.expovariate(1 / _RECENT_THREADS)), len(threads) - 1)
            thread, subnet = threads[-1 - back]
        yield Post(number, choice.randrange(AUTHORS), subnet, thread, time_ms, text)


def _vocabulary(choice: random.Random) -> tuple[list[str], list[float]]:
    syllables = _SYLLABLES.split()
    words = sorted(
        {"".join(choices) for choices in _drawn(choice, syllables, 9000)},
    )
    choice.shuffle(words)
    words = words[:5000]
    total, weights = 0.0, []
    for rank in range(len(words)):
        total += 1 / (rank + 2.7)
        weights.append(total)
    return words, weights


def _drawn(choice: random.Random, syllables: list[str], count: int) -> Iterator[list[str]]:
    for _ in range(count):
        yield choice.choices(syllables, k=choice.randint(1, 4))


def _text(choice: random.Random, words: list[str], weights: list[float]) -> str:
    target = int(min(2000, max(60, choice.gauss(500, 150))))
    drawn: list[str] = []
    length = 0
    while length < target:
        word = choice.choices(words, cum_weights=weights)[0]
        drawn.append(word)
        length += len(word) + 1
    return " ".join(drawn)
