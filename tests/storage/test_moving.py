"""A move to PostgreSQL: everything arrives, nothing is sent twice, and whatever cuts it off, it goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Table, Text, select

from core.effects import CreateTicket, Queue, StartTimer
from core.outbox import Sent, Settled
from core.ports import Result, Work
from storage import StoreSealed
from storage.migrate import HEAD, revision_of
from storage.moving import Moved, MoveRefused, move
from storage.moving.sides import DIALECT, columns
from storage.moving.target import DIALECT as POSTGRESQL
from storage.moving.target import GUARD, side_by_side
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.tables import metadata
from tests.postgres import Bouncer, Cluster
from tests.storage.making import ECHO, FakeClock, always, inbound, say

# Where engines differ: order of letters, a character that PostgreSQL has not, numbers at the edge, empty and missing.
TEXTS = ["a", "B", "_", "z", "Я", "ё", "е", "🙂", "", "0\0x", "with 'quotes' \\ and \n lines"]
NUMBERS = [0, 1, -1, 2**31, 2**62]
TIMES = [0.0, -0.5, 1.0e-9, 1_800_000_000.123456, 1.7976931348623157e308]
BLOBS = [b"", b"\0\xff", "Ы".encode(), b"{}"]
KINDS: dict[type, list[Any]] = {Text: TEXTS, Integer: NUMBERS, Float: TIMES, LargeBinary: BLOBS, Boolean: [0, 1]}


@pytest.fixture
def target(server: Cluster, migrated: str) -> Iterator[str]:
    """The address of an empty database with tables."""
    name = server.create(migrated)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def bare(server: Cluster) -> Iterator[str]:
    """The address of a database without tables."""
    name = server.create()
    yield server.url(name)
    server.drop(name)


def values_of(column: Column[Any]) -> list[Any]:
    kind = next(kind for kind in KINDS if isinstance(column.type, kind))
    return [*KINDS[kind], None] if column.nullable else KINDS[kind]


def odd_rows(table: Table) -> list[dict[str, Any]]:
    """Rows with every odd value in every column, keys and unique columns all different."""
    keys = list(table.primary_key.columns)
    found = []
    for at, key in enumerate(product(*(values_of(it) for it in keys))):
        row: dict[str, Any] = dict(zip((it.name for it in keys), key, strict=True))
        for place, column in enumerate(columns(table)[len(keys) :]):
            choice = values_of(column)
            row[column.name] = choice[(at + place) % len(choice)]
        found.append(row | _told_apart(table, at))
    return found


def _told_apart(table: Table, at: int) -> dict[str, Any]:
    unique = {"conversations": "chat", "inbox": "external_id", "tickets": "key", "users": "name", "tokens": "digest"}
    return {unique[table.name]: f"{TEXTS[at % 8]}{at}"} if table.name in unique else {}


def fill(path: Path, table: Table, rows: list[dict[str, Any]]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for row in rows:
            statement = table.insert().values(row).compile(dialect=DIALECT)
            places = [statement.params[name] for name in statement.positiontup or ()]
            connection.execute(str(statement), places)
        connection.commit()


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@asynccontextmanager
async def link(url: str) -> AsyncIterator[Any]:
    made = await asyncpg.connect(url)
    try:
        yield made
    finally:
        await made.close()


async def arrived(url: str, table: Table) -> set[tuple[Any, ...]]:
    async with link(url) as connection:
        statement = str(select(*columns(table)).compile(dialect=POSTGRESQL))
        return {tuple(record) for record in await connection.fetch(statement)}


def test_every_type_of_column_is_known() -> None:
    """A new kind of column needs a rule for what SQLite stores otherwise, and a value here."""
    for table in metadata.tables.values():
        for column in table.columns:
            assert any(isinstance(column.type, kind) for kind in KINDS), f"{table.name}.{column.name}"


async def test_every_table_arrives(path: Path, target: str) -> None:
    """Row by row, value by value, whatever is in it. New tables are in this test by themselves."""
    filled = {name: odd_rows(table) for name, table in metadata.tables.items()}
    for name, rows in filled.items():
        fill(path, metadata.tables[name], rows)
    moved = {it.name: it for it in (await move(path, target)).tables}
    for name, rows in filled.items():
        names = [it.name for it in columns(metadata.tables[name])]
        wanted = {tuple(_cleaned(row[it]) for it in names) for row in rows}
        there = await arrived(target, metadata.tables[name])
        assert (name, wanted - there) == (name, set())
        assert len(there) == moved[name].rows == moved[name].written


def _cleaned(value: Any) -> Any:
    return value.replace("\0", "�") if isinstance(value, str) else value


async def test_tables_are_made_and_stamped(path: Path, bare: str) -> None:
    await move(path, bare)
    async with link(bare) as connection:
        assert await revision_of(connection) == HEAD


# --- a living installation -------------------------------------------------------------------------------------------


@pytest.fixture
async def living(sqlite: SQLiteStore) -> SQLiteStore:
    """A store that serves: something sent, something waiting, a timer, a queued session, a ticket."""
    ticket = CreateTicket("key-1", 1, "general", "Title")
    (first,) = await sqlite.accept([inbound(1)], always(say("sent"), say("waits"), ticket))
    await sqlite.mark([Settled(first.outbox[0], Sent("sent", ("m1",)))])
    await sqlite.accept([inbound(2, chat="2")], always(say("asks"), StartTimer("silence", 60.0, from_delivery=True)))
    await sqlite.accept([inbound(3, chat="3")], always(Queue("support", 1, 100.0, "note")))
    return sqlite


def written(moved: Moved) -> dict[str, tuple[int, int]]:
    return {it.name: (it.written, it.removed) for it in moved.tables if it.written or it.removed}


async def test_beside_a_gateway_then_the_rest(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    """The first pass copies what is there; the second, in the stop, what has changed since, and nothing else."""
    first = await move(living.path, target)
    assert not first.complete
    assert written(first)["outbox"] == (3, 0)
    await living.accept([inbound(4, chat="2")], ECHO)
    await living.close()
    second = await move(living.path, target)
    assert second.complete
    changes = written(second)
    assert changes["inbox"] == (1, 0)
    assert changes["outbox"] == (1, 0)
    assert changes["messages"] == (2, 0)
    assert changes["conversations"] == (1, 1)  # the one that changed
    assert "tickets" not in changes
    assert "clients" not in changes


@pytest.mark.parametrize("kept", [1, 3, 20_000])
async def test_many_changes_and_few(
    kept: int, living: SQLiteStore, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits into memory is written after one look, more by a second one; a key that changes hands is no obstacle."""
    monkeypatch.setattr("storage.moving.target.KEPT", kept)
    await move(living.path, target)
    await living.accept([inbound(n, chat=str(n % 5)) for n in range(10, 30)], ECHO)
    await living.close()
    swap = "UPDATE conversations SET chat = CASE chat WHEN '1' THEN '2' WHEN '2' THEN '1' ELSE chat END || '{}'"
    run_sql(living.path, swap.format("x"), "UPDATE conversations SET chat = substr(chat, 1, 1)", "DELETE FROM tickets")
    assert (await move(living.path, target)).complete
    with closing(sqlite3.connect(living.path)) as connection:
        chats = set(connection.execute("SELECT id, chat FROM conversations").fetchall())
    async with link(target) as connection:
        assert {tuple(it) for it in await connection.fetch("SELECT id, chat FROM conversations")} == chats
        assert await connection.fetchval("SELECT count(*) FROM tickets") == 0
        assert await connection.fetchval("SELECT count(*) FROM inbox") == 23


async def test_the_target_serves_only_at_the_end(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    await move(living.path, target)
    with pytest.raises(StoreSealed, match="moving"):
        await PostgresStore(target, clock).open()
    await living.close()
    await move(living.path, target)
    store = PostgresStore(target, clock)
    await store.open()
    await store.close()


async def test_the_file_serves_no_more(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    """Else a forgotten service would send everything that waits a second time."""
    await living.close()
    await move(living.path, target)
    with pytest.raises(StoreSealed) as raised:
        await SQLiteStore(living.path, clock).open()
    assert raised.value.why == "moved"
    assert raised.value.detail in target
    assert "@" not in raised.value.detail


async def test_everything_goes_on(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    history, keys = await living.history(1), [row.key for row in await living.lease()]
    await living.close()
    await move(living.path, target)
    store = PostgresStore(target, clock, own_clock=True)
    await store.open()
    assert await store.history(1) == history
    waiting = await store.lease()
    assert [row.message.body.text for row in waiting if row.message] == ["waits", "asks"]
    assert keys == [] or set(keys) <= {row.key for row in waiting}  # a platform would know a repeat by its key
    await store.mark([Settled(row, Sent("sent", ("m2",))) for row in waiting])
    assert await store.next_due() == clock.now + 60.0
    assert [it["conversation"] for it in await store.queue()] == [3]
    assert [it.number for it in await store.tickets()] == [1]
    await store.close()


async def test_ids_and_numbers_go_on(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    await living.close()
    await move(living.path, target)
    store = PostgresStore(target, clock, own_clock=True)
    await store.open()
    told: list[int] = []

    def decide(work: Work) -> Result:
        told.append(work.ticket_number)
        return ECHO(work)

    (receipt,) = await store.accept([inbound(9, chat="9")], decide)
    assert receipt.conversation > 3
    assert receipt.outbox[0].id > 3
    assert told == [2]
    assert (await store.accept([inbound(1)], ECHO))[0].duplicate  # a platform repeats what SQLite had taken
    await store.close()


async def test_what_a_killed_gateway_had_sent_is_not_sent_again(
    living: SQLiteStore, target: str, clock: FakeClock
) -> None:
    """It was noted beside the database; the move writes it down first."""
    rows = {row.message.body.text: row for row in (await _leased(living)) if row.message}
    assert living.note(rows["asks"], Sent("sent", ("m7",)))
    _kill(living)
    await move(living.path, target)
    store = PostgresStore(target, clock, own_clock=True)
    await store.open()
    assert [row.message.body.text for row in await store.lease() if row.message] == ["waits"]
    await store.close()


async def _leased(store: SQLiteStore) -> list[Any]:
    store.clock.now += 31  # type: ignore[attr-defined]  # what was handed out is free again
    return await store.lease()


def _kill(store: SQLiteStore) -> None:
    """What the kernel does for a process that is killed: the lock is free, nothing else is tidied up."""
    store._lock.free()


# --- cut off, refused ------------------------------------------------------------------------------------------------


class Cut(Exception):
    """The power went."""


@pytest.mark.parametrize("at", ["inbox", "outbox", "messages", "meta"])
async def test_a_move_that_was_cut_off_goes_on(at: str, living: SQLiteStore, target: str) -> None:
    await living.close()

    def told(table: str, done: int, total: int) -> None:
        if table == at and done == total:
            raise Cut

    with pytest.raises(Cut):
        await move(living.path, target, told)
    moved = await move(living.path, target)
    assert moved.complete
    async with link(target) as connection:
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 3


async def test_cut_off_between_the_two_ends(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    """The file has handed over, the target does not know yet: neither serves, and the same command ends it."""
    await move(living.path, target)
    await living.close()
    run_sql(living.path, "INSERT INTO meta (name, value) VALUES ('sealed', 'moved:somewhere')")
    with pytest.raises(StoreSealed):
        await PostgresStore(target, clock).open()
    assert (await move(living.path, target)).complete
    store = PostgresStore(target, clock)
    await store.open()
    await store.close()


async def test_a_target_in_use_is_refused(living: SQLiteStore, target: str, clock: FakeClock) -> None:
    await living.close()
    await move(living.path, target)
    store = PostgresStore(target, clock)
    await store.open()
    await store.accept([inbound(77, chat="77")], ECHO)
    await store.close()
    with pytest.raises(MoveRefused) as raised:
        await move(living.path, target)
    assert raised.value.why == "moved"


async def test_a_target_with_anything_in_it_is_refused(path: Path, target: str) -> None:
    other = Path(shutil.copy(path, path.with_name("other.db")))
    await move(path, target)
    with pytest.raises(MoveRefused) as raised:
        await move(other, target)
    assert raised.value.why == "not_empty"


async def test_the_unfinished_move_of_another_is_left_alone(living: SQLiteStore, target: str, path: Path) -> None:
    await move(living.path, target)
    other = living.path.with_name("other.db")
    stranger = SQLiteStore(other, FakeClock())
    await stranger.open()
    await stranger.close()
    with pytest.raises(MoveRefused) as raised:
        await move(other, target)
    assert raised.value.why == "not_empty"


async def test_two_moves_at_once_are_one_too_many(path: Path, target: str) -> None:
    async with link(target) as other, other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", GUARD)
        with pytest.raises(MoveRefused) as raised:
            await move(path, target)
    assert raised.value.why == "busy"


async def test_a_difference_is_found(living: SQLiteStore, target: str, server: Cluster) -> None:
    """Somebody writes into the target meanwhile: nothing is handed over."""
    await living.close()
    database = target.rpartition("/")[2]

    def told(table: str, done: int, total: int) -> None:
        if table == "meta" and done == total:
            server.sql("UPDATE tickets SET title = 'other'", database)

    with pytest.raises(MoveRefused) as raised:
        await move(living.path, target, told)
    assert (raised.value.why, raised.value.detail) == ("differs", "tickets")
    assert (await move(living.path, target)).complete


async def test_a_server_that_is_impatient_with_others(
    living: SQLiteStore, target: str, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one side is read, transactions of the other stand idle for longer than the server likes."""
    monkeypatch.setattr("storage.moving.target.BATCH", 1)
    await living.close()
    database = target.rpartition("/")[2]
    server.sql(f'ALTER DATABASE "{database}" SET idle_in_transaction_session_timeout = 200')
    begun = server.sql("SELECT clock_timestamp()")

    def told(table: str, done: int, total: int) -> None:
        if table == "outbox":
            server.sql("SELECT pg_sleep(0.6)")

    assert (await move(living.path, target, told)).complete
    assert server.sql(f"SELECT clock_timestamp() - '{begun}'::timestamptz > interval '1 second'") == "t"


async def test_nothing_is_made_of_a_file_that_is_not_there(tmp_path: Path, target: str) -> None:
    with pytest.raises(MoveRefused) as raised:
        await move(tmp_path / "none.db", target)
    assert raised.value.why == "no_file"
    assert os.listdir(tmp_path) == []


async def test_a_server_that_is_away_is_said(path: Path) -> None:
    with pytest.raises(MoveRefused) as raised:
        await move(path, "postgresql://frontline@127.0.0.1:1/none")
    assert raised.value.why == "target"


async def test_behind_pgbouncer(living: SQLiteStore, target: str, between: Bouncer, clock: FakeClock) -> None:
    url = between.url(target.rpartition("/")[2])
    await move(living.path, url)
    await living.close()
    assert (await move(living.path, url)).complete


# --- side by side ----------------------------------------------------------------------------------------------------


async def _there(rows: list[tuple[int, str]]) -> AsyncIterator[tuple[int, str]]:
    for row in rows:
        yield row


@pytest.mark.parametrize(
    ("here", "there", "pairs"),
    [
        ([], [], []),
        ([(1, "a")], [], [((1, "a"), None)]),
        ([], [(1, "a")], [(None, (1, "a"))]),
        ([(1, "a"), (3, "c")], [(1, "x"), (2, "b")], [((1, "a"), (1, "x")), (None, (2, "b")), ((3, "c"), None)]),
        ([(2, "b")], [(1, "a"), (2, "b"), (3, "c")], [(None, (1, "a")), ((2, "b"), (2, "b")), (None, (3, "c"))]),
    ],
)
async def test_rows_of_one_key_come_together(here: list[Any], there: list[Any], pairs: list[Any]) -> None:
    assert [pair async for pair in side_by_side(iter(here), _there(there), 1)] == pairs
