"""Expand, then contract: on the tables of a revision the program of the revision before goes on working."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, Integer, LargeBinary, MetaData, Table, Text, create_engine, insert, pool
from sqlalchemy.ext.asyncio import create_async_engine

from storage.migrate import HEAD, migrate
from tests.postgres import Cluster

VERSIONS = Path(__file__).resolve().parents[2] / "storage" / "migrations" / "versions"
FILES = sorted(VERSIONS.glob("[0-9]*.py"))
FIRST, *LATER = FILES

# What takes something away from the program of the version before, or refuses what it writes.
TAKES = {
    "drop_table", "drop_column", "drop_constraint", "rename_table", "alter_column", "create_unique_constraint",
    "create_check_constraint", "create_foreign_key", "create_exclude_constraint", "batch_alter_table", "create_primary_key",
}  # fmt: skip
TAKES_SQL = re.compile(
    r"\b(drop|rename|truncate|delete\s+from|set\s+not\s+null|alter\s+column|add\s+constraint)\b", re.I
)


def revision_of(path: Path) -> str:
    return path.name.partition("_")[0]


def is_contract(tree: ast.Module) -> bool:
    """`contract = True` stands at the top of a revision that takes something away."""
    return any(
        isinstance(node, ast.Assign) and ast.unparse(node).replace(" ", "") == "contract=True" for node in tree.body
    )


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """What `upgrade` asks of Alembic's `op`."""
    (upgrade,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    for node in ast.walk(upgrade):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "op":
            yield node


def mistakes(source: str) -> list[str]:
    """What of a revision an expand step must not do; of a contract step, what it lacks."""
    tree = ast.parse(source)
    if is_contract(tree):
        return [] if "oldest" in source else ["a contract step writes `oldest` into meta"]
    return [said for call in calls(tree) if (said := _mistake(call))]


def _mistake(call: ast.Call) -> str:
    name = ast.unparse(call.func).removeprefix("op.")
    given = {it.arg: ast.unparse(it.value) for it in call.keywords}
    if name in TAKES:
        return name
    if name == "execute" and TAKES_SQL.search(ast.unparse(call)):
        return "execute: " + ast.unparse(call)[:80]
    if name == "create_index" and given.get("unique") == "True":
        return "create_index: unique"
    if name == "add_column" and _refuses_rows_without(call.args[1]):
        return "add_column: NOT NULL without server_default"
    return ""


def _refuses_rows_without(column: ast.expr) -> bool:
    assert isinstance(column, ast.Call)
    given = {it.arg: ast.unparse(it.value) for it in column.keywords}
    return given.get("nullable") == "False" and "server_default" not in given


@pytest.mark.parametrize("path", LATER, ids=revision_of)
def test_a_revision_only_adds(path: Path) -> None:
    assert mistakes(path.read_text("utf-8")) == []


def test_revisions_are_one_chain() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in FILES]
    said = [
        {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
         and ast.unparse(node.targets[0]) in {"revision", "down_revision"}}
        for tree in trees
    ]  # fmt: skip
    assert [it["revision"] for it in said] == [revision_of(path) for path in FILES]
    assert [it["down_revision"] for it in said] == [None, *(revision_of(path) for path in FILES[:-1])]
    assert revision_of(FILES[-1]) == HEAD


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ('op.add_column("a", sa.Column("b", sa.Text()))', False),
        ('op.add_column("a", sa.Column("b", sa.Text(), nullable=False, server_default=sa.text("0")))', False),
        ('op.add_column("a", sa.Column("b", sa.Text(), nullable=False))', True),
        ('op.create_table("a")', False),
        ('op.create_index("i", "a", ["b"])', False),
        ('op.create_index("i", "a", ["b"], unique=True)', True),
        ('op.drop_index("i")', False),
        ('op.drop_column("a", "b")', True),
        ('op.alter_column("a", "b", nullable=False)', True),
        ('op.rename_table("a", "b")', True),
        ('op.execute("UPDATE a SET b = 1")', False),
        ('op.execute("ALTER TABLE a DROP COLUMN b")', True),
        ('op.execute("ALTER TABLE a ALTER COLUMN b SET NOT NULL")', True),
        ('op.batch_alter_table("a")', True),
    ],
)
def test_what_takes_something_away_is_found(step: str, wrong: bool) -> None:
    assert bool(mistakes(f"def upgrade():\n    {step}\n")) == wrong


def test_a_contract_step_names_the_oldest_program() -> None:
    step = 'contract = True\ndef upgrade():\n    op.drop_column("a", "b")\n'
    assert mistakes(step) == ["a contract step writes `oldest` into meta"]
    assert mistakes(step + "    op.execute(\"INSERT INTO meta VALUES ('oldest', '0007')\")\n") == []


# --- an old program on new tables ------------------------------------------------------------------------------------


def tables(connection: Connection) -> dict[str, Table]:
    """The tables as they are now."""
    found = MetaData()
    found.reflect(connection)
    return {name: table for name, table in found.tables.items() if name != "alembic_version"}


def write_as_of(old: dict[str, Table], connection: Connection) -> None:
    """A row in each old table with the old columns only, as a process of the old version writes it."""
    for table in old.values():
        connection.execute(insert(table).values({it.name: _value(it) for it in table.columns}))


def _value(column: Any) -> Any:
    if isinstance(column.type, Text):
        return "x"
    if isinstance(column.type, LargeBinary):
        return b"{}"
    return 1 if isinstance(column.type, Integer) else 1.0


PAIRS = [pytest.param(revision_of(before), revision_of(after), id=f"{before.stem[:4]}-{after.stem[:4]}")
         for before, after in pairwise(FILES)
         if not is_contract(ast.parse(after.read_text("utf-8")))]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_an_old_program_writes_into_new_tables_of_sqlite(before: str, after: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    migrate(url, before)
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        old = tables(connection)
    migrate(url, after)
    with engine.begin() as connection:
        write_as_of(old, connection)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_an_old_program_writes_into_new_tables_of_postgresql(before: str, after: str, server: Cluster) -> None:
    url = server.url(server.create())

    async def within(work: Any, *values: Any) -> Any:
        engine = create_async_engine(
            "postgresql+asyncpg://", poolclass=pool.NullPool, async_creator=lambda: asyncpg.connect(url)
        )
        async with engine.begin() as connection:
            return await connection.run_sync(lambda one: work(*values, one))

    migrate(url, before)
    old = asyncio.run(within(tables))
    migrate(url, after)
    asyncio.run(within(write_as_of, old))
