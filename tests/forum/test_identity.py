from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import seed_of
from trayapp.errors import BadSignature
from trayapp.forum import identity
from trayapp.forum.identity import Identity, verify
from trayapp.forum.words import WORDS

ANN = Identity(seed_of("ann"))
ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD = 2**255 - 19
# Every encoding of a point whose multiples soon repeat: with such a key or nonce one signature can
# fit many messages. The last ones are the same points written in a second way (y + p, or -0).
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@given(st.binary(max_size=300))
def test_what_a_device_signs_is_verified_with_its_key(message):
    verify(ANN.key, message, ANN.sign(message))


def test_the_first_vector_of_rfc_8032_comes_out_to_the_byte():
    device = Identity(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )

    assert device.key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert device.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
        "b46bd25bf5f0595bbe24655141438e7a100b"
    )


@given(st.binary(min_size=1, max_size=60), st.data())
def test_one_changed_bit_anywhere_breaks_a_signature(message, data):
    key, signature = ANN.key, ANN.sign(message)
    whole = bytearray(key + signature + message)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadSignature):
        verify(bytes(whole[:32]), bytes(whole[96:]), bytes(whole[32:96]))


@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_a_key_of_small_order_signs_nothing(encoded):
    key = bytes.fromhex(encoded)
    for message in (b"", *(bytes([n]) for n in range(64))):  # 1 in 8 would fit without the check
        for nonce in (key, bytes.fromhex(SMALL_ORDER[1])):
            with pytest.raises(BadSignature):
                verify(key, message, nonce + bytes(32))


@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_a_nonce_of_small_order_is_refused(encoded):
    nonce = bytes.fromhex(encoded)
    for message in (bytes([n]) for n in range(32)):
        scalar = _scalar_for(nonce, message)
        with pytest.raises(BadSignature):
            verify(ANN.key, message, nonce + scalar)


def test_the_second_way_to_write_a_signature_is_refused():
    message = b"once"
    signature = ANN.sign(message)
    scalar = int.from_bytes(signature[32:], "little")
    assert scalar < ORDER

    for again in (scalar + ORDER, scalar + 2 * ORDER):
        with pytest.raises(BadSignature):
            verify(ANN.key, message, signature[:32] + again.to_bytes(32, "little"))


def test_a_key_written_beyond_the_field_is_refused():
    message = b"once"
    for y in range(19):
        with pytest.raises(BadSignature):
            verify((FIELD + y).to_bytes(32, "little"), message, ANN.sign(message))


@pytest.mark.parametrize(("key_bytes", "signature_bytes"), [(0, 64), (31, 64), (33, 64), (32, 63)])
def test_keys_and_signatures_of_other_lengths_are_refused(key_bytes, signature_bytes):
    key, signature = ANN.key * 2, ANN.sign(b"x")

    with pytest.raises(BadSignature):
        verify(key[:key_bytes], b"x", signature[:signature_bytes])


def test_where_the_signature_ends_cannot_be_moved():
    whole = ANN.sign(b"message") + b"message"

    for length in (32, 63, 65):
        with pytest.raises(BadSignature):
            verify(ANN.key, whole[length:], whole[:length])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_no_seed(length):
    with pytest.raises(ValueError, match="32 bytes"):
        Identity(bytes(length))


def test_a_device_never_shows_its_secret():
    seed = seed_of("shy")
    device = Identity(seed)

    for shown in (repr(device), str(device), f"{device}"):
        assert seed.hex() not in shown
        assert device.key.hex()[:16] in shown


def test_the_short_form_is_eight_groups_whose_last_one_checks_the_others():
    shown = identity.short_form(ANN.key)

    assert shown == "6DI6-DLAC-KMNM-2DZX-Y4LW-V2K3-IY5X-GL23"
    assert [len(group) for group in shown.split("-")] == [4] * 8
    assert identity.short_form(seed_of("other")) != shown


def test_words_tag_and_colour_tell_friends_apart():
    assert identity.four_words(ANN.key) == "island beetle angle beetle"
    assert identity.tag(ANN.key) == identity.short_form(ANN.key)[:4].lower()
    assert {identity.colour(seed_of(n)) for n in range(100)} == set(range(1, 9))


def test_there_is_a_word_for_each_byte_and_their_order_is_frozen():
    assert len(WORDS) == len(set(WORDS)) == 256
    digest = hashlib.sha256(" ".join(WORDS).encode()).hexdigest()
    assert digest == "6604bd80a9d00b59e74c92f0e38e9d509ef907601395bce06778851474428f30"


def _scalar_for(nonce: bytes, message: bytes) -> bytes:
    """The scalar that makes a signature right but for its nonce: S = r + k*a with r = 0."""
    expanded = bytearray(hashlib.sha512(seed_of("ann")).digest()[:32])
    expanded[0] &= 248
    expanded[31] = expanded[31] & 127 | 64
    secret = int.from_bytes(expanded, "little")
    challenge = int.from_bytes(hashlib.sha512(nonce + ANN.key + message).digest(), "little")
    return (challenge * secret % ORDER).to_bytes(32, "little")
