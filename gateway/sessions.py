"""After a start: the lists get the sessions that were there before the lists were."""

from __future__ import annotations

import asyncio

from core.ports import StorageFull
from gateway.logs import logger
from storage.work.filling import Filling
from storage.work.units import Units

log = logger()
PAUSE = 0.02  # seconds between two spans: a large store shall not feel it
AWAY = 5.0  # seconds until the next try when the storage is away
# Processes of the version before may go on for a while beside this one: what they leave is looked for once more.
AGAIN = 600.0


class Filler:
    """One pass at the start; over a shared store a second one later."""

    def __init__(self, units: Units, shared: bool) -> None:
        self._units, self._shared = units, shared

    async def run(self) -> None:
        """Returns when nothing is lacking any more."""
        await self.fill()
        if self._shared:
            await asyncio.sleep(AGAIN)
            await self.fill()

    async def fill(self) -> int:
        """One pass; how many sessions were written."""
        filling, more = Filling(self._units), True
        while more:
            try:
                more = await filling.step()
            except StorageFull:
                await asyncio.sleep(AWAY)
            else:
                await asyncio.sleep(PAUSE if more else 0)
        if filling.written:
            log.info("sessions_filled", count=filling.written)
        return filling.written
