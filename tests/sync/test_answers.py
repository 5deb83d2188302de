from hypothesis import given
from hypothesis import strategies as st

from trayapp.sync.answers import ANSWER_BYTES, pack_operations
from trayapp.sync.messages import FRAME_BYTES, Ops, encode


def operation(body_bytes, number=0, erased=False):
    announced = 9 if erased else body_bytes
    return number.to_bytes(144, "big") + announced.to_bytes(4, "big") + bytes(64 + body_bytes)


def unpacked(frames):
    return [raw for frame in frames for raw in frame.operations]


def test_nothing_needs_no_frame():
    assert pack_operations([]) == []


def test_a_few_operations_share_a_frame():
    few = [operation(500, i) for i in range(3)]

    assert pack_operations(iter(few)) == [Ops(tuple(few))]


@given(st.lists(st.tuples(st.integers(0, 262_144), st.booleans()), max_size=60))
def test_an_answer_is_the_longest_beginning_that_fits(shapes):
    operations = [
        operation(0 if erased else size, i, erased) for i, (size, erased) in enumerate(shapes)
    ]

    frames = pack_operations(operations)

    sizes = [len(encode(frame)) for frame in frames]
    packed = unpacked(frames)
    assert packed == operations[: len(packed)]
    assert all(size <= FRAME_BYTES for size in sizes)
    assert sum(sizes) <= ANSWER_BYTES
    if left := operations[len(packed) :]:
        # What did not fit is one operation, the erased ones that stay with it, and a frame begun.
        group = 1 + next((i for i, raw in enumerate(left[1:]) if not is_erased(raw)), len(left) - 1)
        assert sum(sizes) + 1 + sum(4 + len(raw) for raw in left[:group]) > ANSWER_BYTES


def is_erased(raw):
    return len(raw) == 212 and any(raw[144:148])


def test_an_erased_operation_stays_with_the_delete_before_it():
    filler = operation(FRAME_BYTES - 1 - 4 - 212 - 300)  # room left for one header, not for two
    delete, erased, other = operation(0, 1), operation(0, 2, erased=True), operation(500, 3)

    frames = pack_operations([filler, delete, erased, other])

    assert frames == [Ops((filler,)), Ops((delete, erased, other))]


def test_more_erased_operations_than_a_frame_holds_go_on_in_the_next():
    erased = [operation(0, i, erased=True) for i in range(6000)]

    frames = pack_operations([operation(0), *erased])

    assert unpacked(frames) == [operation(0), *erased]
    assert [len(encode(frame)) <= FRAME_BYTES for frame in frames] == [True, True]


def test_the_longest_operation_alone_is_an_answer():
    longest = operation(262_144)

    assert unpacked(pack_operations([longest])) == [longest]
    frames = pack_operations([longest] * 30)
    assert [len(frame.operations) for frame in frames] == [3, 3, 3, 3, 3]


def test_an_answer_may_be_4_mib_to_the_byte():
    longest = operation(262_144)
    rest = operation(FRAME_BYTES - 1 - 3 * (4 + len(longest)) - 4 - 212)
    full = [longest, longest, longest, rest] * 4

    frames = pack_operations([*full, operation(0)])

    assert [len(encode(frame)) for frame in frames] == [FRAME_BYTES] * 4
    assert unpacked(frames) == full


def test_many_small_frames_are_4_mib_in_all():
    frames = pack_operations([operation(0)] * 20_000, fill_bytes=300)

    assert all(len(frame.operations) == 1 for frame in frames)
    assert len(frames) == ANSWER_BYTES // 217


def test_an_operation_longer_than_the_filling_is_alone_in_its_frame():
    long = operation(100_000)

    assert pack_operations([long], fill_bytes=65_536) == [Ops((long,))]


def test_frames_are_filled_only_as_far_as_asked():
    operations = [operation(1000, i) for i in range(200)]
    long = operation(100_000)

    frames = pack_operations([*operations, long, *operations], fill_bytes=65_536)

    assert unpacked(frames) == [*operations, long, *operations]
    assert Ops((long,)) in frames
    assert all(len(encode(frame)) <= 65_536 for frame in frames if long not in frame.operations)
