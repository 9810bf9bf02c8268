"""No table is forgotten: what the migrations make is what is moved, backed up and restored, row by row."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import select

from storage.copies import back_up, restore
from storage.moving.sides import DIALECT, columns
from storage.seal import OWN, SEALED
from storage.tables import meta, metadata
from tests.postgres import Cluster
from tests.storage.making import FakeClock
from tests.storage.test_moving import fill, odd_rows

# Made of other tables, and made again wherever they are missing; Alembic's own note of the revision.
DERIVED = ("search_", "alembic_version", "sqlite_")


def kept(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith(DERIVED)}


def test_the_tables_of_a_file_are_those_that_are_moved(template: Path) -> None:
    with closing(sqlite3.connect(template)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert kept(found) == kept(set(metadata.tables))
    assert "sessions" in found


async def test_the_tables_of_postgresql_are_those_that_are_moved(server: Cluster, migrated: str) -> None:
    link = await asyncpg.connect(server.url(migrated))
    try:
        rows = await link.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    finally:
        await link.close()
    assert kept({row[0] for row in rows}) == kept(set(metadata.tables))


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for name, table in metadata.tables.items():
            statement = select(*columns(table)).order_by(*table.primary_key.columns).compile(dialect=DIALECT)
            rows = connection.execute(str(statement)).fetchall()
            found[name] = [row for row in rows if name != meta.name or row[0] not in {*OWN, SEALED}]
    return found


def test_every_table_comes_back_from_a_backup(path: Path, tmp_path: Path, clock: FakeClock) -> None:
    """With `keep` nothing of it is changed."""
    for name, table in metadata.tables.items():
        fill(path, table, odd_rows(table))
        assert name in metadata.tables
    before = everything(path)
    assert all(before.values())
    copy = tmp_path / "copy.db"
    back_up(path, copy, "now")
    asyncio.run(restore(f"sqlite:///{copy}", clock, keep=True))
    after = everything(copy)
    for name, rows in before.items():
        if name != "outbox":  # what waited was leased to a process that is gone
            assert (name, after[name]) == (name, rows)
