"""The emulated MAX proves itself: its judge, its limits, its windows, its delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, FormData, web

from tests.emulators.max import TOKEN, MaxEmulator
from tests.emulators.max_schema import html_problems, limit_problems, max_schema, read_html

TEXT: dict[str, Any] = {"text": "привет", "attachments": [], "link": None}


class Bot:
    """Somebody who calls the API by hand."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.http, self.url, self.token = http, url, TOKEN

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        params = {name: str(value) for name, value in query.items()}
        async with self.http.request(
            method, self.url + path, json=body, params=params, headers={"Authorization": self.token}
        ) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def max_() -> AsyncIterator[MaxEmulator]:
    async with MaxEmulator() as emulator:
        emulator.person(7)
        yield emulator


@pytest.fixture
async def bot(max_: MaxEmulator) -> AsyncIterator[Bot]:
    async with ClientSession() as http:
        yield Bot(http, max_.url)


# --- the judge -------------------------------------------------------------------------------------------------------


def keyboard(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {**TEXT, "attachments": [{"type": "inline_keyboard", "payload": {"buttons": list(rows)}}]}


PLAIN = {"type": "callback", "text": "Да", "payload": "x"}
LINK = {"type": "link", "text": "Сайт", "url": "https://a.example"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({**TEXT, "text": "x" * 4001}, "4001, not 0..4000"),
        ({**TEXT, "txt": 1}, "txt is not a field"),
        ({"text": "x"}, "attachments is missing"),
        ({**TEXT, "format": "wiki"}, "format is 'wiki'"),
        ({**TEXT, "link": {"type": "reply"}}, "mid is missing"),
        ({**TEXT, "attachments": [{"type": "hologram"}]}, "type is 'hologram'"),
        ({**TEXT, "notify": "yes"}, "not boolean"),
        (keyboard([{**PLAIN, "text": ""}]), "0, not 1..128"),
        (keyboard([{**PLAIN, "payload": "x" * 1025}]), "1025, not 0..1024"),
        (keyboard([{"type": "callback", "text": "x"}]), "payload is missing"),
        (keyboard([{**LINK, "payload": "x"}]), "payload is not a field"),
        (keyboard([PLAIN] * 8), "8 buttons in a row"),
        (keyboard([LINK] * 4), "4 buttons in a row"),
        (keyboard(*[[PLAIN]] * 31), "31 rows"),
        ({**TEXT, "text": " "}, "an empty message"),
        ({**TEXT, "text": "<q>a</q>", "format": "html"}, "stripped"),
        ({**TEXT, "text": "<b>a", "format": "html"}, "not closed"),
        ({**TEXT, "text": "<b><i>a</b></i>", "format": "html"}, "closes nothing"),
        (
            {**TEXT, "attachments": [{"type": kind, "payload": {"token": "t"}} for kind in ("file", "image")]},
            "the only attachment",
        ),
        ({**TEXT, "attachments": [{"type": "image", "payload": {"token": "t"}}] * 13}, "13 attachments"),
    ],
)
async def test_what_the_judge_finds(bot: Bot, max_: MaxEmulator, body: Any, problem: str) -> None:
    """A mistake is refused as MAX would, and fails the test that made it."""
    found = max_schema().problems("POST", "/messages", {"user_id": "7"}, body)
    found += limit_problems("POST", "/messages", body)
    assert problem in "; ".join(found)
    status, answer = await bot.call("POST", "/messages", body, user_id=7)
    assert (status, answer["code"]) == (400, "proto.payload")
    with pytest.raises(AssertionError, match=r"POST /messages"):
        max_.check()


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (("GET", "/nothing", {}, None), "no such method"),
        (("GET", "/me", {"x": "1"}, None), "x is not a parameter"),
        (("GET", "/me", {}, {}), "a body that nobody reads"),
        (("POST", "/uploads", {}, None), "the parameter type is missing"),
        (("POST", "/uploads", {"type": "hologram"}, None), "type is 'hologram'"),
        (("GET", "/updates", {"timeout": "91"}, None), "timeout is 91"),
        (("GET", "/updates", {"limit": "x"}, None), "not integer"),
        (("POST", "/subscriptions", {}, {"url": "https://a", "secret": "a b c d"}), "secret is not"),
        (("PATCH", "/me/commands", {}, {"commands": [{"name": "x" * 65}]}), "65, not 1..64"),
        (("POST", "/chats/5/actions", {}, {"action": "dancing"}), "action is 'dancing'"),
    ],
)
def test_what_the_judge_finds_elsewhere(call: tuple[str, str, dict[str, str], Any], problem: str) -> None:
    assert problem in "; ".join(max_schema().problems(*call))


def test_html_reads_back() -> None:
    assert read_html('a<b>&lt;<i>б</i></b><a href="https://a">c</a>') == (
        "a<бc",
        [("b", "<"), ("b", "б"), ("i", "б"), ("a", "c")],
    )
    assert html_problems('<a href="x" onclick="y">c</a>') != []


def test_updates_are_judged_too() -> None:
    assert max_schema().update_problems({"update_type": "teleported", "timestamp": 1}) != []
    assert max_schema().update_problems({"update_type": "message_removed", "timestamp": 1, "message_id": 5}) != []


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_a_stranger(bot: Bot, max_: MaxEmulator) -> None:
    bot.token = "another"
    assert await bot.call("GET", "/me") == (401, {"code": "verify.token", "message": "Invalid access_token"})


async def test_who_cannot_be_written_to(bot: Bot, max_: MaxEmulator) -> None:
    assert (await bot.call("POST", "/messages", TEXT, user_id=8))[0] == 404
    max_.block(7)
    status, answer = await bot.call("POST", "/messages", TEXT, user_id=7)
    assert (status, answer["code"]) == (403, "chat.denied")
    max_.unblock(7)
    assert (await bot.call("POST", "/messages", TEXT, user_id=7))[0] == 200


async def test_the_limits(bot: Bot, max_: MaxEmulator) -> None:
    """Two messages a second into one dialog, thirty calls a second in all."""
    max_.settings(rates=True)
    burst = await asyncio.gather(*(bot.call("POST", "/messages", TEXT, user_id=7) for _ in range(4)))
    assert sorted(status for status, _ in burst) == [200, 200, 429, 429]
    calls = await asyncio.gather(*(bot.call("GET", "/me") for _ in range(40)))
    assert 8 <= sum(status == 429 for status, _ in calls) <= 16
    max_.check()


async def test_a_call_in_a_forbidden_window_is_a_violation(bot: Bot, max_: MaxEmulator) -> None:
    max_.fail(method="POST /messages", kind="429", chat=7, retry_after=5)
    assert (await bot.call("POST", "/messages", TEXT, user_id=7))[0] == 429
    max_.person(8)
    await bot.call("POST", "/messages", TEXT, user_id=8)
    max_.check()
    await bot.call("POST", "/messages", TEXT, user_id=7)
    with pytest.raises(AssertionError, match="before the end of a 429"):
        max_.check()


async def test_a_file_is_not_ready_at_once(bot: Bot, max_: MaxEmulator) -> None:
    max_.settings(processing=0.3)
    _, place = await bot.call("POST", "/uploads", type="file")
    form = FormData()
    form.add_field("data", b"bytes", filename="a.pdf")
    async with bot.http.post(place["url"], data=form) as answer:
        token = (await answer.json())["token"]
    body = {**TEXT, "attachments": [{"type": "file", "payload": {"token": token}}]}
    status, refused = await bot.call("POST", "/messages", body, user_id=7)
    assert (status, refused["code"]) == (400, "attachment.not.ready")
    await asyncio.sleep(0.35)
    assert (await bot.call("POST", "/messages", body, user_id=7))[0] == 200
    assert (await bot.call("POST", "/messages", {**body, "attachments": [
        {"type": "file", "payload": {"token": "made up"}}]}, user_id=7))[0] == 400  # fmt: skip


# --- delivery --------------------------------------------------------------------------------------------------------


async def test_polls_commit_by_the_marker(bot: Bot, max_: MaxEmulator) -> None:
    for text in ("раз", "два", "три"):
        max_.say(7, text)
    _, first = await bot.call("GET", "/updates", limit=2, timeout=0)
    _, again = await bot.call("GET", "/updates", limit=2, timeout=0)
    assert [one["message"]["body"]["text"] for one in first["updates"]] == ["раз", "два"]
    assert again == first, "nothing is committed without the marker"
    _, rest = await bot.call("GET", "/updates", limit=2, timeout=0, marker=first["marker"])
    assert [one["message"]["body"]["text"] for one in rest["updates"]] == ["три"]
    _, none = await bot.call("GET", "/updates", timeout=0, marker=rest["marker"])
    assert (none["updates"], max_.delivery.waiting) == ([], 0)


async def test_a_webhook_excludes_polls_and_comes_again(bot: Bot, max_: MaxEmulator) -> None:
    answers = [500, 204, 200]
    came: list[tuple[str, str]] = []

    async def hook(request: web.Request) -> web.Response:
        came.append((request.headers["X-Max-Bot-Api-Secret"], (await request.json())["update_type"]))
        return web.Response(status=answers.pop(0))

    app = web.Application()
    app.router.add_post("/", hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    max_.say(7, "раз")
    body = {"url": url, "secret": "five5", "update_types": ["message_created"]}
    assert (await bot.call("POST", "/subscriptions", body))[0] == 200
    assert (await bot.call("GET", "/updates", timeout=0))[0] == 409
    max_.start_bot(7)
    async with asyncio.timeout(5):
        while max_.delivery.waiting:
            await asyncio.sleep(0.01)
    assert came == [("five5", "message_created")] * 3, "only 200 is a success; other kinds were not asked for"
    assert max_.delivery.refused == [500, 204]
    assert (await bot.call("DELETE", "/subscriptions", url=url))[1] == {"success": True}
    assert (await bot.call("GET", "/updates", timeout=0))[0] == 200
    await runner.cleanup()


async def test_deeds_over_http(max_: MaxEmulator) -> None:
    async with ClientSession() as http:
        async with http.post(f"{max_.url}/control/say", json={"chat": 7, "text": "привет"}) as answer:
            assert (await answer.json())["message"]["body"]["text"] == "привет"
        async with http.post(f"{max_.url}/control/press", json={"chat": 7}) as answer:
            assert answer.status == 400
        async with http.post(f"{max_.url}/control/dance", json={}) as answer:
            assert answer.status == 404
