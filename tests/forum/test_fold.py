import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.boards import Board
from tests.naive_board import NaiveBoard
from tests.worlds import World, deliveries
from trayapp.forum.operation import Operation


def deliver(board: Board, said: list[Operation], dice: random.Random) -> None:
    """Feed everything in some order; what was ignored is met again until it is taken."""
    ignored: list[bytes] = []
    for batch in deliveries(said, dice):
        ignored += board.take(*batch).ignored
    by_id = {one.id: one for one in said}
    for _ in range(3):
        again = [by_id[id_].without_body() for id_ in ignored]
        ignored = list(board.take(*again).ignored)
    assert not ignored


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), dice=st.randoms(use_true_random=False))
def test_the_board_is_the_same_in_any_order_of_arrival(seed: int, dice: random.Random):
    world = World(seed)
    board = Board(world.authors[1])

    deliver(board, world.said, dice)

    assert board.shown() == NaiveBoard(world.said).shown()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), dice=st.randoms(use_true_random=False))
def test_folding_everything_anew_gives_the_same_rows(seed: int, dice: random.Random):
    world = World(seed)
    board = Board(world.authors[1])
    deliver(board, world.said, dice)
    before = board.rows()

    assert board.refolded() == before
