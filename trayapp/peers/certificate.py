"""The listener's certificate: self-signed, new at each start and each UTC day, naming nothing.

It proves nothing by itself. HELLO and AUTH are bound to its hash (PROTOCOL.md section 8), so that a
relay with a certificate of its own is caught.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

_DAY_MS = 86_400_000
_NAMELESS = x509.Name([])


@dataclass(frozen=True, slots=True)
class Certificate:
    """One day's certificate, ready to answer TLS with."""

    digest: bytes
    """SHA-256 of its DER bytes: `c` in PROTOCOL.md section 8."""
    context: ssl.SSLContext
    day: int
    """The UTC day it was made for, counted from 1970."""


class DailyCertificate:
    """Hands out today's certificate, making it when the UTC day is another than last time.

    Links that stand keep the one they were made with.
    """

    def __init__(self) -> None:
        self._current: Certificate | None = None

    def at(self, now_ms: int) -> Certificate:
        """The certificate for the day of `now_ms`."""
        if self._current is None or self._current.day != now_ms // _DAY_MS:
            self._current = make_certificate(now_ms)
        return self._current


def make_certificate(now_ms: int) -> Certificate:
    """Make a key and a certificate for it, and forget the key but for the TLS context."""
    day = now_ms // _DAY_MS
    key = ec.generate_private_key(ec.SECP256R1())
    midnight = datetime.fromtimestamp(day * _DAY_MS / 1000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_NAMELESS)
        .issuer_name(_NAMELESS)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(midnight - timedelta(days=1))
        .not_valid_after(midnight + timedelta(days=3))
        .sign(key, hashes.SHA256())
    )
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return Certificate(digest, _answering_context(certificate, key), day)


def dialing_context() -> ssl.SSLContext:
    """TLS for dialling out: any certificate will do, what counts is proved over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def named_issuer(der: bytes) -> str:
    """Who signed a certificate that is not one of ours; empty for one that names nothing."""
    try:
        return x509.load_der_x509_certificate(der).issuer.rfc4514_string()[:100]
    except ValueError:
        return "somebody unreadable"


def _answering_context(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    password = secrets.token_bytes(32)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))
    # load_cert_chain reads files only. mkstemp makes this one owner-only, and the password dies
    # with this call, so that even a file left by a crash opens nothing.
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem + certificate.public_bytes(Encoding.PEM))
        context.load_cert_chain(path, password=password)
    finally:
        Path(path).unlink()
    return context
