"""Migrations of the database, run by the program itself: no ini file, no command of Alembic needed."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

HEAD = "0016"  # the newest revision in `storage/migrations/versions`


def current_revision(path: Path) -> str:
    """The revision of an SQLite file; empty for a new one."""
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return row[0] if row else ""


def migrate_file(path: Path) -> bool:
    """Bring an SQLite file to the newest revision. False when it was there: then Alembic is not even imported.

    Raises `alembic.util.CommandError` when the file comes from a newer version of the program.
    """
    if current_revision(path) == HEAD:
        return False
    migrate(f"sqlite:///{path}")
    return True


class SchemaMismatch(Exception):
    """The tables of a database are not those of this version. `found` is their revision, empty for a new database."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"the tables are of revision {found or 'none'}, this version needs {wanted}")
        self.found, self.wanted = found, wanted

    @property
    def older(self) -> bool:
        """`frontline migrate` mends it; else the program is too old for the tables."""
        return self.found < self.wanted


async def check_revision(link: Any) -> None:
    """Whether the tables behind an asyncpg connection are ours.

    Tables of a newer revision are, too, until a later one takes something away: a revision that does writes the oldest
    revision whose program can still work into `meta` as `oldest`. Raises `SchemaMismatch`.
    """
    found = await revision_of(link)
    if found > HEAD:
        oldest = await link.fetchval("SELECT value FROM meta WHERE name = 'oldest'")
        if (oldest or "") <= HEAD:
            return
    if found != HEAD:
        raise SchemaMismatch(found, HEAD)


async def revision_of(link: Any) -> str:
    """The revision of a PostgreSQL database; empty for a new one."""
    if await link.fetchval("SELECT to_regclass('alembic_version')") is None:
        return ""
    return str(await link.fetchval("SELECT version_num FROM alembic_version") or "")


def migrate_postgres(url: str) -> tuple[str, str]:
    """Bring a PostgreSQL database to the newest revision: the revisions before and after. Not within a running loop.

    Raises OSError when it cannot be reached or does not let us in.
    """
    import asyncpg

    from storage.postgres.address import parse_address

    dsn = parse_address(url).dsn
    try:
        before = asyncio.run(_revision(dsn))
        if before < HEAD:
            migrate(dsn)
        return before, asyncio.run(_revision(dsn))
    except asyncpg.PostgresError as error:
        raise OSError(f"PostgreSQL: {error}") from error


async def _revision(dsn: str) -> str:
    import asyncpg

    from storage.postgres.links import leave

    link = await asyncpg.connect(dsn, timeout=5.0, command_timeout=10.0, statement_cache_size=0)
    try:
        return await revision_of(link)
    finally:
        await leave(link)


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at a URL to a revision."""
    from alembic import command
    from alembic.config import Config

    with as_file(files("storage") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["url"] = url
        command.upgrade(config, revision)
