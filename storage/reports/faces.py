"""What is behind a number, as a list shows it: when it began, where, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, literal_column, select

from storage.asked import Asked
from storage.rows import Row
from storage.tables import clients, conversations, tickets
from storage.work.schema import sessions

SESSION = (
    select(
        sessions.c.opened_at.label("at"),
        sessions.c.channel,
        sessions.c.line,
        sessions.c.client,
        clients.c.card,
        literal_column("''").label("title"),
    )
    .select_from(sessions.outerjoin(clients, clients.c.id == sessions.c.client))
    .where(sessions.c.conversation == bindparam("conversation"), sessions.c.number == bindparam("number"))
)
TICKET = (
    select(
        tickets.c.created_at.label("at"),
        conversations.c.channel,
        tickets.c.line,
        tickets.c.client,
        clients.c.card,
        tickets.c.title,
    )
    .select_from(
        tickets.outerjoin(clients, clients.c.id == tickets.c.client).outerjoin(
            conversations, conversations.c.id == tickets.c.conversation
        )
    )
    .where(tickets.c.number == bindparam("number"))
)


def session_faces(reads: Asked, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Row]:
    """(conversation, number) → `at`, `channel`, `line`, `client`, `card`, `title`."""
    found = {(home, number): reads.one(SESSION, conversation=home, number=number) for home, number in wanted}
    return {key: row for key, row in found.items() if row is not None}


def ticket_faces(reads: Asked, wanted: Iterable[int]) -> dict[int, Row]:
    """Number → the same."""
    found = {number: reads.one(TICKET, number=number) for number in wanted}
    return {number: row for number, row in found.items() if row is not None}
