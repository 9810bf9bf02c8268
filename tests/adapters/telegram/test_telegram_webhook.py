"""The webhook: who may come in, what is refused, and that nothing is acknowledged before it is durable."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from adapters.telegram.channel import Telegram
from core.events import Message, Press
from tests.adapters.telegram.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.telegram import TelegramEmulator

SECRET = "a-long_Random-word"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Hooked:
    """A started channel, its URL, and a client to knock with."""

    def __init__(self, channel: Telegram, url: str, http: aiohttp.ClientSession) -> None:
        self.channel, self.url, self.http = channel, url, http

    async def post(
        self, body: Any = None, *, secret: str = SECRET, data: Any = None, **headers: str
    ) -> tuple[int, Any]:
        sent = io.BytesIO(orjson.dumps(body)) if data is None else data
        async with self.http.post(self.url, data=sent, headers={HEADER: secret, **headers}) as response:
            content = await response.read()
            return response.status, orjson.loads(content) if content else None


@pytest.fixture
async def hooked(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> AsyncIterator[Hooked]:
    handlers: list[Any] = []

    async def late(request: web.Request) -> Any:
        return await handlers[0](request)

    app = web.Application(client_max_size=1)
    app.router.add_post("/hooks/telegram", late)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    channel = build(mode="webhook", secret=SECRET, public_url=base)
    ((method, path, handler),) = channel.routes()
    assert (method, path) == ("POST", "/hooks/telegram")
    handlers.append(handler)
    await channel.start(gate)
    async with aiohttp.ClientSession() as http:
        yield Hooked(channel, base + path, http)
    await runner.cleanup()


def update(number: int = 1, text: str = "привет") -> dict[str, Any]:
    user = {"id": 7, "is_bot": False, "first_name": "Анна"}
    message = {"message_id": 5, "date": 1_790_000_000, "chat": {"id": 7, "type": "private"}, "from": user, "text": text}
    return {"update_id": number, "message": message}


async def test_it_registers_with_the_secret(hooked: Hooked, telegram: TelegramEmulator) -> None:
    assert telegram.delivery.webhook.url == hooked.url
    assert telegram.delivery.webhook.secret_token == SECRET
    (call,) = telegram.sent(method="setWebhook")
    assert call.params["allowed_updates"] == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
        "message_reaction",
    ]


async def test_a_message_comes_through(hooked: Hooked, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.say(7, "где мой заказ")
    await gate.until(lambda: bool(gate.inbounds))
    assert gate.inbounds[0].event == Message("где мой заказ")


@pytest.mark.parametrize("secret", ["", "wrong", "a-long_Random-wor", SECRET + "x", "секрет"])
async def test_a_wrong_secret_stores_nothing(hooked: Hooked, gate: FakeGate, secret: str) -> None:
    status, _ = await hooked.post(update(), secret=secret.encode().decode("latin-1"))
    assert status == 403
    assert (gate.inbounds, gate.quarantined) == ([], [])


async def test_a_secret_of_bytes_that_are_no_text(hooked: Hooked, gate: FakeGate) -> None:
    host, _, path = hooked.url.removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{HEADER}: ".encode() + b"\xff\r\n\r\n{}")
    assert b" 403 " in await reader.readline()
    assert gate.inbounds == []
    writer.close()
    await writer.wait_closed()


async def test_no_secret_header_at_all(hooked: Hooked, gate: FakeGate) -> None:
    async with hooked.http.post(hooked.url, json=update()) as response:
        assert response.status == 403
    assert gate.batches == []


async def test_more_than_a_mebibyte_is_413(hooked: Hooked, gate: FakeGate) -> None:
    status, _ = await hooked.post(update(text="x" * 1024 * 1024))
    assert status == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    status, _ = await hooked.post(data=pieces())
    assert status == 413
    assert (gate.inbounds, gate.quarantined) == ([], [])


async def test_just_under_a_mebibyte_is_taken(hooked: Hooked, gate: FakeGate) -> None:
    status, _ = await hooked.post(update(text="x" * (1024 * 1024 - 400)))
    assert status == 200
    assert len(gate.inbounds) == 1


async def test_compressed_bodies_are_refused(hooked: Hooked, gate: FakeGate) -> None:
    status, _ = await hooked.post(data=gzip.compress(orjson.dumps(update())), **{"Content-Encoding": "gzip"})
    assert status == 415
    assert gate.inbounds == []


UNREADABLE = [
    b"{",
    b"",
    b"null",
    b"[]",
    b'{"update_id": "x"}',
    b'{"update_id": 4, "message": {"chat": {}}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("raw", UNREADABLE, ids=range(len(UNREADABLE)))
async def test_what_cannot_be_read_is_quarantined_and_acknowledged(hooked: Hooked, gate: FakeGate, raw: bytes) -> None:
    status, _ = await hooked.post(data=raw)
    assert status == 200
    assert len(gate.quarantined) == 1
    assert gate.inbounds == []


async def test_kinds_nobody_asked_for_are_acknowledged(hooked: Hooked, gate: FakeGate) -> None:
    assert (await hooked.post({"update_id": 8, "poll_answer": {"poll_id": "1"}}))[0] == 200
    assert (gate.inbounds, gate.quarantined) == ([], [])
    assert (await hooked.post({"update_id": 9, "something_of_next_year": {"a": 1}}))[0] == 200
    assert (gate.inbounds, [reason for _, _, reason in gate.quarantined]) == ([], ["unknown kind"])


async def test_a_full_disk_is_503_and_the_update_comes_again(
    hooked: Hooked, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    gate.full = 2
    telegram.say(7, "важно")
    await gate.until(lambda: bool(gate.inbounds))
    assert gate.refused == 2
    assert telegram.delivery.refused == [503, 503]
    gate.full, gate.after = 1, 6.2
    async with hooked.http.post(hooked.url, data=b"{", headers={HEADER: SECRET}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    gate.full = 1
    assert (await hooked.post(data=b"{"))[0] == 503, "what cannot be stored even in quarantine is not acknowledged"


async def test_a_duplicate_is_taken_once(hooked: Hooked, gate: FakeGate) -> None:
    assert [(await hooked.post(update(3)))[0] for _ in range(3)] == [200, 200, 200]
    assert len(gate.inbounds) == 1


async def test_a_pressed_button_is_answered_in_the_response(
    hooked: Hooked, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    telegram.person(7)
    await hooked.channel.send(row("Выберите", rows=buttons("Возврат")))
    telegram.press(7, "Возврат")
    (answered,) = await telegram.wait_call("answerCallbackQuery")
    assert not answered.error
    assert gate.inbounds[-1].event == Press("1.2.0", "Возврат")


async def test_duplicates_and_disorder_lose_nothing(hooked: Hooked, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.disturb(duplicate=0.5, reorder=0.5, delay=0.02)
    said = {f"сообщение {number}" for number in range(60)}
    for text in sorted(said):
        telegram.say(7, text)
    await gate.until(lambda: len(gate.inbounds) == 60)
    assert {inbound.event.text for inbound in gate.inbounds if isinstance(inbound.event, Message)} == said


REFUSED = [
    ({"secret": ""}, "secret"),
    ({"secret": "пароль"}, "secret"),
    ({"secret": "x" * 257}, "secret"),
    ({"public_url": ""}, "public_url"),
]


@pytest.mark.parametrize(("settings", "word"), REFUSED)
async def test_a_configuration_that_cannot_work(
    build: Build, gate: FakeGate, settings: dict[str, str], word: str
) -> None:
    channel = build(**{"mode": "webhook", "secret": SECRET, "public_url": "https://example.org", **settings})
    with pytest.raises(ValueError, match=word):
        await channel.start(gate)


async def test_an_unset_secret_lets_nobody_in(build: Build) -> None:
    channel = build(mode="webhook", secret="")
    ((_, _, handler),) = channel.routes()
    app = web.Application()
    app.router.add_post("/hooks/telegram", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/telegram"
    async with aiohttp.ClientSession() as http, http.post(url, json=update(), headers={HEADER: ""}) as response:
        assert response.status == 403
    await runner.cleanup()


def test_a_token_that_is_none(build: Build) -> None:
    with pytest.raises(ValueError, match="not a token"):
        build(token="nonsense")


async def test_telegram_refuses_the_address(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> None:
    telegram.fail(method="setWebhook", kind="400", words="Bad Request: bad webhook: HTTPS url must be provided")
    channel = build(mode="webhook", secret=SECRET, public_url="http://example.org")
    with pytest.raises(ValueError, match="HTTPS url"):
        await channel.start(gate)


async def test_telegram_away_at_start_does_not_stop_the_others(
    build: Build, gate: FakeGate, telegram: TelegramEmulator
) -> None:
    telegram.fail(method="setWebhook", kind="500")
    channel = build(mode="webhook", secret=SECRET, public_url="http://127.0.0.1:9")
    await channel.start(gate)
    await telegram.wait_call("setWebhook", 2)
    assert telegram.delivery.webhook.url == "http://127.0.0.1:9/hooks/telegram"
