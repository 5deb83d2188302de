from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.forum import canonical

numbers = st.integers(-(2**63), 2**64 - 1)
leaves = st.one_of(st.text(max_size=20), st.binary(max_size=20), st.booleans(), numbers)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
maps = st.dictionaries(st.text(max_size=8), values, max_size=5)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def packed(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


@given(maps)
def test_what_is_packed_is_read_back_up_to_eight_deep(fields):
    read = canonical.unpack(canonical.pack(fields))

    assert read == (fields if depth(fields) <= canonical.DEPTH else None)


@given(maps)
def test_the_order_in_which_fields_were_given_does_not_show(fields):
    backwards = dict(reversed(fields.items()))

    assert canonical.pack(backwards) == canonical.pack(fields)


@given(st.binary(max_size=200))
def test_any_bytes_are_the_one_encoding_of_a_body_or_nothing(raw):
    fields = canonical.unpack(raw)

    assert fields is None or canonical.pack(fields) == raw


@given(maps, st.data())
def test_a_changed_byte_never_gives_a_second_encoding_of_the_same_body(fields, data):
    raw = bytearray(canonical.pack(fields))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read = canonical.unpack(bytes(raw))

    assert read is None or canonical.pack(read) == raw


def test_maps_and_lists_stand_at_most_eight_deep():
    eight: object = "bottom"
    for _ in range(7):
        eight = [eight]

    assert canonical.unpack(canonical.pack({"a": eight})) is not None
    assert canonical.unpack(canonical.pack({"a": [eight]})) is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "nothing"),
        (packed([1]), "no map at the top"),
        (packed("text"), "no map at the top"),
        (packed({"a": None}), "nil"),
        (packed({"a": [None]}), "nil deep inside"),
        (packed({"a": 1.5}), "a fraction"),
        (b"\x81\xa1a\xca\x3f\x80\0\0", "a fraction that is whole"),
        (packed({1: "a"}), "a key that is no text"),
        (packed({"a": {b"b": 1}}), "a key that is bytes"),
        (b"\x81\xa1a\xd6\xff\0\0\0\0", "an extension: a time"),
        (b"\x81\xa1a\xd4\x05\0", "an extension: unknown"),
        (b"\x82\xa1b\x01\xa1a\x02", "keys out of order"),
        (b"\x82\xa1a\x01\xa1a\x01", "a key twice"),
        (b"\x81\xa1a\xcc\x01", "a number longer than needed"),
        (b"\x81\xd9\x01a\x01", "a text longer than needed"),
        (b"\x81\xa1a\xdc\0\x01\x01", "a list longer than needed"),
        (b"\xde\0\x01\xa1a\x01", "a map longer than needed"),
        (b"\x81\xa1a\xc5\0\x01x", "bytes longer than needed"),
        (packed({"a": 1}) + b"\x01", "more behind the map"),
        (packed({"a": 1})[:-1], "cut short"),
        (b"\x81\xa1a\xa1\xff", "a text that is not UTF-8"),
        (b"\x81\xa3\xed\xa0\x80\x01", "half a character"),
        (b"\x81\xa1a\xc1", "a byte that means nothing"),
        (b"\x81\x81\x01\x02\x01", "a map as a key"),
        (b"\xdf\xff\xff\xff\xff", "a map that promises four billion entries"),
        (b"\x81\xa1a\xdd\xff\xff\xff\xff", "a list that promises four billion entries"),
        (b"\x81\xa1a" * 80_000, "a nest that never ends"),
        (b"\x81\xa1a" + b"\x91" * 200_000, "lists in lists without end"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_written_in_any_other_way_says_nothing(raw, why):
    assert canonical.unpack(raw) is None, why
