"""Statements of the search over PostgreSQL: one of each kind for all conversations of a unit, in this order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from storage.search.reading import BACK, Card, Home, Note, Said, Ticket

PAGE = 50  # messages of a conversation that are read at once
SPACE = 0x5EA5  # of locks, apart from those of others
_WRAP = 2**31  # a lock is a number of 32 bits
# Everything that is followed, in one order for all processes. A client's lock is held for its card and for its tickets.
LOCK = f"""
WITH touched AS (SELECT unnest($2::bigint[]) AS client
  UNION SELECT client FROM conversations WHERE id = ANY($1::bigint[])
  UNION SELECT client FROM tickets WHERE number = ANY($3::bigint[]))
SELECT named.client, pg_advisory_xact_lock({SPACE}, named.key) FROM (
  SELECT 0 AS client, (home.id % {_WRAP})::int AS key FROM unnest($1::bigint[]) AS home(id)
  UNION ALL SELECT client, (({_WRAP} - client % {_WRAP}) % {_WRAP})::int FROM touched WHERE client > 0
  ORDER BY key) AS named"""

HOMES = (
    "SELECT c.id, c.version, c.state, coalesce((SELECT max(d.number) FROM search_documents d"
    " WHERE d.kind = 'message' AND d.home = c.id), 0) FROM conversations c WHERE c.id = ANY($1::bigint[])"
)
_SAID = "m.conversation, m.seq, m.at, m.event, m.message, m.state, k.marks"
_MARKS = "message_marks k ON k.conversation = m.conversation AND k.seq = m.seq"
_SPOKEN = "m.author IN ('client', 'operator')"
# `LIMIT` keeps the conversations apart: each is a range of the primary key, whatever the planner believes.
SAID = (
    "SELECT said.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS h(home, known, after), LATERAL"
    f" (SELECT {_SAID} FROM messages m LEFT JOIN {_MARKS}"
    f" WHERE m.conversation = h.home AND m.seq > h.after AND {_SPOKEN}"
    " AND (m.seq > h.known OR m.author = 'operator' OR k.marks IS NOT NULL) ORDER BY m.seq LIMIT $4) said"
)
MARKED = (
    "SELECT said.* FROM unnest($1::bigint[], $2::bigint[]) AS h(home, after), LATERAL"
    f" (SELECT {_SAID} FROM message_marks k JOIN messages m ON m.conversation = k.conversation AND m.seq = k.seq"
    f" WHERE k.conversation = h.home AND k.seq <= h.after AND {_SPOKEN} OFFSET 0) said"
)
NOTES = "SELECT conversation, id, at, text FROM notes WHERE conversation = ANY($1::bigint[])"
CARDS = (
    "SELECT c.id, c.card, coalesce(nullif((SELECT max(v.last_at) FROM conversations v WHERE v.client = c.id), 0),"
    " c.created_at) FROM clients c WHERE c.id = ANY($1::bigint[])"
)
TICKETS = (
    "SELECT t.number, t.title, t.text, t.fields, t.outer_number, t.updated_at,"
    " ARRAY(SELECT h.entry FROM ticket_history h WHERE h.number = t.number ORDER BY h.place)"
    " FROM tickets t WHERE t.client = ANY($1::bigint[]) OR t.number = ANY($2::bigint[])"
)
_KEYS = "unnest($1::text[], $2::bigint[], $3::bigint[]"
_SAME = "d.kind = k.kind AND d.home = k.home AND d.number = k.number"
INDEXED = (
    "SELECT d.kind, d.home, d.number, d.id, d.at, d.text"
    f" FROM {_KEYS}) AS k(kind, home, number) JOIN search_documents d ON {_SAME}"
)
KEEP = (
    "INSERT INTO search_documents AS d (kind, home, number, at, text, words)"
    f" SELECT * FROM {_KEYS}, $4::float8[], $5::text[], $6::text[])"
    " ON CONFLICT (kind, home, number) DO UPDATE SET at = excluded.at, text = excluded.text, words = excluded.words"
    " WHERE (d.at, d.text) IS DISTINCT FROM (excluded.at, excluded.text)"
)
MOVE = (
    f"UPDATE search_documents AS d SET at = k.at FROM {_KEYS}, $4::float8[]) AS k(kind, home, number, at) WHERE {_SAME}"
)
DROP = f"DELETE FROM search_documents AS d USING {_KEYS}) AS k(kind, home, number) WHERE {_SAME}"
READ = (
    "INSERT INTO search_homes (kind, home, version) SELECT 'home', * FROM unnest($1::bigint[], $2::bigint[])"
    " ON CONFLICT (kind, home) DO UPDATE SET version = excluded.version WHERE search_homes.version <> excluded.version"
)


class PostgresSource:
    """`storage.search.reading.Source`; works inside `greenlet_spawn`."""

    def __init__(self, fetch: Callable[..., Sequence[Any]]) -> None:
        self._fetch = fetch

    def homes(self, ids: Sequence[int]) -> list[Home]:
        return [Home(*it) for it in self._fetch(HOMES, ids)]

    def said(self, homes: Sequence[Home]) -> Iterator[Said]:
        known = {it.id: it.known for it in homes}
        places = {home: max(place - BACK, 0) for home, place in known.items()}
        old = {home: place for home, place in places.items() if place}
        if old:
            yield from (Said(*it) for it in self._fetch(MARKED, list(old), list(old.values())))
        while places:
            rows = self._fetch(SAID, list(places), [known[it] for it in places], list(places.values()), PAGE)
            yield from (Said(*it) for it in rows)
            full = {home for home, n in Counter(it[0] for it in rows).items() if n == PAGE}
            places = {it[0]: it[1] for it in rows if it[0] in full}

    def notes(self, homes: Sequence[int]) -> list[Note]:
        return [Note(*it) for it in self._fetch(NOTES, homes)]

    def cards(self, clients: Sequence[int]) -> list[Card]:
        return [Card(*it) for it in self._fetch(CARDS, clients)]

    def tickets(self, clients: Sequence[int], numbers: Sequence[int]) -> list[Ticket]:
        return [Ticket(*it) for it in self._fetch(TICKETS, clients, numbers)]
