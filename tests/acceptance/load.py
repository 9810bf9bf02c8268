"""Load for acceptance tests: updates posted to the webhook as Telegram does, each answer written down."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import orjson

from tests.acceptance.house import SECRET, Gateway, Telegram

FIRST_CHAT = 50_001
SENT = "SELECT count(*) FROM messages WHERE author <> 'client' AND state = 'sent'"


class Load:
    """Posts updates and remembers which were acknowledged, refused, or never answered."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.numbers: Iterator[int] = itertools.count(1)
        self.acknowledged: list[int] = []
        self.refused: dict[int, bytes] = {}
        self.unanswered: list[int] = []
        self.after: set[str] = set()
        self.over = asyncio.Event()

    async def post(self, number: int, body: bytes) -> int:
        """One delivery; its status, 0 without an answer."""
        assert self.gateway.http is not None
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET}
        try:
            async with self.gateway.http.post(
                f"{self.gateway.url}/hooks/telegram", data=body, headers=headers
            ) as answer:
                await answer.read()
                if answer.status == 200:
                    self.acknowledged.append(number)
                    self.refused.pop(number, None)
                elif answer.status == 503:
                    self.refused[number] = body
                    self.after.add(answer.headers.get("Retry-After", ""))
                return answer.status
        except aiohttp.ClientError:
            self.unanswered.append(number)
            return 0

    async def write(self, chat: int, texts: list[str]) -> None:
        """A client who writes one message after the other until `over`."""
        for text in itertools.cycle(texts):
            if self.over.is_set():
                return
            number = next(self.numbers)
            status = await self.post(number, orjson.dumps(update(number, chat, text)))
            assert status in (0, 200, 503)
            if status != 200:
                await asyncio.sleep(0.02)

    def start(self, clients: int, texts: list[str]) -> list[asyncio.Task[None]]:
        """So many clients at once."""
        return [asyncio.create_task(self.write(FIRST_CHAT + n, texts)) for n in range(clients)]

    def stored(self) -> list[int]:
        """Numbers of the updates in the store, read from outside, in the order of the inbox."""
        rows = read(self.gateway, "SELECT external_id FROM inbox WHERE external_id LIKE 'u:%' ORDER BY id")
        return [int(id[2:]) for (id,) in rows]


def read(gateway: Gateway, query: str) -> list[tuple[Any, ...]]:
    """Reads the store's file."""
    connection = sqlite3.connect(f"file:{gateway.database}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


async def carried_out(telegram: Telegram) -> list[dict[str, Any]]:
    """All messages that clients have got."""
    return [call for call in await telegram.do("sent", method="sendMessage") if not call["error"]]


def update(number: int, chat: int, text: str) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Клиент"}
    message = {
        "message_id": number, "date": int(time.time()), "text": text, "from": person,
        "chat": {"id": chat, "type": "private", "first_name": "Клиент"},
    }  # fmt: skip
    return {"update_id": number, "message": message}
