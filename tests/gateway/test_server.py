"""The HTTP server: problems without inner words, signatures in constant time, bodies of a sane size."""

from __future__ import annotations

import hashlib
import hmac
import io

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from core.ports import StorageFull
from gateway.server import MAX_BODY, build_server, is_signed, parse_json, signature


async def full(_: web.Request) -> web.StreamResponse:
    raise StorageFull


async def broken(_: web.Request) -> web.StreamResponse:
    raise RuntimeError("secret inside")


async def size(request: web.Request) -> web.StreamResponse:
    return web.Response(text=str(len(await request.read())))


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> TestClient[web.Request, web.Application]:
    routes = [("POST", "/full", full), ("GET", "/broken", broken), ("POST", "/size", size), ("POST", "/size", size)]
    return await aiohttp_client(build_server(routes))


async def test_full_storage_asks_to_come_again(client: TestClient[web.Request, web.Application]) -> None:
    answer = await client.post("/full")
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert (await answer.json())["title"] == "storage is full"


async def test_an_error_of_ours_keeps_its_words(client: TestClient[web.Request, web.Application]) -> None:
    answer = await client.get("/broken")
    assert answer.status == 500
    assert "secret" not in await answer.text()


async def test_bodies_over_one_mebibyte_are_refused(client: TestClient[web.Request, web.Application]) -> None:
    assert (await client.post("/size", data=io.BytesIO(b"x" * MAX_BODY))).status == 200
    assert (await client.post("/size", data=io.BytesIO(b"x" * (MAX_BODY + 1)))).status == 413


async def test_unknown_paths_are_404(client: TestClient[web.Request, web.Application]) -> None:
    assert (await client.get("/nothing")).status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/full"), ("GET", "/broken"), ("GET", "/nothing"), ("PUT", "/size")]
)
async def test_refusals_are_neither_sniffed_nor_kept(
    client: TestClient[web.Request, web.Application], method: str, path: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status >= 400
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("proxies", "said", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "not an address", "127.0.0.1"),
        (1, "203.0.113.9, <script>", "127.0.0.1"),
    ],
)
async def test_the_address_of_a_client_behind_proxies(
    aiohttp_client: AiohttpClient, proxies: int, said: str, expected: str
) -> None:
    """Only what our own proxies added is believed: it stands on the right."""

    async def who(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f"{request.remote} {request.match_info['name']} {(await request.read()).decode()}")

    client = await aiohttp_client(build_server([("POST", "/{name}", who)], proxies))
    answer = await client.post("/room", data=b"body", headers={"X-Forwarded-For": said} if said else {})
    assert await answer.text() == f"{expected} room body"


async def test_addresses_of_several_headers_are_one_list(aiohttp_client: AiohttpClient) -> None:
    async def who(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.remote)

    client = await aiohttp_client(build_server([("GET", "/", who)], 1))
    answer = await client.get("/", headers=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")])
    assert await answer.text() == "203.0.113.9"


def test_signatures() -> None:
    body = '{"data": "Привет"}'.encode()
    expected = "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()
    assert signature("key", body) == expected
    assert is_signed("key", body, expected)
    assert not is_signed("key", body + b" ", expected)
    assert not is_signed("", body, signature("", body)), "an empty secret shuts the door"
    assert not is_signed("key", body, "подпись")
    assert not is_signed("key", body, "\udcff"), "a byte that is no text"


@pytest.mark.parametrize(("body", "expected"), [(b'{"a": 1}', {"a": 1}), (b"[1]", None), (b"{", None), (b"\xff", None)])
def test_parse_json(body: bytes, expected: object) -> None:
    assert parse_json(body) == expected
