"""Two stores with a hundred thousand sessions each, made by direct inserts."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.conversation import Conversation, Session
from core.events import Message
from storage.codec import encode
from storage.migrate import migrate_file, migrate_postgres
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.work.units import Units
from tests.postgres import cluster
from tests.storage.making import FakeClock

COUNT = 100_000
LONG = 10_000  # messages of the longest talk, which is conversation 1
# Of a hundred sessions two are queued, three with operators, two wait for the client, one is put aside, fifty are closed, the
# rest is the bot's; one of a hundred is in the middle of a flow. Ten lines, four channels, fifty operators.
KIND = """CASE WHEN n % 100 < 2 THEN 'queued' WHEN n % 100 < 5 THEN 'assigned' WHEN n % 100 < 7 THEN 'waiting'
 WHEN n % 100 < 8 THEN 'held' WHEN n % 100 < 58 THEN 'closed' ELSE 'bot' END"""
FILL = (
    """INSERT INTO conversations SELECT n, 'c' || (n % 4), 'a', 'k' || n, n, 0, 0,
 CASE WHEN n % 100 = 99 THEN 1 ELSE 0 END, 1000 + n, 0, {conversation} FROM {numbers}""",
    """INSERT INTO clients (id, phone, created_at, card, words, tier) SELECT n, '', n, {card}, 'client ' || n || ' +7' || n, ''
 FROM {numbers}""",
    f"""INSERT INTO sessions (conversation, number, current, client, channel, status, owner, line, operator, epoch, priority,
 opened_at, queued_at, assigned_at, first_reply_at, moved_at, closed_at, due, category, rating, state, last_at, order_due)
 SELECT n, 1, 1, n, 'c' || (n % 4), s, CASE s WHEN 'bot' THEN 'bot' WHEN 'queued' THEN 'queue' WHEN 'closed' THEN 'bot'
 ELSE 'operator' END, CASE s WHEN 'bot' THEN '' ELSE 'l' || (n / 100 % 10) END,
 CASE WHEN s IN ('assigned', 'waiting', 'held') THEN 'user:' || (n / 100 % 50 + 1) ELSE '' END, 1, 0, n, n, n, 0, n, 0,
 0, '', 0, {{session}}, n * 7919 % 100003, CASE WHEN s IN ('queued', 'assigned') THEN n * 104729 % 100003 ELSE 9e12 END
 FROM (SELECT n, {KIND} AS s FROM {{numbers}}) AS made""",
    """INSERT INTO messages SELECT n, k, CASE k WHEN 2 THEN 'bot' ELSE 'client' END, '', n + k, {said}, NULL, 'received', '',
 '', 0 FROM {numbers}, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) AS three""",
    """INSERT INTO messages SELECT 1, n + 3, CASE n % 2 WHEN 0 THEN 'bot' ELSE 'client' END, '', n, {said}, NULL, 'received', '',
 'm' || n, 0 FROM {numbers} WHERE n <= 9997""",
    "ANALYZE",
)
BLOBS: dict[str, bytes] = {
    "conversation": encode(Conversation(1, "c1", "a", "k", 1, seq=LONG, session=Session(1, "assigned", "operator"))),
    "card": encode({"id": 1, "name": "Client", "verified": []}),
    "session": encode(Session(1, "assigned", "operator")),
    "said": encode(Message("Здравствуйте, где мой заказ 12345? " * 4)),
}


def statements(numbers: str, literal: str) -> list[str]:
    """The statements of an engine; `literal` spells the hex of a blob."""
    blobs = {name: literal.format(blob.hex()) for name, blob in BLOBS.items()}
    return [one.format(numbers=numbers, **blobs) for one in FILL]


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "lists.db"
    migrate_file(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TEMP TABLE numbers (n INTEGER)")
        connection.executemany("INSERT INTO numbers VALUES (?)", ((n,) for n in range(1, COUNT + 1)))
        for statement in statements("numbers", "x'{}'"):
            connection.execute(statement)
        connection.commit()
    return path


@pytest.fixture(scope="module")
def filled_server() -> Iterator[str]:
    with cluster(random_page_cost="1.1") as made:  # as one sets it where there are no turning disks
        name = made.create(name="lists")
        migrate_postgres(made.url(name))
        made.sql(";".join(statements(f"generate_series(1::bigint, {COUNT}) AS n", "'\\x{}'")), name)
        made.sql("VACUUM ANALYZE", name)
        yield made.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest) -> SQLiteStore | PostgresStore:
    if request.param == "sqlite":
        return SQLiteStore(request.getfixturevalue("filled_file"), FakeClock(), frozenset())
    return PostgresStore(request.getfixturevalue("filled_server"), FakeClock(), frozenset(), own_clock=True)


@pytest.fixture
async def units(made: SQLiteStore | PostgresStore) -> AsyncIterator[Units]:
    """A store with all of that in it."""
    store: Any = made
    await store.open()
    yield Units(store)
    await store.close()
