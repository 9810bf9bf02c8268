"""The emulated VK itself: a broken call is noticed, events come as VK brings them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.emulators.vk import GROUP, TOKEN, VkEmulator
from tests.emulators.vk_methods import parse_code
from tests.emulators.vk_schema import vk_schema


@pytest.fixture
async def vk() -> AsyncIterator[VkEmulator]:
    async with VkEmulator() as emulator:
        emulator.person(7)
        yield emulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def call(
    http: aiohttp.ClientSession, vk: VkEmulator, method: str, token: str = TOKEN, **params: Any
) -> dict[str, Any]:
    form = {name: str(value) for name, value in params.items()}
    async with http.post(f"{vk.url}/method/{method}", data={"access_token": token, "v": "5.199", **form}) as answer:
        found: dict[str, Any] = await answer.json()
        return found


def keyboard(rows: list[list[dict[str, Any]]], **more: Any) -> str:
    return json.dumps({"one_time": False, "buttons": rows, **more})


def button(label: str = "Да", payload: str = "{}", kind: str = "text") -> dict[str, Any]:
    return {"action": {"type": kind, "label": label, "payload": payload}}


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({"message": "x", "random_id": 1, "colour": "red"}, 100, "colour"),
        ({"message": "x"}, 100, "random_id"),
        ({"message": "x", "random_id": 0}, 100, "random_id"),
        ({"message": "x", "random_id": 2**31}, 100, "int32"),
        ({"message": " ", "random_id": 1}, 100, "empty"),
        ({"message": "x" * 4097, "random_id": 1}, 914, "too long"),
        ({"message": "x", "random_id": 1, "attachment": "photo1_2"}, 100, "not known"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button()] * 6])}, 911, "6 buttons"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button()]] * 11)}, 911, "11 rows"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button()]] * 7, inline=True)}, 911, "7 rows"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button("x" * 41)]])}, 911, "label"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button(payload=json.dumps("x" * 254))]])}, 911, "255"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button(payload="{")]])}, 911, "not JSON"),
        ({"message": "x", "random_id": 1, "keyboard": keyboard([[button(kind="dance")]])}, 100, "dance"),
        (
            {
                "message": "x",
                "random_id": 1,
                "format_data": '{"version":"1","items":[{"type":"bold","offset":0,"length":2}]}',
            },
            100,
            "out of the text",
        ),
    ],
)
async def test_a_broken_call_is_noticed(
    vk: VkEmulator, http: aiohttp.ClientSession, params: dict[str, Any], code: int, words: str
) -> None:
    answer = await call(http, vk, "messages.send", peer_id=7, **params)
    assert answer["error"]["error_code"] == code
    if "attachment" not in params:
        with pytest.raises(AssertionError, match=words):
            vk.check()


async def test_a_good_call_passes_and_its_key_works_once(vk: VkEmulator, http: aiohttp.ClientSession) -> None:
    first = await call(http, vk, "messages.send", peer_id=7, message="Да", random_id=5)
    again = await call(http, vk, "messages.send", peer_id=7, message="Да", random_id=5)
    assert first == again
    assert vk.texts(7) == ["Да"]
    vk.check()
    vk.person(8)
    await call(http, vk, "messages.send", peer_id=8, message="Да", random_id=5)
    with pytest.raises(AssertionError, match="two messages"):
        vk.check()


@pytest.mark.parametrize(("token", "method", "code"), [("x", "users.get", 5), (TOKEN, "users.dance", 3)])
async def test_errors_have_vks_shape(
    vk: VkEmulator, http: aiohttp.ClientSession, token: str, method: str, code: int
) -> None:
    error = (await call(http, vk, method, token))["error"]
    assert error["error_code"] == code
    assert error["error_msg"] == vk_schema().errors[str(code)]["description"]


async def test_twenty_requests_a_second(vk: VkEmulator, http: aiohttp.ClientSession) -> None:
    vk.settings(rates=True)
    answers = [await call(http, vk, "users.get", user_ids=7) for _ in range(25)]
    assert [one["error"]["error_code"] for one in answers if "error" in one] == [6] * 5
    await asyncio.sleep(1.05)
    assert "response" in await call(http, vk, "users.get", user_ids=7)


async def test_execute(vk: VkEmulator, http: aiohttp.ClientSession) -> None:
    calls = [
        f"API.messages.send({json.dumps({'peer_id': peer, 'message': 'a', 'random_id': peer})})" for peer in (7, 404, 7)
    ]
    answer = await call(http, vk, "execute", code=f"return [{','.join(calls)}];")
    assert answer["response"][1] is False
    assert [error["error_code"] for error in answer["execute_errors"]] == [901]
    assert (await call(http, vk, "execute", code="return 1;"))["error"]["error_code"] == 12
    many = ",".join(calls[:1] * 26)
    assert (await call(http, vk, "execute", code=f"return [{many}];"))["error"]["error_code"] == 13
    assert parse_code('return [API.a.b({"x":"]);"})];') == [("a.b", {"x": "]);"})]


async def test_callbacks_are_repeated_slowly_with_a_counter(vk: VkEmulator) -> None:
    seen: list[tuple[str, str]] = []

    async def hook(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append((body["event_id"], request.headers.get("X-Retry-Counter", "")))
        return web.Response(status=503) if len(seen) < 3 else web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vk.callback(f"http://127.0.0.1:{runner.addresses[0][1]}/", "s")
    event = vk.say(7, "раз")
    async with asyncio.timeout(10):
        while vk.delivery.waiting:
            await asyncio.sleep(0.01)
    assert seen == [(event["event_id"], ""), (event["event_id"], "1"), (event["event_id"], "2")]
    assert (vk.delivery.delivered, vk.delivery.refused) == (1, [503, 503])
    await runner.cleanup()


async def test_the_long_poll_forgets(vk: VkEmulator, http: aiohttp.ClientSession) -> None:
    async def ask(key: str = "key-1", ts: str = "0") -> dict[str, Any]:
        query = {"act": "a_check", "key": key, "ts": ts, "wait": "1"}
        async with http.get(f"{vk.url}/lp/{GROUP}", params=query) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    vk.say(7, "раз")
    brought = await ask()
    assert (brought["ts"], [one["type"] for one in brought["updates"]]) == ("1", ["message_new"])
    assert (await ask(ts="1"))["updates"] == []
    assert await ask(key="old") == {"failed": 2}
    assert await ask(ts="77") == {"failed": 3}
    vk.long_poll(forget=True)
    assert await ask() == {"failed": 1, "ts": 1}


async def test_its_own_events_and_answers_are_judged(vk: VkEmulator, http: aiohttp.ClientSession) -> None:
    vk.say(7, "раз")
    vk.photo(7)
    vk.document(7)
    vk.location(7)
    vk.colleague(7, "да")
    vk.deny(7)
    vk.allow(7)
    await call(http, vk, "messages.getConversations", count=5)
    await call(http, vk, "messages.getHistory", peer_id=7)
    vk.check()
    vk.methods.push("message_new", {"message": {"text": 5}})
    with pytest.raises(AssertionError, match="event message_new"):
        vk.check()
