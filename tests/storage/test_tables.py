"""Tables, migrations and statements: one set for all engines."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import bindparam, create_engine, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from storage import claims, migrate, queries
from storage.compiled import DIALECTS, all_statements, compile_statement, statements
from storage.tables import inbox, metadata

# Reports over whole tables: they read everything by their nature.
_WHOLE = {"QUEUE", "BUNDLES", "CURRENT_BUNDLE", "RETIRE_OTHERS", "UNCAUGHT", "TICKETS", "JOINS", "SUGGESTED", "CLIENTS"}


def schema(path: Path) -> dict[str, str]:
    """The SQL of every table and index of a file, spaces aside."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql) for name, sql in rows if name != "alembic_version"}


def test_migrations_lead_to_the_tables_as_written(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "created.db"
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    assert schema(template) == schema(path)


def test_alembic_finds_no_difference(template: Path) -> None:
    engine = create_engine(f"sqlite:///{template}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_newest_revision_is_known_without_alembic(template: Path) -> None:
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_current_head() == migrate.HEAD == migrate.current_revision(template)


def test_a_file_is_migrated_once(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    assert migrate.migrate_file(path)
    assert not migrate.migrate_file(path)


def test_a_migration_can_be_undone(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    path = tmp_path / "new.db"
    migrate.migrate_file(path)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["url"] = f"sqlite:///{path}"
    command.downgrade(config, "base")
    assert schema(path) == {}


def test_a_file_of_a_newer_version_is_refused(template: Path, tmp_path: Path) -> None:
    from alembic.util import CommandError

    path = tmp_path / "newer.db"
    path.write_bytes(template.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CommandError):
        migrate.migrate_file(path)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_statement_compiles_for_every_engine(dialect: str) -> None:
    built = DIALECTS[dialect]()
    names = [name for name, it in all_statements().items() if compile_statement(it, built).sql]
    assert len(names) > 60


def test_tables_can_be_created_on_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=dialect))


def test_a_constant_among_the_parameters_is_refused() -> None:
    hidden = select(inbox.c.id).where(inbox.c.state == 0, inbox.c.id == bindparam("the_id"))
    with pytest.raises(ValueError, match="constants"):
        compile_statement(hidden, DIALECTS["sqlite"]())


def test_no_statement_of_the_hot_path_reads_a_whole_table(template: Path) -> None:
    scans: list[str] = []
    with closing(sqlite3.connect(template)) as connection:
        for name, statement in all_statements().items():
            sql = statements("sqlite")[statement].sql
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("?")).fetchall()
            if name.split(".")[0] not in _WHOLE | {"COUNTS"}:
                scans += [f"{name}: {step[3]}" for step in plan if re.match(r"SCAN (?!.*INDEX|anon)", step[3])]
    assert scans == []


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (queries.HAS_PENDING, "ix_inbox_pending"),
        (queries.PENDING, "ix_inbox_pending"),
        (claims.READY, "ix_inbox_pending"),
        (claims.READY_FIRST, "ix_inbox_oldest"),
        (claims.READY_FIRST, "ix_inbox_pending"),
        (queries.OLDEST_EVENT, "ix_inbox_pending"),
        (queries.PROCESSED, "ix_inbox_processed"),
        (queries.LANE, "ix_outbox_lane"),
        (queries.HEADS, "ix_outbox_lane"),
        (queries.ASIDE, "ix_outbox_side"),
        (queries.OLDEST_SEND, "ix_outbox_lane"),
        (queries.OLDEST_ASIDE, "ix_outbox_side"),
        (queries.NEWEST_IN_SLOT, "ix_outbox_slot"),
        (queries.WAITING_EDITS, "ix_outbox_target"),
        (queries.DUE_TIMERS, "ix_timers_due"),
        (queries.NEXT_DUE, "ix_timers_due"),
        (queries.LIVE, "ix_conversations_live"),
        (queries.CLIENTS_BY_PHONE, "ix_clients_phone"),
        (queries.TICKETS_OF_CLIENT, "ix_tickets_client"),
    ],
)
def test_a_statement_uses_its_index(template: Path, statement: object, index: str) -> None:
    sql = next(it.sql for key, it in statements("sqlite").items() if key is statement)
    with closing(sqlite3.connect(template)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("?")).fetchall()
    assert any(index in step[3] for step in plan), plan
