from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trayapp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from trayapp.sync import messages
from trayapp.sync.address_record import SignedRecord
from trayapp.sync.messages import (
    Ack,
    Announce,
    Auth,
    Err,
    Gone,
    Have,
    Hello,
    LogDigest,
    NegClose,
    NegMsg,
    NegOpen,
    Ops,
    Peers,
    Ping,
    Pong,
    Role,
    Stream,
    Want,
    Welcome,
    decode,
    encode,
)

KEY = bytes(range(32))
OTHER = bytes(range(32, 64))
SIGNATURE = bytes(range(64))
DIGESTS = (LogDigest(0, 0, bytes(16)), LogDigest(1, 4661, bytes(range(16))))


def operation(body=b"", erased=False):
    """Bytes that are an operation to a frame: only the length of the body is looked at."""
    announced = len(body) or (9 if erased else 0)
    return bytes(144) + announced.to_bytes(4, "big") + bytes(64) + body


# One of each, as hex: what another program has to write, and what no later version may change.
FROZEN = {
    "HELLO": (
        Hello(1, KEY, OTHER),
        "01" "93" "01" "c420" + KEY.hex() + "c420" + OTHER.hex(),
    ),
    "AUTH": (
        Auth(KEY, SIGNATURE, 1_700_000_000_000, "1.0", ("zstd",)),
        "02" "95" "c420" + KEY.hex() + "c440" + SIGNATURE.hex() + "cf0000018bcfe56800"
        "a3312e30" "91a47a737464",
    ),
    "WELCOME": (
        Welcome(DIGESTS, "192.0.2.7:47311", Role.ARCHIVE, {"links": 32}),
        "03" "94" "92" "930000c410" + "00" * 16 + "9301cd1235c410" + bytes(range(16)).hex()
        + "af3139322e302e322e373a3437333131" "a761726368697665" "81a56c696e6b7320",
    ),
    "ERR": (Err(ErrorCode.RATE, 60, "Too fast."), "04" "93" "07" "3c" "a9546f6f20666173742e"),
    "PING": (
        Ping(7, 1_700_000_000_000, True, DIGESTS[:1]),
        "10" "94" "07" "cf0000018bcfe56800" "c3" "91930000c410" + "00" * 16,
    ),
    "PONG": (
        Pong(2**64 - 1, 0, False, ()),
        "11" "94" "cfffffffffffffffff" "00" "c2" "90",
    ),
    "PEERS": (
        Peers(True, (SignedRecord(b"record", SIGNATURE),), (KEY,)),
        "20" "93" "c3" "9192c4067265636f7264c440" + SIGNATURE.hex() + "91c420" + KEY.hex(),
    ),
    "ANNOUNCE": (
        Announce(SignedRecord(b"record", SIGNATURE)),
        "21" "92" "c4067265636f7264c440" + SIGNATURE.hex(),
    ),
    "NEG_OPEN": (NegOpen(258, 1, b"\x61\x00"), "30" "0102" "01" "6100"),
    "NEG_MSG": (NegMsg(0xFFFF, 0, b"\x61"), "31" "ffff" "00" "61"),
    "NEG_CLOSE": (NegClose(2, 1), "32" "0002" "01"),
    "HAVE": (Have((KEY, OTHER)), "40" + KEY.hex() + OTHER.hex()),
    "WANT": (Want((KEY,)), "41" + KEY.hex()),
    "OPS": (
        Ops((operation(b"hi"), operation(erased=True))),
        "42" + "000000d6" + operation(b"hi").hex() + "000000d4" + operation(erased=True).hex(),
    ),
    "OPS, the empty one": (Ops(()), "42"),
    "GONE": (Gone(((KEY, messages.NOT_HELD),)), "43" "91" "92" "c420" + KEY.hex() + "01"),
    "STREAM, newest": (Stream(1, None), "44" "92" "01" "c0"),
    "STREAM, from a cursor": (Stream(1, bytes(68)), "44" "92" "01" "c444" + "00" * 68),
    "ACK": (Ack((OTHER,)), "45" + OTHER.hex()),
}  # fmt: skip


@pytest.mark.parametrize(("message", "frame"), FROZEN.values(), ids=FROZEN.keys())
def test_the_bytes_of_every_message_are_frozen(message, frame):
    assert encode(message).hex() == frame
    assert decode(bytes.fromhex(frame)) == message


def test_no_message_is_without_a_frozen_sample():
    assert {type(message) for message, _ in FROZEN.values()} == set(get_args(messages.Message))


# --- there and back ---

BYTE = st.integers(0, 255)
NATURAL = st.integers(0, 2**53 - 1)
BYTES32 = st.binary(min_size=32, max_size=32)
SIGNATURES = st.binary(min_size=64, max_size=64)
WORD = st.text(st.characters(codec="utf-8"), max_size=32)


def tuples(strategy, most):
    return st.lists(strategy, max_size=most).map(tuple)


LOG_DIGESTS = st.lists(
    st.builds(LogDigest, BYTE, NATURAL, st.binary(min_size=16, max_size=16)),
    max_size=3,
    unique_by=lambda digest: digest.log,
).map(tuple)
PULSE = (st.integers(0, 2**64 - 1), NATURAL, st.booleans(), LOG_DIGESTS)
RECORDS = st.builds(SignedRecord, st.binary(max_size=300), SIGNATURES)
IDS = tuples(BYTES32, most=30)
NEG = (st.integers(0, 0xFFFF), BYTE)
MESSAGES = st.one_of(
    st.builds(Hello, BYTE, BYTES32, BYTES32),
    st.builds(Auth, BYTES32, SIGNATURES, NATURAL, WORD, tuples(WORD, most=4)),
    st.builds(
        Welcome,
        LOG_DIGESTS,
        WORD,
        st.sampled_from(Role),
        st.dictionaries(WORD, NATURAL, max_size=2),
    ),
    st.builds(Err, BYTE, NATURAL, st.text(st.characters(codec="utf-8"), max_size=200)),
    st.builds(Ping, *PULSE),
    st.builds(Pong, *PULSE),
    st.builds(Peers, st.booleans(), tuples(RECORDS, most=5), tuples(BYTES32, most=5)),
    st.builds(Announce, RECORDS),
    st.builds(NegOpen, *NEG, st.binary(max_size=300)),
    st.builds(NegMsg, *NEG, st.binary(max_size=300)),
    st.builds(NegClose, *NEG),
    st.builds(Have, IDS),
    st.builds(Want, IDS),
    st.builds(Ack, IDS),
    st.builds(Ops, tuples(st.builds(operation, st.binary(max_size=40), st.booleans()), most=8)),
    st.builds(Gone, tuples(st.tuples(BYTES32, BYTE), most=8)),
    st.builds(Stream, BYTE, st.none() | st.just(b"") | st.binary(min_size=68, max_size=68)),
)


@settings(max_examples=500)
@given(MESSAGES)
def test_every_message_comes_back_as_it_was(message):
    assert decode(encode(message)) == message


# --- bad input ---


def refusal(data):
    with pytest.raises(RemoteProtocolError) as caught:
        decode(data)
    return caught.value.error_code


@settings(max_examples=1000)
@given(st.binary(max_size=120), st.integers(0, 0x46))
def test_any_bytes_are_a_message_or_refused(data, code):
    for frame in (data, bytes([code]) + data):
        try:
            message = decode(frame)
        except RemoteProtocolError:
            continue
        assert message is None or isinstance(message, get_args(messages.Message))


@settings(max_examples=500)
@given(MESSAGES, st.data())
def test_a_damaged_frame_is_a_message_or_refused(message, data):
    frame = bytearray(encode(message))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(BYTE)
    cut = data.draw(st.integers(0, len(frame)))
    for damaged in (bytes(frame), bytes(frame[:cut]), bytes(frame) + b"\x00"):
        try:
            decode(damaged)
        except RemoteProtocolError:
            continue


@settings(max_examples=200)
@given(MESSAGES.filter(lambda message: not isinstance(message, NegOpen | NegMsg)))
def test_rubbish_behind_a_message_is_refused(message):
    assert refusal(encode(message) + b"\x00") == ErrorCode.BAD_FRAME


def array(code, *fields):
    return bytes([code]) + msgspec.msgpack.encode(fields)


DIGEST = (1, 2, bytes(16))
SIGNED = (b"record", SIGNATURE)
MALFORMED = {
    "nothing": b"",
    "a type of ours that does not exist": b"\x05",
    "a type of a later issue": b"\x33\x90",
    "the last type that must be known": b"\x7f",
    "a type and nothing": b"\x01",
    "an array with too few fields": array(0x01, 1, KEY),
    "an AUTH with a field more": array(0x02, KEY, SIGNATURE, 0, "1", [], 1),
    "text where bytes belong": array(0x01, 1, "k" * 32, KEY),
    "a float where a number belongs": array(0x01, 1.0, KEY, KEY),
    "a number where yes or no belongs": array(0x10, 1, 1, 1, []),
    "a nonce of 31 bytes": array(0x01, 1, bytes(31), KEY),
    "a version over a byte": array(0x01, 256, KEY, KEY),
    "a negative clock": array(0x02, KEY, SIGNATURE, -1, "1", []),
    "a clock beyond counting": array(0x02, KEY, SIGNATURE, 2**53, "1", []),
    "a feature of 33 characters": array(0x02, KEY, SIGNATURE, 1, "1", ["f" * 33]),
    "17 features": array(0x02, KEY, SIGNATURE, 1, "1", ["f"] * 17),
    "text that is no UTF-8": array(0x04, 1, 1, b"") [:-2] + b"\xa2\xff\xff",
    "an error of 201 characters": array(0x04, 1, 1, "e" * 201),
    "an unknown role": array(0x03, [], "", "king", {}),
    "a map where an array belongs": b"\x03" + msgspec.msgpack.encode({"role": "peer"}),
    "a digest of 15 bytes": array(0x10, 1, 1, True, [(1, 2, bytes(15))]),
    "17 digests": array(0x10, 1, 1, True, [(log, 2, bytes(16)) for log in range(17)]),
    "two digests of one log": array(0x10, 1, 1, True, [DIGEST, DIGEST]),
    "two digests of one log in a WELCOME": array(0x03, [DIGEST, DIGEST], "", "peer", {}),
    "65 address records": array(0x20, True, [SIGNED] * 65, []),
    "an address record of 4,097 bytes": array(0x21, bytes(4097), SIGNATURE),
    "a NEG_OPEN without a log": b"\x30\x00\x00",
    "a NEG_CLOSE with more": b"\x32\x00\x00\x01\x00",
    "a part of an id": b"\x40" + bytes(33),
    "an array where raw ids belong": array(0x41, KEY),
    "an operation shorter than its header": b"\x42" + (211).to_bytes(4, "big") + operation(),
    "an operation longer than its body": b"\x42" + (213).to_bytes(4, "big") + operation() + b"!",
    "an operation cut short": (b"\x42" + (217).to_bytes(4, "big") + operation(b"hello"))[:-1],
    "the length of an operation cut short": b"\x42\x00\x00",
    "2,001 missing ids": array(0x43, *[(KEY, 1)] * 2001),
    "a cursor of 67 bytes": array(0x44, 1, bytes(67)),
    "a deep nest": b"\x03" + b"\x91" * 100_000,
    "an array of four billion": b"\x43\xdd\xff\xff\xff\xff",
}  # fmt: skip


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_frame_is_refused(frame):
    expected = ErrorCode.TOO_BIG if frame[:2] == b"\x03\x91" else ErrorCode.BAD_FRAME
    assert refusal(frame) == expected


@pytest.mark.parametrize(
    "frame",
    [
        array(0x02, KEY, SIGNATURE, 1, "1", []).ljust(1025, b"\0"),
        b"\x10" + bytes(1_048_576),
        b"\x42" + bytes(1_048_576),
        b"\x40" + bytes(32 * 2001),
        b"\x31\x00\x00\x01" + bytes(262_145),
    ],
    ids=[
        "an AUTH over 1 KiB",
        "a PING over 1 MiB",
        "OPS over 1 MiB",
        "2,001 ids",
        "a long NEG_MSG",
    ],
)
def test_a_frame_over_its_limit_is_too_big(frame):
    assert refusal(frame) == ErrorCode.TOO_BIG


def test_unknown_types_from_80_on_are_ignored_whatever_they_hold():
    assert [decode(bytes([code]) + b"\xc1") for code in (0x80, 0xFF)] == [None, None]


def test_a_hello_of_a_newer_version_may_say_more():
    assert decode(array(0x01, 2, KEY, OTHER, "more")) == Hello(2, KEY, OTHER)


def test_what_fills_a_frame_to_its_limit_passes():
    for message in (
        Have((KEY,) * 2000),
        NegMsg(1, 1, bytes(262_144)),
        Err(1, 1, "e" * 200),
        Gone(((KEY, 1),) * 2000),
        Ops((operation(bytes(262_144)),) * 3),
    ):
        assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        Err(1, 0, "e" * 201),
        Err(1, 0, "\ud800"),
        Hello(1, b"short", KEY),
        Ping(2**64, 0, True, ()),
        Have((KEY,) * 2001),
        Want((b"short",)),
        NegOpen(65_536, 1, b""),
        NegMsg(1, 256, b""),
        NegMsg(1, 1, bytes(262_145)),
        Welcome(DIGESTS, "", Role.PEER, {"a" * 30 + str(i): 1 for i in range(9)}),
        Auth(KEY, SIGNATURE, 1, "1", tuple("é" * 32 for _ in range(16))),
        Ops((operation(bytes(262_144)),) * 4),
    ],
    ids=lambda message: type(message).__name__,
)
def test_we_never_write_what_nobody_may_accept(message):
    with pytest.raises(LocalProtocolError):
        encode(message)


def test_a_cursor_is_whole_from_the_start():
    with pytest.raises(ValueError, match="68 bytes"):
        Stream(1, bytes(5))


def test_messages_are_values():
    message = Have((KEY,))

    assert message == Have((KEY,))
    assert hash(message) == hash(Have((KEY,)))
    with pytest.raises(AttributeError):
        message.ids = ()  # type: ignore[misc]
