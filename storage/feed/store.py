"""The feed of a store: numbered, read, trimmed."""

from __future__ import annotations

from collections.abc import Iterable

from storage.feed import numbering, reading
from storage.feed.reading import Bounds, News
from storage.rows import Row
from storage.work.units import Units


class Feed:
    """Everything raises `StorageFull` while the database is away."""

    def __init__(self, units: Units) -> None:
        self._units = units

    async def number(self) -> bool:
        """Give numbers to what is committed. False while another process is at it, or more is left to do."""
        if not await self._units.ask(numbering.is_waiting):
            return True
        given = await self._units.write(numbering.number)
        return given is not None and given < numbering.BATCH

    async def bounds(self) -> Bounds:
        return await self._units.ask(reading.bounds)

    async def news(self, after: int, head: int, limit: int = reading.PAGE) -> News:
        """What came behind a number, and whose rights changed behind a row of the audit."""
        return await self._units.ask(lambda reads: reading.news(reads, after, head, limit))

    async def head(self) -> int:
        """The last row of the audit."""
        return await self._units.ask(reading.audit_head)

    async def rows(self, conversations: Iterable[int]) -> dict[int, Row]:
        """The last session of each conversation with its last message, as they are now."""
        wanted = tuple(conversations)
        return await self._units.ask(lambda reads: reading.current_rows(reads, wanted)) if wanted else {}

    async def written(self) -> int:
        """A number that grows with everything that clients write and are sent."""
        return await self._units.ask(reading.written)

    async def first_since(self, at: float) -> int:
        """The first number at or after a moment."""
        return await self._units.ask(lambda reads: reading.first_since(reads, at))

    async def trim(self, before: float) -> int:
        """Forget what is older than a moment, oldest first; how many rows went."""
        while not await self.number():
            pass
        gone = count = await self._units.write(lambda ledger: numbering.trim(ledger, before))
        while count == numbering.BATCH:
            count = await self._units.write(lambda ledger: numbering.trim(ledger, before))
            gone += count
        return gone
