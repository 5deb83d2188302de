"""When two copies count as equal, and when it is time to reconcile again."""

from trayapp.sync.copies import BARREN_LIMIT, LOGS, Copies, Pair, listed_for
from trayapp.sync.fingerprints import EMPTY
from trayapp.sync.limits import ASK_NEXT_S, NEG_PAUSE_S
from trayapp.sync.messages import LogDigest

ANN = b"a" * 32


def log(count, mark):
    return LogDigest(1, count, mark.encode() * 16)


OURS, THEIRS, OTHERS, MORE = log(10, "o"), log(10, "t"), log(11, "x"), log(12, "y")


def a_pair(theirs=THEIRS):
    return Pair(1, theirs)


def told(pair, ours, theirs, now, **how):
    pair.theirs = theirs
    pair.compare(ours, now, **how)


def reconcile(pair, ours, begin, end):
    pair.begin(ours, begin)
    pair.end(end, end)


def test_equal_digests_settle_a_pair():
    pair = a_pair(OURS)

    pair.compare(OURS, 0.0, certain=True)

    assert pair.settled
    assert not pair.may_reconcile(OURS, 0.0, smaller=True)


def test_a_welcome_that_differs_is_certain_a_single_ping_is_not():
    certain, one, two = a_pair(), a_pair(), a_pair()
    certain.compare(OURS, 0.0, certain=True)
    one.compare(OURS, 0.0)
    two.compare(OURS, 0.0)
    two.compare(OURS, 1.0)

    assert certain.may_reconcile(OURS, 0.0, smaller=True)
    assert not one.may_reconcile(OURS, 0.0, smaller=True)
    assert two.may_reconcile(OURS, 1.0, smaller=True)


def test_a_settled_pair_stays_so_until_two_pings_in_a_row_differ():
    pair = a_pair(OURS)
    pair.compare(OURS, 0.0, certain=True)

    told(pair, OURS, OTHERS, 1.0)
    assert pair.settled
    told(pair, OURS, OURS, 2.0)
    told(pair, OURS, OTHERS, 3.0)
    assert pair.settled
    told(pair, OURS, OTHERS, 4.0)
    assert not pair.settled


def test_the_larger_copy_is_more_patient():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    assert not pair.may_reconcile(OURS, 0.0, smaller=False)

    pair.compare(OURS, 30.0)
    assert not pair.may_reconcile(OURS, 30.0, smaller=False)
    pair.compare(OURS, 60.0)
    assert pair.may_reconcile(OURS, 60.0, smaller=False)


def test_while_operations_are_fetched_a_difference_tells_nothing():
    pair = a_pair()
    pair.compare(OURS, 0.0, busy=True)
    pair.compare(OURS, 1.0, busy=True)

    assert pair.differing == 0


def test_a_reconciliation_that_left_the_same_difference_settles_it():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 1.0)

    pair.compare(OURS, 2.0)  # the peer had no time yet to ask for what we offered
    assert not pair.settled
    pair.compare(OURS, 1.0 + ASK_NEXT_S)

    assert pair.settled
    assert pair.barren == 1


def test_once_a_digest_changes_the_pair_is_open_again():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 1.0)
    pair.compare(OURS, 20.0)
    assert pair.settled

    told(pair, OURS, OTHERS, 100.0)
    told(pair, OURS, OTHERS, 130.0)

    assert not pair.settled
    assert pair.may_reconcile(OURS, 130.0, smaller=True)


def test_one_that_gave_nothing_is_followed_by_a_minutes_pause():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 1.0)
    for at in (20.0, 21.0):
        told(pair, OURS, OTHERS, at)

    assert not pair.may_reconcile(OURS, NEG_PAUSE_S, smaller=True)
    assert pair.may_reconcile(OURS, 1.0 + NEG_PAUSE_S, smaller=True)


def test_one_that_gave_something_is_followed_after_ten_times_what_it_took():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 2.0)
    for at in (3.0, 4.0):
        told(pair, OTHERS, MORE, at)

    assert not pair.may_reconcile(OTHERS, 21.9, smaller=True)
    assert pair.may_reconcile(OTHERS, 22.0, smaller=True)


def test_waiting_in_vain_for_the_peer_is_no_cost():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    pair.begin(OURS, 0.0)
    pair.end(60.0, 0.5)
    for at in (61.0, 62.0):
        told(pair, OTHERS, MORE, at)

    assert pair.may_reconcile(OTHERS, 65.0, smaller=True)


def test_in_a_live_forum_a_peer_is_judged_by_what_it_gave_and_not_by_what_others_gave():
    liar, honest = a_pair(), a_pair()
    begun = {"liar": 0, "honest": 0}
    for second in range(600):  # a post a second comes from elsewhere
        ours = LogDigest(1, 100 + second, second.to_bytes(16, "big"))
        now, new = float(second), second.to_bytes(32, "big")
        for name, pair in (("liar", liar), ("honest", honest)):
            told(pair, ours, LogDigest(1, 500, bytes([second % 250]) * 16), now, certain=True)
            if pair.may_reconcile(ours, now, smaller=True):
                begun[name] += 1
                pair.begin(ours, now)
                pair.learn([b"n" * 32 if pair is liar else new], [b"h" * 32])
                pair.end(now, now)
            pair.taken([b"h" * 32])
            pair.stored([new])

    assert begun["liar"] <= 600 / NEG_PAUSE_S + 2
    assert liar.barren >= BARREN_LIMIT
    assert (begun["honest"], honest.barren) == (600, 0)


def test_equality_proves_that_the_last_one_gave_something():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 0.1)
    told(pair, OURS, OURS, 0.2)  # the peer took what it lacked
    for at in (0.3, 0.4):
        told(pair, OURS, OTHERS, at)

    assert pair.may_reconcile(OURS, 1.2, smaller=True)
    assert pair.barren == 0


def test_three_that_give_nothing_make_a_peer_not_count():
    pair = a_pair()
    for number in range(3):
        at = 1_000.0 * number
        told(pair, OURS, LogDigest(1, 20 + number, b"l" * 16), at, certain=True)
        assert pair.barren < BARREN_LIMIT
        reconcile(pair, OURS, at, at + 1)

    told(pair, OURS, LogDigest(1, 99, b"l" * 16), 5_000.0)

    assert pair.barren == BARREN_LIMIT


def test_what_was_cut_short_by_the_end_of_the_link_proves_nothing():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 1.0)
    pair.leave()

    pair.compare(OURS, 50.0, certain=True)

    assert not pair.settled
    assert pair.may_reconcile(OURS, 50.0, smaller=True)


def test_what_was_judged_outlives_the_link():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 1.0)
    pair.compare(OURS, 20.0)
    pair.leave()
    assert not pair.settled

    pair.compare(OURS, 30.0, certain=True)

    assert pair.settled


def test_after_a_stream_the_rest_is_reconciled_by_whoever_streamed():
    pair = a_pair()
    pair.due = True

    assert pair.may_reconcile(OURS, 0.0, smaller=False)
    pair.begin(OURS, 0.0)
    assert not pair.may_reconcile(OURS, 0.0, smaller=True)


def test_ending_what_never_began_changes_nothing():
    pair = a_pair()

    pair.end(1.0, 1.0)

    assert pair.may_reconcile(OURS, 0.0, smaller=True) is False
    assert pair.began_at is None


def test_a_stream_is_worth_it_for_a_third_more_and_a_hundred_at_least():
    cases = [(0, 99, False), (0, 100, True), (1_000, 1_299, False), (1_000, 1_301, True)]
    for held, offered, worth in cases:
        pair = a_pair(LogDigest(1, offered, b"t" * 16))
        pair.compare(LogDigest(1, held, b"o" * 16), 0.0, certain=True)
        assert pair.worth_a_stream(LogDigest(1, held, b"o" * 16)) is worth, (held, offered)


def test_a_peer_that_was_streamed_to_the_end_is_not_streamed_again_until_it_has_much_more():
    pair = a_pair(LogDigest(1, 1_000, b"t" * 16))
    pair.streamed = 1_000
    pair.compare(log(0, "o"), 0.0, certain=True)
    assert not pair.worth_a_stream(log(0, "o"))

    pair.theirs = LogDigest(1, 1_301, b"t" * 16)
    assert pair.worth_a_stream(log(0, "o"))


def test_what_we_hold_is_listed_without_empty_logs():
    copies = Copies()
    copies.hold([(0, EMPTY), (3, b"o" * 16)])

    assert copies.listed == (LogDigest(1, 3, b"o" * 16),)
    assert copies.count == 3
    assert [listed_for(number, copies.listed).count for number in LOGS] == [0, 3]
    assert listed_for(0, ()).digest16 == EMPTY


def test_the_pairs_of_a_peer_are_the_same_ones_on_its_next_link():
    copies = Copies()

    assert copies.with_peer(ANN) is copies.with_peer(ANN)


def test_peers_met_long_ago_are_forgotten_first():
    copies = Copies()
    first = copies.with_peer(ANN)
    for number in range(4_095):
        copies.with_peer(number.to_bytes(32, "big"))
    assert copies.with_peer(ANN) is first  # just met again, so others go first
    copies.with_peer(b"one more" * 4)

    assert copies.with_peer(ANN) is first


def test_a_peer_that_declines_is_asked_again_less_and_less():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    asked, now = [], 0.0
    while now < 300:
        if pair.may_reconcile(OURS, now, smaller=False) or now == 0:
            asked.append(now)
            pair.begin(OURS, now)
            pair.decline(now)
        now += 1.0

    assert asked == [0, 5, 15, 35, 75, 135, 195, 255]
    pair.begin(OURS, now)
    pair.end(now, now)
    pair.due = True
    pair.decline(now)
    assert pair.may_reconcile(MORE, now + 5.0, smaller=False)


def test_a_peer_may_decline_for_ever():
    pair = a_pair()
    for number in range(1_100):
        pair.decline(number * NEG_PAUSE_S)

    assert not pair.may_reconcile(OURS, 1_100 * NEG_PAUSE_S - 1, smaller=False)
    assert pair.may_reconcile(OURS, 1_100 * NEG_PAUSE_S, smaller=False)


def test_a_machine_that_slept_amid_one_does_not_rest_for_minutes():
    pair = a_pair()
    pair.compare(OURS, 0.0, certain=True)
    reconcile(pair, OURS, 0.0, 3_600.0)
    for at in (3_601.0, 3_602.0):
        told(pair, OTHERS, MORE, at)

    assert pair.may_reconcile(OTHERS, 3_600.0 + 30.0, smaller=True)
