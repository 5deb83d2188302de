from tests.boards import Board, fed
from tests.builders import Author
from trayapp.forum import identity
from trayapp.store import people


def test_somebody_without_a_profile_is_called_by_the_key():
    ann = Author("ann")
    board = fed(None, [ann.subnet("General")])

    named = people.person(board.conn, ann.key)

    assert named.name == identity.short_form(ann.key)[:9]
    assert (named.tag, named.colour) == (identity.tag(ann.key), identity.colour(ann.key))
    assert people.person(Board().conn, ann.key) == named


def test_everybody_who_said_anything_is_listed_by_name():
    ann, bob, cleo = Author("ann"), Author("bob"), Author("cleo")
    board = fed(None, [bob.profile("bob"), ann.profile("Ann"), cleo.profile("cleo")])

    assert [one.name for one in people.people(board.conn) if one.device != board.me] == [
        "Ann", "bob", "cleo"
    ]  # fmt: skip
    assert people.person(board.conn, ann.key).name == "Ann"
