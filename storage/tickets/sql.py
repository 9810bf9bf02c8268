"""The rows of tickets in SQL, for both engines."""

from __future__ import annotations

from typing import Protocol

from storage.asked import Asked
from storage.queries import TICKET, TICKET_ENTRIES
from storage.tickets import statements as q
from storage.tickets.tables import Row, Way, way


class SqlTicketRows(Asked, Protocol):
    """`TicketRows` over whoever runs statements."""

    def has_ticket(self, key: str) -> bool:
        return self.value(q.HAS_TICKET, key=key) is not None

    def ticket_row(self, number: int) -> Row | None:
        return self.one(TICKET, number=number)

    def ticket_entries(self, number: int) -> list[bytes]:
        return [entry for (entry,) in self.run(TICKET_ENTRIES, number=number)]

    def joined_tickets(self, master: int) -> list[Row]:
        return self.all(q.JOINED, master=master)

    def ways_to(self, client: int) -> list[Way]:
        return [way(*found) for found in self.run(q.WAYS, client=client)]

    def save_ticket(self, number: int, row: Row) -> None:
        self.run(q.SAVE_TICKET, the_number=number, **row)
