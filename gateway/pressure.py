"""Back-pressure: one look a second says whether new messages can be taken in time; a refused one stays with its platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from core.ports import Busy, StorageFull, Store
from gateway.config.model import Intake
from gateway.logs import logger
from gateway.metrics import Metrics

log = logger()
LOOK_SECONDS = 1.0
EASED = 0.8  # what was too much ends at this part of its limit, so that the flag does not flutter
REASONS = ("long", "old", "slow", "away")


class Pressure:
    """`reason` is empty while messages are taken; asking for it is all that a message costs."""

    def __init__(
        self, store: Store, limits: Intake, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._limits, self._metrics, self._clock = store, limits, metrics, clock
        self._under_way: dict[int, float] = {}  # commit → when it began, the oldest first
        self._count = 0
        self.reason = ""

    def begin(self) -> int:
        """A commit begins; the number that ends it. Raises `Busy` when messages are refused."""
        if self.reason:
            raise Busy(self.reason)
        self._count += 1
        self._under_way[self._count] = self._clock()
        return self._count

    def end(self, commit: int) -> None:
        """The commit is over, well or not."""
        del self._under_way[commit]

    def refuse(self, error: StorageFull) -> None:
        """Writes into a refusal when to come again."""
        error.after = self._limits.retry_after

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            self._set(await self._look())
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> str:
        if self._slowest() > self._limits.slow:
            return "slow"
        try:
            async with asyncio.timeout(self._limits.slow):
                count, age = await self._store.backlog()
        except StorageFull:
            return "away"
        except TimeoutError:
            return "slow"
        part = EASED if self.reason else 1.0
        if self._limits.longest and count > self._limits.longest * part:
            return "long"
        return "old" if self._limits.oldest and age > self._limits.oldest * part else ""

    def _slowest(self) -> float:
        """How long the oldest commit has been under way, in seconds."""
        began = next(iter(self._under_way.values()), None)
        return 0.0 if began is None else self._clock() - began

    def _set(self, reason: str) -> None:
        if reason == self.reason:
            return
        for one in REASONS:
            self._metrics.busy.labels(one).set(one == reason)
        (log.warning if reason else log.info)("intake_refuses" if reason else "intake_takes", reason_code=reason)
        self.reason = reason
