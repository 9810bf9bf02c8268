"""Compiled statements over one raw SQLite connection."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Executable

from storage.compiled import statements
from storage.rows import Row


class Driver:
    """Runs statements of `storage.queries` by name of their parameters; no SQLAlchemy at run time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._statements = statements("sqlite")

    def run(self, statement: Executable, /, **values: Any) -> sqlite3.Cursor:
        compiled = self._statements[statement]
        return self._execute(compiled.sql, compiled.pick(values))

    def value(self, statement: Executable, /, **values: Any) -> Any:
        """The first column of the first row, None without a row."""
        row = self.run(statement, **values).fetchone()
        return None if row is None else row[0]

    def one(self, statement: Executable, /, **values: Any) -> Row | None:
        row = self.run(statement, **values).fetchone()
        return None if row is None else dict(zip(self._statements[statement].columns, row, strict=True))

    def all(self, statement: Executable, /, **values: Any) -> list[Row]:
        columns = self._statements[statement].columns
        return [dict(zip(columns, row, strict=True)) for row in self.run(statement, **values)]

    def column(self, statement: Executable, /, **values: Any) -> list[int]:
        return [row[0] for row in self.run(statement, **values)]
