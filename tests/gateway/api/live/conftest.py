"""Sockets of people for the tests of the live feed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from jsonschema import Draft202012Validator

from gateway.api.live.models import build_schema
from tests.gateway.api.house import Browser, House, open_house

Frame = dict[str, Any]
SCHEMA = build_schema("test")
VALID = Draft202012Validator({"oneOf": SCHEMA["server"]["oneOf"], "$defs": SCHEMA["$defs"]})


class Tap:
    """One socket. Every message that comes must fit the published schema."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws
        self.all: list[Frame] = []
        self.code = 0
        self._place = 0
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.ws:
            if message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                assert not list(VALID.iter_errors(frame)), frame
                self.all.append(frame)
                self._more.set()
        self.code = self.ws.close_code or 0
        self._more.set()

    async def say(self, type: str, **more: Any) -> None:
        await self.ws.send_str(json.dumps({"type": type, **more}))

    async def next(self, *types: str) -> Frame:
        """The next message of one of these types, others passed over; fails after ten seconds."""
        async with asyncio.timeout(10):
            while True:
                while self._place < len(self.all):
                    self._place += 1
                    if self.all[self._place - 1]["type"] in types:
                        return self.all[self._place - 1]
                if self._reading.done():
                    self._reading.result()
                    raise AssertionError(f"closed with {self.code}")
                self._more.clear()
                await self._more.wait()

    async def until_closed(self) -> int:
        """The code of the end; fails after ten seconds."""
        async with asyncio.timeout(10):
            await self._reading
        return self.code

    async def close(self) -> None:
        await self.ws.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    def of(self, *types: str) -> list[Frame]:
        return [frame for frame in self.all if frame["type"] in types]


async def open_tap(house: House, browser: Browser, after: int | None = None, hello: bool = True) -> Tap:
    """A socket that has said hello and is live."""
    origin = str(house.server.make_url("")).rstrip("/")
    headers = {**browser.headers, "Origin": origin}
    tap = Tap(await browser.client.ws_connect("/api/v1/live", headers=headers))
    if hello:
        await tap.say("hello", after=after)
        await tap.next("ready")
    return tap


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house():
        yield made
        await made.gateway.live.stop()  # the test's own server would wait for open sockets for a minute
