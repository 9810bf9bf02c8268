"""The front: plain deliveries are answered by it, everything else by aiohttp, and nobody can tell by the answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import gateway.front as module
from adapters.doors import Door, Reply
from core.ports import Busy, StorageFull
from gateway.front import Front
from gateway.server import build_server

MOST = 100_000
LENGTH = re.compile(rb"(?i)content-length: (\d+)")
HEAD = b"POST /hooks/bot HTTP/1.1\r\nHost: here\r\n"


class Bot:
    """A door that remembers who came, and through which side of the house."""

    def __init__(self) -> None:
        self.door = Door(MOST, self._refused, self._serve)
        self.bodies: list[bytes] = []
        self.hold: asyncio.Event | None = None
        self.error: Exception | None = None

    def _refused(self, headers: Mapping[str, str]) -> Reply | None:
        return None if headers.get("X-Secret", "") == "word" else Reply(403)

    async def _serve(self, headers: Mapping[str, str], body: bytes) -> Reply:
        self.bodies.append(body)
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return Reply.json(b'{"n":%d}' % len(self.bodies))


class House:
    """A front, its bot, and how many requests went to aiohttp."""

    def __init__(self) -> None:
        self.bot, self.others = Bot(), 0
        routes = [("POST", "/hooks/bot", self.bot.door.answer), ("GET", "/page", self._page)]
        self.front = Front({"/hooks/bot": self.bot.door}, build_server(routes))
        other = self.front.other

        def counted() -> Any:
            self.others += 1
            return other()

        self.front.other = counted  # type: ignore[method-assign]
        self.port = 0

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="a page")

    async def talk(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """So many answers to bytes written as they are; 0: what comes until the other side hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(10):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                return [await answer(reader) for _ in range(answers)] or [await reader.read()]
        finally:
            writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One whole answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = LENGTH.search(head)
    assert found is not None, head
    return head + await reader.readexactly(int(found[1]))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    made.port = await made.front.listen("127.0.0.1", 0)
    yield made
    await made.front.close()


def post(body: bytes = b"{}", more: bytes = b"X-Secret: word\r\n") -> bytes:
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (HEAD, more, len(body), body)


async def test_a_plain_delivery_never_meets_aiohttp(house: House) -> None:
    (heard,) = await house.talk(post(b'{"a":1}'))
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"application/json" in heard
    assert heard.endswith(b'{"n":1}')
    assert (house.bot.bodies, house.others) == ([b'{"a":1}'], 0)


async def test_byte_by_byte_is_the_same(house: House) -> None:
    (heard,) = await house.talk(*(bytes([byte]) for byte in post(b'{"a":1}')))
    assert heard.endswith(b'{"n":1}')
    assert (house.bot.bodies, house.others) == ([b'{"a":1}'], 0)


async def test_two_at_once_are_answered_in_order(house: House) -> None:
    first, second = await house.talk(post(b"one") + post(b"two"), answers=2)
    assert (first[-7:], second[-7:]) == (b'{"n":1}', b'{"n":2}')
    assert house.bot.bodies == [b"one", b"two"]


async def test_a_stranger_is_refused_and_the_body_not_served(house: House) -> None:
    assert (await house.talk(post(more=b"")))[0].startswith(b"HTTP/1.1 403 ")
    assert house.bot.bodies == []


STRANGE = {
    "another path": b"GET /page HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
    "another method": b"PUT /hooks/bot HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "chunks": HEAD + b"X-Secret: word\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "expectation": post(more=b"X-Secret: word\r\nConnection: close\r\nExpect: 100-continue\r\n"),
    "no length": HEAD + b"X-Secret: word\r\nConnection: close\r\n\r\n",
    "two lengths": HEAD + b"X-Secret: word\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length and chunks": HEAD + b"X-Secret: word\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length of letters": HEAD + b"X-Secret: word\r\nContent-Length: 2x\r\n\r\n{}",
    "HTTP/1.0": b"POST /hooks/bot HTTP/1.0\r\nHost: here\r\nX-Secret: word\r\nContent-Length: 2\r\n\r\n{}",
    "a query": b"POST /hooks/bot?x=1 HTTP/1.1\r\nX-Secret: word\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a head without end": HEAD + b"X-Long: " + b"x" * 20_000 + b"\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", STRANGE)
async def test_what_is_not_plain_is_aiohttps(house: House, name: str) -> None:
    """And gets from it the answer that it would get without us."""
    (heard,) = await house.talk(STRANGE[name], answers=0)
    alone = web.AppRunner(build_server([("POST", "/hooks/bot", Bot().door.answer), ("GET", "/page", house._page)]))
    await alone.setup()
    site = web.TCPSite(alone, "127.0.0.1", 0)
    await site.start()
    there, house.port = house.port, alone.addresses[0][1]
    (wanted,) = await house.talk(STRANGE[name], answers=0)
    house.port = there
    await alone.cleanup()
    assert heard.split(b"\r\n")[0] == wanted.split(b"\r\n")[0]
    assert house.others == 1


async def test_a_connection_of_pages_is_aiohttps_for_good(house: House) -> None:
    base = f"http://127.0.0.1:{house.port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1), headers={"X-Secret": "word"}) as http:
        for _ in range(2):
            async with http.post(f"{base}/hooks/bot", data=b"{}") as response:
                assert response.status == 200
            async with http.get(f"{base}/page") as response:
                assert await response.text() == "a page"
    assert house.others == 1
    assert house.bot.bodies == [b"{}", b"{}"]


async def test_too_much_is_refused(house: House) -> None:
    body = b"x" * (MOST + 1)
    (heard,) = await house.talk(post(body, b"X-Secret: word\r\nConnection: close\r\n"), answers=0)
    assert heard.startswith(b"HTTP/1.1 413 ")
    assert house.bot.bodies == []


@pytest.mark.parametrize(
    ("error", "status"), [(StorageFull("disk"), b"503"), (Busy("much"), b"503"), (ValueError("ours"), b"500")]
)
async def test_what_a_door_raises_has_an_answer(house: House, error: Exception, status: bytes) -> None:
    house.bot.error = error
    (heard,) = await house.talk(post())
    assert heard.startswith(b"HTTP/1.1 " + status)
    assert (b"Retry-After: " in heard) is (status == b"503")
    assert str(error).encode() not in heard
    house.bot.error = None
    assert (await house.talk(post()))[0].startswith(b"HTTP/1.1 200 ")


async def test_a_stop_waits_for_what_is_under_way(house: House) -> None:
    house.bot.hold = asyncio.Event()
    talking = asyncio.create_task(house.talk(post()))
    idle = await asyncio.open_connection("127.0.0.1", house.port)
    async with asyncio.timeout(10):
        while not house.bot.bodies:
            await asyncio.sleep(0.01)
    closing = asyncio.create_task(house.front.close())
    assert await idle[0].read() == b"", "who has nothing under way is let go at once"
    idle[1].close()
    house.bot.hold.set()
    assert b"Connection: close" in (await talking)[0]
    await closing
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", house.port)


async def test_who_does_not_go_on_is_cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ARRIVE_SECONDS", -1.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(post()[:30])
    async with asyncio.timeout(10):
        while not house.front.guests:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        for guest in list(house.front.guests):
            guest.end_if_late(house.front.time())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    writer.close()


async def test_a_flood_behind_an_open_question_is_cut_off(house: House) -> None:
    house.bot.hold = asyncio.Event()
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(post(b"x" * 10_000) * 100)
    async with asyncio.timeout(10):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    house.bot.hold.set()
    writer.close()
    assert len(house.bot.bodies) <= 1
