"""Whoever runs the statements of the store: the port of reads and rows that know only SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Executable

from storage.joining.tables import Row


class Asked(Protocol):
    """Whoever runs statements: `storage.driver.Driver` for SQLite, `storage.postgres.asking.Asking` for PostgreSQL."""

    def run(self, statement: Executable, /, **values: Any) -> Iterable[Sequence[Any]]: ...
    def value(self, statement: Executable, /, **values: Any) -> Any: ...
    def one(self, statement: Executable, /, **values: Any) -> Row | None: ...
    def all(self, statement: Executable, /, **values: Any) -> list[Row]: ...
    def column(self, statement: Executable, /, **values: Any) -> list[int]: ...
