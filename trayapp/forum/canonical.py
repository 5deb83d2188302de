"""The one encoding of a body: MessagePack with sorted text keys, read strictly.

What we read we would have written to the byte (PROTOCOL.md section 3): otherwise two programs could
see two texts in one operation.
"""

from __future__ import annotations

from typing import Any

import msgspec

DEPTH = 8
"""How deep maps and arrays may stand in one another, the outermost map included."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_SCALARS = (str, bytes, bool, int)


def pack(fields: dict[str, Any]) -> bytes:
    """Write a body. Absent fields are left out by the caller: there is no nil."""
    return _encode(_sorted(fields))


def unpack(raw: bytes) -> dict[str, Any] | None:
    """Read a body; None when it is not exactly what `pack` would have written. Never raises."""
    try:
        fields = _decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(fields, dict) or not _is_plain(fields, DEPTH):
        return None
    return fields if _encode(fields) == raw else None


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def _is_plain(value: Any, depth: int) -> bool:
    """Whether only the allowed kinds of values are in it, maps with sorted text keys."""
    if isinstance(value, _SCALARS):
        return True
    if depth == 0:
        return False
    if isinstance(value, list):
        return all(_is_plain(item, depth - 1) for item in value)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return False
    keys = list(value)
    return keys == sorted(keys) and all(_is_plain(item, depth - 1) for item in value.values())
