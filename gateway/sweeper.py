"""The sweeper: once a day, files that no row names are removed. A crash between the bytes and their row leaves them."""

from __future__ import annotations

import asyncio
import random
import time

from core.ports import StorageFull, Store
from gateway.logs import logger
from storage.files import Kept
from storage.files.sweep import OLD_SECONDS, Swept, drop_unfinished, sweep

log = logger()
FIRST_SECONDS = 1800.0  # after the start: a start has other things to do
PAUSE_SECONDS = 86_400.0


class Sweeper:
    """Several processes may sweep at once. `first` and `pause` are in seconds.

    In a place that others may use, only what was never finished on this machine is removed; the rest is for
    `frontline files --remove`, when somebody knows that nobody else uses it.
    """

    def __init__(self, store: Store, files: Kept, first: float = FIRST_SECONDS, pause: float = PAUSE_SECONDS) -> None:
        self._store, self._files, self._first, self._pause = store, files, first, pause

    async def run(self) -> None:
        """Until it is cancelled."""
        pause = self._first
        while True:
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - processes that start together
            pause = self._pause
            try:
                removed = await self._sweep()
            except StorageFull as error:
                log.warning("files_not_swept", error=str(error))
            else:
                log.info("files_swept", count=removed)

    async def _sweep(self) -> int:
        """How many files were removed."""
        now = time.time()
        if self._files.owned:
            return (await sweep(self._files, self._store.named_hashes, now, remove=True)).removed
        swept = Swept()
        await drop_unfinished(self._files, now - OLD_SECONDS, True, swept)
        return swept.removed
