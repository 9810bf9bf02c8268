"""A mark in a database that must not serve: a backup, one that has moved away, one that is still being filled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, cast

# Rows of `meta` that belong to one database and never travel to another.
SEALED, HOME = "sealed", "home"
OWN = frozenset({SEALED, HOME})

Why = Literal["backup", "moved", "moving", "copy"]


class StoreSealed(Exception):
    """The database must not serve. `why`: `backup` (made by `frontline backup`), `copy` (restored elsewhere), `moved` (to
    `detail`), `moving` (the move from the installation `detail` has not ended)."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(f"the database is sealed: {why} {detail}".rstrip())
        self.why = why
        self.detail = detail


def seal(why: Why, detail: str = "") -> str:
    """The value of the row `sealed`."""
    return f"{why}:{detail}"


def require_unsealed(value: str) -> None:
    """Raises `StoreSealed` for a mark that is not empty."""
    if value:
        why, _, detail = value.partition(":")
        raise StoreSealed(cast("Why", why), detail)


def require_unsealed_file(path: Path) -> None:
    """The same for an SQLite file; a new one has no mark."""
    with closing(sqlite3.connect(path)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (SEALED,)).fetchone()
            require_unsealed(found[0] if found else "")


# The mark, where the rows were written, and where they are now: a dump that is restored has another database around it.
# Only a physical copy (a base backup, a disk) looks like the original.
HOME_NOW = (
    "SELECT (SELECT value FROM meta WHERE name = 'sealed'), (SELECT value FROM meta WHERE name = 'home'),"
    " system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())"
    " FROM pg_control_system()"
)
STAY = "INSERT INTO meta (name, value) VALUES ('home', $1) ON CONFLICT (name) DO NOTHING"


async def require_home(link: Any) -> None:
    """The same over a connection of asyncpg; the first process that serves a database writes down which one it is."""
    sealed, home, here = await link.fetchrow(HOME_NOW)
    require_unsealed(sealed or "")
    if home is None:
        await link.execute(STAY, here)
    elif home != here:
        raise StoreSealed("copy", home)
