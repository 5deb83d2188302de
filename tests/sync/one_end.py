"""One session whose peer is nothing but the frames a test writes; and two whole nodes."""

from __future__ import annotations

from tests.sync.fake_node import MS, FakeNode, Village, device
from trayapp.sync.actions import Compare
from trayapp.sync.fingerprints import EMPTY
from trayapp.sync.line import Shared
from trayapp.sync.messages import LogDigest, Role, Stream, Welcome, decode, encode
from trayapp.sync.session import Session

ME, PEER = device("ann").key, device("bob").key
SOME_ID = b"\x77" * 32
DIFFERENT = (LogDigest(1, 1, b"d" * 16),)
MANY = (LogDigest(1, 1_000, b"d" * 16),)


def a_session(*, ready=True, now=0.0, theirs=()):
    """A session of ann's with bob, its peer only frames."""
    session = Session(ME, PEER, Shared(), now, lambda: 0.5)
    session.greet("192.0.2.1", Role.PEER)
    session.data_to_send()
    if ready:
        weigh(session, Welcome(tuple(theirs), "192.0.2.9", Role.PEER), now)
        session.data_to_send()
    return session


def hear(session, message, now=0.0):
    return session.receive(encode(message), now)


def weigh(session, message, now=0.0):
    """Hear a message that tells digests, and do the comparison that it asks for."""
    for action in hear(session, message, now):
        if isinstance(action, Compare):
            session.compare(action, now, MS)
    return session.actions()


def an_opening_session():
    """A session that has just found bob's copy to differ, and the step it asks for."""
    session = a_session(ready=False)
    (step,) = weigh(session, Welcome(DIFFERENT, "192.0.2.9", Role.PEER))
    return session, step


def streaming_session(kept=b""):
    """A session that has asked bob for the page behind `kept`."""
    session = a_session(theirs=MANY)
    session.stream_from(1, kept, 0.0)
    assert said(session) == [Stream(1, kept)]
    return session


def larger_session():
    """A session of ann, who holds one operation more than bob."""
    shared = Shared()
    shared.copies.hold([(0, EMPTY), (1, b"o" * 16)])
    session = Session(ME, PEER, shared, 0.0, lambda: 0.5)
    session.greet("", Role.PEER)
    hear(session, Welcome((), "", Role.PEER))
    session.compare(Compare(certain=True), 0.0, MS)
    session.data_to_send()
    return session


def said(session):
    return [decode(frame) for frame in session.data_to_send()]


def village(ann, bob, **shape):
    return Village(FakeNode("ann", ann), FakeNode("bob", bob), **shape)


def answer_all(session, action, held=()):
    session.answer(action, [o.raw for o in held], (), 0.0)
