"""Statements of tickets: what turns and changes write, and what their rules ask."""

from __future__ import annotations

from sqlalchemy import ColumnElement, literal_column, select, update
from sqlalchemy import bindparam as _p

from storage.tables import conversations, tickets

ZERO: ColumnElement[int] = literal_column("0")
# What changes in a ticket after its birth.
CHANGING = (
    *(
        "status",
        "done",
        "waiting",
        "outer_number",
        "outer_link",
        "updated_at",
        "title",
        "priority",
        "category",
        "assignee",
    ),
    *("deadline", "fields", "files", "rating", "version", "master", "solved_at", "words"),
)

HAS_TICKET = select(tickets.c.number).where(tickets.c.key == _p("key"))
JOINED = select(tickets).where(tickets.c.master == _p("master"), tickets.c.master > ZERO).order_by(tickets.c.number)
SAVE_TICKET = update(tickets).where(tickets.c.number == _p("the_number")).values({name: _p(name) for name in CHANGING})
WAYS = (
    select(conversations.c.id, conversations.c.channel, conversations.c.state)
    .where(conversations.c.client == _p("client"))
    .order_by(conversations.c.last_at.desc(), conversations.c.id.desc())
)
