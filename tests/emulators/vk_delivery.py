"""How VK brings events: callbacks with their retries, the long poll with its forgetting."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

ANSWER_SECONDS = 10.0
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # between retries; VK's own are not documented


class Delivery:
    """Events on their way. `factor` scales the pauses between retries; `down` is a long poll that does not answer."""

    def __init__(self, group: int, factor: float) -> None:
        self._group, self._factor = group, factor
        self.servers: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.oldest = 0  # events before this place are forgotten
        self.read: int | None = None  # the place that a poll has asked for last
        self.polls = True  # events are kept for the long poll
        self.key = "key-1"
        self.down = False
        self.deaf = False  # the long poll answers, and brings nothing
        self.delivered = 0
        self.given_up: list[dict[str, Any]] = []
        self.refused: list[int] = []
        self.news = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._client: ClientSession | None = None

    def push(self, event: dict[str, Any]) -> None:
        """A new event: into the long poll, and to every server that wants its kind."""
        if self.polls:
            self.events.append(event)
            news, self.news = self.news, asyncio.Event()
            news.set()
        for server in self.servers:
            if server["status"] == "ok" and server["settings"].get(event["type"]):
                self.spawn(self.deliver(server, event))

    @property
    def waiting(self) -> int:
        """Deliveries that are not over."""
        return len(self._tasks)

    @property
    def unread(self) -> int:
        """Events that the long poll, if it is used at all, has not gone past."""
        return 0 if self.read is None else len(self.events) - self.read

    def spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    # --- callbacks ---------------------------------------------------------------------------------------------------

    async def deliver(self, server: dict[str, Any], event: dict[str, Any], always: int = 0, pause: float = 0.0) -> None:
        """One event with its retries. `always`: so many deliveries even though each was answered, `pause` seconds apart."""
        for counter in range(max(always, len(PAUSES) + 1)):
            status, text, after = await self.post(server, event, counter)
            if status == 200 and text == "ok":
                self.delivered += 1
                if counter + 1 >= always:
                    return
                await asyncio.sleep(pause)
                continue
            self.refused.append(status)
            if status == 403:
                break
            await asyncio.sleep(after if after else PAUSES[min(counter, len(PAUSES) - 1)] * self._factor)
        self.given_up.append(event)

    async def post(self, server: dict[str, Any], event: dict[str, Any], counter: int = 0) -> tuple[int, str, float]:
        """One delivery: the status, the text, and how long VK is asked to wait."""
        body = orjson.dumps({**event, "secret": server["secret_key"]})
        headers = {"Content-Type": "application/json", **({"X-Retry-Counter": str(counter)} if counter else {})}
        try:
            async with self.http().post(server["url"], data=body, headers=headers) as answer:
                return answer.status, await answer.text(), _after(answer.headers.get("Retry-After", ""))
        except (ClientError, TimeoutError, OSError):
            return 0, "", 0.0

    async def confirm(self, server: dict[str, Any], code: str) -> None:
        """Asks an address for the confirmation string."""
        event = {"type": "confirmation", "group_id": self._group, "event_id": "confirm", "v": "5.199"}
        for _ in range(3):
            status, text, _ = await self.post(server, event)
            if status == 200 and text == code:
                server["status"] = "ok"
                return
            await asyncio.sleep(0.2)
        server["status"] = "failed"

    def http(self) -> ClientSession:
        if self._client is None:
            self._client = ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=ANSWER_SECONDS))
        return self._client

    # --- long poll ---------------------------------------------------------------------------------------------------

    async def check(self, key: str, ts: str, wait: float) -> dict[str, Any]:
        """The answer to one question."""
        if key != self.key:
            return {"failed": 2}
        place = int(ts) if ts.isdecimal() else -1
        if place < 0 or place > len(self.events):
            return {"failed": 3}
        if place < self.oldest:
            return {"failed": 1, "ts": len(self.events)}
        self.read = place
        ends = time.monotonic() + min(wait, 90.0)
        while (self.deaf or place >= len(self.events)) and time.monotonic() < ends:
            news = self.news
            try:
                await asyncio.wait_for(news.wait(), max(0.01, ends - time.monotonic()))
            except TimeoutError:
                break
        if self.deaf:
            return {"ts": ts, "updates": []}
        return {"ts": str(len(self.events)), "updates": self.events[place:]}

    def forget(self) -> None:
        """VK has forgotten all events so far."""
        self.oldest = len(self.events)


def _after(value: str) -> float:
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else 0.0
    except ValueError:
        return 0.0
