"""`kind: http` against real servers on loopback, and the wall around them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from adapters.remote import is_public, parse_retry_after
from adapters.services import build_service, call_info
from adapters.services.http import Http, HttpRules, fill_body, fill_path, render_query
from adapters.services.settings import parse_settings
from core.deployment import CallInfo, Take
from core.ports import Outcome, Store

ORDER: dict[str, Any] = {
    "path": "/orders/{number}",
    "params": {"phone": "{phone}"},
    "take": {
        "номер": {"path": "order.number"},
        "дней": {"path": "order.days", "type": "number"},
        "товар": {"path": "order.items.0.title"},
        "примечание": {"path": "order.note", "optional": True},
    },
}
REFUND = {"method": "POST", "path": "/refunds", "body": {"order": "{number}", "sum": "{sum}", "why": "Чат: {why}"}}
GOOD = {"order": {"number": 123456, "days": "3", "items": [{"title": "Термос"}], "extra": None}}
NO_STORE = cast(Store, None)


class Shop:
    """A server that answers as told and remembers what it was asked."""

    def __init__(self, *answers: Callable[[web.Request], Any]) -> None:
        self.answers = list(answers)
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1](request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return cast(web.StreamResponse, answer)

    @asynccontextmanager
    async def served(self, clock: Callable[[], float] | None = None, **settings: Any) -> AsyncIterator[Http]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.handle)
        async with TestServer(app) as server:
            rules = {
                "base": str(server.make_url("/v1")),
                "secret": "s3cret-token",
                "allow_private": True,
                "calls": {"get_order": ORDER, "refund": REFUND},
                **settings,
            }
            service = Http(parse_settings(HttpRules, rules), clock or (lambda: 0.0))
            try:
                yield service
            finally:
                await service.close()


def json(value: Any, status: int = 200, **headers: str) -> Callable[[web.Request], web.Response]:
    return lambda request: web.json_response(value, status=status, headers=headers)


async def get(service: Http, **params: Any) -> Outcome:
    return await service.call("get_order", {"number": "123456", "phone": "+79161234567", **params}, "k1", 1)


async def test_a_call_takes_typed_names() -> None:
    shop = Shop(json(GOOD))
    async with shop.served() as service:
        assert await get(service) == Outcome("ok", {"номер": "123456", "дней": 3, "товар": "Термос"})
    (asked,) = shop.asked
    assert (asked.method, asked.path_qs) == ("GET", "/v1/orders/123456?phone=%2B79161234567")
    assert asked.headers["Authorization"] == "Bearer s3cret-token"


@pytest.mark.parametrize("answer", [json({}, 404), json([]), json({}), json(None), lambda r: web.Response(status=204)])
async def test_404_and_empty_answers_are_missing(answer: Any) -> None:
    async with Shop(answer).served() as service:
        assert (await get(service)).status == "missing"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json({"order": {"number": 1, "items": [{"title": "x"}]}}), "order.days"),
        (json({"order": {"number": 1, "days": "три", "items": [{"title": "x"}]}}), "order.days"),
        (json({"order": {"number": {}, "days": 1, "items": [{"title": "x"}]}}), "order.number"),
        (json({"order": {"number": 1, "days": 1, "items": []}}), "order.items.0.title"),
        (lambda r: web.Response(text="<html>привет"), "not JSON"),
        (lambda r: web.Response(text="[" * 100_000), "not JSON"),
        (json({"order": "secret"}, 403), "HTTP 403"),
        (json({}, 500), "HTTP 500"),
    ],
)
async def test_what_does_not_fit_is_failed_and_the_error_names_no_value(answer: Any, error: str) -> None:
    async with Shop(answer).served() as service:
        outcome = await get(service)
    assert outcome.status == "failed"
    assert error in outcome.error
    assert not any(word in outcome.error for word in ("три", "secret", "s3cret", "127.0.0.1", "123456"))


async def test_a_get_is_asked_once_more_after_a_server_failure() -> None:
    shop = Shop(json({}, 502), json(GOOD))
    async with shop.served() as service:
        assert (await get(service)).status == "ok"
    assert len(shop.asked) == 2
    again = Shop(json({}, 502), json({}, 502), json(GOOD))
    async with again.served() as service:
        assert (await get(service)).status == "failed"
    assert len(again.asked) == 2


async def test_a_refusal_is_not_asked_again() -> None:
    shop = Shop(json({}, 400), json(GOOD))
    async with shop.served() as service:
        assert (await get(service)).error == "HTTP 400"
    assert len(shop.asked) == 1


async def test_a_post_is_asked_once_with_its_key_and_json() -> None:
    shop = Shop(json({}, 502), json({}))
    async with shop.served() as service:
        params = {"number": "1", "sum": 10.5, "why": 'брак"}'}
        assert (await service.call("refund", params, "row-7", 1)).error == "HTTP 502"
        assert len(shop.asked) == 1
        assert (await service.call("refund", params, "row-7", 1)) == Outcome("ok")
    assert shop.asked[0].headers["Idempotency-Key"] == "row-7"
    assert shop.asked[0].headers["Content-Type"] == "application/json"
    assert shop.bodies[0].decode() == '{"order":"1","sum":10.5,"why":"Чат: брак\\"}"}'


async def test_a_slow_answer_is_given_up() -> None:
    release = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await release.wait()
        return web.json_response({})

    shop = Shop(slow)
    async with shop.served(timeout=0.05) as service:
        assert (await get(service)).error == "no answer in time"
        release.set()
    assert len(shop.asked) == 2


async def test_too_large_an_answer_is_refused_packed_or_not() -> None:
    def packed(request: web.Request) -> web.Response:
        response = web.json_response({"x": "0" * 2_000_000})
        response.enable_compression()
        return response

    for answer in (json({"x": "0" * 2_000_000}), packed):
        shop = Shop(answer)
        async with shop.served() as service:
            assert (await get(service)).error == "the answer is too large"
        assert len(shop.asked) == 1


async def test_a_broken_connection_is_failed() -> None:
    def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with Shop(cut).served() as service:
        assert "the connection broke" in (await get(service)).error


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        rules = HttpRules(base, parse_settings(HttpRules, {"base": base, "calls": {"get_order": ORDER}}).calls)
        service = Http(HttpRules(base, rules.calls, allow_private=True))
        assert (await get(service)).error == "no connection"
        await service.close()


async def test_redirects_stay_on_the_host_and_end() -> None:
    def moved(target: str) -> Callable[[web.Request], web.Response]:
        return lambda request: web.Response(status=302, headers={"Location": target})

    async with Shop(moved("/v2/orders"), json(GOOD)).served() as service:
        assert (await get(service)).status == "ok"
    async with Shop(moved("/v1/again")).served() as service:
        assert (await get(service)).error == "too many redirects"
    for target in ("http://169.254.169.254/latest", "http://localhost:1/x", "https://127.0.0.1/x", "//example.com/x"):
        shop = Shop(moved(target))
        async with shop.served() as service:
            assert (await get(service)).error == "a redirect to somewhere else"
        assert len(shop.asked) == 1
    shop = Shop(moved("/v2/refunds"))
    async with shop.served() as service:
        assert "redirect" in (await service.call("refund", {}, "k", 1)).error
    assert len(shop.asked) == 1


async def test_the_breaker_rests_and_tries_again() -> None:
    clock = [0.0]
    shop = Shop(*[json({}, 500)] * 10, json(GOOD))
    async with shop.served(clock=lambda: clock[0]) as service:
        for _ in range(5):
            assert (await get(service)).error == "HTTP 500"
        asked = len(shop.asked)
        assert "rests" in (await get(service)).error
        assert len(shop.asked) == asked
        clock[0] = 31.0
        assert (await get(service)).status == "ok"
        assert (await get(service)).status == "ok"


async def test_refusals_do_not_open_the_breaker() -> None:
    async with Shop(json({}, 400)).served() as service:
        assert {(await get(service)).error for _ in range(8)} == {"HTTP 400"}


async def test_a_trial_that_fails_rests_again() -> None:
    clock = [0.0]
    shop = Shop(json({}, 500))
    async with shop.served(clock=lambda: clock[0]) as service:
        for _ in range(5):
            await get(service)
        clock[0] = 31.0
        assert (await get(service)).error == "HTTP 500"
        clock[0] = 60.0
        assert "rests" in (await get(service)).error


async def test_an_unknown_call_is_failed() -> None:
    async with Shop(json(GOOD)).served() as service:
        assert (await service.call("nope", {}, "k", 1)).status == "failed"


# --- the wall --------------------------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fec0::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::",
    "2001:0:0:0:0:0:3fff:fd",
    "nonsense",
    "",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


class Names(AbstractResolver):
    """A resolver that says what it is told, answer by answer."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                proto=0,
                flags=0,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in self.answers[min(self.asked, len(self.answers)) - 1]
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[int, list[int]]]:
    """A port on loopback that counts who connects."""
    met: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(1)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], met


async def refused(base: str, resolver: AbstractResolver | None = None) -> str:
    rules = parse_settings(HttpRules, {"base": base, "calls": {"get_order": ORDER}})
    service = Http(rules, resolver=resolver)
    outcome = await get(service)
    await service.close()
    assert outcome.status == "failed"
    return outcome.error


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
async def test_no_spelling_of_loopback_is_reached(host: str) -> None:
    async with listener() as (port, met):
        assert await refused(f"http://{host}:{port}")
    assert met == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "10.1.1.1", "100.64.1.1"])
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    async with listener() as (port, met):
        error = await refused(f"http://shop.example:{port}", Names([address]))
    assert error == "the address is private"
    assert met == []


async def test_a_name_that_changes_its_mind_is_refused_at_the_connection() -> None:
    """Rebinding: whoever checks the name first and connects later asks twice, and gets the second answer."""
    names = Names(["1.1.1.1"], ["127.0.0.1"])
    async with listener() as (port, met):
        await names.resolve("shop.example")
        assert await refused(f"http://shop.example:{port}", names) == "the address is private"
    assert met == []


async def test_several_private_addresses_are_refused_alike() -> None:
    async with listener() as (port, met):
        assert await refused(f"http://shop.example:{port}", Names(["127.0.0.1", "10.0.0.1", "::1"]))
    assert met == []


# --- filling in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "path"),
    [
        ("12", "/a/12/b"),
        ("1/2", "/a/1%2F2/b"),
        ("1?x=1#y", "/a/1%3Fx%3D1%23y/b"),
        ("№ 5", "/a/%E2%84%96%205/b"),
        (5.0, "/a/5/b"),
        ("..", None),
        (".", None),
        ("", None),
        (None, None),
        ("%2e%2e", "/a/%252e%252e/b"),
    ],
)
def test_a_value_never_leaves_its_segment(number: Any, path: str | None) -> None:
    assert fill_path("/a/{number}/b", {"number": number}) == path


def test_queries_and_bodies() -> None:
    assert render_query({"q": "{a}", "limit": "5", "x": "{no}"}, {"a": "1&b=2"}) == "?q=1%26b%3D2&limit=5"
    assert render_query({}, {}) == ""
    template = {"a": "{x}", "b": ["{y}", "z{y}"], "c": 5, "d": "{no}"}
    assert fill_body(template, {"x": True, "y": 2}) == {"a": True, "b": [2, "z2"], "c": 5, "d": None}


def test_retry_after() -> None:
    assert [parse_retry_after(text) for text in ("5", "99999", "", "soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT")] == [
        5.0,
        3600.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ]
    ahead = [parse_retry_after(formatdate(time.time() + seconds, usegmt=True)) for seconds in (30, 99_999)]
    assert 25 < ahead[0] <= 30
    assert ahead[1] == 3600.0


# --- settings --------------------------------------------------------------------------------------------------------


def test_what_flows_are_told() -> None:
    info = call_info({"kind": "http", "base": "https://x.example", "calls": {"get_order": ORDER, "refund": REFUND}})
    assert info["get_order"] == CallInfo(
        ("number", "phone"),
        {"номер": Take("text"), "дней": Take("number"), "товар": Take("text"), "примечание": Take("text", True)},
    )
    assert info["refund"] == CallInfo(("number", "sum", "why"), {}, safe=False)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"base": "ftp://x", "calls": {}}, "base"),
        ({"base": "https://", "calls": {}}, "base"),
        ({"base": "https://x", "calls": {"a": {"path": "/", "method": "BREW"}}}, "method"),
        ({"base": "https://x"}, "calls"),
    ],
)
def test_bad_settings_name_the_key(settings: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        build_service("http", settings, NO_STORE)


def test_an_unknown_kind() -> None:
    for attempt in (lambda: build_service("soap", {}, NO_STORE), lambda: call_info({"kind": "soap"})):
        with pytest.raises(ValueError, match="soap"):
            attempt()


async def test_secrets_of_a_pydantic_model_are_opened() -> None:
    from gateway.config.lines import HttpServiceSettings

    shop = Shop(json(GOOD))
    async with shop.served():
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", shop.handle)
        async with TestServer(app) as server:
            settings = HttpServiceSettings.model_validate(
                {
                    "base": str(server.make_url("/")),
                    "secret": "t",
                    "allow_private": True,
                    "headers": {"X-A": "b"},
                    "timeout": "5s",
                    "calls": {"get_order": ORDER},
                }
            )
            service = build_service("http", settings, NO_STORE)
            params = {"number": "1", "phone": "2"}
            assert (await service.call("get_order", params, "k", 1)).status == "ok"
            await service.close()
    assert shop.asked[0].headers["Authorization"] == "Bearer t"
    assert shop.asked[0].headers["X-A"] == "b"
