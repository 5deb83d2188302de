"""Whom a new operation is pushed to, and who is only told."""

from tests.sync.fake_node import operation, operations
from trayapp.forum.operation import Kind
from trayapp.sync.gossip import PUSH_TO, Gossip, Seen, pushed_to
from trayapp.sync.limits import QUEUE_PUSH_BYTES, QUEUE_TELL_BYTES
from trayapp.sync.messages import Have, Ops, decode
from trayapp.sync.outbox import Outbox

PEERS = [bytes([n]) * 32 for n in range(20)]


def offer(gossip, made, now=0.0, push=True):
    items = [(o.id, o.raw) for o in made]
    gossip.offer(items, {o.id for o in made} if push else set(), now)


def pushed_and_told(outbox):
    pushed: list[bytes] = []
    told: list[bytes] = []
    for message in map(decode, outbox.take()):
        if isinstance(message, Ops):
            pushed += message.operations
        else:
            assert isinstance(message, Have)
            told += message.ids
    return pushed, told


def test_up_to_four_peers_all_get_it():
    assert list(pushed_to(bytes(32), PEERS[:4])) == PEERS[:4]


def test_beyond_that_four_are_chosen_by_the_operation():
    chosen = {tuple(pushed_to(operation("ann", n).id, PEERS)) for n in range(20)}

    assert all(len(some) == PUSH_TO for some in chosen)
    assert len(chosen) == 20
    one = operation("ann", 0).id
    assert set(pushed_to(one, PEERS)) == set(pushed_to(one, PEERS[::-1]))


def test_the_ids_seen_longest_ago_are_forgotten_first():
    seen = Seen(2)

    assert seen.add(b"1")
    assert not seen.add(b"1")
    seen.update([b"2", b"3"])

    assert [one in seen for one in (b"1", b"2", b"3")] == [False, True, True]


def test_a_new_operation_is_pushed_once():
    outbox, known = Outbox(), Seen()
    gossip = Gossip(outbox, known)

    offer(gossip, operations("ann", 0))
    offer(gossip, operations("ann", 0))

    assert pushed_and_told(outbox) == ([operation("ann", 0).raw], [])


def test_what_the_peer_has_told_of_itself_is_not_told_back():
    outbox, known = Outbox(), Seen()
    known.add(operation("ann", 0).id)

    offer(Gossip(outbox, known), operations("ann", 0))

    assert outbox.take() == []


def test_the_others_are_only_told():
    outbox = Outbox()

    offer(Gossip(outbox, Seen()), operations("ann", 0, 1), push=False)

    assert pushed_and_told(outbox) == ([], [operation("ann", 0).id, operation("ann", 1).id])


def test_two_hundred_a_second_are_pushed_and_the_rest_is_told():
    outbox = Outbox()
    gossip = Gossip(outbox, Seen())

    offer(gossip, operations("ann", *range(300)), now=100.0)
    pushed, told = pushed_and_told(outbox)
    assert (len(pushed), len(told)) == (200, 100)

    offer(gossip, operations("ann", *range(300, 400)), now=100.5)
    pushed, told = pushed_and_told(outbox)
    assert (len(pushed), len(told)) == (100, 0)


def test_large_posts_count_by_their_bytes():
    outbox = Outbox()
    gossip = Gossip(outbox, Seen())
    for number in range(30):
        offer(gossip, operations("ann", number, size=100_000), now=100.0)
        pushed_so_far = outbox.urgent_bytes
        outbox.take()
        assert (pushed_so_far > 1_000) == (number < 19)


def test_an_erased_operation_is_told_so_that_it_comes_with_its_delete():
    erased, outbox = operation("ann", 0).without_body(), Outbox()
    delete = operation("ann", 1, kind=Kind.DELETE, ref=erased.id)

    offer(Gossip(outbox, Seen()), [erased, delete])

    assert pushed_and_told(outbox) == ([delete.raw], [erased.id])


def test_a_peer_that_reads_slowly_is_told_less_and_less():
    outbox = Outbox()
    gossip = Gossip(outbox, Seen())
    big = operations("ann", *range(4), size=100_000)
    offer(gossip, big, now=100.0)
    assert outbox.urgent_bytes < QUEUE_PUSH_BYTES + 1_000
    assert len(pushed_and_told(outbox)[0]) == 2

    for number in range(2_000):  # nothing is read: HAVEs pile up, but only so far
        some = [(bytes([number // 256, number % 256]) * 16, b"")]
        outbox.tell(some[0][0])
    for number in range(QUEUE_TELL_BYTES // 32):
        outbox.tell(number.to_bytes(32, "big"))
    before = outbox.urgent_bytes
    offer(gossip, operations("ann", 9), now=200.0)
    assert outbox.urgent_bytes == before
