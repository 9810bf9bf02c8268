"""Rows as both sides of a move see them, and the side that is read: an SQLite file, as it was at one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Boolean, Column, LargeBinary, Table, Text, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from storage.seal import OWN, SEALED, seal
from storage.tables import meta

Values = tuple[Any, ...]
FETCH = 2_000  # rows read at once
DIALECT = sqlite.dialect()


def columns(table: Table) -> list[Column[Any]]:
    """All columns of a table, those of its key first."""
    keys = list(table.primary_key.columns)
    return [*keys, *(column for column in table.columns if not column.primary_key)]


def travels(table: Table, values: Values) -> bool:
    """Whether a row belongs to the installation rather than to one database."""
    return table.name != meta.name or values[0] not in OWN


def checksum(rows: Iterable[Values]) -> tuple[int, str]:
    """How many rows, and the SHA-256 of all their values in order."""
    digest, count = sha256(), 0
    for values in rows:
        digest.update(msgspec.msgpack.encode(values))
        count += 1
    return count, digest.hexdigest()


def shown(url: str) -> str:
    """The address of a database without its password."""
    return url.rpartition("@")[2] or url


# --- values ----------------------------------------------------------------------------------------------------------


def _text(value: Any) -> Any:
    """PostgreSQL has no character 0: the sign of a lost character stands for it."""
    return value.replace("\0", "�") if isinstance(value, str) else value


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _truth(value: Any) -> Any:
    return None if value is None else bool(value)


# What SQLite stores otherwise than PostgreSQL.
_CONVERTERS: tuple[tuple[type[TypeEngine[Any]], Callable[[Any], Any]], ...] = (
    (Text, _text),
    (LargeBinary, _bytes),
    (Boolean, _truth),
)


def converters(table: Table) -> list[tuple[int, Callable[[Any], Any]]]:
    """What is done to which place of a row of the file."""
    return [
        (at, convert)
        for at, column in enumerate(columns(table))
        for kind, convert in _CONVERTERS
        if isinstance(column.type, kind)
    ]


# --- the file --------------------------------------------------------------------------------------------------------


class Source:
    """The file as it is now; what a gateway writes later is not seen. `moved`: it has handed over before."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=0)
        for pragma in ("query_only=1", "wal_autocheckpoint=0", "busy_timeout=5000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")
        self.instance = self._meta("instance")
        self.moved = bool(self._meta(SEALED))

    def _meta(self, name: str) -> str:
        found = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else ""

    def close(self) -> None:
        self._connection.close()

    def count(self, table: Table) -> int:
        statement = select(func.count()).select_from(table).compile(dialect=DIALECT)
        return int(self._connection.execute(str(statement)).fetchone()[0])

    def rows(self, table: Table) -> Iterator[Values]:
        """All rows in the order of their key, as PostgreSQL takes them."""
        statement = select(*columns(table)).order_by(*table.primary_key.columns)
        cursor = self._connection.execute(str(statement.compile(dialect=DIALECT)))
        changes = converters(table)
        while batch := cursor.fetchmany(FETCH):
            for row in batch:
                values = list(row)
                for at, convert in changes:
                    values[at] = convert(values[at])
                if travels(table, tuple(values)):
                    yield tuple(values)

    def checksum(self, table: Table) -> tuple[int, str]:
        return checksum(self.rows(table))


def seal_file(path: Path, where: str) -> None:
    """Mark the file as moved away: no gateway starts on it any more. The file must be ours."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (SEALED, seal("moved", where)))
