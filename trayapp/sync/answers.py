"""How operations are packed into the OPS frames of one answer to a WANT or STREAM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trayapp.forum.operation import HEADER_BYTES
from trayapp.sync.messages import FRAME_BYTES, Ops

ANSWER_BYTES = 4 * FRAME_BYTES
"""All OPS frames of one answer together."""

_BODY_LEN = slice(144, 148)


def pack_operations(operations: Iterable[bytes], fill_bytes: int = FRAME_BYTES) -> list[Ops]:
    """Pack operations for one answer: as many as fit, in order, at least one if there is any.

    Args:
        operations: wire bytes. A delete goes before what it erased: an erased operation stays in
            the frame of the one before it, as nobody takes a header alone without its delete.
        fill_bytes: a frame is closed before it outgrows this; what is longer gets one alone.

    Returns:
        Frames of at most 1 MiB and 4 MiB in all, without the empty one that ends the answer.
    """
    frames: list[Ops] = []
    packed: list[bytes] = []
    frame_bytes, answer_bytes = 1, 0
    for group, group_bytes in _groups(operations):
        if packed and frame_bytes + group_bytes > fill_bytes:
            frames.append(Ops(tuple(packed)))
            answer_bytes += frame_bytes
            packed, frame_bytes = [], 1
        if answer_bytes + frame_bytes + group_bytes > ANSWER_BYTES:
            break
        packed += group
        frame_bytes += group_bytes
    if packed:
        frames.append(Ops(tuple(packed)))
    return frames


def _groups(operations: Iterable[bytes]) -> Iterator[tuple[list[bytes], int]]:
    """Operations that stay in one frame, with their bytes there; no group outgrows a frame."""
    group: list[bytes] = []
    group_bytes = 0
    for raw in operations:
        needed = 4 + len(raw)
        erased = len(raw) == HEADER_BYTES and any(raw[_BODY_LEN])
        if group and (not erased or group_bytes + needed >= FRAME_BYTES):
            yield group, group_bytes
            group, group_bytes = [], 0
        group.append(raw)
        group_bytes += needed
    if group:
        yield group, group_bytes
