"""Who may see a ticket: those who may see its line, or one of the sessions it belongs to, and whoever it is given to."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, bindparam, exists, literal_column, or_, select

from storage.tables import tickets
from storage.tickets.schema import ticket_sessions
from storage.work.schema import sessions
from storage.work.sessions import SEEN, everything, listed

_one: ColumnElement[int] = literal_column("1")
_nothing: ColumnElement[str] = literal_column("''")
_linked = exists(
    select(_one)
    .select_from(ticket_sessions)
    .join(
        sessions,
        and_(sessions.c.conversation == ticket_sessions.c.conversation, sessions.c.number == ticket_sessions.c.session),
    )
    .where(ticket_sessions.c.ticket == tickets.c.number, SEEN)
)
# Tickets of before lines were kept: seen by whoever sees their conversation now.
_old = and_(
    tickets.c.line == _nothing,
    exists(
        select(_one)
        .select_from(sessions)
        .where(sessions.c.conversation == tickets.c.conversation, sessions.c.current == _one, SEEN)
    ),
)
# The parameters are those of `storage.work.sessions.sight_values`.
TICKET_SEEN = or_(everything, listed("lines", tickets.c.line), tickets.c.assignee == bindparam("viewer"), _linked, _old)
