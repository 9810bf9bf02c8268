"""The loop of clock and worker: due timers become events, pending events are processed, a lost wake-up costs a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from core.ports import Channel, Receipt, StorageFull, Store
from gateway.intake import Intake
from gateway.logs import logger
from gateway.worker import Worker

log = logger()
FLOOR_SECONDS = 1.0
# After a start, timers wait for the pollers: an answer that came while we were down must be read before its silence timer.
CATCH_UP_SECONDS = 10.0
CLAIM = 20  # conversations of one claim
CLAIMS = 2  # at once when one was full: on a shared store the next is computed while this one is committed


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)


class Clock:
    """Runs the slow path: due timers (`fires`), events whose turn was not in the intake's transaction (`works`)."""

    def __init__(
        self,
        store: Store,
        worker: Worker,
        intake: Intake,
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        fires: bool = True,
        works: bool = True,
    ) -> None:
        self.fires, self.works = fires, works
        self._store, self._worker, self._intake, self._now, self._pause = store, worker, intake, now, pause
        self._woken = asyncio.Event()
        self._stopping = False
        self._trust: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """There may be pending events."""
        if self.works:
            self._woken.set()

    async def run(self, channels: Iterable[Channel], patience: float = 0.0) -> None:
        """Runs until `stop`. Timers wait for the channels' pollers, and at least for `patience` (seconds)."""
        if self.fires:
            await self._caught_up(channels, patience)
        self._worker.starting = True  # timers of the first turn may be long overdue
        while not self._stopping:
            self._woken.clear()  # before the work: a wake-up that comes meanwhile is not lost
            if await self._guarded(self._turn):
                self._started()
                await self._guarded(self._sleep)

    def _started(self) -> None:
        """What was overdue at the start is done with. Timers of a shared store may be fired by another process, which has
        just been waiting for the pollers: there the start takes longer."""
        if not self._worker.starting or self._trust is not None:
            return
        if not self._store.shared:
            self._worker.starting = False
            return

        def trust() -> None:
            self._worker.starting = False

        self._trust = asyncio.get_running_loop().call_later(2 * CATCH_UP_SECONDS, trust)

    async def _caught_up(self, channels: Iterable[Channel], patience: float) -> None:
        """Waits for the first empty poll of each poller, at most `CATCH_UP_SECONDS`; pending events run meanwhile."""
        waiting = asyncio.gather(asyncio.sleep(patience), *(channel.caught_up() for channel in channels))
        task = asyncio.ensure_future(asyncio.wait_for(waiting, CATCH_UP_SECONDS))
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
        if self.fires:
            await self._store.due(self._now())
        await self._drain()

    async def _drain(self) -> None:
        """Works until nothing is pending."""
        claims = 1
        while self.works and not self._stopping:
            receipts = await self._claim(claims)
            if not receipts:
                return
            self._intake.hand_on(receipts)
            claims = CLAIMS if self._store.shared and len(receipts) >= CLAIM else 1

    async def _claim(self, claims: int) -> list[Receipt]:
        """The receipts of so many claims at once. One that fails costs the others nothing; its error comes last."""
        if claims == 1:
            return await self._store.work(self._worker.decide, CLAIM)
        work = [asyncio.ensure_future(self._store.work(self._worker.decide, CLAIM)) for _ in range(claims)]
        try:
            await asyncio.wait(work)
        except asyncio.CancelledError:
            for one in work:
                one.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            raise
        receipts = [receipt for one in work if one.exception() is None for receipt in one.result()]
        failed = [error for one in work if (error := one.exception()) is not None]
        if failed and not receipts:
            raise failed[0]
        return receipts

    async def _sleep(self) -> None:
        due = await self._store.next_due() if self.fires else None
        left = FLOOR_SECONDS if due is None else max(0.0, min(FLOOR_SECONDS, due - self._now().timestamp()))
        try:
            async with asyncio.timeout(left):
                await self._woken.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()
        if self._trust is not None:
            self._trust.cancel()
