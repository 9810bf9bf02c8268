"""The web chat: a page that reads the history, and one that listens at a socket."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.hands.hand import LINK, Stage, Way
from tests.acceptance.house import Gateway, Visitor


class HttpHand(Visitor):
    """Posts, and asks for the history again and again."""

    async def begin(self, *expected: str) -> list[str]:
        await self._post("messages", {"client_id": secrets.token_hex(8), "link": LINK})
        return await self.hear(*expected)

    async def phone(self, phone: str, *expected: str) -> list[str]:
        await self._post("messages", {"client_id": secrets.token_hex(8), "contact": {"phone": phone}})
        return await self.hear(*expected)

    async def photo(self, data: bytes, *expected: str) -> list[str]:
        return await self.say("", *expected, files=(await self.upload("photo.jpg", data),))

    async def document(self, name: str, data: bytes, *expected: str) -> list[str]:
        return await self.say("", *expected, files=(await self.upload(name, data),))

    async def forge(self, token: str, *expected: str) -> list[str]:
        await self._post("messages", {"client_id": secrets.token_hex(8), "press": {"token": token}})
        return await self.hear(*expected)


class SocketHand(HttpHand):
    """Posts, and hears only what comes by the socket."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self._items: dict[int, dict[str, Any]] = {}

    async def history(self) -> list[dict[str, Any]]:
        """What the page would show now: each place of the history as it was told last."""
        return [self._items[seq] for seq in sorted(self._items)]

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Takes frames until the socket ends."""
        await socket.send_json({"token": self.token, "after": -1})
        async for message in socket:
            frame = json.loads(message.data)
            for item in frame.get("items", ()) if frame["type"] == "history" else (frame.get("item"),):
                if item is not None:
                    self._items[item["seq"]] = item


@asynccontextmanager
async def stage(folder: Path, socket: bool) -> AsyncIterator[Stage]:
    async with Gateway(folder) as gateway, aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        ears: list[aiohttp.ClientWebSocketResponse] = []

        async def hand() -> HttpHand:
            if not socket:
                return await HttpHand(gateway).open()
            person = await SocketHand(gateway).open()
            ears.append(await http.ws_connect(f"{gateway.url}/chat/site/socket"))
            tasks.create_task(person.listen(ears[-1]))
            return person

        yield Stage(gateway, hand, "site", forms=True)
        for ear in ears:
            await ear.close()


WAYS = tuple(Way(f"web-{name}", partial(stage, socket=name == "socket")) for name in ("http", "socket"))
