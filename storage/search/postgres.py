"""Search for PostgreSQL: its own full text, in Russian forms and word by word, over connections of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Text, bindparam, cast, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.util.concurrency import await_, greenlet_spawn

from core.access import Sight
from core.ports import StorageFull
from storage.postgres.address import parse_address
from storage.postgres.asking import Asking, PostgresReading
from storage.postgres.links import DRIVER, Links, is_away, is_pooled
from storage.search.asking import ask, build_questions, documents_table, hit_of
from storage.search.differing import FRESH, Indexed, differing, portions
from storage.search.from_postgres import DROP, INDEXED, KEEP, LOCK, MOVE, READ, PostgresSource
from storage.search.port import Hit, Key, Rest, Wanted, no_rest
from storage.search.reading import read
from storage.search.words import asked, exact_of, words_of

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
CHANGED = "SELECT number, updated_at FROM tickets WHERE updated_at >= $1 ORDER BY updated_at, number LIMIT $2"
STALE = (
    "SELECT c.id, h.version IS DISTINCT FROM c.version FROM conversations c"
    " LEFT JOIN search_homes h ON h.kind = 'home' AND h.home = c.id WHERE c.id > $1 ORDER BY c.id LIMIT $2"
)


class PostgresSearch:
    """`storage.search.port.Search` over the database of the store. Every process that writes there follows what it wrote."""

    unit = 20  # they share the round trips
    anew = 0  # it is a table of the store's database: whoever restores that restores it

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

    async def follow(
        self, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int], rest: Rest = no_rest
    ) -> None:
        await self._run(lambda link: _transact(link, homes, clients, tickets, rest))

    async def stale(self, after: int, limit: int) -> tuple[list[int], int]:
        rows = await self._run(lambda link: link.fetch(STALE, after, limit))
        return [home for home, old in rows if old], rows[-1][0] if len(rows) == limit else 0

    async def changed_tickets(self, since: float, limit: int) -> list[tuple[int, float]]:
        rows = await self._run(lambda link: link.fetch(CHANGED, since, limit))
        return [(row[0], row[1]) for row in rows]


async def _transact(
    link: Any, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int], rest: Rest
) -> None:
    """Whoever reads last writes last: what is locked is read by later statements, so two processes do not bring an older
    state back."""
    async with link.transaction():
        locked = await link.fetch(LOCK, homes, clients, tickets)
        touched = [it[0] for it in locked if it[0]]
        await greenlet_spawn(_follow, Asking(link), homes, touched, tickets, rest)


def _follow(asking: Asking, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int], rest: Rest) -> None:
    now = read(PostgresSource(asking.fetch), homes, clients, tickets)
    write = differing(now.found, _indexed(asking, list(now.found)))
    for kept in portions(write.fresh, FRESH):
        texts = [it.text for it in kept]
        asking.fetch(KEEP, *_columns(it.key for it in kept), [it.at for it in kept], texts, list(map(_words, texts)))
        await_(rest())
    for moved in portions(write.moved):
        asking.fetch(MOVE, *_columns(it.key for it in moved), [it.at for it in moved])
    for gone in portions(write.gone):
        asking.fetch(DROP, *_columns(gone))
    if now.versions:
        asking.fetch(READ, list(now.versions), list(now.versions.values()))


def _indexed(asking: Asking, keys: Sequence[Key]) -> dict[Key, Indexed]:
    rows = [row for some in portions(keys) for row in asking.fetch(INDEXED, *_columns(some))]
    return {(row[0], row[1], row[2]): Indexed(row[3], row[4], row[5]) for row in rows}


def _columns(keys: Iterable[Key]) -> tuple[list[Any], ...]:
    return tuple(map(list, zip(*keys, strict=True)))


def _words(text: str) -> str:
    """In small letters and with е for ё here: a database may have a locale that knows no letters but Latin ones."""
    return " ".join([*words_of(text), *exact_of(text)])
