"""How Telegram brings updates to a bot: getUpdates with its conflicts, the webhook with its queues and retries."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

MOST_POLL_SECONDS = 50
WAIT_SECONDS = 60.0  # the webhook must answer in this time
CALLBACK_SECONDS = 150.0
MESSAGE_SECONDS = 86_400.0
EXPLICIT = frozenset(("message_reaction", "message_reaction_count", "chat_member"))
CONFLICT_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
CONFLICT_POLLER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"

Reply = Callable[[dict[str, Any]], Awaitable[None]]


class Conflict(Exception):
    """An answer 409 with these words."""


class Disturb(msgspec.Struct):
    """How often (0..1) an update comes twice, or out of its order; and so many seconds late."""

    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0


class Webhook(msgspec.Struct):
    """What setWebhook said."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40


class Delivery:
    """Updates on their way. `factor` scales the pauses between retries; `reply` gets a call made in a webhook's answer."""

    def __init__(self, reply: Reply, factor: float, seed: int) -> None:
        self._reply, self._factor = reply, factor
        self._random = random.Random(seed)
        self._pending: list[dict[str, Any]] = []
        self._shown: set[int] = set()  # ids that a poll has brought: only those can be confirmed
        self._news = asyncio.Event()
        self._poller: asyncio.Event | None = None
        self._queues: dict[str, deque[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(40)
        self._client: ClientSession | None = None
        self.allowed = frozenset[str]()  # kinds that the bot has named; those of `EXPLICIT` come only then
        self.webhook = Webhook()
        self.disturb = Disturb()
        self.delivered = 0
        self.refused: list[int] = []

    @property
    def waiting(self) -> int:
        """Updates not yet confirmed."""
        return len(self._pending) + sum(map(len, self._queues.values()))

    def push(self, update: dict[str, Any]) -> None:
        """A new update, disturbed as asked."""
        if not (EXPLICIT - self.allowed).isdisjoint(update):
            return
        if self.disturb.delay:
            asyncio.get_running_loop().call_later(self.disturb.delay * self._random.random(), self._enter, update)
        else:
            self._enter(update)

    def _enter(self, update: dict[str, Any]) -> None:
        copies = [update] * (2 if self._random.random() < self.disturb.duplicate else 1)
        if not self.webhook.url:
            early = bool(self._pending) and self._random.random() < self.disturb.reorder
            at = len(self._pending) - early
            self._pending[at:at] = copies
            self._news.set()
            return
        for number, copy in enumerate(copies):
            loose = number > 0 or self._random.random() < self.disturb.reorder
            self._queue(f"loose:{id(copy)}:{self._random.random()}" if loose else queue_key(copy), copy)

    # --- getUpdates --------------------------------------------------------------------------------------------------

    async def get_updates(self, offset: int = 0, limit: int = 100, timeout: int = 0) -> list[dict[str, Any]]:  # noqa: ASYNC109
        """Confirms what lies below the offset and waits for news. Raises Conflict."""
        if self.webhook.url:
            raise Conflict(CONFLICT_WEBHOOK)
        if self._poller is not None:
            self._poller.set()
        if offset < 0:
            self._pending = self._pending[offset:]
        confirmed = {number for number in self._shown if number < offset}
        self._pending = [update for update in self._pending if update["update_id"] not in confirmed]
        return await self._poll(max(1, min(limit, 100)), min(timeout, MOST_POLL_SECONDS))

    async def _poll(self, limit: int, seconds: int) -> list[dict[str, Any]]:
        mine = self._poller = asyncio.Event()
        ends = time.monotonic() + seconds
        try:
            while not self._pending and time.monotonic() < ends:
                self._news.clear()
                await self._first_of(self._news, mine, ends - time.monotonic())
                if mine.is_set():
                    raise Conflict(CONFLICT_POLLER)
            self._shown.update(update["update_id"] for update in self._pending[:limit])
            return self._pending[:limit]
        finally:
            if self._poller is mine:
                self._poller = None

    @staticmethod
    async def _first_of(news: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
        tasks = [asyncio.ensure_future(news.wait()), asyncio.ensure_future(other.wait())]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    # --- webhook -----------------------------------------------------------------------------------------------------

    def set_webhook(self, webhook: Webhook) -> None:
        """From now on updates go there; those not yet confirmed too."""
        self.webhook = webhook
        self._slots = asyncio.Semaphore(webhook.max_connections)
        if not webhook.url:
            return
        if self._poller is not None:
            self._poller.set()
        pending, self._pending = self._pending, []
        for update in pending:
            self._queue(queue_key(update), update)

    def drop(self) -> None:
        """Forgets what waits."""
        self._pending.clear()
        for queue in self._queues.values():
            queue.clear()

    def _queue(self, key: str, update: dict[str, Any]) -> None:
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(update)
            return
        self._queues[key] = deque([update])
        task = asyncio.create_task(self._run_queue(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_queue(self, key: str) -> None:
        """Head of line: the next update of a key goes only when the one before it is through."""
        queue = self._queues[key]
        while queue:
            through = await self._deliver(queue[0])
            if queue:
                update = queue.popleft()
                self._pending += [] if through else [update]
                self._news.set()
        del self._queues[key]

    async def _deliver(self, update: dict[str, Any]) -> bool:
        """Tries until a 2xx or until the update is too old; False when the webhook went away before."""
        expires = time.monotonic() + (CALLBACK_SECONDS if "callback_query" in update else MESSAGE_SECONDS)
        body = orjson.dumps(update)
        attempt = 0
        while self.webhook.url and time.monotonic() < expires:
            async with self._slots:
                status, after = await self._post(body)
            if 200 <= status < 300:
                self.delivered += 1
                return True
            self.refused.append(status)
            await asyncio.sleep(self._factor * max(after, _retry_delay(attempt, self._random)))
            attempt += 1
        return bool(self.webhook.url)

    async def _post(self, body: bytes) -> tuple[int, float]:
        """The status (0: no answer) and the seconds of Retry-After."""
        headers = {"Content-Type": "application/json"}
        if self.webhook.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.webhook.secret_token
        try:
            async with self._http().post(self.webhook.url, data=body, headers=headers) as response:
                content = await response.read()
                if content and 200 <= response.status < 300:
                    await self._call_in_answer(content)
                return response.status, min(3600.0, float(response.headers.get("Retry-After") or 0))
        except (ClientError, TimeoutError, OSError):
            return 0, 0.0

    async def _call_in_answer(self, content: bytes) -> None:
        try:
            call = orjson.loads(content)
        except orjson.JSONDecodeError:
            return
        if isinstance(call, dict) and "method" in call:
            await self._reply(call)

    def _http(self) -> ClientSession:
        if self._client is None:
            self._client = ClientSession(
                timeout=ClientTimeout(total=WAIT_SECONDS),
                cookie_jar=DummyCookieJar(),
                connector=TCPConnector(limit=200),
            )
        return self._client

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._poller is not None:
            self._poller.set()
        if self._client is not None:
            await self._client.close()


def queue_key(update: Mapping[str, Any]) -> str:
    """Which queue an update waits in: messages by chat, pressed buttons by user, the rest by kind and chat."""
    kind = next((name for name in update if name != "update_id"), "")
    if kind in {"message", "edited_message"}:
        return f"chat:{_id_in(update[kind], 'chat')}"
    if kind == "callback_query":
        return f"callback:{_id_in(update[kind], 'from')}"
    return f"{kind}:{_id_in(update.get(kind), 'chat')}"


def _id_in(body: Any, name: str) -> Any:
    """The id of somebody an update names; tests send broken ones too."""
    named = body.get(name) if isinstance(body, dict) else None
    return named.get("id") if isinstance(named, dict) else None


def _retry_delay(attempt: int, chance: random.Random) -> float:
    """At once, then 2, 4, 8 … seconds, at most a random 60..120."""
    return 0.0 if attempt == 0 else min(2.0**attempt, chance.uniform(60, 120))
