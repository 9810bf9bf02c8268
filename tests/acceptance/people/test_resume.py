"""A12: the socket is lost for a while, and after the resume the list is the server's: nothing missed, nothing twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.acceptance.people.desk import Desk
from tests.faults.proxy import Proxy
from tests.gateway.api.house import House

Frame = dict[str, Any]
SHOWN = ("conversation", "session", "line", "status", "owner", "epoch")


class Page:
    """A page that keeps a list from what the socket tells alone, and comes back by itself when the line is cut."""

    def __init__(self, port: int, cookie: str, origin: str) -> None:
        self.cookie, self.origin = cookie, origin
        self._address = f"http://127.0.0.1:{port}/api/v1/live"
        self._headers = {"Cookie": cookie, "Origin": origin, "Host": origin.partition("://")[2]}
        self.list: dict[int, Frame] = {}
        self.seqs: list[int] = []
        self.resets = self.ready = 0
        self.last: int | None = None
        self._over = False
        self._living = asyncio.create_task(self._live())

    async def _live(self) -> None:
        async with aiohttp.ClientSession() as session:
            while not self._over:
                try:
                    async with session.ws_connect(self._address, headers=self._headers, heartbeat=0.5) as ws:
                        await ws.send_json({"type": "hello", "after": self.last})
                        async for message in ws:
                            if message.type is aiohttp.WSMsgType.TEXT:
                                self._take(json.loads(message.data))
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(0.05)

    def _take(self, frame: Frame) -> None:
        if frame["type"] in {"ready", "at"}:
            self.ready += frame["type"] == "ready"
            self.last = max(frame["seq"], self.last or 0)
        elif frame["type"] == "reset":
            self.resets += 1
        elif "seq" in frame:
            self.seqs.append(frame["seq"])
            self.last = frame["seq"]
            if frame["type"] == "gone":
                self.list.pop(frame["conversation"], None)
            elif frame["row"]:
                self.list[frame["conversation"]] = frame["row"]

    async def until(self, resumed: int) -> None:
        async with asyncio.timeout(20):
            while self.ready < resumed:
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        self._over = True
        self._living.cancel()
        await asyncio.gather(self._living, return_exceptions=True)


def brief(row: Frame) -> Frame:
    return {name: row[name] for name in SHOWN}


async def server_list(desk: Desk) -> dict[int, Frame]:
    """What the server says of all sessions that are not the bot's."""
    answer = await desk.browser.ask("GET", "/conversations?limit=200")
    assert answer.status == 200, answer.body
    return {row["conversation"]: brief(row) for row in answer.body["items"] if row["line"]}


async def busy_half_minute(desk: Desk) -> None:
    """While nobody listens: new sessions, messages, a transfer away, a close; half a minute of it by the house's clock."""
    house = desk.house
    for n in range(6):
        await house.client("привет", f"new-{n}")
        await house.client("человек", f"new-{n}")
        house.clock.at += 5
    await house.client("а я ещё здесь", "1")
    await desk.do("reply", {"epoch": 2, "text": "Вижу"})
    taken = await take(desk, "new-0")
    await desk.browser.ask("POST", f"/conversations/{taken}/transfer", {"epoch": 2, "line": "billing", "text": "к вам"})
    closed = await take(desk, "new-1")
    await desk.browser.ask("POST", f"/conversations/{closed}/close", {"epoch": 2})
    await house.quiet()


async def take(desk: Desk, chat: str) -> int:
    found = await desk.house.store.find_conversation("telegram", "42", chat)
    assert found is not None
    answer = await desk.browser.ask("POST", f"/conversations/{found.id}/take", {"epoch": 1})
    assert answer.status in {200, 409}, answer.body
    return found.id


@pytest.fixture
async def proxy(desk: Desk) -> AsyncIterator[Proxy]:
    server = desk.house.server
    async with Proxy("127.0.0.1", int(server.port or 0)) as made:
        yield made
        await desk.house.gateway.live.stop()


async def the_same(desk: Desk, *pages: Page) -> None:
    """Returns when every page shows what the server's list has, closed sessions included. Fails after ten seconds."""
    shown: list[dict[int, Frame]] = []
    server: dict[int, Frame] = {}
    for _ in range(100):
        server = await server_list(desk)
        shown = [{home: brief(row) for home, row in page.list.items()} for page in pages]
        if all(it == server for it in shown) and len({len(page.seqs) for page in pages}) == 1:
            return
        await asyncio.sleep(0.1)
    for it in shown:
        assert it == server


async def open_page(desk: Desk, proxy: Proxy) -> Page:
    url = desk.house.server.make_url("/")
    jar = desk.browser.client.session.cookie_jar.filter_cookies(url)
    cookie = "; ".join(f"{name}={it.value}" for name, it in jar.items())
    page = Page(proxy.port, cookie, str(url).rstrip("/"))
    await page.until(1)
    return page


@pytest.mark.parametrize("how", ["cut", "hole"])
async def test_after_half_a_minute_without_a_line_the_list_is_the_servers(desk: Desk, proxy: Proxy, how: str) -> None:
    """`cut`: the connection is reset and refused. `hole`: packets vanish and nobody says so, until pings go unanswered."""
    house: House = desk.house
    page, witness = await open_page(desk, proxy), await open_page(desk, proxy)
    direct = Page(int(house.server.port or 0), page.cookie, page.origin)
    await direct.until(1)
    await house.client("до обрыва", "1")
    await the_same(desk, page, witness, direct)
    if how == "cut":
        proxy.refuses = True
        proxy.cut()
    else:
        proxy.hole = True
    before = page.ready
    await busy_half_minute(desk)
    assert page.ready == before
    heard = len(page.seqs)
    proxy.refuses = proxy.hole = False
    if how == "hole":
        proxy.cut()  # what was swallowed never comes: the line has a hole in its middle
    await page.until(before + 1)
    await witness.until(2)
    house.clock.at += 1
    await house.client("после обрыва", "1")
    await house.quiet()
    await the_same(desk, page, witness, direct)
    for one in (page, witness):
        assert one.seqs == direct.seqs, (
            "the same as somebody who was never away: nothing missed, nothing twice, in order"
        )
        assert one.resets == 0
    assert len(page.seqs) > heard + 10
    for one in (page, witness, direct):
        await one.close()
