"""The load against a bot of a few lines: what it counts as answered, as failed and as said twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import ClientSession, web

from bench import load as load_module
from bench.load import DIALOGUE, EXPECTED, Load, probe, serve_platform

Answers = dict[str, list[str]]


class Bot:
    """A webhook that answers each text with the texts it was given for it."""

    api = ""
    port = 0
    http: ClientSession

    def __init__(self) -> None:
        self.answers: Answers = {text: [said] for text, said in zip(DIALOGUE, EXPECTED, strict=True)}
        self.status = 200

    async def hook(self, request: web.Request) -> web.Response:
        message = orjson.loads(await request.read())["message"]
        for text in self.answers[message["text"]]:
            body = orjson.dumps({"chat_id": message["chat"]["id"], "text": text})
            async with self.http.post(f"{self.api}/bot1:X/sendMessage", data=body) as answer:
                assert (await answer.json())["ok"]
        return web.Response(status=self.status)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    made = Bot()
    server, port = await serve_platform()
    made.api = f"http://127.0.0.1:{port}"
    app = web.Application()
    app.router.add_post("/hook", made.hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    async with ClientSession() as made.http:
        yield made
    await runner.cleanup()
    server.close()
    await server.wait_closed()


async def test_every_message_is_answered_once(bot: Bot) -> None:
    measured = await Load([bot.port], "/hook", "s").run(3, 0.2)
    assert measured.messages > 3
    assert measured.failed == 0
    assert len(measured.latencies) == measured.messages
    assert measured.rate == pytest.approx(measured.messages / measured.seconds)


async def test_what_is_said_twice_is_a_failure(bot: Bot) -> None:
    bot.answers[DIALOGUE[0]] = ["зовут", "зовут"]
    assert (await Load([bot.port], "/hook", "s").run(1, 0.1)).failed > 0


async def test_another_status_than_200_is_a_failure(bot: Bot) -> None:
    bot.status = 503
    measured = await Load([bot.port], "/hook", "s").run(1, 0.1)
    assert measured.failed == measured.messages > 0


async def test_silence_is_a_failure(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_module, "PATIENCE", 0.05)
    bot.answers[DIALOGUE[0]] = []
    measured = await asyncio.wait_for(Load([bot.port], "/hook", "s").run(2, 0.05), 5)
    assert (measured.messages, measured.failed) == (0, 2)


async def test_the_probe_reads_what_the_bot_says(bot: Bot) -> None:
    await probe(bot.port, "/hook", "s")
    bot.answers[DIALOGUE[2]] = ["что?"]
    with pytest.raises(ValueError, match="номер заказа"):
        await probe(bot.port, "/hook", "s")
