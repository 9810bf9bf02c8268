"""Long polling with our own loop: raw updates, durable before the offset moves, never stopped by one of them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from adapters.polling import Loop
from adapters.telegram.capabilities import UPDATES
from adapters.telegram.library import TelegramAPIError
from adapters.telegram.session import LeanSession, Refusal, Unconfirmed, Unsent
from core.hold import Hold
from core.ports import Cursor, Gate

log = structlog.get_logger("frontline")

LIMIT = 100
# After a week without updates Telegram starts at a random id, maybe below our offset: forget ours before that.
FORGET_SECONDS = 6 * 86_400.0

Take = Callable[[Gate, Sequence[Any], Cursor], Awaitable[None]]


class Poller(Loop):
    """Asks for updates in its turn, until `stop`. `take` makes a batch durable, together with the cursor behind it.

    The stored cursor is `<next offset>@<unix time>`; `timeout` is in seconds (the platform takes at most 50).
    """

    kind = "telegram"

    def __init__(self, session: LeanSession, token: str, name: str, take: Take, timeout: int = 25) -> None:
        super().__init__(name)
        self._session, self._token, self._take_batch, self._timeout = session, token, take, timeout
        self._offset, self._moved_at = 0, 0.0

    async def _poll(self, gate: Gate, hold: Hold) -> None:
        self._offset, self._moved_at = parse_cursor(await gate.cursor(self._name))
        failures = 0
        ready = False
        while self._mine(hold):
            try:
                ready = ready or await self._drop_webhook()
                updates = await self._until_stop(self._get_updates())
            except TelegramAPIError as error:
                # A webhook that somebody set meanwhile is dropped again.
                ready = ready and not (isinstance(error, Refusal) and error.code == 409)
                failures += 1
                await self._pause(_describe(error), failures, _after(error))
                continue
            failures = 0
            self._well()
            if updates:
                await self._take(gate, hold, sorted(updates, key=_update_id))
            if updates is not None and len(updates) < LIMIT:
                self.caught_up.set()

    async def _drop_webhook(self) -> bool:
        info = await self._until_stop(self._session.call(self._token, "getWebhookInfo", {}))
        if info and info.get("url"):
            log.info("telegram_webhook_dropped", channel=self._name)
            await self._until_stop(self._session.call(self._token, "deleteWebhook", {"drop_pending_updates": False}))
        return True

    async def _get_updates(self) -> list[Any]:
        # Until we know that nothing waits, an empty answer must come at once.
        wait = self._timeout if self.caught_up.is_set() else 0
        params: dict[str, Any] = {"timeout": wait, "limit": LIMIT, "allowed_updates": UPDATES}
        if self._offset and time.time() - self._moved_at < FORGET_SECONDS:
            params["offset"] = self._offset
        found = await self._session.call(self._token, "getUpdates", params, seconds=wait + 15)
        return found if isinstance(found, list) else []

    async def _take(self, gate: Gate, hold: Hold, updates: list[Any]) -> None:
        """Stores a batch with the offset behind it."""
        offset = max([self._offset, *(_update_id(update) + 1 for update in updates)])
        now = time.time()

        async def write() -> bool:
            await self._take_batch(gate, updates, Cursor(self._name, f"{offset}@{now:.0f}", hold.epoch))
            return True

        if await self._durably(hold, write):
            self._offset, self._moved_at = offset, now


def parse_cursor(value: str) -> tuple[int, float]:
    """The offset and when it was stored; zeros when there is none."""
    offset, _, at = value.partition("@")
    return (int(offset), float(at or time.time())) if offset.isdigit() else (0, 0.0)


def utc_now() -> datetime:
    """The time of updates that carry none."""
    return datetime.now(UTC)


def _update_id(update: Any) -> int:
    found = update.get("update_id") if isinstance(update, dict) else None
    return found if isinstance(found, int) else -1


def _describe(error: TelegramAPIError) -> str:
    if isinstance(error, Refusal):
        return f"{error.code} {error.message}"[:200]
    return error.message if isinstance(error, Unsent | Unconfirmed) else type(error).__name__


def _after(error: TelegramAPIError) -> float:
    """Seconds that a 429 asks to wait."""
    return float(error.parameters.get("retry_after") or 0) if isinstance(error, Refusal) else 0.0
