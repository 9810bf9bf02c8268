"""A bot of a few lines, for the tests of the load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import ClientSession, web

from bench.load import DIALOGUE, EXPECTED, serve_platform

Answers = dict[str, list[str]]


class Bot:
    """A webhook that answers each text with the texts it was given for it."""

    api = ""
    port = 0
    http: ClientSession

    def __init__(self) -> None:
        self.answers: Answers = {text: [said] for text, said in zip(DIALOGUE, EXPECTED, strict=True)}
        self.status = 200
        self.slow = 0.0
        self.hangs_up = 0

    async def hook(self, request: web.Request) -> web.Response:
        if self.hangs_up:
            self.hangs_up -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        await asyncio.sleep(self.slow)
        if self.status == 503:
            return web.Response(status=503)
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
