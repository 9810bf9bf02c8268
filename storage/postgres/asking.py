"""Statements of `storage.queries` over an asyncpg connection, asked for by synchronous rules: a greenlet waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.util.concurrency import await_

from storage.compiled import statements
from storage.joining.sql import SqlJoinReads
from storage.reading import Questions
from storage.rows import Row


class Asking:
    """Works inside `greenlet_spawn` only."""

    def __init__(self, link: Any) -> None:
        self.link = link
        self._statements = statements("postgresql")

    def run(self, statement: Executable, /, **values: Any) -> Sequence[Any]:
        compiled = self._statements[statement]
        return self.fetch(compiled.sql, *compiled.pick(values))

    def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """Records of a statement in plain SQL."""
        found: Sequence[Any] = await_(self.link.fetch(sql, *values))
        return found

    def value(self, statement: Executable, /, **values: Any) -> Any:
        found = self.run(statement, **values)
        return found[0][0] if found else None

    def one(self, statement: Executable, /, **values: Any) -> Row | None:
        found = self.all(statement, **values)
        return found[0] if found else None

    def all(self, statement: Executable, /, **values: Any) -> list[Row]:
        return [as_row(record) for record in self.run(statement, **values)]

    def column(self, statement: Executable, /, **values: Any) -> list[int]:
        return [record[0] for record in self.run(statement, **values)]


def as_row(record: Any) -> Row:
    """A record of the driver as a row that may be changed."""
    return dict(record.items())


class PostgresReading(Asking, Questions, SqlJoinReads):
    """All reads of the port, each of committed data."""
