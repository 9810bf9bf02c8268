"""Copying one conversation into many, in a real file that the real store made and opens again."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bench.volume import (
    FIRST,
    Size,
    fill_postgres,
    fill_sqlite,
    postgres_plans,
    scans,
    sqlite_plans,
    whole_tables,
    with_literals,
)
from storage.migrate import migrate_postgres
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from tests.postgres import cluster
from tests.storage.making import FakeClock, always, inbound, say

CHAT = str(FIRST)


def open_file(path: Path) -> SQLiteStore:
    return SQLiteStore(path, FakeClock())


@pytest.fixture
async def filled(tmp_path: Path) -> Path:
    """A conversation of three messages and three answers, five times."""
    store = open_file(tmp_path / "bench.db")
    await store.open()
    for number in range(3):
        await store.accept([inbound(number, CHAT)], always(say("ответ")))
    await store.close()
    fill_sqlite(tmp_path / "bench.db", Size(5, 6))
    return tmp_path / "bench.db"


async def test_every_copy_has_the_whole_history(filled: Path) -> None:
    store = open_file(filled)
    await store.open()
    original = await store.find_conversation("telegram", "bot", CHAT)
    assert original is not None
    for k in range(5):
        copy = await store.find_conversation("telegram", "bot", str(FIRST + k))
        assert copy is not None
        assert (copy.id, copy.client, copy.chat) == (original.id + k, original.client + k, str(FIRST + k))
        assert copy.version == original.version
        assert len(await store.history(copy.id)) == 6
        assert len(await store.events(copy.id)) == 3
    await store.close()


async def test_a_copy_can_go_on(filled: Path) -> None:
    """Its next message is answered in the conversation it has, behind what it has."""
    store = open_file(filled)
    await store.open()
    (receipt,) = await store.accept([inbound(100, str(FIRST + 3))], always(say("ещё")))
    conversation = await store.find_conversation("telegram", "bot", str(FIRST + 3))
    assert conversation is not None
    assert receipt.conversation == conversation.id
    assert [item.seq for item in await store.history(conversation.id)] == list(range(1, 9))
    await store.close()


def test_ids_are_all_different(filled: Path) -> None:
    with sqlite3.connect(filled) as db:
        for table, rows in (("inbox", 15), ("outbox", 15), ("conversations", 5), ("clients", 5), ("identities", 5)):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows,)
    db.close()


def test_no_claim_reads_a_whole_table(filled: Path) -> None:
    plans = sqlite_plans(filled)
    assert "ix_inbox_pending" in plans["READY"]
    assert whole_tables(plans) == []


async def test_the_same_in_postgresql() -> None:
    with cluster() as server:
        url = server.url(server.create())
        await asyncio.to_thread(migrate_postgres, url)
        store = PostgresStore(url, clock=FakeClock())
        await store.open()
        await store.accept([inbound(1, CHAT)], always(say("ответ")))
        await store.close()
        await fill_postgres(url, Size(5, 2))
        plans = await postgres_plans(url)
        store = PostgresStore(url, clock=FakeClock())
        await store.open()
        (receipt,) = await store.accept([inbound(2, str(FIRST + 3))], always(say("ещё")))
        assert [item.seq for item in await store.history(receipt.conversation)] == [1, 2, 3, 4]
        await store.close()
    assert {"READY", "questions.CLAIM", "questions.LOCK_CHATS", "rows.LANE"} <= set(plans)
    assert "conversations" in plans["questions.LOCK_CHATS"]


def test_a_read_of_a_whole_table_is_seen() -> None:
    plans = {"READY": "SCAN inbox; USE TEMP B-TREE FOR ORDER BY", "HEADS": "SCAN outbox USING INDEX ix_outbox_lane"}
    assert whole_tables(plans) == ["READY: SCAN inbox"]
    assert whole_tables({"READY": "Seq Scan on inbox", "LANE": "Index Scan using ix on outbox"}) == [
        "READY: Seq Scan on inbox"
    ]


def test_parameters_become_literals_of_their_types() -> None:
    sql = "SELECT $1::float8, x FROM unnest($2::bigint[]) WHERE y = $3 LIMIT $12"
    assert with_literals(sql) == "SELECT '1'::float8, x FROM unnest('{1}'::bigint[]) WHERE y = '1' LIMIT '1'"


def test_scans_of_a_plan() -> None:
    plan = ["Limit  (cost=0.1..2 rows=1)", "  ->  Index Only Scan using ix_a on inbox i  (cost=0.4..8 rows=1)",
            "  ->  Seq Scan on outbox  (cost=0)", "  ->  Index Only Scan using ix_a on inbox i  (cost=9)"]  # fmt: skip
    assert scans([(line,) for line in plan]) == "Index Only Scan using ix_a on inbox i; Seq Scan on outbox"
