"""The rows of tickets in dictionaries: the twin of `storage.tickets.sql`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.tickets.tables import Row, Way, way


class MemoryTickets:
    """`TicketRows` over the tables of `storage.memory_rows`."""

    def all(self, table: str, **wanted: Any) -> Iterator[Row]:
        raise NotImplementedError

    def get(self, table: str, *key: Any) -> Row | None:
        raise NotImplementedError

    def put(self, table: str, row: Row, *key: Any) -> None:
        raise NotImplementedError

    def has_ticket(self, key: str) -> bool:
        return any(self.all("tickets", key=key))

    def ticket_row(self, number: int) -> Row | None:
        return self.get("tickets", number)

    def ticket_entries(self, number: int) -> list[bytes]:
        found = sorted(self.all("ticket_history", number=number), key=lambda row: int(row["place"]))
        return [row["entry"] for row in found]

    def joined_tickets(self, master: int) -> list[Row]:
        return sorted(self.all("tickets", master=master), key=lambda row: int(row["number"]))

    def ways_to(self, client: int) -> list[Way]:
        found = sorted(
            self.all("conversations", client=client), key=lambda row: (row["last_at"], row["id"]), reverse=True
        )
        return [way(row["id"], row["channel"], row["state"]) for row in found]

    def save_ticket(self, number: int, row: Row) -> None:
        self.put("tickets", row, number)
