import hashlib
import json
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import needs
from tests.sync.naive import NaiveInitiator, NaiveResponder, fingerprint
from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.sync.fingerprints import EMPTY, digest16, sum_of
from trayapp.sync.negentropy import (
    LEAST_FRAME_BYTES,
    Initiator,
    Responder,
    SortedInventory,
)
from trayapp.sync.ranges import MESSAGE_BYTES, Mode, RangeWriter, pack_ids, parse

END = (2**64 - 1, b"")


def hashed(*parts):
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()


@cache
def make_items(seed, count, span):
    """`count` operations with timestamps below `span`."""
    return [
        (int.from_bytes(hashed(seed, i, "t")[:4], "big") % span, hashed(seed, i))
        for i in range(count)
    ]


def ids_of(items):
    return {one for _, one in items}


def converse(initiator, responder, rounds=10_000):
    """Let two ends talk to the end; return all messages, first to last."""
    messages = [initiator.open()]
    for _ in range(rounds):
        messages.append(responder.answer(messages[-1]))
        following = initiator.answer(messages[-1])
        if following is None:
            return messages
        messages.append(following)
    raise AssertionError(f"no end after {rounds} rounds")


def refusal(answer, message):
    with pytest.raises(RemoteProtocolError) as caught:
        answer(message)
    return caught.value.error_code


def written(*ranges):
    writer = RangeWriter()
    for bound, mode, payload in ranges:
        writer.write(bound, mode, payload)
    return bytes(writer.written)


class Learner(Initiator):
    """Adds up what the messages teach. Theirs may be named again, ours are told once."""

    def __init__(self, *how):
        super().__init__(*how)
        self.had, self.needed = [], {}

    def answer(self, message):
        reply = super().answer(message)
        self.had += super().have
        self.needed.update(dict.fromkeys(super().need))
        return reply

    have = property(lambda self: tuple(self.had))
    need = property(lambda self: tuple(self.needed))


# --- the transcripts of the JavaScript reference ---


def transcript_of(seed):
    return next(one for one in json.loads(needs.transcripts().read_text()) if one["seed"] == seed)


def sets_of(seed):
    """The two sets of a transcript, as DATA.md makes them from the seed, and the frame limit."""
    shape = hashed(seed, "shape")
    count = [0, 1, 3, 40, 300, 1500][shape[0] % 6]
    span = [1, 7, 1000, 10**6, 2 * 10**9][shape[1] % 5]
    same = [256, 250, 230, 128][shape[3] % 4]
    a, b = [], []
    for i, item in enumerate(make_items(seed, count, span)):
        where = hashed(seed, i, "w")[0]
        if where < same or where % 2:
            a.append(item)
        if where < same or where % 2 == 0:
            b.append(item)
    return a, b, [0, 0, 4096, 20000][shape[2] % 4]


def first_of_the_reference(inventory):
    """Its first message is what it also answers to a fingerprint of everything that differs."""
    return Responder(inventory).answer(written((END, Mode.FINGERPRINT, bytes(16))))


@pytest.mark.parametrize("seed", range(1, 41))
def test_every_message_is_the_reference_s_to_the_byte(seed):
    transcript = transcript_of(seed)
    a, b, frame_limit = sets_of(seed)
    assert (len(a), len(b), frame_limit) == tuple(transcript[k] for k in ("a", "b", "frame_limit"))
    frame_limit = frame_limit or MESSAGE_BYTES
    initiator = Learner(SortedInventory(a), frame_limit)
    responder = Responder(SortedInventory(b), frame_limit)

    messages = [first_of_the_reference(SortedInventory(a))]
    while messages[-1] is not None:
        end = responder if len(messages) % 2 else initiator
        messages.append(end.answer(messages[-1]))

    assert [message.hex() for message in messages[:-1]] == transcript["messages"]
    assert (len(initiator.have), len(initiator.need)) == (transcript["have"], transcript["need"])
    assert set(initiator.have) == ids_of(a) - ids_of(b)
    assert set(initiator.need) == ids_of(b) - ids_of(a)


# --- any two sets ---


@dataclass(frozen=True)
class Sets:
    """How to make two sets with something in common; hypothesis prints this, not the sets."""

    seed: int
    count: int
    span: int
    close: bool
    mixed: bool
    first: int
    second: int

    def make(self):
        items = make_items(self.seed, self.count, self.span)
        if self.close:  # ids that share their first 28 bytes
            items = [(timestamp, bytes(28) + one[:4]) for timestamp, one in items]
        items = sorted(set(items))
        return self._mixed(items) if self.mixed else self._in_stretches(items)

    def _mixed(self, items):
        """Each item in A with one chance, in B with another."""
        return (
            [item for item in items if item[1][-1] <= self.first],
            [item for item in items if item[1][-2] <= self.second],
        )

    def _in_stretches(self, items):
        """What the two have in common lies together, and so does what only one has."""
        low, high = sorted(len(items) * share // 256 for share in (self.first, self.second))
        return (
            (items[:high], items[low:]),
            (items[low:], items[:high]),
            (items[:low] + items[high:], items),
            (items, items[low:high]),
        )[self.seed % 4]


def two_sets(most=1200):
    return st.builds(
        Sets,
        seed=st.integers(0, 50),
        count=st.sampled_from([0, 1, 2, 31, 32, 33, 63, 64, 65, 200, 600, most]),
        span=st.sampled_from([1, 3, 500, 2**32]),
        close=st.booleans(),
        mixed=st.booleans(),
        first=st.integers(0, 255),
        second=st.integers(0, 255),
    )


FRAME_LIMITS = st.integers(LEAST_FRAME_BYTES, 20_000) | st.just(MESSAGE_BYTES)


@settings(max_examples=300, deadline=None)
@given(two_sets(), FRAME_LIMITS, FRAME_LIMITS)
def test_any_two_sets_learn_exactly_what_differs_under_any_frame_limit(sets, limit_a, limit_b):
    a, b = sets.make()
    initiator = Learner(SortedInventory(a), limit_a)

    messages = converse(initiator, Responder(SortedInventory(b), limit_b))

    assert set(initiator.have) == (a_only := ids_of(a) - ids_of(b))
    assert set(initiator.need) == (b_only := ids_of(b) - ids_of(a))
    assert len(initiator.have) == len(a_only)
    assert len(initiator.need) == len(b_only)
    assert max(map(len, messages[::2])) <= limit_a
    assert max(map(len, messages[1::2])) <= limit_b


@settings(max_examples=100, deadline=None)
@given(two_sets(200), FRAME_LIMITS)
def test_our_initiator_understands_another_implementation(sets, frame_limit):
    a, b = sets.make()
    initiator = Learner(SortedInventory(a), frame_limit)

    converse(initiator, NaiveResponder(set(b)))

    assert set(initiator.have) == ids_of(a) - ids_of(b)
    assert set(initiator.need) == ids_of(b) - ids_of(a)


@settings(max_examples=100, deadline=None)
@given(two_sets(200), FRAME_LIMITS)
def test_another_implementation_understands_our_responder(sets, frame_limit):
    a, b = sets.make()
    initiator = NaiveInitiator(set(a))

    converse(initiator, Responder(SortedInventory(b), frame_limit))

    assert initiator.have == ids_of(a) - ids_of(b)
    assert initiator.need == ids_of(b) - ids_of(a)


def test_a_full_answer_never_hides_our_ids_behind_an_empty_fingerprint():
    """The one case in which the reference's bytes would lose something between honest ends.

    They hold nothing newer than our item 1200. Our answer to what is older just about fills the
    frame, so that the ids from 1200 on must wait for the next round, and still be asked about.
    """
    ours = sorted(make_items("corner", 1300, 10**6))
    ranges = [((ours[at + 100][0], b""), Mode.FINGERPRINT, bytes(16)) for at in range(0, 1200, 100)]
    message = written(*ranges, (END, Mode.FINGERPRINT, EMPTY))
    everything_fits = len(Responder(SortedInventory(ours)).answer(message))
    waited = set()

    for limit in range(LEAST_FRAME_BYTES, everything_fits + 200):
        *_, before, last = parse(Responder(SortedInventory(ours), limit).answer(message))
        if last.bound == END and before.bound == ranges[-1][0]:
            waited.add(limit)
            assert last.payload != EMPTY
    assert waited


def test_a_list_too_long_for_the_frame_is_cut_where_the_reference_cuts_it():
    """It adds ids as long as the answer before the next one is no longer than the limit - 200."""
    items = sorted(make_items("long", 200, 10**6))
    ask = written((END, Mode.IDS, pack_ids([])))
    fits = 1 + (LEAST_FRAME_BYTES - 200 - len(b"\x61")) // 32

    def listed(count):
        return Responder(SortedInventory(items[:count]), LEAST_FRAME_BYTES).answer(ask)

    def cut_at(index, rest):
        ids = pack_ids([one for _, one in items[:index]])
        fingerprint_of_rest = digest16(sum_of([one for _, one in rest]), len(rest))
        end = items[index] if rest else END
        return written((end, Mode.IDS, ids), (END, Mode.FINGERPRINT, fingerprint_of_rest))

    assert listed(fits - 1) == written(
        (END, Mode.IDS, pack_ids([one for _, one in items[: fits - 1]]))
    )
    assert listed(fits) == cut_at(fits, [])
    assert listed(fits + 1) == cut_at(fits, items[fits : fits + 1])
    assert listed(200) == cut_at(fits, items[fits:])


# --- bounded work ---


@pytest.fixture(scope="module")
def hundred_thousand():
    return [(1_700_000_000_000 + 1000 * i, hashed("many", i)) for i in range(100_000)]


def newest(count):
    return [(1_800_000_000_000 + 1000 * i, hashed("new", i)) for i in range(count)]


def test_a_hundred_newest_in_a_hundred_thousand_cost_less_than_8_kb(hundred_thousand):
    behind = SortedInventory(hundred_thousand)
    ahead = SortedInventory(hundred_thousand + newest(100))
    for ours, theirs in ((behind, ahead), (ahead, behind)):
        initiator = Learner(ours)

        messages = converse(initiator, Responder(theirs), rounds=4)

        assert len(initiator.have) + len(initiator.need) == 100
        assert sum(map(len, messages)) <= 8 * 1024


def test_equal_sets_cost_at_most_200_bytes_and_one_round(hundred_thousand):
    inventory = SortedInventory(hundred_thousand)
    initiator = Learner(inventory)

    messages = converse(initiator, Responder(inventory), rounds=1)

    assert sum(map(len, messages)) <= 200
    assert initiator.have == initiator.need == ()


def test_the_first_message_is_finest_at_the_newest(hundred_thousand):
    inventory = SortedInventory(hundred_thousand)

    bounds = [bound for bound, _, _ in parse(Learner(inventory).open())]

    at = [inventory.lower_bound(*bound, 0) for bound in bounds[:-1]]
    assert [100_000 - index for index in at] == [32_768, 4_096, 512, 64]
    assert bounds[-1] == END


def test_an_empty_machine_asks_in_five_bytes_and_learns_in_one_round():
    some = make_items("some", 500, 1000)
    initiator = Learner(SortedInventory([]))

    messages = converse(initiator, Responder(SortedInventory(some)), rounds=1)

    assert len(messages[0]) == 5
    assert set(initiator.need) == ids_of(some)


def test_everything_at_the_smallest_frame_takes_rounds_in_proportion(hundred_thousand):
    some = hundred_thousand[:20_000]
    initiator = Learner(SortedInventory([]), LEAST_FRAME_BYTES)

    messages = converse(initiator, Responder(SortedInventory(some), LEAST_FRAME_BYTES))

    assert set(initiator.need) == ids_of(some)
    assert sum(map(len, messages)) <= 2 * 32 * len(some)


class CountingInventory(SortedInventory):
    """Counts the items that were looked at."""

    touched = 0

    def ids(self, begin, end):
        self.touched += max(0, end - begin)
        return super().ids(begin, end)


def test_one_message_makes_us_list_each_id_once_at_most():
    items = sorted(make_items("work", 5000, 10**6))
    inventory = CountingInventory(items)
    bounds = [*((timestamp, b"") for timestamp, _ in items[1:-1:2]), END]
    message = written(*((bound, Mode.IDS, pack_ids([])) for bound in bounds))

    inventory.touched = 0
    Responder(inventory).answer(message)
    assert inventory.touched <= len(items)
    inventory.touched = 0
    Learner(inventory).answer(message)
    assert inventory.touched <= len(items)


# --- a snapshot ---


@given(two_sets(300), st.data())
def test_a_snapshot_answers_as_a_sorted_list_would(sets, data):
    items = sorted(sets.make()[0])
    inventory = SortedInventory(reversed(items))
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(items))] * 2)))
    bound = data.draw(st.sampled_from([*items, (0, b""), (2**63 - 1, b"x" * 32)]))
    prefix = bound[1][: data.draw(st.integers(0, 32))]

    assert inventory.size() == len(items)
    assert [inventory.item(i) for i in range(len(items))] == items
    assert inventory.ids(begin, end) == [one for _, one in items[begin:end]]
    assert inventory.fingerprint(begin, end) == fingerprint(ids_of(items[begin:end]))
    assert inventory.lower_bound(bound[0], prefix, 0) == sum(
        item < (bound[0], prefix) for item in items
    )
    assert inventory.lower_bound(bound[0], bound[1], begin) == max(
        begin, sum(item < bound for item in items)
    )


# --- bad input ---


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b"\x61" + tail))
def test_any_bytes_are_answered_or_refused(message):
    inventory = SortedInventory(make_items("any", 100, 300))
    for end in (Responder(inventory), Learner(inventory)):
        try:
            answer = end.answer(message)
        except RemoteProtocolError:
            continue
        assert answer is None or parse(answer) is not None


@settings(max_examples=300, deadline=None)
@given(two_sets(300), st.data())
def test_a_damaged_message_is_answered_or_refused(sets, data):
    a, b = (SortedInventory(items) for items in sets.make())
    asked = Learner(a).open()
    for end, message in ((Responder(b), asked), (Learner(a), Responder(b).answer(asked))):
        damaged = bytearray(message)
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        try:
            end.answer(bytes(damaged))
        except RemoteProtocolError:
            continue


BROKEN = {
    "nothing": b"",
    "no version of negentropy": b"\x00",
    "the end amid a bound": b"\x61\x81",
    "the end amid an id prefix": b"\x61\x05\x04abc",
    "an id prefix of 33 bytes": b"\x61\x05\x21" + bytes(33) + b"\x00",
    "no mode": b"\x61\x00\x00",
    "an unknown mode": b"\x61\x00\x00\x03",
    "half a fingerprint": b"\x61\x00\x00\x01" + bytes(15),
    "fewer ids than announced": b"\x61\x00\x00\x02\x02" + bytes(63),
    "more ids than can be": b"\x61\x00\x00\x02" + b"\xff" * 9 + b"\x7f",
    "a number without end": b"\x61" + b"\x80" * 11,
    "a number over 64 bits": b"\x61" + b"\xff" * 9 + b"\x7f\x00\x00",
    "a bound below the one before": written(
        ((9, b"b"), Mode.SKIP, b""), ((9, b"a"), Mode.SKIP, b"")
    ),
    "something below infinity after it": b"\x61\x00\x01a\x00\x00\x00\x00",
}


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_message_is_a_bad_frame(message):
    inventory = SortedInventory(make_items("broken", 50, 100))

    assert refusal(Responder(inventory).answer, message) == ErrorCode.BAD_FRAME
    assert refusal(Learner(inventory).answer, message) == ErrorCode.BAD_FRAME


def test_a_message_over_256_kib_is_too_big():
    message = written(((1, b""), Mode.SKIP, b""), (END, Mode.IDS, pack_ids([bytes(32)] * 8192)))
    assert len(message) > MESSAGE_BYTES

    assert refusal(Responder(SortedInventory([])).answer, message) == ErrorCode.TOO_BIG


def test_a_message_of_more_than_16384_ranges_is_too_big():
    ranges = [((i, b""), Mode.SKIP, b"") for i in range(16_385)]

    assert Responder(SortedInventory([])).answer(written(*ranges[:-1])) == b"\x61"
    assert refusal(Responder(SortedInventory([])).answer, written(*ranges)) == ErrorCode.TOO_BIG


def test_a_bad_message_teaches_nothing():
    inventory = SortedInventory(make_items("bad", 50, 100))
    initiator = Learner(inventory)
    learn = written(((50, b""), Mode.IDS, pack_ids([hashed("stranger")])))

    assert refusal(initiator.answer, learn + b"\x00") == ErrorCode.BAD_FRAME
    assert initiator.have == initiator.need == ()


def test_what_a_message_taught_is_forgotten_with_the_next_one():
    initiator = Initiator(SortedInventory(make_items("ours", 500, 100)))
    initiator.open()

    for name in ("one", "other"):
        claimed = [hashed(name, number) for number in range(100)]
        wrong = written(((2, b""), Mode.IDS, pack_ids(claimed)), (END, Mode.FINGERPRINT, bytes(16)))
        assert initiator.answer(wrong) is not None
        assert set(initiator.need) == set(claimed)


def test_a_responder_names_its_version_and_an_initiator_gives_up():
    inventory = SortedInventory(make_items("version", 5, 100))

    assert Responder(inventory).answer(b"\x62whatever it means") == b"\x61"
    assert refusal(Learner(inventory).answer, b"\x60") == ErrorCode.BAD_FRAME


def test_bounds_beyond_what_a_store_can_count_never_reach_it():
    class Strict(SortedInventory):
        def lower_bound(self, timestamp, id_prefix, start):
            assert timestamp < 2**63
            return super().lower_bound(timestamp, id_prefix, start)

    items = make_items("far", 5, 100)
    far = written(((2**63, b"x"), Mode.FINGERPRINT, bytes(16)), (END, Mode.FINGERPRINT, EMPTY))

    bound, mode, payload = parse(Responder(Strict(items)).answer(far))[0]

    assert (bound, mode) == ((2**63, b"x"), Mode.IDS)
    assert sum_of([payload[at : at + 32] for at in range(0, 160, 32)]) == sum_of(ids_of(items))


def test_timestamps_that_add_up_beyond_infinity_are_infinity():
    top = b"\x81" + b"\xff" * 8 + b"\x7e"  # 2**64 - 2 + 1, twice
    message = b"\x61" + top + b"\x00\x00" + top + b"\x00\x01" + EMPTY

    assert [bound[0] for bound, _, _ in parse(message)] == [2**64 - 3, 2**64 - 1]


@pytest.mark.parametrize("limit", [0, LEAST_FRAME_BYTES - 1, MESSAGE_BYTES + 1])
def test_a_frame_limit_that_cannot_work_is_refused(limit):
    with pytest.raises(ValueError, match="frame limit"):
        Learner(SortedInventory([]), limit)
    with pytest.raises(ValueError, match="frame limit"):
        Responder(SortedInventory([]), limit)


def test_the_whole_is_the_digest_of_the_log():
    items = make_items("whole", 200, 1000)
    inventory = SortedInventory(items)

    assert inventory.fingerprint(0, 200) == digest16(sum_of(ids_of(items)), 200)
