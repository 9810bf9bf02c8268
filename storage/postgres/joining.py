"""Joins of clients over PostgreSQL: a unit waits for all conversations that it changes, before it locks anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from storage.joining.store import JoinsOfStore
from storage.joining.tables import JoinReads
from storage.ledger import Ledger
from storage.postgres.groups import Groups
from storage.postgres.loading import Needs

T = TypeVar("T")


class PostgresJoins(JoinsOfStore):
    """`core.joins.Joins` for many processes."""

    on_feed: Callable[[], None] | None = None  # called after a commit that wrote a line of the feed
    _groups: Groups
    _read: Callable[[Callable[[Any], Any]], Awaitable[Any]]

    def _tell_feed(self) -> None:
        if self.on_feed is not None:
            self.on_feed()

    async def look(self, question: Callable[[JoinReads], T]) -> T:
        found: T = await self._read(question)
        return found

    async def locked(self, homes: Sequence[int], work: Callable[[Ledger], T]) -> T:
        return await self._groups.run(work, Needs(homes=homes))
