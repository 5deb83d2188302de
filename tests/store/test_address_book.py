from tests.boards import Board
from trayapp.status import PeerPath
from trayapp.store import address_book
from trayapp.store.address_book import Met


def test_a_machine_is_remembered_where_it_was_met_last_heard_first():
    conn = Board().conn
    lan = Met(b"d", "wss://192.168.1.2:47311", PeerPath.LAN, 10)
    file = Met(b"d", "wss://example.org:47311", PeerPath.FILE, 20)
    for meeting in (lan, file):
        address_book.met(conn, meeting)
    assert address_book.everybody_met(conn) == [file, lan]

    again = Met(b"d", "wss://192.168.1.2:47311", PeerPath.LAN, 30)
    address_book.met(conn, again)

    assert address_book.everybody_met(conn) == [again, file]


def test_the_addresses_of_an_invite_are_kept_once():
    conn = Board().conn

    for _ in range(2):
        address_book.invited(conn, "wss://10.0.0.1:47311#aa")

    assert address_book.invitations(conn) == ["wss://10.0.0.1:47311#aa"]
