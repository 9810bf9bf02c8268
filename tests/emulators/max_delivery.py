"""How MAX brings updates to a bot: GET /updates with its marker, webhooks with their retries; one excludes the other."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import msgspec
import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

MOST_POLL_SECONDS = 30
WAIT_SECONDS = 30.0  # a webhook must answer in this time
RETRY_SECONDS = 8 * 3600.0


class Disturb(msgspec.Struct):
    """How often (0..1) an update comes twice, or later than those after it; and so many seconds late."""

    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0


class Delivery:
    """Updates on their way. `factor` scales the pauses between retries."""

    def __init__(self, factor: float, seed: int = 1) -> None:
        self._factor, self._random = factor, random.Random(seed)
        self.subscriptions: dict[str, dict[str, Any]] = {}  # by address
        self.disturb = Disturb()
        self._updates: list[tuple[int, dict[str, Any]]] = []  # by sequence number, until they are committed
        self._next = 25_000_000
        self._shown = 0  # the number behind the last update that a poll has brought
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: ClientSession | None = None
        self.delivered = 0
        self.refused: list[int] = []
        self.polls = 0

    @property
    def waiting(self) -> int:
        """Updates not yet delivered or committed."""
        return len(self._updates) + len(self._tasks)

    def push(self, update: dict[str, Any]) -> None:
        """A new update, disturbed as asked."""
        if self.disturb.delay:
            asyncio.get_running_loop().call_later(self.disturb.delay * self._random.random(), self._enter, update)
        else:
            self._enter(update)

    def _enter(self, update: dict[str, Any]) -> None:
        copies = [update] * (2 if self._random.random() < self.disturb.duplicate else 1)
        if not self.subscriptions:
            for copy in copies:
                self._updates.append((self._next, copy))
                self._next += 1
            fresh = len(self._updates) > 1 and self._updates[-2][0] >= self._shown
            if fresh and self._random.random() < self.disturb.reorder:
                (first, one), (second, other) = self._updates[-2:]
                self._updates[-2:] = [(first, other), (second, one)]
            self._news.set()
            return
        for copy in copies:
            for subscription in list(self.subscriptions.values()):
                if update.get("update_type") in (subscription.get("update_types") or [update.get("update_type")]):
                    task = asyncio.create_task(self._deliver(subscription, copy))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def ask(self, marker: int | None, limit: int, seconds: float, types: list[str]) -> dict[str, Any]:
        """A page of updates: those before the marker are committed; the new marker points behind the page."""
        self.polls += 1
        if marker is not None:
            self._updates = [(number, one) for number, one in self._updates if number >= marker]
        ends = time.monotonic() + min(seconds, MOST_POLL_SECONDS)
        while not (page := self._page(limit, types)) and time.monotonic() < ends and not self.subscriptions:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, ends - time.monotonic()))
            except TimeoutError:
                break
        behind = self._shown = page[-1][0] + 1 if page else self._next
        return {"updates": [one for _, one in page], "marker": behind}

    def _page(self, limit: int, types: list[str]) -> list[tuple[int, dict[str, Any]]]:
        return [(number, one) for number, one in self._updates if not types or one.get("update_type") in types][:limit]

    def subscribe(self, subscription: dict[str, Any]) -> None:
        """From now on updates go there, those not yet committed, too."""
        self.subscriptions[subscription["url"]] = subscription
        pending, self._updates = self._updates, []
        self._news.set()
        for _, update in pending:
            self._enter(update)

    async def _deliver(self, subscription: dict[str, Any], update: dict[str, Any]) -> None:
        """Tries until a 200, ever more rarely, for eight hours."""
        body, pause, ends = orjson.dumps(update), 1.0, time.monotonic() + RETRY_SECONDS
        if self._random.random() < self.disturb.reorder:
            await asyncio.sleep(self._factor * self._random.random())
        while subscription["url"] in self.subscriptions and time.monotonic() < ends:
            status = await self.post(subscription, body)
            if status == 200:
                self.delivered += 1
                return
            self.refused.append(status)
            await asyncio.sleep(self._factor * pause)
            pause = min(pause * 2, 600.0)

    async def post(self, subscription: dict[str, Any], body: bytes) -> int:
        """The status of one delivery; 0: no answer."""
        headers = {"Content-Type": "application/json"}
        if subscription.get("secret"):
            headers["X-Max-Bot-Api-Secret"] = subscription["secret"]
        if self._client is None:
            self._client = ClientSession(timeout=ClientTimeout(total=WAIT_SECONDS), cookie_jar=DummyCookieJar())
        try:
            async with self._client.post(subscription["url"], data=body, headers=headers) as response:
                await response.read()
                return response.status
        except (ClientError, TimeoutError, OSError):
            return 0

    async def close(self) -> None:
        self._news.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
