"""A store that several gateways share, in memory: what PostgreSQL promises of leases, rows and wake-ups, without a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.events import Inbound
from core.outbox import OutboxRow
from core.ports import Cursor, Decide, LeaseLost, Receipt, StorageFull
from storage.ledger import Ledger, Numbers
from storage.memory import MemoryStore
from storage.memory_rows import MemoryRows

T = TypeVar("T")


class Tables:
    """The tables, with the leases of roles on their own clock (seconds). `away`: nobody gets an answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.rows = MemoryRows()
        self.ledger = Ledger(self.rows, Numbers(instance="shared"), clock)
        self.leases: dict[str, tuple[str, int, float]] = {}
        self.away = False

    def hold(self, name: str, owner: str, seconds: float) -> int | None:
        """As `Store.hold`."""
        now = self.clock()
        holder, epoch, until = self.leases.get(name, ("", 0, 0.0))
        if holder not in {"", owner} and until > now:
            return None
        self.leases[name] = (owner, epoch + (holder != owner), now + seconds)
        return self.leases[name][1]

    def release(self, name: str, owner: str) -> None:
        """As `Store.release`: the epoch stays, so that the next owner's is higher."""
        holder, epoch, _ = self.leases.get(name, ("", 0, 0.0))
        if holder == owner:
            self.leases[name] = ("", epoch, 0.0)

    def owner(self, name: str) -> str:
        """Who holds the lease now."""
        holder, _, until = self.leases.get(name, ("", 0, 0.0))
        return holder if until > self.clock() else ""


class SharedStore(MemoryStore):
    """One process's way to the tables."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables.clock)
        self._tables = tables
        self._rows, self._ledger = tables.rows, tables.ledger
        self.asked = 0  # how often a lease was asked for

    @property
    def shared(self) -> bool:
        return True

    def _reach(self) -> None:
        if self._tables.away:
            raise StorageFull("away")

    async def hold(self, name: str, owner: str, seconds: float) -> int | None:
        self._reach()
        self.asked += 1
        return self._tables.hold(name, owner, seconds)

    async def release(self, name: str, owner: str) -> None:
        self._reach()
        self._tables.release(name, owner)

    async def backlog(self) -> tuple[int, float]:
        self._reach()
        return await super().backlog()

    def _write(self, work: Callable[[], T]) -> T:
        self._reach()
        self._ledger.hands = self.hands
        result = super()._write(work)
        left = frozenset(self._ledger.unit.left)
        if left and self.on_rows is not None:
            self.on_rows(left)
        return result

    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        if cursor is not None and cursor.epoch != self._tables.leases.get(f"poll:{cursor.channel}", ("", 0, 0.0))[1]:
            raise LeaseLost
        return await super().accept(inbounds, decide, cursor)

    async def lease(self, limit: int = 100) -> list[OutboxRow]:
        """Looking leaves nothing to others that they do not know of."""
        told, self.on_rows = self.on_rows, None
        try:
            return await super().lease(limit)
        finally:
            self.on_rows = told
