"""The tables of tickets beside `tickets` and `ticket_history`: the sessions they belong to, and private notes."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, Text, text

from storage.columns import Id, metadata
from storage.columns import identity as _id
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time


def later_text(name: str) -> Column[str]:
    """A column that the program of the version before does not fill."""
    return Column(name, Text, nullable=False, server_default=text("''"))


def later_number(name: str, default: int = 0) -> Column[int]:
    """The same for whole numbers."""
    return Column(name, Id, nullable=False, server_default=text(str(default)))


def later_time(name: str) -> Column[float]:
    """The same for times; 0 is none."""
    return Column(name, Float(53), nullable=False, server_default=text("0"))


# Tickets and sessions are many to many.
ticket_sessions = Table(
    "ticket_sessions",
    metadata,
    _number("ticket", key=True),
    _number("conversation", key=True),
    _number("session", key=True),
    _time("at"),
    _text("by"),
    Index("ix_ticket_sessions_conversation", "conversation", "session"),
    sqlite_with_rowid=False,
)

# Private notes live apart from the history, which clients and outer desks see parts of.
ticket_notes = Table(
    "ticket_notes",
    metadata,
    _id(),
    _number("ticket"),
    _time("at"),
    _text("author"),
    _text("text"),
    Index("ix_ticket_notes_ticket", "ticket"),
)

TICKETS: tuple[Table, ...] = (ticket_sessions, ticket_notes)
