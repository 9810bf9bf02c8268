"""Clients behind a platform that redelivers: what was posted, what was acknowledged, what must come of it."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientConnectionError, ClientError, ClientSession

from tests.faults.platform import Platform

SECRET = "faults"
PAUSE = 0.02  # seconds between two deliveries of one update; Telegram waits longer, a test need not
LONGEST_PAUSE = 0.5
FIRST_CHAT = 1000


@dataclass
class Update:
    """One update: `first` and `acked` are on the monotonic clock, `acked` is 0 until somebody answered 200."""

    number: int
    chat: int
    text: str
    first: float = 0.0
    acked: float = 0.0


@dataclass
class Journal:
    """What the clients know: updates, the effects they are owed, and how they were treated."""

    updates: dict[int, Update] = field(default_factory=dict)
    tickets: list[str] = field(default_factory=list)  # texts of tickets, each owed once
    replies: list[str] = field(default_factory=list)  # texts of the bot, each owed once
    statuses: Counter[int] = field(default_factory=Counter)  # 0: no answer
    acks: list[float] = field(default_factory=list)  # seconds from the first delivery to the acknowledgement
    waits: list[float] = field(default_factory=list)  # seconds from the last word of a dialogue to its answer
    missed: list[str] = field(default_factory=list)  # answers that never came
    heard: list[float] = field(default_factory=list)  # when answers came, monotonic

    @property
    def acknowledged(self) -> list[int]:
        return [number for number, update in self.updates.items() if update.acked]


def merge_journals(journals: Sequence[Journal]) -> Journal:
    """Several crowds as one."""
    whole = Journal()
    for journal in journals:
        whole.updates |= journal.updates
        whole.tickets += journal.tickets
        whole.replies += journal.replies
        whole.missed += journal.missed
        whole.statuses += journal.statuses
    return whole


class Clients:
    """Chats that write over the webhook. `entrances` are base addresses; who does not answer is left for the next.

    `again` is the chance that an update is delivered thrice, `patience` is in seconds; with `polled` updates wait at the
    platform until somebody asks.
    """

    def __init__(
        self, entrances: Callable[[], Sequence[str]], http: ClientSession, platform: Platform, *,
        patience: float = 60.0, again: float = 0.0, seed: int = 1, first_chat: int = FIRST_CHAT,
        first_number: int = 1, hook: str = "telegram", polled: bool = False,
    ) -> None:  # fmt: skip
        self.entrances, self.http, self.platform = entrances, http, platform
        self.hook, self.polled = hook, polled
        self.patience, self.again, self.first_chat = patience, again, first_chat
        self.journal = Journal()
        self.random = random.Random(seed)
        self.over = asyncio.Event()
        self._numbers = itertools.count(first_number)
        self._turn = itertools.count()
        self._rounds: dict[int, int] = defaultdict(int)
        self._copies: set[asyncio.Task[int]] = set()
        self._talks: list[asyncio.Task[None]] = []

    # --- delivery ----------------------------------------------------------------------------------------------------

    def write(self, chat: int, text: str, **more: Any) -> tuple[Update, bytes]:
        """An update that is not delivered yet."""
        update = Update(next(self._numbers), chat, text)
        self.journal.updates[update.number] = update
        return update, orjson.dumps(render(update, **more))

    async def deliver(self, update: Update, body: bytes) -> None:
        """Again and again until somebody says 200, as Telegram does."""
        update.first = update.first or time.monotonic()
        if self.polled:
            self.platform.delivery.push(orjson.loads(body))
            update.acked = update.first  # the platform keeps it, and gives its order
            return
        pause = PAUSE
        while await self._post(body) != 200:
            await asyncio.sleep(pause * self.random.uniform(0.5, 1.0))
            pause = min(LONGEST_PAUSE, pause * 1.5)
        self._acked(update)
        if self.random.random() < self.again:
            self._copy(body)
            self._copy(body)

    def _acked(self, update: Update) -> None:
        update.acked = update.acked or time.monotonic()
        self.journal.acks.append(update.acked - update.first)

    def _copy(self, body: bytes) -> None:
        task = asyncio.create_task(self._post(body))
        self._copies.add(task)
        task.add_done_callback(self._copies.discard)

    async def _post(self, body: bytes) -> int:
        """One delivery; its status, 0 without an answer."""
        entrances = self.entrances()
        if not entrances:
            return 0
        url = f"{entrances[next(self._turn) % len(entrances)]}/hooks/{self.hook}"
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET}
        status = 0
        try:
            async with self.http.post(url, data=body, headers=headers) as answer:
                await answer.read()
                status = answer.status
        except (ClientConnectionError, ClientError, TimeoutError):
            pass
        self.journal.statuses[status] += 1
        return status

    async def say(self, chat: int, text: str, **more: Any) -> Update:
        update, body = self.write(chat, text, **more)
        await self.deliver(update, body)
        return update

    # --- dialogues ---------------------------------------------------------------------------------------------------

    def tag(self, chat: int) -> str:
        """A new dialogue's name: unique, and a part of all that must come of it."""
        n = self._rounds[chat] = self._rounds[chat] + 1
        return f"{chat}-{n}"

    async def request(self, chat: int) -> None:
        """Three messages in a burst, three answers, one ticket."""
        tag, since = self.tag(chat), len(self.platform.told[chat])
        await self.say(chat, "заявка")
        await self.say(chat, f"Клиент {tag}")
        last = await self.say(chat, f"Сломалось {tag}")
        self.journal.tickets.append(f"Сломалось {tag}")
        await self._answer(chat, is_ticket, since, last.first)

    async def quiet(self, chat: int) -> None:
        """A client who is silent until the timer reminds of the question: the reminder comes once."""
        tag, since = self.tag(chat), len(self.platform.told[chat])
        await self.say(chat, f"тихо {tag}")
        reminder = f"Вы ещё здесь? Жду ответа, {tag}."
        self.journal.replies += [f"Жду ответа, {tag}.", reminder]
        if not await self._answer(chat, reminder.__eq__, since, 0.0):
            return
        last = await self.say(chat, f"Молчание {tag}")
        self.journal.tickets.append(f"Молчание {tag}")
        await self._answer(chat, is_ticket, since, last.first)

    async def echo(self, chat: int, burst: int = 5) -> None:
        """Messages that do not wait for each other, in any order: each is answered once."""
        tag, since = self.tag(chat), len(self.platform.told[chat])
        words = [f"{tag}-{n}" for n in range(burst)]
        written = [self.write(chat, f"эхо {word}") for word in words]
        if self.random.random() < self.again:
            self.random.shuffle(written)
        self.journal.replies += [f"Слышу {word}." for word in words]
        await asyncio.gather(*(self.deliver(*one) for one in written))
        for word in words:
            await self._answer(chat, f"Слышу {word}.".__eq__, since, 0.0)

    async def photo(self, chat: int) -> None:
        """A picture that the gateway fetches from the platform."""
        tag, since = self.tag(chat), len(self.platform.told[chat])
        await self.say(chat, f"снимок {tag}")
        await self._answer(chat, f"Пришлите снимок, {tag}.".__eq__, since, 0.0)
        size = {"file_id": f"p{tag}", "file_unique_id": f"u{tag}", "width": 90, "height": 90, "file_size": 2052}
        last = await self.say(chat, "", photo=[size])
        self.journal.tickets.append(f"Снимок {tag}")
        await self._answer(chat, is_ticket, since, last.first)

    async def _answer(self, chat: int, wanted: Callable[[str], bool], since: int, began: float) -> bool:
        try:
            said = await self.platform.hear(chat, wanted, since, self.patience)
        except TimeoutError:
            self.journal.missed.append(f"chat {chat} waited {self.patience:.0f} s after {since} messages")
            self.over.set()
            return False
        self.journal.heard.append(said.at)
        if began:
            self.journal.waits.append(said.at - began)
        return True

    # --- load --------------------------------------------------------------------------------------------------------

    def start(self, chats: int, kinds: Iterable[Callable[[int], Awaitable[None]]] = (), rest: float = 0.0) -> None:
        """So many chats at once, each with one kind of dialogue after the other, resting about so long between two."""
        cycle = itertools.cycle(list(kinds) or [self.request])
        for n, talk in zip(range(chats), cycle, strict=False):
            self._talks.append(asyncio.create_task(self._until_over(self.first_chat + n, talk, rest)))
        self.first_chat += chats

    async def _until_over(self, chat: int, talk: Callable[[int], Awaitable[None]], rest: float) -> None:
        while not self.over.is_set():
            await talk(chat)
            if rest:
                await asyncio.sleep(rest * self.random.uniform(0.5, 1.5))

    async def finish(self) -> None:
        """Every dialogue that was begun is led to its end."""
        self.over.set()
        await asyncio.gather(*self._talks)
        await asyncio.gather(*self._copies)


def is_ticket(text: str) -> bool:
    """The answer that ends a dialogue."""
    return text.startswith("Заявка ")


def render(update: Update, **more: Any) -> dict[str, Any]:
    """As the Bot API shows it."""
    person = {"id": update.chat, "is_bot": False, "first_name": "Клиент"}
    message = {
        "message_id": update.number, "date": int(time.time()), "from": person,
        "chat": {"id": update.chat, "type": "private", "first_name": "Клиент"}, **more,
    }  # fmt: skip
    if update.text:
        message["text"] = update.text
    return {"update_id": update.number, "message": message}
