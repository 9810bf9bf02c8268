"""Long polling with our own loop: raw updates, durable before the offset moves, never stopped by one of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from adapters.telegram.capabilities import UPDATES
from adapters.telegram.library import TelegramAPIError
from adapters.telegram.session import LeanSession, Refusal, Unconfirmed, Unsent
from core.hold import Hold
from core.ports import Cursor, Gate, LeaseLost, StorageFull

log = structlog.get_logger("frontline")

LIMIT = 100
MOST_BACKOFF_SECONDS = 30.0
# After a week without updates Telegram starts at a random id, maybe below our offset: forget ours before that.
FORGET_SECONDS = 6 * 86_400.0

Take = Callable[[Gate, Sequence[Any], Cursor], Awaitable[None]]


class Poller:
    """Asks for updates in its turn, until `stop`. `take` makes a batch durable, together with the cursor behind it.

    The stored cursor is `<next offset>@<unix time>`; `timeout` is in seconds (the platform takes at most 50).
    """

    def __init__(self, session: LeanSession, token: str, name: str, take: Take, timeout: int = 25) -> None:
        self._session, self._token, self._name, self._take_batch, self._timeout = session, token, name, take, timeout
        self._stopping = asyncio.Event()
        self.caught_up = asyncio.Event()  # set by the first poll that brings less than it could
        self._offset, self._moved_at = 0, 0.0
        self._trouble = ""
        self._hold: Hold | None = None

    async def run(self, gate: Gate) -> None:
        """Waits for its turn and polls; returns soon after `stop`, or when another process has taken over."""
        hold: Hold | None = await self._until_stop(gate.turn(self._name))
        if hold is None:
            return
        self._hold = hold
        try:
            await self._poll(gate, hold)
        except LeaseLost:
            log.warning("telegram_poller_replaced", channel=self._name)
            hold.drop()
        finally:
            self._hold = None

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
                await self._pause(error, failures)
                continue
            failures = 0
            self._well()
            if updates:
                await self._take(gate, hold, sorted(updates, key=_update_id))
            if updates is not None and len(updates) < LIMIT:
                self.caught_up.set()

    def _mine(self, hold: Hold) -> bool:
        return hold.held and not self._stopping.is_set()

    def stop(self) -> None:
        """Ends the loop: a poll under way is dropped, a batch under way is finished."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    async def rest(self, seconds: float) -> None:
        """Waits so long, or until `stop`."""
        await self._until_stop(asyncio.sleep(seconds))

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
        """Stores a batch with the offset behind it; as long as the store is full, waits and tries again."""
        offset = max([self._offset, *(_update_id(update) + 1 for update in updates)])
        now = time.time()
        failures = 0
        while self._mine(hold):
            try:
                await self._take_batch(gate, updates, Cursor(self._name, f"{offset}@{now:.0f}", hold.epoch))
            except StorageFull:
                failures += 1
                await self._pause(None, failures)
                continue
            self._offset, self._moved_at = offset, now
            return

    async def _until_stop(self, work: Any) -> Any:
        """The result, or None when the loop shall end first, or is no longer ours."""
        task = asyncio.ensure_future(work)
        ends: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._stopping.wait())]
        if self._hold is not None:
            ends.append(asyncio.ensure_future(self._hold.lost()))
        try:
            await asyncio.wait({task, *ends}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            await _cancel(task, *ends)

    async def _pause(self, error: TelegramAPIError | None, failures: int) -> None:
        trouble = "storage full" if error is None else _describe(error)
        if trouble != self._trouble:
            log.warning("telegram_polling_waits", channel=self._name, error=trouble)
        self._trouble = trouble
        seconds = min(MOST_BACKOFF_SECONDS, 0.25 * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        after = error.parameters.get("retry_after") if isinstance(error, Refusal) else None
        await self.rest(max(seconds, float(after or 0)))

    def _well(self) -> None:
        if self._trouble:
            log.info("telegram_polling_again", channel=self._name)
            self._trouble = ""


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


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    """Ends what is left and takes its outcome, so that none goes unheard."""
    for task in tasks:
        if not task.done():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
