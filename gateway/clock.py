"""The clock: turns due timers into events, wakes the worker, never lets a lost wake-up cost more than a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from core.ports import Channel, StorageFull, Store
from gateway.intake import Intake
from gateway.logs import logger
from gateway.worker import Worker

log = logger()
FLOOR_SECONDS = 1.0
# After a start, timers wait for the pollers: an answer that came while we were down must be read before its silence timer.
CATCH_UP_SECONDS = 10.0


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)


class Clock:
    """Runs the slow path: due timers, events whose turn was not in the intake's transaction."""

    def __init__(
        self,
        store: Store,
        worker: Worker,
        intake: Intake,
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._worker, self._intake, self._now, self._pause = store, worker, intake, now, pause
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be pending events."""
        self._woken.set()

    async def run(self, channels: Iterable[Channel]) -> None:
        """Runs until `stop`."""
        await self._caught_up(channels)
        self._worker.starting = True  # timers of the first turn may be long overdue
        while not self._stopping:
            self._woken.clear()  # before the work: a wake-up that comes meanwhile is not lost
            if await self._guarded(self._turn):
                self._worker.starting = False
                await self._sleep()

    async def _caught_up(self, channels: Iterable[Channel]) -> None:
        """Waits for the first empty poll of each poller, at most `CATCH_UP_SECONDS`; pending events run meanwhile."""
        waiting = asyncio.gather(*(channel.caught_up() for channel in channels))
        patience = asyncio.wait_for(waiting, CATCH_UP_SECONDS)
        task = asyncio.ensure_future(patience)
        while not task.done() and not self._stopping:
            await self._guarded(self._drain)
            await asyncio.wait({task}, timeout=0.2)
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether the work could be done; after a pause when the storage is full."""
        try:
            await work()
        except StorageFull:
            log.error("clock_storage_full")
            await self._pause(FLOOR_SECONDS)
            return False
        return True

    async def _turn(self) -> None:
        await self._store.due(self._now())
        await self._drain()

    async def _drain(self) -> None:
        """Works until nothing is pending."""
        while not self._stopping:
            receipts = await self._store.work(self._worker.decide)
            if not receipts:
                return
            for receipt in receipts:
                self._intake.hand_on([receipt])

    async def _sleep(self) -> None:
        due = await self._store.next_due()
        left = FLOOR_SECONDS if due is None else max(0.0, min(FLOOR_SECONDS, due - self._now().timestamp()))
        try:
            await asyncio.wait_for(self._woken.wait(), left)
        except TimeoutError:
            return

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()
