import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.errors import RemoteProtocolError
from trayapp.sync.ranges import Mode, Range, RangeWriter, pack_ids, parse, unpack_ids

ID = st.binary(min_size=32, max_size=32)
BOUNDS = st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=32))
SAID = st.one_of(
    st.just((Mode.SKIP, b"")),
    st.tuples(st.just(Mode.FINGERPRINT), st.binary(min_size=16, max_size=16)),
    st.tuples(st.just(Mode.IDS), st.lists(ID, max_size=5).map(b"".join)),
)


def padded(bound):
    return bound[0], bound[1].ljust(32, b"\0")


@given(st.lists(BOUNDS, max_size=8), st.data())
def test_what_is_written_is_read(bounds, data):
    ranges = [Range(bound, *data.draw(SAID)) for bound in sorted(bounds, key=padded)]
    writer = RangeWriter()
    for bound, mode, payload in ranges:
        packed = pack_ids(unpack_ids(payload)) if mode == Mode.IDS else payload
        writer.write(bound, Mode(mode), packed)

    assert parse(bytes(writer.written)) == ranges


def test_the_bytes_are_frozen():
    writer = RangeWriter()
    writer.write((1_700_000_000_000, b""), Mode.SKIP)
    writer.write((1_700_000_000_000, b"\xab\xcd"), Mode.FINGERPRINT, bytes(range(16)))
    writer.write((2**64 - 1, b""), Mode.IDS, pack_ids([b"\x11" * 32]))

    assert writer.written.hex() == (
        "61b1bcff95d00100000102abcd01000102030405060708090a0b0c0d0e0f00000201" + "11" * 32
    )


def test_equal_bounds_follow_each_other_as_the_reference_sends_them_at_the_end():
    assert [said.bound for said in parse(b"\x61\x00\x00\x00\x00\x00\x00")] == [(2**64 - 1, b"")] * 2


def test_bytes_left_out_of_an_id_count_as_zeros_in_the_order_of_bounds():
    writer = RangeWriter()
    writer.write((5, b"a\0"), Mode.SKIP)
    writer.write((5, b"a"), Mode.SKIP)
    assert len(parse(bytes(writer.written))) == 2

    writer.write((5, b"`"), Mode.SKIP)
    with pytest.raises(RemoteProtocolError, match="not in order"):
        parse(bytes(writer.written))
