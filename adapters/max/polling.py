"""Long polling: raw updates, durable before the marker moves. MAX means it for development; a webhook excludes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

import structlog

from adapters.max.api import Api, Refusal, Unconfirmed, Unsent
from adapters.max.capabilities import UPDATES
from adapters.payloads import Json, mappings
from adapters.polling import Loop
from core.hold import Hold
from core.ports import Cursor, Gate

log = structlog.get_logger("frontline")

LIMIT = 100  # updates of one answer
MOST_WAIT = 30  # seconds that MAX holds a question

Take = Callable[[Gate, Sequence[Any], Cursor], Awaitable[None]]


class Poller(Loop):
    """Asks for updates in its turn, until `stop`. `take` makes a batch durable, together with the marker behind it, which is
    the cursor; `timeout` is in seconds. `hello` is called when the turn has come."""

    kind: ClassVar[str] = "max"

    def __init__(
        self, api: Api, name: str, take: Take, hello: Callable[[], Awaitable[int]], timeout: int = MOST_WAIT
    ) -> None:
        super().__init__(name)
        self._api, self._take, self._hello, self._timeout = api, take, hello, min(timeout, MOST_WAIT)
        self._marker = ""

    async def _poll(self, gate: Gate, hold: Hold) -> None:
        cursor = await gate.cursor(self._name)
        bot, failures = 0, 0
        while self._mine(hold):
            try:
                if not bot:
                    bot = await self._until_stop(self._ready()) or 0
                    self._marker = parse_cursor(cursor, bot)
                    continue
                page = await self._until_stop(self._ask())
            except (Refusal, Unsent, Unconfirmed) as error:
                bot = (
                    0 if isinstance(error, Refusal) and error.refused.status != 429 else bot
                )  # a webhook may be in the way
                failures += 1
                after = error.refused.after if isinstance(error, Refusal) else 0.0
                await self._pause(str(error), failures, after)
                continue
            failures = 0
            self._well()
            if page is not None:
                cursor = await self._store(gate, hold, page, bot) or cursor

    async def _ready(self) -> int:
        """Takes a webhook away that is in the way; the bot's id."""
        bot = await self._hello()
        for one in mappings((await self._api.call("GET", "/subscriptions")).get("subscriptions")):
            log.info("max_webhook_dropped", channel=self._name)
            await self._api.call("DELETE", "/subscriptions", {"url": str(one.get("url") or "")})
        return bot

    async def _ask(self) -> Json:
        # Until we know that nothing waits, an empty answer must come at once.
        wait = self._timeout if self.caught_up.is_set() else 0
        query = {"limit": str(LIMIT), "timeout": str(wait), "types": ",".join(UPDATES)}
        if self._marker:
            query["marker"] = self._marker
        return await self._api.call("GET", "/updates", query, seconds=wait + 15)

    async def _store(self, gate: Gate, hold: Hold, page: Json, bot: int) -> str:
        """The cursor behind a page that is stored now; nothing when there was none."""
        updates, marker = page.get("updates"), page.get("marker")
        updates = updates if isinstance(updates, list) else []
        marker = str(marker) if isinstance(marker, int) and not isinstance(marker, bool) else self._marker
        cursor = f"{marker}@{bot}"
        if updates:

            async def write() -> bool:
                await self._take(gate, updates, Cursor(self._name, cursor, hold.epoch))
                return True

            if not await self._durably(hold, write):
                return ""
        self._marker = marker
        if len(updates) < LIMIT:
            self.caught_up.set()
        return cursor if updates else ""


def parse_cursor(value: str, bot: int) -> str:
    """The marker, if it was this bot's: each bot has a sequence of its own."""
    marker, _, whose = value.partition("@")
    return marker if marker.lstrip("-").isdecimal() and whose == str(bot) else ""
