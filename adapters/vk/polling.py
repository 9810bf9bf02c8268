"""Bots Long Poll with our own loop, and the watch over both ways in: what events have not told is read from the history."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import aiohttp
import structlog

from adapters.payloads import Unreadable, parse_json
from adapters.polling import MOST_BACKOFF_SECONDS, Loop
from adapters.vk.api import Api, Closed
from adapters.vk.history import MOST_SECONDS, read_history
from adapters.vk.methods import Refusal, Trouble
from core.hold import Hold
from core.ports import Cursor, Gate, Receipt, StorageFull

log = structlog.get_logger("frontline")

# VK's clock and ours differ, and what was written while the last answer was on its way counts, too.
MARGIN_SECONDS = 60.0
AWAY_SECONDS = 300.0  # after a longer absence VK may have forgotten events without a word: the history is read at once
WATCH_SECONDS = 600.0  # so long without an event, and the history is asked whether nobody has written
HEARTBEAT_SECONDS = 60.0  # a cursor is at most so old, so that a restart reads little of the history
FIRST_WAIT = 1  # seconds: until we know that nothing waits, an empty answer must come soon

Events = Sequence[Any]
Take = Callable[[Gate, Events, Cursor | None], Awaitable[list[Receipt]]]


class Server(NamedTuple):
    """Where events are asked for, as groups.getLongPollServer says."""

    url: str
    key: str
    ts: str


class Position(NamedTuple):
    """How far we have read: VK's `ts` (empty without long poll) and when that was (seconds since the epoch)."""

    ts: str = ""
    at: float = 0.0

    @classmethod
    def parse(cls, value: str) -> Position:
        """`<ts>@<unix time>`."""
        ts, _, at = value.partition("@")
        return cls(ts, float(at) if at.replace(".", "", 1).isdecimal() else 0.0)

    def __str__(self) -> str:
        return f"{self.ts}@{self.at:.0f}"


class Poller(Loop):
    """Listens in its turn, until `stop`. `take` makes events durable, together with the cursor behind them.

    With `polls` it asks the long poll; without (callback mode) it only watches. `wait` is in seconds (VK takes at most 90).
    `watch` is how long silence is believed. `prepare` is called when the turn has come, until it does not raise.
    """

    kind = "vk"

    def __init__(
        self,
        api: Api,
        name: str,
        group: int,
        take: Take,
        *,
        polls: bool = True,
        wait: int = 25,
        watch: float = WATCH_SECONDS,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(name)
        self._api, self._group, self._take_events = api, group, take
        self._polls, self._wait, self._watch, self._prepare = polls, wait, watch, prepare
        self._server: Server | None = None
        self._position = Position()
        self._stored_at = 0.0  # when the cursor was written last
        self._heard_at = 0.0  # when an event, or an answered question, last told that we hear everything
        self._session: aiohttp.ClientSession | None = None

    async def _poll(self, gate: Gate, hold: Hold) -> None:
        try:
            await self._listen(gate, hold)
        finally:
            self._server = None
            if self._session is not None:
                await self._session.close()
                self._session = None

    async def _listen(self, gate: Gate, hold: Hold) -> None:
        self._position = Position.parse(await gate.cursor(self._name))
        self._heard_at = time.time()
        failures = 0
        prepared = self._prepare is None
        missed = self._polls and bool(self._position.at) and time.time() - self._position.at > AWAY_SECONDS
        while self._mine(hold):
            try:
                if self._prepare is not None and not prepared:
                    await self._until_stop(self._prepare())
                    prepared = True
                if missed:
                    await self._catch_up(gate, hold)
                    missed = False
                await (self._ask(gate, hold) if self._polls else self._look(gate, hold))
            except Gap:
                missed = True
            except (Refusal, Trouble, Closed, StorageFull) as error:
                failures += 1
                await self._pause(_describe(error), failures, _after(error))
                continue
            failures = 0
            self._well()

    # --- long poll ---------------------------------------------------------------------------------------------------

    async def _ask(self, gate: Gate, hold: Hold) -> None:
        """One question and what it brings. Raises Gap when VK has forgotten what came meanwhile."""
        server = self._server = self._server or await self._ask_server()
        if not self._position.ts:  # the first start ever: from here on everything is ours, whoever goes on
            await self._take(gate, hold, [], server.ts)
        ts = self._position.ts
        answer = await self._until_stop(self._check(server, ts))
        if answer is None:
            return
        if "failed" in answer:
            self._failed(answer)
            return
        updates = answer.get("updates")
        await self._take(gate, hold, updates if isinstance(updates, list) else [], _ts(answer) or ts)
        self.caught_up.set()
        if time.time() - self._heard_at > self._watch:
            await self._watch_over(gate, hold)

    async def _ask_server(self) -> Server:
        found = await self._until_stop(self._api.call("groups.getLongPollServer", {"group_id": self._group}))
        if not isinstance(found, dict) or not found.get("server"):
            raise Trouble("no long poll server")
        return Server(str(found["server"]), str(found.get("key", "")), _ts(found))

    async def _check(self, server: Server, ts: str) -> dict[str, Any]:
        wait = self._wait if self.caught_up.is_set() else FIRST_WAIT
        query = {"act": "a_check", "key": server.key, "ts": ts, "wait": str(wait)}
        timeout = aiohttp.ClientTimeout(total=wait + 15, connect=10)
        try:
            async with self._http().get(server.url, params=query, timeout=timeout) as response:
                if response.status != 200:
                    self._server = None
                    raise Trouble(f"long poll: HTTP {response.status}")
                answer = parse_json(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, Unreadable, ValueError) as error:
            if isinstance(error, Trouble):
                raise
            raise Trouble(f"long poll: {type(error).__name__}") from None
        if not isinstance(answer, dict):
            raise Trouble("long poll: not an object")
        return answer

    def _failed(self, answer: dict[str, Any]) -> None:
        """1: our place is forgotten, here is a new one. 2: the key is over. 3: both. Raises Gap when events are lost."""
        code = answer["failed"]
        log.info("vk_long_poll_failed", channel=self._name, code=code if isinstance(code, int) else 0)
        if code == 1 and _ts(answer):
            self._position = self._position._replace(ts=_ts(answer))
            raise Gap
        self._server = None
        if code != 2:
            self._position = self._position._replace(ts="")
            raise Gap

    async def _take(self, gate: Gate, hold: Hold, updates: Events, ts: str) -> None:
        """Stores events with the cursor behind them; as long as the store is full, waits and tries again."""
        now = time.time()
        if updates or self._cursor_is_old(now):
            await self._store(gate, hold, updates, Position(ts, now))
        if updates:
            self._heard_at = now
        self._position = Position(ts, now)

    async def _store(self, gate: Gate, hold: Hold, events: Events, position: Position) -> list[Receipt]:
        cursor = Cursor(self._name, str(position), hold.epoch)
        receipts = await self._durably(hold, lambda: self._take_events(gate, events, cursor))
        if receipts or (receipts is not None and not events):  # events of which nothing was kept moved no cursor
            self._stored_at = position.at
        return receipts or []

    def _cursor_is_old(self, now: float) -> bool:
        return now - self._stored_at > HEARTBEAT_SECONDS

    # --- history -----------------------------------------------------------------------------------------------------

    async def _catch_up(self, gate: Gate, hold: Hold) -> int:
        """Reads what was written since the position, and stores it with the newest one. How many were news."""
        if self._polls and not self._position.ts:
            self._server = await self._ask_server()  # first, so that nothing falls between history and events
            self._position = self._position._replace(ts=self._server.ts)
        now = time.time()
        since = max(self._position.at - MARGIN_SECONDS, now - MOST_SECONDS)
        if self._position.at and since > self._position.at:
            log.warning("vk_gap_is_too_long", channel=self._name, seconds=now - self._position.at)
        messages = await self._until_stop(read_history(self._api, since)) if self._position.at else []
        if messages is None:
            return 0
        events = [{"type": "message_reply" if one.get("out") else "message_new", "object": one} for one in messages]
        position = Position(self._position.ts, now)
        receipts = await self._store(gate, hold, events, position)
        self._position, self._heard_at = position, now
        news = sum(not receipt.duplicate for receipt in receipts)
        if news:
            log.warning("vk_history_brought_messages", channel=self._name, count=news)
        return news

    async def _watch_over(self, gate: Gate, hold: Hold) -> None:
        """Nothing for a long time: maybe nobody wrote, maybe VK has forgotten us. The history knows."""
        self._position = self._position._replace(at=min(self._position.at, self._heard_at))
        if await self._catch_up(gate, hold):
            log.warning("vk_long_poll_was_deaf", channel=self._name)
            self._server = None

    async def _look(self, gate: Gate, hold: Hold) -> None:
        """Callback mode: events come by themselves, and from time to time the history is compared with them."""
        await self._catch_up(gate, hold)
        self.caught_up.set()
        await self.rest(self._watch)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


class Gap(Exception):
    """Events are lost: the history must tell what was written."""


def _ts(answer: dict[str, Any]) -> str:
    """VK sends a number with `failed` and a text otherwise."""
    ts = answer.get("ts")
    return str(ts) if isinstance(ts, str | int) and not isinstance(ts, bool) else ""


def _describe(error: Exception) -> str:
    return "storage full" if isinstance(error, StorageFull) else str(error)[:200]


def _after(error: Exception) -> float:
    """Seconds for which an error has closed the community."""
    return min(error.after, MOST_BACKOFF_SECONDS) if isinstance(error, Closed) else 0.0
