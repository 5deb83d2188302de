"""What a fold changed on the board, in the words of the forum. The node makes events of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SubnetTouched:
    """A subnet is new, or its title, text or state changed."""

    subnet: bytes


@dataclass(frozen=True, slots=True)
class ThreadTouched:
    """A thread is new, or its title, state, counts or last post changed."""

    thread: bytes
    subnet: bytes


@dataclass(frozen=True, slots=True)
class PostAppeared:
    """A post came into sight, the opening post of a thread included; `kind` tells an import."""

    post: bytes
    thread: bytes
    subnet: bytes
    author: bytes
    kind: int


@dataclass(frozen=True, slots=True)
class PostTouched:
    """A post in sight was edited, deleted or reacted to."""

    post: bytes
    thread: bytes


@dataclass(frozen=True, slots=True)
class PersonTouched:
    """Somebody took another name."""

    device: bytes


Happening: TypeAlias = SubnetTouched | ThreadTouched | PostAppeared | PostTouched | PersonTouched
