"""The side of a move that is written: a PostgreSQL database that serves nobody until the move has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import Table, Text, collate, select
from sqlalchemy.dialects import postgresql

from storage.migrate import migrate_postgres
from storage.moving.refused import MoveRefused
from storage.moving.sides import Values, columns, travels
from storage.postgres.address import parse_address
from storage.seal import HOME, OWN, SEALED, seal
from storage.tables import meta, metadata

BATCH = 2_000  # rows of one COPY, one round trip and one commit
KEPT = 20_000  # missing rows that are kept in memory while a table is compared
# One side waits for the other for as long as it takes, whatever the server allows its usual clients.
PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = 0"
GUARD = 0x66726F6E746C69  # the advisory lock of a move: "frontli"
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
PREPARER = DIALECT.identifier_preparer


class Target:
    """The database at a URL. Raises asyncpg's errors and OSError.

    One connection reads, one writes, one holds the lock: in a transaction, so that it works behind PgBouncer, too.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._dsn = parse_address(url).dsn
        self._open: list[asyncpg.Connection] = []

    async def open(self) -> None:
        """Connect, keep others from moving into the same database, make the tables."""
        self._guard, self._reader, self._writer = [await self._connect() for _ in range(3)]
        await self._guard.execute(f"BEGIN; {PATIENCE}")
        if not await self._guard.fetchval("SELECT pg_try_advisory_xact_lock($1)", GUARD):
            raise MoveRefused("busy")
        await asyncio.to_thread(migrate_postgres, self._url)

    async def _connect(self) -> Any:
        connection = await asyncpg.connect(self._dsn, statement_cache_size=0)
        self._open.append(connection)
        return connection

    async def close(self) -> None:
        for connection in self._open:
            await connection.close()

    # --- whose it is ---

    async def claim(self, instance: str, again: bool) -> None:
        """Seal the database for the move of this installation: an empty one, or one whose move was cut off. With `again`
        the source has handed over before."""
        mine = seal("moving", instance)
        found = await self._writer.fetchval("SELECT value FROM meta WHERE name = $1", SEALED)
        if found == mine:
            return
        for table in metadata.tables.values():
            if await self._has_rows(table):
                raise MoveRefused("moved" if again else "not_empty", table.name)
        await self._writer.execute("INSERT INTO meta (name, value) VALUES ($1, $2)", SEALED, mine)

    async def _has_rows(self, table: Table) -> bool:
        others = f" WHERE name <> '{HOME}'" if table is meta else ""
        return bool(await self._writer.fetchval(f"SELECT EXISTS (SELECT 1 FROM {_quoted(table)}{others})"))  # noqa: S608

    async def require_lock(self) -> None:
        """The connection that keeps other moves out is alive. Raises an error of asyncpg."""
        await self._guard.execute("SELECT 1")

    async def unseal(self) -> None:
        """From now on it serves."""
        await self._writer.execute("DELETE FROM meta WHERE name = ANY($1)", sorted(OWN))

    # --- rows ---

    @asynccontextmanager
    async def _rows(self, table: Table) -> AsyncIterator[AsyncIterator[Values]]:
        """All rows in the order of their key, as they were at this moment."""
        order = [collate(it, "C") if isinstance(it.type, Text) else it for it in table.primary_key.columns]
        statement = str(select(*columns(table)).order_by(*order).compile(dialect=DIALECT))
        async with self._reader.transaction(isolation="repeatable_read", readonly=True):
            await self._reader.execute(PATIENCE)
            yield _travelling(table, self._reader.cursor(statement, prefetch=BATCH))

    async def bring(
        self, table: Table, source: Callable[[], Iterator[Values]], told: Callable[[int], None]
    ) -> tuple[int, int]:
        """Make the table what the source is: how many rows were written, how many stale ones went. `source` begins its
        rows anew at each call; `told` hears how many are done."""
        removed = 0
        if await self._has_rows(table):
            removed, missing = await self._compare(table, source())
            if missing is not None:
                return await self._copy(table, missing), removed
        return await self._fill(table, source(), told), removed

    async def _compare(self, table: Table, source: Iterator[Values]) -> tuple[int, list[Values] | None]:
        """Delete what the source has not, or has otherwise. How many rows went, and those that are missing; None when
        they are too many to be kept in memory. Nothing is written yet: a row that is still to go may have its unique key."""
        removed, stale, size = 0, list[Values](), len(table.primary_key.columns)
        missing: list[Values] | None = []
        async with self._rows(table) as rows:
            async for here, there in side_by_side(source, rows, size):
                if here == there:
                    continue
                if there is not None:
                    stale.append(there[:size])
                if here is not None and missing is not None:
                    missing.append(here)
                    missing = missing if len(missing) < KEPT else None
                if len(stale) >= BATCH:
                    removed += await self._delete(table, stale)
        return removed + await self._delete(table, stale), missing

    async def _delete(self, table: Table, stale: list[Values]) -> int:
        """Delete rows by their keys and empty the list."""
        keys = [PREPARER.format_column(it) for it in table.primary_key.columns]
        where = " AND ".join(f"{key} = ${place}" for place, key in enumerate(keys, 1))
        await self._writer.executemany(f"DELETE FROM {_quoted(table)} WHERE {where}", stale)  # noqa: S608
        count = len(stale)
        stale.clear()
        return count

    async def _fill(self, table: Table, source: Iterator[Values], told: Callable[[int], None]) -> int:
        """Copy what is missing, in the order of the keys; how many rows. `told` hears how many are done."""
        written, done = 0, 0
        batch: list[Values] = []
        async with self._rows(table) as rows:
            async for here, there in side_by_side(source, rows, len(table.primary_key.columns)):
                done += 1
                if there is None and here is not None:
                    batch.append(here)
                if len(batch) >= BATCH:
                    written += await self._copy(table, batch)
                    told(done)
        return written + await self._copy(table, batch)

    async def _copy(self, table: Table, batch: list[Values]) -> int:
        """Write rows in one commit and empty the list."""
        if batch:
            names = [column.name for column in columns(table)]
            await self._writer.copy_records_to_table(table.name, records=batch, columns=names)
        count = len(batch)
        batch.clear()
        return count

    async def checksum(self, table: Table) -> tuple[int, str]:
        """As `sides.checksum`."""
        digest, count = sha256(), 0
        async with self._rows(table) as rows:
            async for values in rows:
                digest.update(msgspec.msgpack.encode(values))
                count += 1
        return count, digest.hexdigest()

    async def set_sequences(self) -> None:
        """New rows get ids after those that came."""
        for table in metadata.tables.values():
            counted = table.autoincrement_column
            if counted is None:
                continue
            name, column = _quoted(table), PREPARER.format_column(counted)
            await self._writer.execute(
                f"SELECT setval(pg_get_serial_sequence($1, $2), greatest(max({column}), 1), max({column}) IS NOT NULL)"  # noqa: S608
                f" FROM {name}",
                name,
                counted.name,
            )


def _quoted(table: Table) -> str:
    return PREPARER.format_table(table)


async def _travelling(table: Table, cursor: Any) -> AsyncIterator[Values]:
    async for record in cursor:
        values = tuple(record)
        if travels(table, values):
            yield values


async def side_by_side(
    source: Iterator[Values], target: AsyncIterator[Values], size: int
) -> AsyncIterator[tuple[Values | None, Values | None]]:
    """Rows of both sides, those of one key together. Both come in the order of the first `size` values."""
    here, there = next(source, None), await anext(target, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here[:size] < there[:size]):
            yield here, None
            here = next(source, None)
        elif here is None or there[:size] < here[:size]:
            yield None, there
            there = await anext(target, None)
        else:
            yield here, there
            here, there = next(source, None), await anext(target, None)
