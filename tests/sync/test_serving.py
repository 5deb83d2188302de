"""WANT and STREAM from the answerer's side."""

import pytest

from tests.sync.fake_node import operation, operations
from tests.sync.one_end import SOME_ID, a_session, answer_all, hear, said, village
from trayapp.errors import ErrorCode, RemoteProtocolError
from trayapp.forum.operation import Kind
from trayapp.sync import limits
from trayapp.sync.actions import SendOperations, SendPage
from trayapp.sync.messages import Ops, Stream, Want


def test_the_answer_names_what_is_gone_and_ends_with_an_empty_frame():
    session = a_session()
    (action,) = hear(session, Want((operation("ann", 0).id, SOME_ID)))

    session.answer(action, [operation("ann", 0).raw], [SOME_ID], 0.0)

    gone, ops, end = said(session)
    assert gone.entries == ((SOME_ID, 1),)
    assert ops.operations == (operation("ann", 0).raw,)
    assert end == Ops(())


def test_a_stream_request_is_passed_on_with_a_page_size_that_grows_on_a_fast_link():
    session = a_session()
    (newest,) = hear(session, Stream(1, None))
    answer_all(session, newest)
    (first,) = hear(session, Stream(1, b""), now=0.0)
    answer_all(session, first, operations("bob", 0))
    (second,) = hear(session, Stream(1, bytes(68)), now=0.1)

    assert first == SendPage(1, b"", limits.PageSize.LEAST)
    assert second == SendPage(1, bytes(68), 2 * limits.PageSize.LEAST)


def test_a_log_that_nobody_knows_has_no_operations():
    session = a_session()

    (action,) = hear(session, Stream(9, None))

    assert action == SendOperations(())


def test_too_many_requests_at_once_end_the_link():
    session = a_session()
    for _ in range(limits.PENDING_REQUESTS):
        hear(session, Want((SOME_ID,)))

    with pytest.raises(RemoteProtocolError) as caught:
        hear(session, Want((SOME_ID,)))
    assert caught.value.error_code == ErrorCode.RATE


def test_an_erased_post_comes_with_the_delete_that_explains_it():
    post = operation("bob", 0)
    delete = operation("bob", 1, kind=Kind.DELETE, ref=post.id)
    v = village((), [post])
    v.nodes[1].erase(delete)

    v.talk_until_quiet()

    assert v.nodes[0].held == {post.id, delete.id}
    assert v.nodes[0].ops[post.id].body is None
