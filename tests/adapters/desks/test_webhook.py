"""`kind: webhook` against a real server on loopback: what it sends, what it makes of answers, what it believes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.desks import Change, build_desk, parse_status, signature, verify_signature
from adapters.desks.webhook import DeskRules, Webhook
from adapters.services.settings import parse_settings
from core.ports import FileLink, Outcome, Ticket

SECRET = "desk-secret"
NOW = 1_767_600_000.5
TICKET = Ticket(
    number=12,
    desk="returns",
    title="Возврат",
    text="Сломался",
    fields={"Причина": "Брак", "Номер заказа": "1"},
    files=("f1-0",),
    priority="высокая",
    status="new",
    done=False,
    client=7,
    conversation=3,
    created_at=1.0,
    updated_at=1.0,
    private=("Телефон",),
)

FILES = (
    FileLink("f1-0", "чек.pdf", "application/pdf", 9, "https://bot.example/files/f1-0"),
    FileLink("f1-1", "кино.mp4", note="больше 20 MB"),
)


class Desk:
    """An outer desk that answers as told."""

    def __init__(self, answer: Callable[[], web.Response]) -> None:
        self.answer = answer
        self.posts: list[tuple[web.Request, bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.posts.append((request, await request.read()))
        return self.answer()

    @asynccontextmanager
    async def served(self, **settings: Any) -> AsyncIterator[Webhook]:
        app = web.Application()
        app.router.add_post("/in", self.handle)
        async with TestServer(app) as server:
            rules = {"url": str(server.make_url("/in")), "secret": SECRET, "allow_private": True, **settings}
            desk = Webhook(parse_settings(DeskRules, rules), clock=lambda: NOW)
            try:
                yield desk
            finally:
                await desk.close()


async def test_a_ticket_is_a_signed_post() -> None:
    desk = Desk(lambda: web.json_response({"data": {"id": 901, "url": "https://desk.example/901"}}, status=201))
    async with desk.served(answer={"number": "data.id", "link": "data.url"}) as webhook:
        outcome = await webhook.push(TICKET, "t-12", FILES)
    assert outcome == Outcome("ok", {"number": "901", "link": "https://desk.example/901"})
    ((request, body),) = desk.posts
    assert request.headers["Idempotency-Key"] == "t-12"
    assert request.headers["X-Frontline-Timestamp"] == "1767600000"
    expected = hmac.new(SECRET.encode(), b"1767600000." + body, hashlib.sha256).hexdigest()
    assert request.headers["X-Frontline-Signature"] == f"sha256={expected}"
    assert json.loads(body) == {
        "number": 12,
        "desk": "returns",
        "title": "Возврат",
        "text": "Сломался",
        "fields": {"Причина": "Брак", "Номер заказа": "1"},
        "files": ["f1-0"],
        "attachments": [
            {
                "id": "f1-0",
                "name": "чек.pdf",
                "mime": "application/pdf",
                "size": 9,
                "url": "https://bot.example/files/f1-0",
            },
            {"id": "f1-1", "name": "кино.mp4", "note": "больше 20 MB"},
        ],
        "priority": "высокая",
        "client": 7,
        "created_at": 1.0,
    }


async def test_a_repeat_is_the_same_post() -> None:
    desk = Desk(lambda: web.Response(status=500))
    async with desk.served() as webhook:
        for _ in range(2):
            assert (await webhook.push(TICKET, "t-12")).status == "retry"
    (first, body), (second, again) = desk.posts
    assert (first.headers["Idempotency-Key"], body) == (second.headers["Idempotency-Key"], again)


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (400, {}, Outcome("failed", error="HTTP 400")),
        (401, {}, Outcome("failed", error="HTTP 401")),
        (409, {}, Outcome("failed", error="HTTP 409")),
        (429, {"Retry-After": "30"}, Outcome("retry", error="HTTP 429", after=30.0)),
        (408, {}, Outcome("retry", error="HTTP 408")),
        (500, {}, Outcome("retry", error="HTTP 500")),
        (503, {"Retry-After": "120"}, Outcome("retry", error="HTTP 503", after=120.0)),
        (302, {"Location": "/in"}, Outcome("failed", error="a redirect to somewhere else")),
    ],
)
async def test_refusals_and_failures(status: int, headers: dict[str, str], outcome: Outcome) -> None:
    async with Desk(lambda: web.Response(status=status, headers=headers, text="secret words")).served() as webhook:
        assert await webhook.push(TICKET, "k") == outcome


@pytest.mark.parametrize("body", ["", "ok", "[]", '{"number": {"a": 1}, "link": "javascript:alert(1)"}'])
async def test_an_answer_without_a_number_is_taken_still(body: str) -> None:
    async with Desk(lambda: web.Response(text=body)).served() as webhook:
        outcome = await webhook.push(TICKET, "k")
    assert outcome.status == "ok"
    assert outcome.take["link"] == ""


async def test_nobody_there_is_come_again_and_a_private_address_is_failed() -> None:
    rules = DeskRules("http://127.0.0.1:9", SECRET, allow_private=True)
    for desk, status in ((Webhook(rules), "retry"), (Webhook(DeskRules("http://127.0.0.1:9", SECRET)), "failed")):
        outcome = await desk.push(TICKET, "k")
        assert outcome.status == status
        assert "127.0.0.1" not in outcome.error
        await desk.close()


# --- what comes back -------------------------------------------------------------------------------------------------


def test_a_fresh_signature_of_ours_is_believed() -> None:
    body = '{"статус": 1}'.encode()
    given = signature(SECRET, "1000", body)
    assert verify_signature(SECRET, "1000", body, given, now=1299.0)
    assert verify_signature(SECRET, "1000", body, given, now=701.0)


@pytest.mark.parametrize(
    ("secret", "timestamp", "body", "given", "now"),
    [
        (SECRET, "1000", b"{}", "", 1000.0),
        (SECRET, "1000", b"{}", "sha256=", 1000.0),
        (SECRET, "1000", b"{} ", signature(SECRET, "1000", b"{}"), 1000.0),
        (SECRET, "1001", b"{}", signature(SECRET, "1000", b"{}"), 1000.0),
        (SECRET, "1000", b"{}", signature("other", "1000", b"{}"), 1000.0),
        (SECRET, "1000", b"{}", signature(SECRET, "1000", b"{}"), 1301.0),
        (SECRET, "1000", b"{}", signature(SECRET, "1000", b"{}"), 699.0),
        (SECRET, "", b"{}", signature(SECRET, "", b"{}"), 0.0),
        (SECRET, "²", b"{}", signature(SECRET, "²", b"{}"), 2.0),
        (SECRET, "9" * 5000, b"{}", "x", 0.0),
        (SECRET, "1000", b"{}", "подпись\udcff", 1000.0),
        ("", "1000", b"{}", signature("", "1000", b"{}"), 1000.0),
    ],
)
def test_no_other_signature_is_believed(secret: str, timestamp: str, body: bytes, given: str, now: float) -> None:
    assert not verify_signature(secret, timestamp, body, given, now=now)


def test_the_clock_is_asked_when_no_time_is_given() -> None:
    assert not verify_signature(SECRET, "1000", b"{}", signature(SECRET, "1000", b"{}"))


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"number": 12, "status": "closed", "comment": "Готово\x00"}, Change(12, "closed", False, "Готово")),
        ({"number": "12", "status": "В пути"}, Change(12, "В пути")),
        ({"number": 12, "status": "x", "done": True}, Change(12, "x", True)),
        ({"number": 12, "status": "x", "done": "yes"}, Change(12, "x", False)),
        ({"number": 12, "status": "closed", "done": False, "comment": None}, Change(12, "closed")),
        ({"number": 12, "status": "я" * 100}, Change(12, "я" * 64)),
    ],
)
def test_statuses_that_come_back(body: Any, change: Change) -> None:
    assert parse_status(body) == change


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"number": 12},
        {"status": "x"},
        {"number": "x", "status": "x"},
        {"number": -1, "status": "x"},
        {"number": 12, "status": ""},
        {"number": 12, "status": "\u200b"},
        {"number": 12, "status": 5},
        {"number": 12, "status": "x", "comment": {}},
        {"number": "9" * 99, "status": "x"},
        {"number": "²", "status": "x"},
        {"number": True, "status": "x"},
    ],
)
def test_statuses_that_cannot_be_read(body: Any) -> None:
    assert parse_status(body) is None


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"url": "https://x", "secret": ""}, "secret"),
        ({"url": "x", "secret": "s"}, "url"),
        ({"url": "https://x"}, "secret"),
    ],
)
def test_bad_settings_name_the_key(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        build_desk("webhook", settings)


def test_kinds() -> None:
    with pytest.raises(ValueError, match="smoke"):
        build_desk("smoke", {})
    assert isinstance(build_desk("webhook", {"url": "https://x.example", "secret": "s"}), Webhook)
    assert cast(Any, build_desk("webhook", {"url": "https://x.example", "secret": "s"})).kind == "webhook"
