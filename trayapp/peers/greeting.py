"""HELLO and AUTH, both roles: who is at the other end of a fresh socket (PROTOCOL.md section 8).

HELLO proves membership, AUTH the device; both are bound to the listener's certificate, so that
nothing proved on one connection is worth anything on another. All refusals are worded here.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed

from trayapp.errors import BadSignature, ErrorCode, PeerUnreachable, RemoteProtocolError
from trayapp.forum.identity import Identity, verify
from trayapp.forum.network import Network
from trayapp.peers.certificate import named_issuer
from trayapp.sync import messages
from trayapp.sync.messages import FRAME_BYTES, Auth, Err, Hello

VERSION = 1
CLOSE_BASE = 4000
"""A link that ends for an ErrorCode closes with this and the code."""

_NONCE_BYTES = 32
_CODES = frozenset(ErrorCode)
_REFUSALS = {
    ErrorCode.BAD_FRAME: "could not read what this machine said",
    ErrorCode.BAD_AUTH: "does not believe this machine's key: something on the way opens the "
    "encryption",
    ErrorCode.NOT_MEMBER: "is not a machine of this forum",
    ErrorCode.REVOKED: "no longer takes this machine for a member",
    ErrorCode.VERSION: "speaks another version of the protocol",
    ErrorCode.BUSY: "has no room for another link now",
    ErrorCode.DUPLICATE: "is linked already",
    ErrorCode.SELF: "is this machine itself",
    ErrorCode.CLOCK: "has a clock that differs too much",
}

_Kind = TypeVar("_Kind", Hello, Auth)


@dataclass(frozen=True, slots=True)
class Passport:
    """Who we are at anybody's door."""

    identity: Identity
    network: Network
    now_ms: Callable[[], int]
    app_version: str
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """One connection that is to be proved: our part, and who seems to be there."""

    websocket: Connection
    passport: Passport
    certificate: bytes
    """SHA-256 of the listener's certificate, as this end sees it: `c`."""
    place: str
    """How refusals name the other end."""


async def greet(visit: Visit, certificate_der: bytes, expected: bytes | None) -> Auth:
    """Greet as the dialer.

    Args:
        certificate_der: the listener's certificate, to tell TLS inspection from a stranger.
        expected: the device that has to be there; None: any member.

    Raises:
        PeerUnreachable: with the ErrorCode that says why; the socket is closed.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    await _send(visit, Hello(VERSION, nonce, _Proofs(visit, nonce, b"").by_dialer()))
    hello = await _listener_hello(visit, certificate_der)
    proofs = _Proofs(visit, nonce, hello.nonce)
    if not hmac.compare_digest(hello.proof, proofs.by_listener()):
        await visit.websocket.close()
        raise _not_member(visit.place, certificate_der)
    versions = bytes((VERSION, hello.version))
    if hello.version != VERSION:
        await _refuse(visit, ErrorCode.VERSION, _other_version(visit.place, hello.version))
    await _send(visit, _our_auth(visit.passport, proofs.signed_text(b"auth-d", versions)))
    auth = await _receive(visit, Auth)
    await _check_auth(visit, auth, proofs.signed_text(b"auth-l", versions))
    if expected is not None and auth.key != expected:
        sentence = f"Another machine than expected answers at {visit.place}."
        await _refuse(visit, ErrorCode.BAD_AUTH, sentence)
    visit.websocket.protocol.max_message_size = FRAME_BYTES
    return auth


async def answer(visit: Visit) -> Auth:
    """Answer a greeting as the listener. Nothing is said before the dialer proved membership.

    Raises:
        PeerUnreachable: with the ErrorCode that says why; the socket is closed.
    """
    hello = await _receive(visit, Hello, tell=False)
    proofs = _Proofs(visit, hello.nonce, secrets.token_bytes(_NONCE_BYTES))
    if not hmac.compare_digest(hello.proof, proofs.by_dialer()):
        await visit.websocket.close()
        raise _refused(ErrorCode.NOT_MEMBER, visit.place)
    await _send(visit, Hello(VERSION, proofs.listener_nonce, proofs.by_listener()))
    versions = bytes((hello.version, VERSION))
    if hello.version != VERSION:
        await _refuse(visit, ErrorCode.VERSION, _other_version(visit.place, hello.version))
    auth = await _receive(visit, Auth)
    await _check_auth(visit, auth, proofs.signed_text(b"auth-d", versions))
    # Before our AUTH goes out: after it the other end may say more than a greeting, and the
    # library reads ahead (PROTOCOL.md section 8: raised later, 50 of 50 links died).
    visit.websocket.protocol.max_message_size = FRAME_BYTES
    await _send(visit, _our_auth(visit.passport, proofs.signed_text(b"auth-l", versions)))
    return auth


@dataclass(frozen=True, slots=True)
class _Proofs:
    """What ties every proof to this one connection: the certificate and both nonces."""

    visit: Visit
    dialer_nonce: bytes
    listener_nonce: bytes

    def by_dialer(self) -> bytes:
        return self._of_membership(b"hello-d", self.dialer_nonce)

    def by_listener(self) -> bytes:
        return self._of_membership(b"hello-l", self.dialer_nonce + self.listener_nonce)

    def signed_text(self, label: bytes, versions: bytes) -> bytes:
        nonces = self.dialer_nonce + self.listener_nonce
        return label + self.visit.passport.network.id + self.visit.certificate + nonces + versions

    def _of_membership(self, label: bytes, nonces: bytes) -> bytes:
        key = self.visit.passport.network.key
        return hmac.digest(key, label + self.visit.certificate + nonces, "sha256")


def _our_auth(passport: Passport, signed: bytes) -> Auth:
    return Auth(
        passport.identity.key,
        passport.identity.sign(signed),
        passport.now_ms(),
        passport.app_version,
        passport.features,
    )


async def _check_auth(visit: Visit, auth: Auth, signed: bytes) -> None:
    """See that the other device signed, and that it is not this one."""
    try:
        verify(auth.key, signed, auth.signature)
    except BadSignature:
        sentence = (
            f"{visit.place} did not prove its key: something on the way opens the encryption."
        )
        await _refuse(visit, ErrorCode.BAD_AUTH, sentence)
    if auth.key == visit.passport.identity.key:
        await _refuse(visit, ErrorCode.SELF, f"{visit.place} {_REFUSALS[ErrorCode.SELF]}.")


async def _listener_hello(visit: Visit, certificate_der: bytes) -> Hello:
    try:
        return await _receive(visit, Hello)
    except PeerUnreachable as error:
        # Closed in good order and without a word: how a listener treats a wrong proof.
        if visit.websocket.close_code == 1000:
            raise _not_member(visit.place, certificate_der) from error
        raise


async def _receive(visit: Visit, kind: type[_Kind], *, tell: bool = True) -> _Kind:
    """The next message, which has to be of this kind; a stranger is not told what was wrong."""
    try:
        message = messages.decode(await visit.websocket.recv(decode=False))
    except ConnectionClosed as error:
        raise _hung_up(error, visit.place) from error
    except RemoteProtocolError:
        message = None
    if isinstance(message, kind):
        return message
    if isinstance(message, Err):
        raise _refused(message.code, visit.place)
    sentence = f"{visit.place} said something that is no greeting."
    if tell:
        await _refuse(visit, ErrorCode.BAD_FRAME, sentence)
    await visit.websocket.close()
    raise PeerUnreachable(sentence, ErrorCode.BAD_FRAME)


async def _send(visit: Visit, message: Hello | Auth) -> None:
    try:
        await visit.websocket.send(messages.encode(message))
    except ConnectionClosed as error:
        raise _hung_up(error, visit.place) from error


async def _refuse(visit: Visit, code: ErrorCode, sentence: str) -> NoReturn:
    """Tell a member why there will be no link, and end it."""
    with contextlib.suppress(ConnectionClosed):
        await visit.websocket.send(messages.encode(Err(code, 0, "")))
    await visit.websocket.close(CLOSE_BASE + code)
    raise PeerUnreachable(sentence, code)


def _hung_up(error: ConnectionClosed, place: str) -> PeerUnreachable:
    code = error.rcvd.code - CLOSE_BASE if error.rcvd else 0
    if code in _CODES:
        return _refused(code, place)
    return PeerUnreachable(f"{place} closed the link before it said who it is.")


def _refused(code: int, place: str) -> PeerUnreachable:
    """The other end's reason in our words: its own text is not for showing."""
    if code not in _CODES:
        return PeerUnreachable(f"{place} refused the link (reason {code}).")
    reason = ErrorCode(code)
    return PeerUnreachable(f"{place} {_REFUSALS.get(reason, 'refused the link')}.", reason)


def _not_member(place: str, certificate_der: bytes) -> PeerUnreachable:
    sentence = f"{place} is not a machine of this forum; perhaps the invite is for another one."
    if issuer := named_issuer(certificate_der):
        sentence = (
            f"Something on the way to {place} opens the encryption (certificate by {issuer})."
        )
    return PeerUnreachable(sentence, ErrorCode.NOT_MEMBER)


def _other_version(place: str, theirs: int) -> str:
    age, where = ("a newer", "here") if theirs > VERSION else ("an older", "there")
    return f"{place} runs {age} Brothernet (protocol {theirs}, here {VERSION}): update it {where}."
