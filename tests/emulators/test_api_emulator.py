"""The emulated messenger itself: a broken call is noticed, a key is carried out once, events come signed and again."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.api.signing import Signer, parse_secret
from tests.emulators.api import ApiMessenger
from tests.emulators.api_secrets import OTHER, SECRET

SEND = {"type": "send", "key": "k1", "chat": "7", "text": "x"}


@pytest.fixture
async def api() -> AsyncIterator[ApiMessenger]:
    async with ApiMessenger() as emulator:
        yield emulator


async def call(api: ApiMessenger, body: Any, secret: str = SECRET, key: str = "", **headers: str) -> tuple[int, Any]:
    raw = json.dumps(body).encode()
    key = key or str(body["key"])
    signed = Signer([parse_secret(secret)]).headers(key, time.time(), raw)
    given = {**signed, "Idempotency-Key": key, **headers}
    async with aiohttp.ClientSession() as http, http.post(f"{api.url}/calls", data=raw, headers=given) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"text": 5}, "$.text"),
        ({"type": "shout"}, "no call shout"),
        ({"text": "x" * 4097}, "too long"),
        ({"text": " "}, "nothing to show"),
        ({"marks": [{"kind": "bold", "start": 0, "end": 9}]}, "outside of the text"),
        ({"marks": [{"kind": "blink", "start": 0, "end": 1}]}, "$.marks[0].kind"),
        ({"buttons": [[{"label": "x", "token": "t"}] * 9]}, "too many buttons"),
        ({"buttons": [[{"label": "", "token": "t"}]]}, "label"),
        ({"buttons": [[{"label": "x", "token": "t" * 65}]]}, "token"),
        ({"key": "k2"}, "differ"),
    ],
)
async def test_a_broken_call_is_noticed(api: ApiMessenger, changed: dict[str, Any], words: str) -> None:
    status, said = await call(api, SEND | changed, key="k1")
    assert (status, words in said["detail"]) == (422, True), said
    with pytest.raises(AssertionError):
        api.check()


async def test_a_key_is_carried_out_once(api: ApiMessenger) -> None:
    answers = [await call(api, SEND) for _ in range(3)]
    assert answers == [(200, {"message_id": "m1"})] * 3
    assert api.texts(7) == ["x"]
    api.check()


async def test_strangers_and_blockers(api: ApiMessenger) -> None:
    assert (await call(api, SEND, secret=OTHER))[0] == 401
    api.world.person("7").blocked = True
    assert (await call(api, SEND))[1]["code"] == "unreachable"
    edit = {"type": "edit", "key": "k3", "chat": "8", "message_id": "m9", "text": "x"}
    assert (await call(api, edit)) == (404, {"code": "message_not_found", "title": "there is no such message"})


async def test_too_fast() -> None:
    async with ApiMessenger(rates=True) as api:
        statuses = [(await call(api, {**SEND, "key": f"k{n}"}))[0] for n in range(25)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses[20:]


async def test_events_come_signed_and_again_under_the_same_id(api: ApiMessenger, aiohttp_server: Any) -> None:
    came: list[tuple[str, bytes]] = []

    async def hook(request: web.Request) -> web.Response:
        raw = await request.read()
        came.append((Signer([parse_secret(SECRET)]).check(request.headers, raw, time.time()), raw))
        return web.json_response({}, status=503 if len(came) < 3 else 200)

    app = web.Application()
    app.router.add_post("/hook", hook)
    server = await aiohttp_server(app)
    api.connect(f"http://127.0.0.1:{server.port}/hook")
    api.say(7, "раз")
    api.say(7, "два")
    await api.wait_delivered()
    assert [json.loads(raw)["text"] for _, raw in came] == ["раз", "раз", "раз", "два"]
    assert len({id for id, _ in came}) == 2
