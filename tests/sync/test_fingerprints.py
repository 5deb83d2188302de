import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.sync.fingerprints import EMPTY, RunningDigest, digest16, sum_of, varint

IDS = st.lists(st.binary(min_size=32, max_size=32), unique=True, max_size=40)


def spelled_out(ids):
    """The digest as PROTOCOL.md has it, one step at a time."""
    total = 0
    for one in ids:
        total = (total + int.from_bytes(one, "little")) % 2**256
    count = len(ids)
    digits: list[int] = []
    while True:
        digits.insert(0, count % 128 + (128 if digits else 0))
        count //= 128
        if not count:
            break
    return hashlib.sha256(total.to_bytes(32, "little") + bytes(digits)).digest()[:16]


def test_the_digest_of_nothing_is_the_one_in_the_protocol():
    assert EMPTY.hex() == "7f9c9e31ac8256ca2f258583df262dbc"
    assert digest16(0, 0) == RunningDigest().digest16 == spelled_out([]) == EMPTY


@given(IDS)
def test_a_running_digest_is_the_digest_of_its_set_in_any_order(ids):
    backwards = RunningDigest().with_ids(reversed(ids))

    assert RunningDigest().with_ids(ids) == backwards
    assert backwards.digest16 == spelled_out(ids) == digest16(sum_of(ids), len(ids))


@given(IDS, IDS)
def test_ids_taken_out_again_leave_no_trace(ids, more):
    before = RunningDigest().with_ids(ids)

    assert before.with_ids(more).without_ids(more) == before


@given(IDS)
def test_adding_in_parts_is_adding_at_once(ids):
    half = len(ids) // 2

    assert RunningDigest().with_ids(ids[:half]).with_ids(ids[half:]) == RunningDigest().with_ids(
        ids
    )


def test_sums_wrap_around_at_256_bits():
    high = b"\xff" * 32
    one = b"\x01" + bytes(31)

    assert RunningDigest().with_ids([high, one]) == RunningDigest(2, 0)


@given(IDS)
def test_a_packed_digest_comes_back_whole(ids):
    digest = RunningDigest().with_ids(ids)

    assert len(digest.pack()) == 40
    assert RunningDigest.unpack(digest.pack()) == digest


def test_the_packing_is_frozen():
    packed = RunningDigest(258, 3).pack()

    assert packed.hex() == "0000000000000102" + "03" + "00" * 31


@pytest.mark.parametrize("packed", [b"", bytes(39), bytes(41)])
def test_a_packing_of_another_length_is_refused(packed):
    with pytest.raises(ValueError, match="40 bytes"):
        RunningDigest.unpack(packed)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_an_id_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="32 bytes"):
        RunningDigest().with_ids([bytes(32), wrong])
    with pytest.raises(ValueError, match="32 bytes"):
        RunningDigest(2, 0).without_ids([wrong])


def test_more_ids_than_there_are_cannot_leave():
    with pytest.raises(ValueError, match="set of 1"):
        RunningDigest(1, 7).without_ids([bytes(32), bytes([1]) * 32])


@pytest.mark.parametrize(
    ("number", "digits"),
    [(0, "00"), (127, "7f"), (128, "8100"), (300, "822c"), (2**64 - 1, "81ffffffffffffffff7f")],
)
def test_varints_are_written_with_the_highest_digit_first(number, digits):
    assert varint(number).hex() == digits
