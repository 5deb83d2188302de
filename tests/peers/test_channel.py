from __future__ import annotations

import asyncio
import operator
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.peers.friends import NOW_MS, door, identity, knock, passport, plain_server, stage, until
from trayapp.errors import ChannelClosed, ErrorCode, InvalidAddress, PeerUnreachable
from trayapp.peers.channel import close_code_of, dial, host_of
from trayapp.peers.finder import PeerAddress, parse_address
from trayapp.status import PeerPath
from trayapp.sync.messages import FRAME_BYTES

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]


async def test_two_members_of_a_forum_learn_who_the_other_is():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        theirs = await ann.links.first()

        assert (channel.peer, theirs.peer) == (identity("ann").key, identity("bob").key)
        assert (channel.dialed, theirs.dialed) == (True, False)
        assert (channel.clock_ms, channel.app_version) == (NOW_MS, "0.1.0")
        assert (channel.remote_host, theirs.remote_host) == ("127.0.0.1", "127.0.0.1")
        await channel.close()


async def test_frames_of_a_mebibyte_pass_as_soon_as_the_greeting_is_over():
    big = bytes(FRAME_BYTES)
    for _ in range(10):
        async with door("ann") as ann:
            channel = await dial(ann.address, passport("bob"))
            await channel.send(big)
            theirs = await ann.links.first()
            await theirs.send(big)

            assert await channel.receive() == big
            await until(partial(operator.eq, ann.links.frames, [big]))
            await channel.close()


async def test_a_longer_frame_ends_the_link():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        await channel.send(bytes(FRAME_BYTES + 1))

        with pytest.raises(ChannelClosed) as closed:
            await channel.receive()

        assert closed.value.close_code == 1009


async def test_the_expected_machine_is_linked_and_any_other_is_not():
    async with door("ann") as ann:
        expected = PeerAddress("127.0.0.1", ann.address.port, identity("ann").key, PeerPath.FILE)
        other = PeerAddress("127.0.0.1", ann.address.port, identity("eve").key, PeerPath.FILE)

        await (await dial(expected, passport("bob"))).close()
        with pytest.raises(PeerUnreachable, match="Another machine than expected") as refusal:
            await dial(other, passport("bob"))

        assert refusal.value.error_code is ErrorCode.BAD_AUTH


async def test_both_ends_are_told_the_code_a_link_was_closed_with():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        theirs = await ann.links.first()
        codes: list[int | None] = [channel.close_code, theirs.close_code]
        assert codes == [None, None]

        await theirs.close(close_code_of(ErrorCode.DUPLICATE), "ü" * 200)
        with pytest.raises(ChannelClosed) as closed:
            await channel.receive()

        codes = [closed.value.close_code, channel.close_code, theirs.close_code]
        assert codes == [4009, 4009, 4009]
        with pytest.raises(ChannelClosed):
            await channel.send(b"late")


async def test_a_closed_port_is_said():
    async with door("ann") as ann:
        gone = ann.address

    with pytest.raises(PeerUnreachable, match=r"No Brothernet listens at 127\.0\.0\.1:") as refusal:
        await dial(gone, passport("bob"))
    assert refusal.value.error_code is None


async def test_an_unknown_name_is_said():
    nowhere = PeerAddress("nobody.invalid", 47311, None, PeerPath.FILE)

    with pytest.raises(PeerUnreachable, match=r"by the name nobody\.invalid"):
        await dial(nowhere, passport("bob"))


async def test_a_server_that_says_nothing_is_given_up_in_time():
    async with plain_server(b"") as address:
        with pytest.raises(PeerUnreachable, match=r"did not answer within 0\.2 seconds"):
            await dial(address, passport("bob"), timeout_s=0.2)


async def test_a_server_without_tls_is_said():
    async with plain_server(b"SSH-2.0-OpenSSH_9.2\r\n") as address:
        with pytest.raises(PeerUnreachable, match=r"speaks no TLS 1\.3"):
            await dial(address, passport("bob"))


async def test_a_redirect_is_not_followed():
    visits: list[str] = []

    async def redirect(connection: ServerConnection, _: object) -> object:
        visits.append("here")
        response = connection.respond(302, "")
        response.headers["Location"] = "/elsewhere"
        return response

    async with stage(lambda _: asyncio.sleep(0), process_request=redirect) as address:
        with pytest.raises(PeerUnreachable, match="is not Brothernet"):
            await dial(address, passport("bob"))

    assert visits == ["here"]


async def test_a_cancelled_dial_leaves_no_socket_behind():
    inside = asyncio.Event()
    gone = asyncio.Event()

    async def stare(websocket: ServerConnection) -> None:
        await websocket.recv()
        inside.set()
        await websocket.wait_closed()
        gone.set()

    async with stage(stare) as address, asyncio.timeout(5):
        dialing = asyncio.ensure_future(dial(address, passport("bob")))
        await inside.wait()
        dialing.cancel()
        await gone.wait()

    assert dialing.cancelled()


async def test_closing_is_quick_when_nobody_answers():
    async with door("ann") as ann:
        channel = await dial(ann.address, passport("bob"))
        theirs = await ann.links.first()
        theirs._websocket.transport.pause_reading()

        async with asyncio.timeout(1.5):
            await channel.close()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("192.168.1.5", 47311), "192.168.1.5"),
        (("::ffff:192.168.1.5", 47311, 0, 0), "192.168.1.5"),
        (("fd00::2", 47311, 0, 0), "fd00::2"),
        (None, "unknown"),
    ],
)
def test_the_other_end_is_named_by_its_plain_address(address: object, host: str):
    assert host_of(address) == host


async def test_only_the_v1_path_without_an_origin_is_found():
    async with door("ann") as ann:
        for options in ({"path": "/"}, {"path": "/v2"}, {"origin": "https://example.org"}):
            with pytest.raises(Exception, match="HTTP 404"):
                async with knock(ann.address, **options):
                    pass
        assert ann.links.adopted == []


async def test_garbage_is_answered_with_silence():
    async with door("ann") as ann:
        for garbage in (b"", b"\x01", b"GET / HTTP/1.1", "text", b"\xff" * 1024, bytes(2048)):
            async with knock(ann.address) as websocket:
                await websocket.send(garbage)
                with pytest.raises(ConnectionClosed):
                    await websocket.recv()
        assert ann.links.adopted == []


@pytest.mark.parametrize(
    "host", ["2001:db8::1%a..b", "a..b", "a" * 64, "a\x00b", "", ".a", "\ud800"]
)
async def test_a_host_that_no_resolver_takes_is_nowhere_to_be_reached(host: str):
    with pytest.raises(PeerUnreachable):
        await dial(PeerAddress(host, 1, None, PeerPath.FILE), passport("bob"))


NOWHERE = [
    "{}.invalid:1",
    "[::1%{}]:1",
    "[fe80::1%{}]:1",
    "[2001:db8::1%{}]:1",
    "[{}]:1",
    "[::1]:1{}",
]


@pytest.mark.timeout(180)
@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(NOWHERE),
    st.one_of(st.text(max_size=70), st.text("ab.-_%:0 \x00\N{IDEOGRAPHIC FULL STOP}", max_size=20)),
)
def test_whatever_is_written_as_an_address_costs_a_refusal_at_most(form: str, text: str):
    try:
        address = parse_address(form.format(text), PeerPath.FILE)
    except InvalidAddress:
        return
    with pytest.raises(PeerUnreachable):
        asyncio.run(dial(address, passport("bob"), timeout_s=0.1))
