"""Search for PostgreSQL: its own full text, in Russian forms and word by word, over connections of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Text, bindparam, cast, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.util.concurrency import await_, greenlet_spawn

from core.access import Sight
from core.ports import StorageFull
from storage.postgres.address import parse_address
from storage.postgres.asking import PostgresReading
from storage.postgres.links import DRIVER, Links, is_away, is_pooled
from storage.search.asking import ask, build_questions, documents_table, hit_of
from storage.search.port import Document, Hit, Wanted
from storage.search.reading import CHANGED, TICKETS_OF, client_of, read_client, read_home, read_ticket
from storage.search.words import asked, exact_of, words_of

T = TypeVar("T")
LINKS = 3  # one that indexes, others that ask
# The words of the index `ix_search_documents_words`, so that it is used.
WORDS = "(to_tsvector('russian', search_documents.words) || to_tsvector('simple', search_documents.words))"
DOCS = documents_table("search_documents")
FOUND = literal_column(WORDS).op("@@")(cast(bindparam("match", type_=Text), TSQUERY))
QUESTIONS = build_questions(DOCS, FOUND)
# A word as it begins, or in another of its forms.
QUERIES = (
    "SELECT (to_tsquery('russian', word) || to_tsquery('simple', word || ':*'))::text"
    " FROM unnest($1::text[]) WITH ORDINALITY AS given(word, n) ORDER BY n"
)
LOCK = "SELECT pg_advisory_xact_lock($1, $2)"
SPACE = 0x5EA5  # of locks, apart from those of others
KNOWN = "SELECT coalesce(max(number), 0) FROM search_documents WHERE kind = 'message' AND home = $1"
KEEP = (
    "INSERT INTO search_documents AS d (kind, home, number, at, text, words) VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (kind, home, number) DO UPDATE SET at = excluded.at, text = excluded.text, words = excluded.words"
    " WHERE (d.at, d.text) IS DISTINCT FROM (excluded.at, excluded.text)"
)
DROP = "DELETE FROM search_documents WHERE kind = $1 AND home = $2 AND number = $3"
READ = (
    "INSERT INTO search_homes (kind, home, version) VALUES ('home', $1, $2)"
    " ON CONFLICT (kind, home) DO UPDATE SET version = excluded.version"
)
STALE = (
    "SELECT c.id, h.version IS DISTINCT FROM c.version FROM conversations c"
    " LEFT JOIN search_homes h ON h.kind = 'home' AND h.home = c.id WHERE c.id > $1 ORDER BY c.id LIMIT $2"
)


class PostgresSearch:
    """`storage.search.port.Search` over the database of the store. Every process that writes there follows what it wrote."""

    def __init__(self, url: str) -> None:
        self._address = parse_address(url)
        self._links = Links(self._address, LINKS)

    async def open(self) -> None:
        """The store is open by now. Raises `StorageFull`."""
        try:
            self._links.pooled = await is_pooled(self._address)
        except (asyncpg.PostgresError, *DRIVER, OSError, TimeoutError) as error:
            raise StorageFull(f"search: {error}") from error

    async def close(self) -> None:
        await self._links.close()

    async def _run(self, work: Callable[[Any], Any]) -> Any:
        try:
            async with self._links.one() as link:
                return await work(link)
        except (asyncpg.PostgresError, *DRIVER, OSError, TimeoutError) as error:
            if is_away(error):
                raise StorageFull(f"search: {error}") from error
            raise

    # --- asking ---

    async def find(self, wanted: Wanted, sight: Sight) -> list[Hit]:
        words, number = asked(wanted.text)
        if not words and not number:
            return []
        found: list[Hit] = await self._run(lambda link: self._find(link, wanted, sight, words, number))
        return found

    async def _find(self, link: Any, wanted: Wanted, sight: Sight, words: list[str], number: str) -> list[Hit]:
        queries = [f"({record[0]})" for record in await link.fetch(QUERIES, words) if record[0]]
        parts = [" & ".join(queries), f"'{number}':*" if number else ""]
        match = " | ".join(f"({part})" for part in parts if part)
        rows = await greenlet_spawn(lambda: ask(PostgresReading(link), QUESTIONS, wanted, sight, match))
        return [hit_of(row, words, number) for row in rows]

    # --- following ---

    async def follow(self, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int]) -> None:
        touched = set(clients)
        for home in sorted(homes):
            touched.add(await self._run(partial(self._transact, work=partial(_follow_home, home=home), key=home)))
        for client in sorted(touched - {0}):
            await self._run(partial(self._transact, work=partial(_follow_client, client=client), key=-client))
        for number in sorted(tickets):
            await self._run(partial(self._transact, work=partial(_follow_ticket, number=number), key=number))

    async def _transact(self, link: Any, work: Callable[[PostgresReading], T], key: int) -> T:
        """Whoever reads last writes last: two processes do not bring an older state back."""
        async with link.transaction():
            await link.execute(LOCK, SPACE, key % 2**31)
            return await greenlet_spawn(lambda: work(PostgresReading(link)))

    async def stale(self, after: int, limit: int) -> tuple[list[int], int]:
        rows = await self._run(lambda link: link.fetch(STALE, after, limit))
        return [home for home, old in rows if old], rows[-1][0] if len(rows) == limit else 0

    async def changed_tickets(self, since: float, limit: int) -> list[tuple[int, float]]:
        async def changed(link: Any) -> list[Any]:
            return await greenlet_spawn(lambda: PostgresReading(link).all(CHANGED, since=since, n=limit))

        return [(row["number"], row["updated_at"]) for row in await self._run(changed)]


def _follow_home(reads: PostgresReading, home: int) -> int:
    """The client of the conversation."""
    read = read_home(reads, home, reads.fetch(KNOWN, home)[0][0])
    if read is None:
        return 0
    for document in read.documents:
        _replace(reads, document.kind, home, document.number, document)
    for kind, number in read.gone:
        _replace(reads, kind, home, number, None)
    await_(reads.link.execute(READ, home, read.version))
    return client_of(reads, home)


def _follow_client(reads: PostgresReading, client: int) -> None:
    _replace(reads, "client", 0, client, read_client(reads, client))
    for number in reads.column(TICKETS_OF, client=client):
        _follow_ticket(reads, number)


def _follow_ticket(reads: PostgresReading, number: int) -> None:
    _replace(reads, "ticket", 0, number, read_ticket(reads, number))


def _replace(reads: PostgresReading, kind: str, home: int, number: int, document: Document | None) -> None:
    if document is None:
        await_(reads.link.execute(DROP, kind, home, number))
        return
    # In small letters and with е for ё here: a database may have a locale that knows no letters but Latin ones.
    words = " ".join([*words_of(document.text), *exact_of(document.text)])
    await_(reads.link.execute(KEEP, kind, home, number, document.at, document.text, words))
