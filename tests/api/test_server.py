from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import ClientSession, CookieJar, DummyCookieJar, WSServerHandshakeError

from tests.api.houses import TOKEN, Serving, serving
from trayapp.api.server import CONTENT_SECURITY_POLICY, ApiServer
from trayapp.errors import PortInUse

pytestmark = pytest.mark.network
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as house:
        yield house


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    """Keeps cookies, also those of an address that is a number."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


@pytest.fixture
async def stranger() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield session


async def _status(session: ClientSession, url: str, **how: Any) -> int:
    async with session.get(url, allow_redirects=False, **how) as response:
        await response.read()
        return response.status


async def test_a_one_time_address_opens_the_page_once(house: Serving, browser: ClientSession):
    url = house.server.page_address("/t/abc")
    assert urlsplit(url).fragment == "/t/abc"

    async with browser.get(url, allow_redirects=False) as entered:
        assert (entered.status, entered.headers["Location"]) == (303, "/")
        cookie = entered.headers["Set-Cookie"]
    async with browser.get(house.server.url + "/") as page:
        assert page.status == 200
        assert "Brothernet" in await page.text()

    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert await _status(browser, url) == 403


async def test_each_node_has_a_cookie_of_its_own_name(tmp_path: Path, browser: ClientSession):
    async with serving(tmp_path / "one") as one, serving(tmp_path / "two") as two:
        for house in (one, two, one):
            await _status(browser, house.server.page_address())

        assert await _status(browser, one.server.url + "/") == 200
        assert await _status(browser, two.server.url + "/") == 200


async def test_without_cookie_or_token_nothing_is_shown(house: Serving, stranger: ClientSession):
    url = house.server.url
    for path in ("/", "/app.js", "/favicon.ico", "/socket", "/api.json", "/nothing"):
        assert await _status(stranger, url + path) == 401
        assert await _status(stranger, url + path, headers={"Authorization": "Bearer x"}) == 401
        wrong = {"Cookie": f"brothernet-{urlsplit(url).port}=guess"}
        assert await _status(stranger, url + path, headers=wrong) == 401
    assert await _status(stranger, url + "/enter?code=guess") == 403
    assert await _status(stranger, url + "/enter") == 403


async def test_another_host_name_leads_nowhere(house: Serving, stranger: ClientSession):
    port = urlsplit(house.server.url).port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"[::1]:{port}",
    ):
        headers = BEARER | {"Host": host}
        assert await _status(stranger, house.server.url + "/", headers=headers) == 421
        code = house.server.page_address()
        assert await _status(stranger, code, headers={"Host": host}) == 421
    ours = BEARER | {"Host": f"localhost:{port}"}
    assert await _status(stranger, house.server.url + "/", headers=ours) == 200


async def test_another_page_may_not_ask(house: Serving, browser: ClientSession):
    await _status(browser, house.server.page_address())
    url = house.server.url

    for origin in (
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        url.replace("http", "https"),
    ):
        assert await _status(browser, url + "/", headers={"Origin": origin}) == 403
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect(url + "/socket", headers={"Origin": origin})
        assert refused.value.status == 403
    assert await _status(browser, url + "/", headers={"Origin": url}) == 200
    async with browser.ws_connect(url + "/socket", headers={"Origin": url}):
        pass


async def test_every_answer_carries_the_policy_of_the_page(house: Serving, stranger: ClientSession):
    url = house.server.url
    for path, headers in (("/", BEARER), ("/", {}), ("/app.js", BEARER), ("/nothing", BEARER)):
        async with stranger.get(url + path, headers=headers) as response:
            assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/app.js", "text/javascript"),
        ("/views/thread.js", "text/javascript"),
        ("/favicon.ico", "image/png"),
    ],
)
async def test_the_pages_files_come_with_their_types(
    house: Serving, stranger: ClientSession, path: str, kind: str
):
    async with stranger.get(house.server.url + path, headers=BEARER) as response:
        assert response.status == 200
        assert response.content_type == kind


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/package.json",
        "/views",
        "/..%2fdata%2fdevice.key",
        "/%2e%2e/data/forum.db",
        "/../icon.png",
        "/views/../../icon.png",
        "/%2fetc%2fpasswd",
        "/app.js%00.png",
    ],
)
async def test_nothing_else_of_the_disk_is_served(
    house: Serving, stranger: ClientSession, path: str
):
    from yarl import URL

    url = URL(house.server.url + path, encoded=True)
    async with stranger.get(url, headers=BEARER) as response:
        assert response.status == 404


async def test_the_page_takes_no_other_method(house: Serving, stranger: ClientSession):
    async with stranger.post(house.server.url + "/", headers=BEARER, data="x") as response:
        assert response.status == 405
        assert "Content-Security-Policy" in response.headers


async def test_a_port_that_is_taken_is_refused_in_words(house: Serving, tmp_path: Path):
    port = urlsplit(house.server.url).port
    assert port
    second = ApiServer(house.node, TOKEN, ui=tmp_path, icon=tmp_path)

    with pytest.raises(PortInUse, match=str(port)):
        await second.listen(port)


async def test_it_listens_on_loopback_alone(house: Serving):
    assert house.server.url.startswith("http://127.0.0.1:")
    host, port = house.server._runner.addresses[0][:2]
    assert (host, port) == ("127.0.0.1", urlsplit(house.server.url).port)


async def test_it_ends_at_once_though_a_page_is_open(tmp_path: Path, browser: ClientSession):
    loop = asyncio.get_running_loop()
    async with serving(tmp_path) as house:
        await _status(browser, house.server.page_address())
        socket = await browser.ws_connect(house.server.url + "/socket")
        await socket.send_json({"since": None})
        began = loop.time()
    assert loop.time() - began < 1.5
    message = await socket.receive(2)
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
