"""Tickets as reports read them: those that were created in a time, each with its history, in slices that hold nobody up."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, select

from storage.asked import Asked
from storage.codec import decode_dict
from storage.reports.reading import SLICE
from storage.rows import Row
from storage.tables import conversations, ticket_history, tickets

_created = (tickets.c.created_at >= bindparam("since"), tickets.c.created_at < bindparam("until"))
_slice = (tickets.c.number >= bindparam("first"), tickets.c.number <= bindparam("last"), *_created)
_PLAIN = ("number", "conversation", "desk", "category", "client", "line", "assignee", "rating", "master")
_TIMES = ("created_at", "solved_at", "deadline")
NUMBERS = select(tickets.c.number).where(*_created).order_by(tickets.c.number)
LIVES = (
    select(*(tickets.c[name] for name in (*_PLAIN, *_TIMES)), conversations.c.channel)
    .select_from(tickets.outerjoin(conversations, conversations.c.id == tickets.c.conversation))
    .where(*_slice)
    .order_by(tickets.c.number)
)
ENTRIES = (
    select(ticket_history.c.number, ticket_history.c.entry)
    .select_from(tickets.join(ticket_history, ticket_history.c.number == tickets.c.number))
    .where(*_slice)
    .order_by(ticket_history.c.number, ticket_history.c.place)
)


def ticket_slices(reads: Asked, since: float, until: float) -> list[tuple[int, int]]:
    """The first and the last number of parts of about `SLICE` tickets each, of those created in a time."""
    numbers = [row[0] for row in reads.run(NUMBERS, since=since, until=until)]
    parts = [numbers[begin : begin + SLICE] for begin in range(0, len(numbers), SLICE)]
    return [(part[0], part[-1]) for part in parts]


def read_tickets(
    reads: Asked, since: float, until: float, part: tuple[int, int]
) -> list[tuple[Row, list[dict[str, Any]]]]:
    """The tickets of a part, each with its channel and its history, the oldest entry first."""
    values = {"since": since, "until": until, "first": part[0], "last": part[1]}
    told = {
        number: [decode_dict.decode(entry) for _, entry in rows]
        for number, rows in groupby(reads.run(ENTRIES, **values), key=itemgetter(0))
    }
    return [(row, told.get(row["number"], [])) for row in reads.all(LIVES, **values)]
