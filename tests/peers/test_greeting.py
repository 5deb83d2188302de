"""Strangers, relays, recordings and other versions at the door (PROTOCOL.md section 11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.peers.friends import (
    NOW_MS,
    Door,
    Greeter,
    door,
    hear,
    hear_auth,
    hear_hello,
    identity,
    knock,
    passport,
    seen_certificate,
    stage,
)
from trayapp.errors import ErrorCode, PeerUnreachable
from trayapp.peers import certificate
from trayapp.peers.certificate import make_certificate
from trayapp.peers.channel import dial
from trayapp.peers.finder import PeerAddress
from trayapp.sync.messages import Auth, Err, Hello, decode, encode

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]


async def refusal_of(address: PeerAddress, who: str = "bob") -> PeerUnreachable:
    with pytest.raises(PeerUnreachable) as refusal:
        await dial(address, passport(who))
    return refusal.value


async def silence(websocket: ClientConnection) -> int:
    """See that the door closes without a word; returns the close code."""
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    return websocket.close_code or 0


# --- strangers ---


async def test_a_stranger_is_let_go_without_a_word():
    async with door("ann") as ann, knock(ann.address) as websocket:
        eve = Greeter(websocket, passport("eve", "Another forum"), seen_certificate(websocket))
        await websocket.send(eve.dialer_hello())

        assert await silence(websocket) == 1000
        assert ann.links.adopted == []


async def test_a_member_of_another_forum_learns_that_this_is_not_his():
    async with door("ann", "Another forum") as ann:
        refusal = await refusal_of(ann.address)

    assert refusal.error_code is ErrorCode.NOT_MEMBER
    assert "is not a machine of this forum" in str(refusal)


async def test_a_listener_that_cannot_prove_membership_hears_no_key():
    heard: list[object] = []

    async def pretend(websocket: ServerConnection) -> None:
        heard.append(theirs := await hear_hello(websocket))
        eve = Greeter(websocket, passport("eve", "Another forum"), mine.digest)
        await websocket.send(eve.listener_hello(theirs))
        heard.extend([frame async for frame in websocket])

    mine = make_certificate(NOW_MS)
    async with stage(pretend, mine) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is ErrorCode.NOT_MEMBER
    assert [type(frame) for frame in heard] == [Hello]


async def test_a_door_that_closes_for_want_of_room_is_no_stranger():
    async def hang_up(websocket: ServerConnection) -> None:
        await websocket.recv()
        websocket.transport.abort()

    async with stage(hang_up) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is None


async def test_our_own_door_is_recognised_at_both_ends():
    async with door("bob") as bob:
        refusal = await refusal_of(bob.address)

        assert refusal.error_code is ErrorCode.SELF
        assert bob.links.adopted == []


# --- in between ---


@asynccontextmanager
async def relay(
    behind: Door, pass_on: Callable[[ServerConnection, ClientConnection, bytes], Awaitable[None]]
) -> AsyncIterator[PeerAddress]:
    """Somebody on the way who opens the encryption with a certificate of their own."""
    mine = make_certificate(NOW_MS)

    async def sit_between(dialer: ServerConnection) -> None:
        async with knock(behind.address) as listener:
            await pass_on(dialer, listener, mine.digest)
            await asyncio.gather(_pump(dialer, listener), _pump(listener, dialer))

    async with stage(sit_between, mine) as address:
        yield address


async def _pump(
    source: ServerConnection | ClientConnection, sink: ServerConnection | ClientConnection
) -> None:
    try:
        async for frame in source:
            await sink.send(frame)
    except ConnectionClosed:
        pass
    await sink.close(source.close_code if source.close_code not in (None, 1005, 1006) else 1000)


async def test_a_relay_that_passes_everything_on_is_caught_by_the_first_proof():
    async def nothing(*_: object) -> None:
        pass

    async with door("ann") as ann, relay(ann, nothing) as address:
        refusal = await refusal_of(address)

        assert refusal.error_code is ErrorCode.NOT_MEMBER
        assert ann.links.adopted == []


async def member_in_the_middle(
    dialer: ServerConnection, listener: ClientConnection, certificate: bytes
) -> None:
    """Mallory knows the network key, so both ends take the HELLO; AUTH is passed on."""
    to_dialer = Greeter(dialer, passport("mallory"), certificate)
    to_listener = Greeter(listener, passport("mallory"), seen_certificate(listener))
    theirs = await hear_hello(dialer)
    await listener.send(to_listener.dialer_hello(theirs.nonce))
    answer = await hear_hello(listener)
    await dialer.send(to_dialer.listener_hello(theirs, answer.nonce))


async def test_a_member_in_the_middle_cannot_pass_for_another_device():
    async with door("ann") as ann, relay(ann, member_in_the_middle) as address:
        refusal = await refusal_of(address)

        assert refusal.error_code is ErrorCode.BAD_AUTH
        assert "opens the encryption" in str(refusal)
        assert ann.links.adopted == []


async def test_a_dialer_who_checks_nothing_is_protected_by_the_listener():
    async with door("ann") as ann, relay(ann, member_in_the_middle) as address:
        async with knock(address) as websocket:
            careless = Greeter(websocket, passport("bob"), seen_certificate(websocket))
            await websocket.send(careless.dialer_hello())
            answer = await hear_hello(websocket)
            await websocket.send(careless.auth(b"auth-d", b"d" * 32, answer.nonce))

            error = await hear(websocket)

        assert isinstance(error, Err)
        assert error.code == ErrorCode.BAD_AUTH
        assert ann.links.adopted == []


async def test_a_listener_who_checks_nothing_is_protected_by_the_dialer():
    mine = make_certificate(NOW_MS)

    async def lend_a_name(websocket: ServerConnection) -> None:
        mallory = Greeter(websocket, passport("mallory"), mine.digest)
        theirs = await hear_hello(websocket)
        await websocket.send(mallory.listener_hello(theirs))
        await hear_auth(websocket)
        own = decode(mallory.auth(b"auth-l", theirs.nonce, b"l" * 32))
        assert isinstance(own, Auth)
        ann = identity("ann").key
        await websocket.send(encode(Auth(ann, own.signature, NOW_MS, "0.1.0", ())))
        await websocket.wait_closed()

    async with stage(lend_a_name, mine) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is ErrorCode.BAD_AUTH


async def test_inspection_of_the_encryption_is_named():
    async def close(websocket: ServerConnection) -> None:
        await websocket.recv()
        await websocket.close()

    key = ec.generate_private_key(ec.SECP256R1())
    boss = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Company Proxy")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    named = (
        x509.CertificateBuilder()
        .subject_name(boss)
        .issuer_name(boss)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=9999))
        .sign(key, hashes.SHA256())
    )
    inspector = certificate.Certificate(b"", certificate._answering_context(named, key), 0)
    async with stage(close, inspector) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is ErrorCode.NOT_MEMBER
    assert "opens the encryption (certificate by O=Company Proxy)" in str(refusal)


# --- recordings ---


async def test_a_recorded_greeting_opens_nothing():
    async with door("ann") as ann:
        async with knock(ann.address) as websocket:
            bob = Greeter(websocket, passport("bob"), seen_certificate(websocket))
            hello = bob.dialer_hello()
            await websocket.send(hello)
            answer = await hear_hello(websocket)
            auth = bob.auth(b"auth-d", b"d" * 32, answer.nonce)
            await websocket.send(auth)
            await hear_auth(websocket)
        assert len(ann.links.adopted) == 1

        async with knock(ann.address) as websocket:
            await websocket.send(hello)  # the certificate is still the same today
            await hear_hello(websocket)
            await websocket.send(auth)
            error = await hear(websocket)

        assert isinstance(error, Err)
        assert error.code == ErrorCode.BAD_AUTH
        assert len(ann.links.adopted) == 1

    async with door("ann") as ann, knock(ann.address) as websocket:
        await websocket.send(hello)
        assert await silence(websocket) == 1000


async def test_a_dialers_own_words_reflected_prove_nothing():
    async def mirror(websocket: ServerConnection) -> None:
        async for frame in websocket:
            await websocket.send(frame)

    async with stage(mirror) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is ErrorCode.NOT_MEMBER


async def test_a_dialers_own_signature_reflected_proves_nothing():
    mine = make_certificate(NOW_MS)

    async def mirror_auth(websocket: ServerConnection) -> None:
        mallory = Greeter(websocket, passport("mallory"), mine.digest)
        await websocket.send(mallory.listener_hello(await hear_hello(websocket)))
        await websocket.send(await websocket.recv())
        await websocket.wait_closed()

    async with stage(mirror_auth, mine) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is ErrorCode.BAD_AUTH


# --- other versions ---


@pytest.mark.parametrize(("version", "advice"), [(2, "a newer Brothernet"), (0, "an older")])
async def test_a_listener_of_another_version_is_named(version: int, advice: str):
    mine = make_certificate(NOW_MS)

    async def other(websocket: ServerConnection) -> None:
        ann = Greeter(websocket, passport("ann"), mine.digest)
        theirs = await hear_hello(websocket)
        await websocket.send(ann.listener_hello(theirs, version=version))
        await websocket.wait_closed()

    async with stage(other, mine) as address:
        refusal = await refusal_of(address)

    assert refusal.error_code is ErrorCode.VERSION
    assert advice in str(refusal)
    assert f"protocol {version}, here 1" in str(refusal)


@pytest.mark.parametrize("version", [0, 2, 255])
async def test_a_dialer_of_another_version_is_told_so_after_its_proof(version: int):
    async with door("ann") as ann, knock(ann.address) as websocket:
        bob = Greeter(websocket, passport("bob"), seen_certificate(websocket))
        await websocket.send(bob.dialer_hello(version=version))

        assert (await hear_hello(websocket)).version == 1
        error = await hear(websocket)
        assert isinstance(error, Err)
        assert error.code == ErrorCode.VERSION
        await silence(websocket)
        assert websocket.close_code == 4006
        assert ann.links.adopted == []


async def test_a_downgrade_on_the_way_is_caught():
    """Whoever changes a version in a HELLO changes what the other end signs."""
    async with door("ann") as ann, knock(ann.address) as websocket:
        bob = Greeter(websocket, passport("bob"), seen_certificate(websocket))
        await websocket.send(bob.dialer_hello())
        answer = await hear_hello(websocket)
        await websocket.send(bob.auth(b"auth-d", b"d" * 32, answer.nonce, versions=b"\2\1"))

        error = await hear(websocket)

        assert isinstance(error, Err)
        assert error.code == ErrorCode.BAD_AUTH


# --- what else may be said ---


async def test_a_member_that_breaks_off_the_greeting_is_told():
    async with door("ann") as ann, knock(ann.address) as websocket:
        bob = Greeter(websocket, passport("bob"), seen_certificate(websocket))
        await websocket.send(bob.dialer_hello())
        await hear_hello(websocket)
        await websocket.send(bob.dialer_hello())

        error = await hear(websocket)

        assert isinstance(error, Err)
        assert error.code == ErrorCode.BAD_FRAME


async def test_a_frame_longer_than_a_greeting_is_refused_before_auth():
    async def talk(websocket: ServerConnection) -> None:
        await websocket.recv()
        await websocket.send(bytes(2048))
        await websocket.wait_closed()

    async with stage(talk) as address:
        refusal = await refusal_of(address)
    assert refusal.error_code is None

    async with door("ann") as ann, knock(ann.address) as websocket:
        bob = Greeter(websocket, passport("bob"), seen_certificate(websocket))
        await websocket.send(bob.dialer_hello())
        await hear_hello(websocket)
        await websocket.send(bytes(2048))
        assert await silence(websocket) == 1009
        assert ann.links.adopted == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ErrorCode.BUSY, "has no room"),
        (ErrorCode.REVOKED, "no longer takes this machine for a member"),
        (ErrorCode.RATE, "refused the link"),
        (99, "reason 99"),
    ],
)
async def test_the_other_ends_reason_is_told_in_our_words(code: int, words: str):
    async def refuse(websocket: ServerConnection) -> None:
        await websocket.recv()
        await websocket.send(encode(Err(code, 30, "<b>call 555-0100</b>")))
        await websocket.close(4000 + code)

    async with stage(refuse) as address:
        refusal = await refusal_of(address)

    assert words in str(refusal)
    assert "555" not in str(refusal)
    assert refusal.error_code == (code if code != 99 else None)


def test_a_passport_tells_no_secret_when_it_is_printed():
    who = passport("bob")

    assert who.network.key.hex() not in repr(who)
    assert repr(who.network.key) not in repr(who)
