"""A page of the web chat: writes with a key, reads from a socket, loses both now and then, and must miss nothing (I8)."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from aiohttp import ClientError, ClientSession, WSMsgType

from tests.faults.clients import Journal, is_ticket

Ask = Callable[[str], Awaitable[list[tuple[Any, ...]]]]
PATIENCE = 120.0
REST = 2.5  # seconds between two messages of a visitor: the web chat takes 20 in 10 s
CHAT = "SELECT c.chat FROM conversations c JOIN tickets t ON t.conversation = c.id WHERE t.text = '{text}'"
LAST = "SELECT coalesce(max(m.seq), 0) FROM messages m JOIN conversations c ON c.id = m.conversation WHERE c.chat = '{chat}'"


class Shown(NamedTuple):
    """What one page of a web chat has put together from its socket, after reconnects: place → text."""

    chat: str
    items: dict[int, str]


class Page:
    """One visitor. The socket is dropped by the visitor, too: `drop` is the chance after each dialogue."""

    def __init__(
        self,
        entrances: Callable[[], Sequence[str]],
        http: ClientSession,
        journal: Journal,
        number: int,
        drop: float = 0.3,
    ) -> None:
        self.entrances, self.http, self.journal, self.number, self.drop = entrances, http, journal, number, drop
        self.chat = ""
        self.items: dict[int, str] = {}
        self.over = asyncio.Event()
        self.random = random.Random(number)
        self._token = ""
        self._cursor = 0
        self._places: set[int] = set()
        self._turn = itertools.count(number)
        self._news = asyncio.Event()
        self._socket: Any = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._talk()), asyncio.create_task(self._listen())]

    def shown(self) -> Shown:
        return Shown(self.chat, dict(self.items))

    async def finish(self) -> None:
        """The dialogue under way is led to its end; the socket stays."""
        self.over.set()
        await self._tasks[0]

    async def catch_up(self, ask: Ask) -> None:
        """Waits until the page has reached the end of the history, then closes it."""
        found = await ask(CHAT.format(text=f"Сломалось {9000 + self.number}-1"))
        self.chat = str(found[0][0]) if found else ""
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                while self.chat and self._cursor < int((await ask(LAST.format(chat=self.chat)))[0][0]):
                    await asyncio.sleep(0.2)
        self._tasks[1].cancel()
        await asyncio.gather(self._tasks[1], return_exceptions=True)

    def _base(self) -> str:
        entrances = self.entrances() or ["http://127.0.0.1:9"]
        return f"{entrances[next(self._turn) % len(entrances)]}/chat/web"

    # --- writing -----------------------------------------------------------------------------------------------------

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Until it is taken, with the same body: its key makes it one message."""
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        while True:
            with suppress(ClientError, TimeoutError):
                async with self.http.post(f"{self._base()}/{path}", data=orjson.dumps(body), headers=headers) as answer:
                    content = await answer.read()
                    if answer.status < 300:
                        found: dict[str, Any] = orjson.loads(content)
                        return found
                    if answer.status not in {429, 503}:
                        self.journal.missed.append(f"page {self.number}: {path} was answered with {answer.status}")
                        self.over.set()
                        return {}
            await asyncio.sleep(self.random.uniform(0.1, 0.4))

    async def _talk(self) -> None:
        self._token = (await self._post("session", {})).get("token", "")
        for n in itertools.count(1):
            if self.over.is_set():
                return
            tag = f"{9000 + self.number}-{n}"
            for place, word in enumerate(("заявка", f"Гость {tag}", f"Сломалось {tag}")):
                await self._post("messages", {"client_id": f"{tag}-{place}", "text": word})
                await asyncio.sleep(REST / 3)
            self.journal.tickets.append(f"Сломалось {tag}")
            if not await self._answered(n):
                return
            if self._socket is not None and self.random.random() < self.drop:
                await self._socket.close()

    async def _answered(self, times: int) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                while sum(map(is_ticket, self.items.values())) < times:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self.journal.missed.append(f"page {self.number} waited for answer {times}")
            return False
        return True

    # --- reading -----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """A socket after the other, each going on where the last one ended."""
        while True:
            with suppress(ClientError, TimeoutError, OSError):
                if self._token:
                    async with self.http.ws_connect(f"{self._base()}/socket", heartbeat=5.0) as self._socket:
                        await self._socket.send_str(
                            orjson.dumps({"token": self._token, "after": self._cursor or -1}).decode()
                        )
                        await self._read(self._socket)
            await asyncio.sleep(self.random.uniform(0.1, 0.5))

    async def _read(self, socket: Any) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                return
            frame = orjson.loads(message.data)
            for item in frame.get("items", ()) or ([frame["item"]] if frame.get("type") == "item" else ()):
                self._show(item)
            self._cursor = max(self._cursor, int(frame.get("cursor", 0)))
            while self._cursor + 1 in self._places:
                self._cursor += 1
            self._news.set()

    def _show(self, item: dict[str, Any]) -> None:
        if not item["seq"]:
            return
        self._places.add(item["seq"])
        if not item.get("hidden") and item["author"] != "client":
            self.items[item["seq"]] = item["text"]
