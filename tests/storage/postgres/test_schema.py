"""Tables, addresses, plans and clocks of PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from core.effects import StartTimer
from storage import SchemaMismatch, migrate, open_store
from storage.postgres import questions, statements
from storage.postgres.address import Address, parse_address
from storage.postgres.flushing import PARTS, statement
from storage.postgres.links import is_pooled
from storage.postgres.store import PostgresStore
from storage.tables import metadata
from tests.postgres import Bouncer, Cluster
from tests.storage.making import ECHO, Seen, accept_one, always, inbound
from tests.storage.postgres.conftest import Make

# --- tables ------------------------------------------------------------------------------------------------------------


async def test_alembic_finds_no_difference(server: Cluster, migrated: str) -> None:
    def ours(_: Any, name: str | None, *rest: Any) -> bool:
        """The index of the search is of PostgreSQL alone."""
        return not (name or "").startswith(("search_", "ix_search_"))

    def compare(connection: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection, opts={"include_object": ours}), metadata)

    engine = create_async_engine(server.url(migrated).replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


@pytest.fixture
def empty(server: Cluster) -> Any:
    name = server.create()
    yield name
    server.drop(name)


async def test_migrations_at_the_same_time_are_made_once(server: Cluster, between: Bouncer, empty: str) -> None:
    urls = [server.url(empty), between.url(empty), server.url(empty)]
    program = "import sys; from storage.migrate import migrate_postgres; print(*migrate_postgres(sys.argv[1]), sep='>')"
    command = (sys.executable, "-c", program)
    processes = [await asyncio.create_subprocess_exec(*command, url, stdout=PIPE) for url in urls]
    said = [(await process.communicate())[0].decode().strip() for process in processes]
    assert {it.partition(">")[2] for it in said} == {migrate.HEAD}
    assert f">{migrate.HEAD}" in said


async def test_a_database_without_tables_is_refused(server: Cluster, empty: str) -> None:
    made = PostgresStore(server.url(empty), time.time)
    with pytest.raises(SchemaMismatch) as caught:
        await made.open()
    assert (caught.value.found, caught.value.older) == ("", True)


@pytest.mark.parametrize(
    ("found", "oldest", "older"),
    [("9999", None, None), ("9999", "0001", None), ("9999", "9998", False), ("0001", None, True)],
)
async def test_tables_of_another_revision(
    new: Make, link: Any, found: str, oldest: str | None, older: bool | None
) -> None:
    made = new()
    try:
        await link.execute("UPDATE alembic_version SET version_num = $1", found)
        if oldest is not None:
            await link.execute("INSERT INTO meta VALUES ('oldest', $1)", oldest)
        if older is None:
            await made.open()
            assert (await accept_one(made, inbound(1))).processed
        else:
            with pytest.raises(SchemaMismatch) as caught:
                await made.open()
            assert caught.value.older is older
    finally:
        await made.close()
        await link.execute("UPDATE alembic_version SET version_num = $1", migrate.HEAD)


async def test_a_process_of_the_first_revision_writes_into_our_tables(one: PostgresStore, link: Any) -> None:
    """Expand: columns that were added have defaults, so the version before goes on during an upgrade."""
    receipt = await accept_one(one, inbound(1))
    await link.execute(
        "INSERT INTO outbox (id, conversation, kind, lane, channel, account, chat, key, epoch, guarded, seq, target, slot,"
        " state, attempts, created_at, not_before, reason, payload, sent_parts, platform_ids)"
        " VALUES (1000, $1, 'call', 0, 'telegram', 'bot', '1', 'old', 0, 0, 0, 0, '', 0, 0, 0, 0, '', '{}', '[]', '[]')",
        receipt.conversation,
    )
    assert [row.key for row in await one.lease()] == ["old"]


# --- the address -------------------------------------------------------------------------------------------------------


def test_parameters_of_ours_do_not_reach_the_driver() -> None:
    url = "postgres://u:p%40@h:5432/db?connections=10&sslmode=require&pgbouncer=yes"
    assert parse_address(url) == Address("postgresql://u:p%40@h:5432/db?sslmode=require", "yes", 10)
    assert parse_address("postgresql://h/db") == Address("postgresql://h/db", "auto", 6)
    assert (Address("", connections=7).writers, Address("", connections=7).readers) == (3, 4)


@pytest.mark.parametrize("query", ["connections=1", "connections=x", "connections=1000", "pgbouncer=maybe"])
def test_what_cannot_be_an_address_is_refused_without_its_password(query: str) -> None:
    with pytest.raises(ValueError, match=query.partition("=")[0]) as caught:
        parse_address(f"postgresql://u:secret@h/db?{query}")
    assert "secret" not in str(caught.value)


def test_a_url_names_the_store() -> None:
    assert isinstance(open_store("postgresql://h/db", time.time), PostgresStore)


async def test_a_pool_between_is_found_out(server: Cluster, between: Bouncer, database: str) -> None:
    assert await is_pooled(parse_address(between.url(database)))
    assert not await is_pooled(parse_address(server.url(database)))
    assert await is_pooled(parse_address(server.url(database, pgbouncer="yes")))
    assert not await is_pooled(parse_address(between.url(database, pgbouncer="no")))


async def test_a_database_that_is_not_there_is_told_by_its_name(server: Cluster) -> None:
    made = PostgresStore(server.url("nowhere"), time.time)
    with pytest.raises(OSError, match="nowhere"):
        await made.open()


OURS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'frontline'"""


async def test_a_process_uses_no_more_connections_than_it_may(
    new: Make, server: Cluster, database: str, link: Any
) -> None:
    made = new(server.url(database, connections=4))
    await made.open()
    try:
        await asyncio.gather(
            *(accept_one(made, inbound(number, str(number))) for number in range(300)),
            *(made.stats() for _ in range(20)),
        )
        until = time.monotonic() + 5  # those of the test before may not have ended yet; ours stay
        while await link.fetchval(OURS) > 4:
            assert time.monotonic() < until
            await asyncio.sleep(0.05)
    finally:
        await made.close()


# --- plans -------------------------------------------------------------------------------------------------------------

FILL = """
INSERT INTO conversations SELECT n, 'telegram', 'bot', 'c' || n, n, 0, 0, 0, 0, 0, '{}' FROM generate_series(1, 10000) n;
INSERT INTO inbox SELECT n, n % 10000 + 1, 'telegram', 'bot', 'u' || n, '', n, n, CASE WHEN n % 500 = 0 THEN 0 ELSE 1 END,
  n, 0, 0, '', '{}', '', '' FROM generate_series(1, 100000) n;
INSERT INTO outbox (id, conversation, kind, lane, channel, account, chat, key, epoch, guarded, seq, target, slot, state,
  attempts, created_at, not_before, reason, payload, sent_parts, platform_ids)
  SELECT n, n % 10000 + 1, 'send', 1, 'telegram', 'bot', 'c', 'k' || n, 0, 0, n, 0, '', CASE WHEN n % 500 = 0 THEN 0 ELSE 1 END,
  0, 0, 0, '', '{}', '[]', '[]' FROM generate_series(1, 100000) n;
INSERT INTO timers SELECT n, 'silence', n, 0, 60, '{}' FROM generate_series(1, 10000) n;
INSERT INTO clients SELECT n, '', 0, '{}' FROM generate_series(1, 10000) n;
INSERT INTO messages SELECT n % 10000 + 1, n, 'bot', '', 0, NULL, '{}', 'sent', '', '', 0 FROM generate_series(1, 100000) n;
ANALYZE;
"""


@pytest.fixture(scope="module")
def filled(server: Cluster, migrated: str) -> Any:
    """A database of many rows, few of which wait."""
    name = server.create(migrated)
    server.sql(FILL, name)
    yield name
    server.drop(name)


COUNT = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'"


async def plan_of(url: str, sql: str) -> str:
    """The plan that our connections use: one for all values."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        return await plan_over(connection, sql)
    finally:
        await connection.close()


async def plan_over(connection: Any, sql: str) -> str:
    """The plan of a session."""
    await connection.execute(f"PREPARE asked AS {sql}")
    count = await connection.fetchval(COUNT)
    values = ", ".join(["NULL"] * count)
    lines = await connection.fetch("EXPLAIN EXECUTE asked" + (f"({values})" if count else ""))
    await connection.execute("DEALLOCATE asked")
    return "\n".join(line for (line,) in lines)


@pytest.mark.parametrize(
    ("sql", "indexes", "whole"),
    [
        (
            questions.CLAIM,
            {"ix_inbox_oldest", "ix_inbox_pending", "pk_conversations"},
            {"inbox", "conversations"},
        ),
        (questions.CLAIM_ANY, {"pk_conversations"}, {"inbox", "conversations"}),
        (questions.LOCK_CHATS, {"uq_conversations_channel_account_chat"}, {"conversations"}),
        (questions.LOCK_HOMES, {"pk_conversations"}, {"conversations"}),
        (questions.PENDING, {"ix_inbox_pending"}, {"inbox"}),
        (questions.LANES, {"ix_outbox_lane"}, {"outbox"}),
        (
            questions.LOAD,
            {"uq_inbox_channel_account_external_id", "ix_inbox_pending", "ix_outbox_lane", "pk_outbox", "pk_clients"},
            {"inbox", "conversations", "outbox", "clients"},
        ),
        (statements.LEASE_ROWS, {"ix_outbox_lane", "ix_outbox_side", "pk_outbox"}, {"outbox"}),
        (statements.EPOCHS, {"pk_conversations"}, {"conversations"}),
        (statements.NEXT_DUE, {"ix_timers_due"}, {"timers"}),
    ],
)
async def test_a_statement_of_the_hot_path_uses_its_indexes(
    server: Cluster, filled: str, sql: str, indexes: set[str], whole: set[str]
) -> None:
    plan = await plan_of(server.url(filled), sql)
    assert {index for index in indexes if index not in plan} == set(), plan
    assert [table for table in whole if f"Seq Scan on {table}" in plan] == [], plan


async def test_changes_look_nothing_up_without_an_index(server: Cluster, filled: str) -> None:
    parts = ("save conversation", "settle row", "settle message", "set timer", "arm timers", "finish event")
    for part in parts:
        plan = await plan_of(server.url(filled), statement((part,)))
        assert "Seq Scan on" not in plan, plan


async def test_plans_of_empty_tables_go_by_keys(one: PostgresStore) -> None:
    """They are kept while the tables grow."""
    async with one._groups._links.one() as link:
        plans = {name: await plan_over(link, statement((name,))) for name in PARTS}
        plans["load"] = await plan_over(link, questions.LOAD)
    wrong = {name for name, plan in plans.items() if "Seq Scan on" in plan or "Hash" in plan or "Merge" in plan}
    assert wrong == set(), [plans[name] for name in wrong]


# --- clocks ------------------------------------------------------------------------------------------------------------

DAY = 86_400.0


@pytest.mark.parametrize("wrong", [-DAY, -3600.0, 3600.0, DAY])
async def test_a_process_whose_clock_is_wrong_does_no_harm(new: Make, wrong: float) -> None:
    def mistaken() -> float:
        return time.time() + wrong

    right, astray = new(clock=time.time, own_clock=False), new(clock=mistaken, own_clock=False)
    await right.open()
    await astray.open()
    try:
        began = time.time()
        receipt = await accept_one(astray, inbound(1), always(StartTimer("t", 2.0)))
        (event,) = await right.events(receipt.conversation)
        assert abs(event.pending.at.timestamp() - began) < 1  # the time of the rows is the database's
        assert await astray.due(datetime.fromtimestamp(mistaken(), UTC)) == 0
        due = await astray.next_due()
        assert due is not None
        assert abs(due - mistaken() - 2.0) < 1.5  # in the time of who asks
        assert await astray.hold("poll:a", "A", 12) == 1
        assert await right.hold("poll:a", "B", 12) is None
        fired = 0
        while not fired:
            fired = await right.due(datetime.now(UTC)) + await astray.due(datetime.fromtimestamp(mistaken(), UTC))
        assert fired == 1
        assert 1.9 < time.time() - began < 10
    finally:
        await right.close()
        await astray.close()


# --- how the last process ended ----------------------------------------------------------------------------------------


async def test_a_killed_process_is_found_out(one: PostgresStore, new: Make, link: Any) -> None:
    assert not one.unclean
    await link.execute("INSERT INTO leases VALUES ('live:elsewhere:1:x', 'x', 1, 5)")
    after = new()
    await after.open()
    assert after.unclean
    seen = Seen()
    await after.accept([inbound(1), inbound(2)], None)
    assert [it.processed for it in await after.work(seen)] == [True]
    assert len(seen.works[0].events) == 1  # one at a time, its attempt counted before it is made
    await after.close()
    last = new()
    await last.open()
    assert not last.unclean
    await last.close()


async def test_an_attempt_is_counted_before_it_is_made(new: Make, link: Any) -> None:
    await link.execute("INSERT INTO leases VALUES ('live:elsewhere:1:x', 'x', 1, 5)")
    made = new()
    await made.open()
    receipt = await accept_one(made, inbound(1), None)

    def dies(work: Any) -> Any:
        raise SystemExit  # as a kill would: nothing after it happens

    with pytest.raises(SystemExit):
        await made._groups._claimed(lambda ledger, home: dies(ledger), 1, [])
    assert await made._groups._claimed(lambda ledger, home: 1, 0, []) == []
    await made.work(ECHO)
    attempts = await link.fetchval("SELECT attempts FROM inbox WHERE conversation = $1", receipt.conversation)
    assert attempts == 1
    await made.close()


def test_the_folder_of_migrations_is_shipped() -> None:
    assert (Path(migrate.__file__).parent / "migrations" / "versions" / "0002_leases.py").exists()
