"""After a start: deadlines follow hours and promises that were edited in the configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.ports import StorageFull
from gateway.logs import logger
from handoff.lines import House
from storage.work.promises import recalculate
from storage.work.units import Units

log = logger()
AWAY = 5.0  # seconds until the next try when the storage is away


class Recalculation:
    """Compares the rules of the lines with those that deadlines were calculated with. `house` gives the lines as they are."""

    def __init__(self, units: Units, house: Callable[[], House], wake: Callable[[], None]) -> None:
        self._units, self._house, self._wake = units, house, wake

    async def check(self) -> int:
        """Whoever has read a configuration calls it; how many sessions are calculated anew. Raises `StorageFull`."""
        rules = {name: line.rules for name, line in self._house().lines.items()}
        count = await recalculate(self._units, rules)
        if count:
            log.info("deadlines_recalculated", count=count)
            self._wake()
        return count

    async def run(self) -> None:
        """Returns when the check is done, however long the storage is away."""
        while True:
            try:
                await self.check()
            except StorageFull:
                await asyncio.sleep(AWAY)
            else:
                return
