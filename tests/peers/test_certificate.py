from __future__ import annotations

import asyncio
import hashlib
import ssl
import tempfile
from pathlib import Path

import pytest
from cryptography import x509

from tests.peers.friends import NOW_MS
from trayapp.peers.certificate import (
    DailyCertificate,
    dialing_context,
    make_certificate,
    named_issuer,
)

DAY_MS = 86_400_000


async def shown_by(answering: ssl.SSLContext, dialing: ssl.SSLContext) -> tuple[bytes, str]:
    """The certificate and TLS version that a dialer meets."""
    server = await asyncio.start_server(_close, "127.0.0.1", 0, ssl=answering)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=dialing, server_hostname=""
        )
        tls = writer.get_extra_info("ssl_object")
        seen = tls.getpeercert(binary_form=True), tls.version()
        writer.close()
        await writer.wait_closed()
    return seen


async def _close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_a_dialer_sees_the_certificate_whose_hash_we_bind_to():
    made = make_certificate(NOW_MS)

    der, version = await shown_by(made.context, dialing_context())

    assert hashlib.sha256(der).digest() == made.digest
    assert version == "TLSv1.3"


async def test_nothing_older_than_tls_13_is_spoken():
    old = dialing_context()
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    server = await asyncio.start_server(
        _close, "127.0.0.1", 0, ssl=make_certificate(NOW_MS).context
    )
    async with server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(
                "127.0.0.1", server.sockets[0].getsockname()[1], ssl=old, server_hostname=""
            )


async def test_the_certificate_names_nothing():
    der, _ = await shown_by(make_certificate(NOW_MS).context, dialing_context())

    shown = x509.load_der_x509_certificate(der)
    assert shown.subject.rdns == shown.issuer.rdns == []
    assert list(shown.extensions) == []
    assert named_issuer(der) == ""


def test_every_start_and_every_utc_day_has_its_own():
    first, second = DailyCertificate(), DailyCertificate()
    midnight = NOW_MS - NOW_MS % DAY_MS + DAY_MS

    today = first.at(midnight - DAY_MS)

    assert first.at(midnight - 1) is today
    assert first.at(midnight).digest != today.digest
    assert second.at(midnight).digest != first.at(midnight).digest
    assert first.at(midnight - 1).digest != today.digest  # a clock set back


def test_the_key_is_on_disk_for_the_loading_only_owner_only_and_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found: list[tuple[int, bytes]] = []
    load = ssl.SSLContext.load_cert_chain

    def look(context: ssl.SSLContext, path: str, **options: object) -> None:
        found.append((Path(path).stat().st_mode & 0o777, Path(path).read_bytes()))
        load(context, path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    make_certificate(NOW_MS)

    ((mode, pem),) = found
    assert mode == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in pem
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_that_cannot_be_read_is_not_one_of_ours():
    assert named_issuer(b"\x30\x00") == "somebody unreadable"
