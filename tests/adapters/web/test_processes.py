"""Two web servers over one store: a page shows what the other process wrote, all of it, each message once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from core.conversation import Conversation
from core.messages import Outgoing
from core.ports import HistoryItem, StorageFull
from core.rich import plain
from storage.files.local import LocalFiles
from storage.hints import open_hints
from storage.hints.local import LocalHints
from tests.adapters.web.conftest import Visitor, frame, shown, visit
from tests.adapters.web.house import House, settings
from tests.gateway.shared import SharedStore, Tables
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
NEVER = 3600.0
WITHIN = 1.5  # seconds without hints: a second, and a moment for a busy machine

Pair = tuple[tuple[House, TestClient[Any, Any]], tuple[House, TestClient[Any, Any]]]
OpenPair = Callable[..., Awaitable[Pair]]


class Store(SharedStore):
    """Counts what pages cost."""

    down = False
    reads = 0
    looks = 0

    async def versions(self, conversations: Sequence[int]) -> dict[int, int]:
        self.looks += 1
        return await super().versions(conversations)

    async def conversation(self, id: int) -> Conversation | None:
        if self.down:
            raise StorageFull
        return await super().conversation(id)

    async def history(self, conversation: int, after: int = 0, limit: int = 200) -> list[HistoryItem]:
        self.reads += 1
        return await super().history(conversation, after, limit)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    made = Store(Tables(time.time))
    yield made
    await made.close()


@pytest.fixture
async def open_pair(tmp_path: Path, store: Store) -> AsyncIterator[OpenPair]:
    """Two servers of one chat over one store, each with its way to the other; closed at the end."""
    opened: list[tuple[House, TestClient[Any, Any]]] = []

    async def build(hints: Any, others: Any) -> Pair:
        for one in (hints, others):
            house = House("site", settings(flood=None), store, LocalFiles(tmp_path / "site"), hints=one)
            await one.open()
            client = TestClient(TestServer(await house.open()))
            await client.start_server()
            opened.append((house, client))
        return opened[0], opened[1]

    yield build
    for house, client in opened:
        await house.channel.stop()
        await client.close()
        if house.hints is not None:
            await house.hints.close()


@pytest.fixture
def only_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.web.follow.LOOK_SECONDS", NEVER)


async def page_elsewhere(pair: Pair) -> tuple[Visitor, Visitor, ClientWebSocketResponse]:
    """A visitor whose page is open at the second server while the first hears what is posted."""
    visitor = await visit(pair[0][1])
    there = Visitor(pair[1][1], visitor.base, visitor.token)
    socket = await there.socket()
    assert (await frame(socket))["type"] == "history"
    return visitor, there, socket


async def quiet(socket: ClientWebSocketResponse, seconds: float = 0.3) -> None:
    """Nothing more comes."""
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=seconds)


@pytest.mark.usefixtures("only_hints")
async def test_hints_show_the_other_process_at_once(open_pair: OpenPair) -> None:
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    visitor, _, socket = await page_elsewhere(pair)
    began = time.monotonic()
    await visitor.said("m1", text="hi")
    items = await shown(socket, "Echo: hi")
    assert time.monotonic() - began < WITHIN
    assert [(item["seq"], item["text"]) for item in items] == [(1, "hi"), (2, "Echo: hi")]
    await quiet(socket)


@pytest.mark.usefixtures("only_hints")
async def test_redis_shows_the_other_process(open_pair: OpenPair, redis_server: RedisServer) -> None:
    pair = await open_pair(open_hints(redis_server.url), open_hints(redis_server.url))
    visitor, _, socket = await page_elsewhere(pair)
    other = pair[1][0].hints
    assert other is not None
    heard = list[str]()
    other.listen("ready", heard.append)
    async with asyncio.timeout(5):
        while not heard:  # the subscription stands
            pair[0][0].hints.tell("ready", "x")  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
    await visitor.said("m1", text="hi")
    assert [item["seq"] for item in await shown(socket, "Echo: hi")] == [1, 2]


async def test_without_hints_the_other_process_is_seen_within_a_second(open_pair: OpenPair) -> None:
    pair = await open_pair(LocalHints(), LocalHints())
    visitor, _, socket = await page_elsewhere(pair)
    began = time.monotonic()
    await visitor.said("m1", text="hi")
    items = await shown(socket, "Echo: hi")
    assert time.monotonic() - began < WITHIN
    assert [item["seq"] for item in items] == [1, 2]
    await quiet(socket, WITHIN)


async def test_nothing_is_missed_or_doubled_under_load(open_pair: OpenPair) -> None:
    """Both servers take messages at once; both pages end with the same history, each place shown once, in order."""
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    visitor, there, socket = await page_elsewhere(pair)
    here = await visitor.socket()
    assert (await frame(here))["type"] == "history"
    for n in range(40):
        await (visitor if n % 2 else there).said(f"m{n}", text=f"t{n}")
    await visitor.said("end", text="end")
    for one in (here, socket):
        items = [item for item in await shown(one, "Echo: end") if item["seq"]]
        places: dict[int, set[str]] = {}
        for item in items:
            places.setdefault(item["seq"], set()).add(item["text"])
        assert sorted(places) == list(range(1, 83))
        assert all(len(texts) == 1 for texts in places.values())
        assert [item["seq"] for item in items if item["author"] == "bot"] == list(range(2, 83, 2))


@pytest.mark.usefixtures("only_hints")
async def test_a_message_under_way_is_shown_when_it_has_left(open_pair: OpenPair) -> None:
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    house = pair[0][0]
    visitor, _, socket = await page_elsewhere(pair)
    house.holding = True
    await visitor.said("m1", text="hi")
    assert (await frame(socket))["item"]["text"] == "hi"
    await quiet(socket)
    await house.release()
    assert (await frame(socket))["item"]["text"] == "Echo: hi"


@pytest.mark.usefixtures("only_hints")
async def test_edits_reach_pages_of_other_processes(open_pair: OpenPair) -> None:
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    house = pair[0][0]
    visitor, _, socket = await page_elsewhere(pair)
    await visitor.said("m1", text="hi")
    await shown(socket, "Echo: hi")
    chat = house.accepted[0].chat
    await house.say(chat, Outgoing(plain("place 3")), slot="queue")
    await shown(socket, "place 3")
    await house.say(chat, Outgoing(plain("place 2")), slot="queue", replace=True)
    edited = (await shown(socket, "place 2"))[-1]
    assert (edited["seq"], edited["edited"]) == (3, 1)
    await quiet(socket)


async def test_a_second_page_of_a_followed_chat_misses_nothing(open_pair: OpenPair) -> None:
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    visitor, there, socket = await page_elsewhere(pair)
    await visitor.said("m1", text="hi")
    await shown(socket, "Echo: hi")
    second = await there.socket(after=1)
    assert [item["seq"] for item in await shown(second, "Echo: hi")] == [2]
    await visitor.said("m2", text="more")
    for one in (socket, second):
        assert [item["seq"] for item in await shown(one, "Echo: more")] == [3, 4]


async def test_quiet_chats_cost_one_question_and_closed_ones_nothing(
    open_pair: OpenPair, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.web.follow.LOOK_SECONDS", 0.02)
    pair = await open_pair(LocalHints(), LocalHints())
    visitor, _, socket = await page_elsewhere(pair)
    await visitor.said("m1", text="hi")
    await shown(socket, "Echo: hi")
    await asyncio.sleep(0.2)
    reads, looks = store.reads, store.looks
    await asyncio.sleep(0.2)
    assert (store.reads, store.looks > looks) == (reads, True)
    await socket.close()
    await asyncio.sleep(0.2)
    looks = store.looks
    await asyncio.sleep(0.2)
    assert store.looks == looks


async def test_a_database_that_is_away_delays_pages_only(
    open_pair: OpenPair, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.web.follow.LOOK_SECONDS", 0.05)
    pair = await open_pair(LocalHints(), LocalHints())
    visitor, _, socket = await page_elsewhere(pair)
    await visitor.said("m1", text="hi")
    await shown(socket, "Echo: hi")
    store.down = True
    await visitor.said("m2", text="more")
    await quiet(socket)
    store.down = False
    assert [item["seq"] for item in await shown(socket, "Echo: more")] == [3, 4]


async def test_hints_that_say_nonsense_harm_nothing(open_pair: OpenPair) -> None:
    hints = LocalHints()
    pair = await open_pair(hints, hints)
    visitor, _, socket = await page_elsewhere(pair)
    for data in ("", "x", "-1", "999999999999999999999999"):
        hints.tell("history:site", data)
    await visitor.said("m1", text="hi")
    assert [item["seq"] for item in await shown(socket, "Echo: hi")] == [1, 2]


async def test_one_process_alone_follows_nothing(house: House) -> None:
    assert house.channel._room.follower is None
