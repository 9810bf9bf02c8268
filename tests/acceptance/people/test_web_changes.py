"""A web chat shows what an operator puts right or takes back: live at its socket, and after the page was loaded again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from aiohttp.test_utils import TestServer

from adapters.web.channel import Web
from gateway.server import build_server
from tests.gateway.api.house import CONFIG, Browser, House, open_house

SITE = CONFIG.replace("channels: {", "channels: {site: {kind: web, line: support}, ")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house(config=SITE):
        yield made


class Page:
    """An open page of a chat."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.http, self.url, self.token = http, url, ""
        self.frames: list[dict[str, Any]] = []

    async def open(self) -> ClientWebSocketResponse:
        async with self.http.post(f"{self.url}/chat/site/session", json={}) as answer:
            self.token = (await answer.json())["token"]
        await self.say("человек")
        socket = await self.http.ws_connect(f"{self.url}/chat/site/socket")
        await socket.send_json({"token": self.token, "after": -1})
        return socket

    async def say(self, text: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        body = {"client_id": f"c{len(text)}", "text": text}
        async with self.http.post(f"{self.url}/chat/site/messages", json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()

    async def listen(self, socket: ClientWebSocketResponse) -> None:
        async for message in socket:
            self.frames.append(message.json())

    async def until(self, met: Any) -> None:
        async with asyncio.timeout(10):
            while not any(met(frame) for frame in self.frames):
                await asyncio.sleep(0.02)

    async def history(self) -> dict[int, dict[str, Any]]:
        """What the page shows after it was loaded again."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"{self.url}/chat/site/history", headers=headers) as answer:
            return {item["seq"]: item for item in (await answer.json())["items"]}


async def test_an_edit_and_a_recall_are_seen_live_and_after_a_reload(house: House) -> None:
    channel = Web("site", {"line": "support"})
    house.gateway.channels["site"] = channel
    await channel.start(house.gateway.intake)
    server = await house.stack.enter_async_context(TestServer(build_server(channel.routes())))
    http = await house.stack.enter_async_context(ClientSession())
    page = Page(http, str(server.make_url("")).rstrip("/"))
    socket = await page.open()
    listening = asyncio.create_task(page.listen(socket))
    await house.add("anna", support="operator")
    browser: Browser = await house.browser("anna")
    await house.quiet()
    assert (await browser.ask("POST", "/conversations/1/take", {"epoch": 1})).status == 200
    assert (await browser.ask("POST", "/conversations/1/reply", {"epoch": 2, "text": "Заказ 41"})).status == 200
    await page.until(lambda it: it.get("item", {}).get("text") == "Заказ 41")
    found = await house.store.conversation(1)
    assert found is not None
    seq = found.seq
    edited = await browser.ask("POST", "/conversations/1/edit", {"seq": seq, "text": "Заказ 42"})
    assert edited.status == 200, edited.body
    await page.until(lambda it: it.get("item", {}).get("text") == "Заказ 42")
    assert ((await page.history())[seq]["text"], (await page.history())[seq]["edited"]) == ("Заказ 42", 1)
    assert (await browser.ask("POST", "/conversations/1/recall", {"seq": seq})).status == 200
    await page.until(lambda it: (it["type"], it.get("seq")) == ("gone", seq))
    shown = (await page.history())[seq]
    assert (shown["gone"], shown["text"]) == (True, "")
    await socket.close()
    await listening
    await channel.stop()
