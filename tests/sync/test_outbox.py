"""In which order frames leave."""

import tracemalloc

from tests.sync.fake_node import operation
from trayapp.sync.messages import Gone, Have, NegClose, Ops, Want, decode
from trayapp.sync.outbox import FRAME_COST, Outbox


def ops(*numbers):
    return Ops(tuple(operation("ann", number).raw for number in numbers))


def taken(outbox, most_bytes=None):
    return [decode(frame) for frame in outbox.take(most_bytes)]


def test_everything_leaves_in_order_and_once():
    outbox = Outbox()
    outbox.say(Want((b"1" * 32,)))
    outbox.say(Want((b"2" * 32,)))

    assert taken(outbox) == [Want((b"1" * 32,)), Want((b"2" * 32,))]
    assert taken(outbox) == []
    assert outbox.unsent_bytes == 0


def test_an_answer_ends_with_an_empty_frame():
    outbox = Outbox()
    outbox.answer([Gone(((b"1" * 32, 1),)), ops(0)])
    outbox.answer([])

    assert taken(outbox) == [Gone(((b"1" * 32, 1),)), ops(0), Ops(()), Ops(())]


def test_urgent_frames_overtake_an_answer_but_not_its_last_frame_and_its_end():
    outbox = Outbox()
    outbox.answer([ops(0), ops(1), ops(2)])
    urgent = [Want((bytes([n]) * 32,)) for n in range(4)]

    order = []
    for message in urgent:
        order += taken(outbox, most_bytes=1)
        outbox.say(message)
        order += taken(outbox, most_bytes=1)

    assert order[:6] == [ops(0), urgent[0], ops(1), urgent[1], ops(2), Ops(())]


def test_ids_told_one_by_one_leave_in_bundles_of_two_thousand():
    outbox = Outbox()
    ids = [number.to_bytes(32, "big") for number in range(4_500)]
    for one in ids + ids[:10]:
        outbox.tell(one)

    haves = taken(outbox)

    assert [len(have.ids) for have in haves] == [2_000, 2_000, 500]
    assert all(isinstance(have, Have) for have in haves)
    assert [one for have in haves for one in have.ids] == ids


def test_unsent_bytes_are_counted_until_they_leave():
    outbox = Outbox()
    outbox.say(Want((b"1" * 32,)))
    outbox.tell(b"2" * 32)
    outbox.answer([ops(0)])
    assert outbox.urgent_bytes == 33 + FRAME_COST + 32
    assert outbox.unsent_bytes > outbox.urgent_bytes + len(operation("ann", 0).raw)

    outbox.take(1)
    outbox.clear()

    assert (outbox.urgent_bytes, outbox.unsent_bytes, outbox.take()) == (0, 0, [])


def test_a_million_tiny_frames_count_for_the_memory_they_take():
    outbox = Outbox()
    tracemalloc.start()
    for number in range(20_000):
        outbox.say(NegClose(number, 1))
    taken_up, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert outbox.unsent_bytes > taken_up
