"""What the search asks the tables of SQLite: a question costs next to nothing there, so each conversation has its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

from storage.search.reading import BACK, Card, Home, Note, Said, Ticket

HOME = "SELECT id, version, state, ? FROM conversations WHERE id = ?"
_SAID = "SELECT m.conversation, m.seq, m.at, m.event, m.message, m.state, k.marks FROM"
_SAME = "k.conversation = m.conversation AND k.seq = m.seq"
_SPOKEN = "m.author IN ('client', 'operator')"
SAID = (
    f"{_SAID} messages m LEFT JOIN message_marks k ON {_SAME} WHERE m.conversation = ? AND m.seq > ? AND {_SPOKEN}"
    " AND (m.seq > ? OR m.author = 'operator' OR k.marks IS NOT NULL)"
)
# `CROSS` keeps the order: few messages have marks.
MARKED = (
    f"{_SAID} message_marks k CROSS JOIN messages m ON {_SAME} WHERE k.conversation = ? AND k.seq <= ? AND {_SPOKEN}"
)
NOTES = "SELECT conversation, id, at, text FROM notes WHERE conversation = ?"
CARD = (
    "SELECT id, card, coalesce(nullif((SELECT max(v.last_at) FROM conversations v WHERE v.client = c.id), 0),"
    " created_at) FROM clients c WHERE id = ?"
)
_TICKET = "SELECT number, title, text, fields, outer_number, updated_at FROM tickets WHERE"
TICKETS_OF, TICKET = f"{_TICKET} client = ?", f"{_TICKET} number = ?"
ENTRIES = "SELECT entry FROM ticket_history WHERE number = ? ORDER BY place"


class SQLiteSource:
    """`storage.search.reading.Source`. `known` says up to which place the messages of a conversation are indexed."""

    def __init__(self, link: sqlite3.Connection, known: Callable[[int], int]) -> None:
        self._run, self._known = link.execute, known

    def homes(self, ids: Sequence[int]) -> Iterator[Home]:
        return (Home(*row) for id in ids for row in self._run(HOME, (self._known(id), id)))

    def said(self, homes: Sequence[Home]) -> Iterator[Said]:
        for home in homes:
            after = max(home.known - BACK, 0)
            if after:
                yield from map(Said._make, self._run(MARKED, (home.id, after)))
            yield from map(Said._make, self._run(SAID, (home.id, after, home.known)))

    def notes(self, homes: Sequence[int]) -> Iterator[Note]:
        return (Note(*row) for home in homes for row in self._run(NOTES, (home,)))

    def cards(self, clients: Sequence[int]) -> Iterator[Card]:
        return (Card(*row) for client in clients for row in self._run(CARD, (client,)))

    def tickets(self, clients: Sequence[int], numbers: Sequence[int]) -> Iterator[Ticket]:
        rows = [row for it in clients for row in self._run(TICKETS_OF, (it,))]
        rows += [row for it in numbers for row in self._run(TICKET, (it,))]
        return (Ticket._make((*row, [it[0] for it in self._run(ENTRIES, row[:1])])) for row in rows)
