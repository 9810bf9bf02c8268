"""What the rules of tickets ask of a set of tables: the same questions for SQL and for the in-memory twin."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

Row = dict[str, Any]


class Way(msgspec.Struct, frozen=True):
    """A conversation of a client, and whether a message can reach them there as far as we know."""

    conversation: int
    channel: str
    reachable: bool


class TicketRows(Protocol):
    """Tickets within a unit of writing."""

    def has_ticket(self, key: str) -> bool: ...
    def ticket_row(self, number: int) -> Row | None:
        """The row, which nobody else changes before the unit ends."""
        ...

    def ticket_entries(self, number: int) -> list[bytes]:
        """The history, the oldest first."""
        ...

    def joined_tickets(self, master: int) -> list[Row]:
        """Those that were joined to a ticket."""
        ...

    def ways_to(self, client: int) -> list[Way]:
        """The conversations of a client, the one they used last first."""
        ...

    def save_ticket(self, number: int, row: Row) -> None: ...


class _Reach(msgspec.Struct):
    """The part of `core.conversation.Conversation` that is asked for here."""

    reachable: bool = True


_decode = msgspec.json.Decoder(_Reach).decode


def way(conversation: int, channel: str, state: bytes) -> Way:
    """A conversation's row as a way to its client."""
    return Way(conversation, channel, _decode(state).reachable)
