from trayapp.forum.rows import Known, Level, Post, State


def test_a_row_learned_is_found_by_id_and_by_number():
    known = Known()
    post = Post(7, b"id", 19, b"a", b"r", 0, 0, 0, Level.REPLY, 1, State.LIVE, 7, False, None)

    known.learn(post)

    assert known.posts == {b"id": post}
    assert known.numbered == {7: post}
