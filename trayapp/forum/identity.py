"""Device keys: make, sign, verify, and the short forms a person can compare.

The secret seed is an argument: where it comes from and where it is kept is the store's matter.
"""

from __future__ import annotations

import base64
import hashlib

from nacl import bindings
from nacl.exceptions import BadSignatureError

from trayapp.errors import BadSignature
from trayapp.forum.words import WORDS

KEY_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64


class Identity:
    """One device's secret key. Sign with it; never log, send or compare it."""

    __slots__ = ("_secret", "key")

    def __init__(self, seed: bytes) -> None:
        """Derive the key pair.

        Args:
            seed: 32 random bytes, the whole secret.

        Raises:
            ValueError: the seed is not 32 bytes long.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a device seed is {SEED_BYTES} bytes, not {len(seed)}")
        self.key, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def __repr__(self) -> str:
        return f"Identity({self.key.hex()[:16]})"

    def sign(self, message: bytes) -> bytes:
        """Sign `message`: 64 bytes, the same for the same message."""
        return bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]


def verify(key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature by libsodium's strict rules.

    Raises:
        BadSignature: wrong key, wrong bytes, a small-order key or a non-canonical encoding.
    """
    # libsodium reads 32 bytes where the key begins, however many there are.
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        raise BadSignature("A key or signature has the wrong length.")
    try:
        bindings.crypto_sign_open(signature + message, key)
    except BadSignatureError as error:
        raise BadSignature("The signature does not belong to this author and text.") from error


def short_form(key: bytes) -> str:
    """Write a key so that two people can compare it: 8 groups of 4, the last 4 characters check.

    28 base32 characters (140 bits) of the key's hash and 4 check characters (20 bits).
    """
    digest = hashlib.sha256(b"short1\0" + key).digest()
    shown = _base32(digest)[:28]
    check = _base32(hashlib.sha256(b"check1\0" + shown.encode()).digest())[:4]
    letters = shown + check
    return "-".join(letters[i : i + 4] for i in range(0, 32, 4))


def four_words(key: bytes) -> str:
    """Write a key as four words: 32 bits, for telling friends apart, never for proof."""
    digest = hashlib.sha256(b"words1\0" + key).digest()
    return " ".join(WORDS[byte] for byte in digest[:4])


def tag(key: bytes) -> str:
    """Four letters that tell two people of one name apart, as in `ada·7f3k`."""
    return _base32(hashlib.sha256(b"short1\0" + key).digest())[:4].lower()


def colour(key: bytes) -> int:
    """Pick one of the eight nick colours, 1 to 8 (`--n1` … `--n8` of the style sheet)."""
    return hashlib.sha256(b"colour1\0" + key).digest()[0] % 8 + 1


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
