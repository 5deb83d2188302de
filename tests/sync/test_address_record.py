import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayapp.errors import LocalProtocolError, RemoteProtocolError
from trayapp.sync.address_record import AddressRecord, signed_text

KEY = bytes(range(32))
KEYS = st.binary(min_size=32, max_size=32)
RECORDS = st.builds(
    AddressRecord,
    KEYS,
    st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=8).map(tuple),
    st.lists(KEYS, max_size=40).map(tuple),
    st.integers(0, 2**53 - 1),
    st.integers(0, 300),
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record):
    assert AddressRecord.unpack(record.pack()) == record


def test_the_bytes_of_a_record_are_frozen():
    record = AddressRecord(KEY, ("wss://192.0.2.7:47311",), (bytes(32),), 1_700_000_000_000, 90)

    assert record.pack().hex() == (
        "85"
        "a2706bc420" + KEY.hex() + "a9616464726573736573"
        "91b57773733a2f2f3139322e302e322e373a3437333131"
        "a56c696e6b7391c420" + "00" * 32 + "a26d73cf0000018bcfe56800"
        "a374746c5a"
    )


def test_what_is_signed_names_the_forum():
    assert signed_text(KEY, b"record") == b"addr1\x00" + KEY + b"record"


def fields(**changes):
    whole = {"pk": KEY, "addresses": [], "links": [], "ms": 1, "ttl": 1, **changes}
    return msgspec.msgpack.encode({key: value for key, value in whole.items() if value is not None})


def test_fields_of_a_later_version_are_passed_over():
    assert AddressRecord.unpack(fields(new=[1])) == AddressRecord(KEY, (), (), 1, 1)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xc1",
        fields() + b"\0",
        fields(pk=bytes(31)),
        fields(pk=None),
        fields(addresses=["a"] * 9),
        fields(addresses=["a" * 301]),
        fields(links=[KEY] * 41),
        fields(ms=-1),
        fields(ttl=301),
        fields(addresses=["xyz"]).replace(b"xyz", b"\xff\xff\xff"),
        b"\x81\xa1z" + b"\x91" * 4000,
        fields(new=bytes(4096)),
    ],
)
def test_bytes_that_are_no_record_are_refused(record):
    with pytest.raises(RemoteProtocolError):
        AddressRecord.unpack(record)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_refused(data):
    try:
        AddressRecord.unpack(data)
    except RemoteProtocolError:
        return


def test_a_record_nobody_may_accept_is_not_made():
    with pytest.raises(LocalProtocolError, match="nobody may accept"):
        AddressRecord(KEY, ("a",) * 9, (), 1, 1).pack()
