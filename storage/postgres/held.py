"""What a transaction of PostgreSQL holds: conversations it has locked, lanes it has looked into, leases it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.ledger import LEASE, Leases

if TYPE_CHECKING:
    from storage.postgres.rows import PostgresRows


@dataclass(slots=True)
class Loaded:
    """A conversation that this transaction has locked."""

    version: int
    epoch: int
    client: int
    state: bytes


@dataclass(slots=True)
class Lane:
    """The waiting rows of a conversation that go one after another; with `more`, these are only the first."""

    ids: list[int]
    more: bool = False


class RowLeases(Leases):
    """Leases as columns of the rows: other processes see them."""

    def __init__(self, rows: PostgresRows) -> None:
        super().__init__()
        self._rows = rows

    def take(self, id: int, now: float) -> None:
        self._rows.lease(id, now + LEASE)

    def held(self, id: int, now: float) -> bool:
        row = self._rows.outbox_row(id)
        return row is not None and bool(row["lease_until"] > now)
