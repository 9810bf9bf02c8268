"""Statements compiled once per dialect to plain SQL: on the hot path the driver is called directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Executable, Select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from storage import claims, queries
from storage.accounts import statements as accounts
from storage.tickets import statements as tickets


@dataclass(frozen=True, slots=True)
class Compiled:
    """`sql` with its parameters by place; `pick` puts named values into that order; `columns` are those of the answer."""

    sql: str
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    columns: tuple[str, ...]


DIALECTS: dict[str, Callable[[], Dialect]] = {
    "sqlite": lambda: sqlite.dialect(paramstyle="qmark"),
    "postgresql": lambda: postgresql.dialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
}


def compile_statement(statement: Executable, dialect: Dialect) -> Compiled:
    """One statement for one dialect. Raises ValueError when a constant hides among the parameters."""
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    names = tuple(compiled.positiontup or ())
    hidden = [name for name in names if compiled.params[name] is not None]
    if hidden:
        raise ValueError(f"constants must stand in the text: {hidden} in {compiled}")
    columns = tuple(statement.selected_columns.keys()) if isinstance(statement, Select) else ()
    return Compiled(str(compiled), _picker(names), columns)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if not names:
        return lambda values: ()
    if len(names) == 1:
        only = names[0]
        return lambda values: (values[only],)
    return itemgetter(*names)


def all_statements() -> dict[str, Executable]:
    """Every statement of `storage.queries`, of claims, of the accounts and of tickets under its name."""
    found: dict[str, Executable] = {}
    for name, value in (*vars(queries).items(), *vars(claims).items(), *vars(accounts).items(), *vars(tickets).items()):
        if isinstance(value, Executable) and name.isupper():
            found[name] = value
        elif isinstance(value, dict) and name.isupper():
            found |= {f"{name}.{key}": statement for key, statement in value.items()}
    return found


class Statements(dict[Executable, Compiled]):
    """Statements compiled for a dialect, by the statement itself. Those outside of `all_statements` are compiled when they
    are first asked for, and kept: they must be made once, not for each question."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__({statement: compile_statement(statement, dialect) for statement in all_statements().values()})
        self._dialect = dialect

    def __missing__(self, statement: Executable) -> Compiled:
        self[statement] = compiled = compile_statement(statement, self._dialect)
        return compiled


@cache
def statements(dialect: str) -> Mapping[Executable, Compiled]:
    """All statements compiled for a dialect, by the statement itself."""
    return Statements(DIALECTS[dialect]())
