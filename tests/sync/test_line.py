"""What goes out on a line, and what the shell is to do."""

from tests.sync.one_end import ME, PEER, SOME_ID
from trayapp.sync.actions import SayPing
from trayapp.sync.line import Line, Shared
from trayapp.sync.messages import Have, encode


def test_frames_and_actions_wait_in_order_until_they_are_fetched():
    line = Line(ME, PEER, Shared())

    line.say(Have((SOME_ID,)))
    line.do(SayPing())

    assert line.outbox.take() == [encode(Have((SOME_ID,)))]
    assert line.actions == [SayPing()]


def test_the_lines_of_one_node_share_what_they_know_of_a_peer():
    shared = Shared()

    assert Line(ME, PEER, shared).pairs is Line(ME, PEER, shared).pairs
