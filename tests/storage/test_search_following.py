"""How the search follows a store: only what can have changed is read, only what differs is written, and nothing is missed."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.events import Edited, Message, Removed
from gateway.indexer import open_search
from storage.postgres.store import PostgresStore
from storage.search import from_postgres, from_sqlite, postgres, sqlite
from storage.search.differing import FRESH
from storage.search.from_postgres import PAGE, SPACE
from storage.search.port import Search
from storage.search.postgres import PostgresSearch
from storage.search.sqlite import SQLiteSearch
from storage.sqlite import SQLiteStore
from tests.postgres import Bouncer, Cluster
from tests.storage.conftest import OUTER
from tests.storage.making import FakeClock, accept_one, always, drain, inbound, say, settled

Store = SQLiteStore | PostgresStore
QUIET = always()


@pytest.fixture
def emptied(server: Cluster, database: str) -> str:
    server.sql("TRUNCATE search_documents, search_homes", database)
    return database


@pytest.fixture(params=["sqlite", "postgresql", "pgbouncer"])
def made(request: pytest.FixtureRequest, clock: FakeClock) -> Store:
    if request.param == "sqlite":
        return SQLiteStore(request.getfixturevalue("path"), clock, OUTER)
    database = request.getfixturevalue("emptied")
    stands: Cluster | Bouncer = request.getfixturevalue("server" if request.param == "postgresql" else "between")
    return PostgresStore(stands.url(database), clock, OUTER, own_clock=True)


@pytest.fixture
async def store(made: Store) -> AsyncIterator[Store]:
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def search(store: Store) -> AsyncIterator[Search]:
    made = open_search(store)
    assert made is not None
    await made.open()
    yield made
    await made.close()


async def found(search: Search, kind: str = "message", column: str = "text") -> dict[tuple[int, int], Any]:
    """The documents of a kind by conversation and number."""
    sql = f"SELECT home, number, {column} FROM {{}} WHERE kind = '{kind}' ORDER BY home, number"
    if isinstance(search, SQLiteSearch):
        with closing(sqlite3.connect(search.path)) as link:
            rows = link.execute(sql.format("documents")).fetchall()
    else:
        assert isinstance(search, PostgresSearch)
        rows = await search._run(lambda link: link.fetch(sql.format("search_documents")))
    return {(row[0], row[1]): row[2] for row in rows}


async def say_many(store: Store, count: int, since: int = 1) -> None:
    """A client writes, and the bot answers each time."""
    for number in range(since, since + count):
        await accept_one(store, inbound(number, event=Message(f"слово {number}")), always(say(f"ответ {number}")))


async def changed(store: Store, number: int, event: Any) -> None:
    await accept_one(store, inbound(number, event=event, message_id=""), QUIET)


async def test_pages_of_a_long_talk_come_whole(store: Store, search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last page is full: it is no sign of another."""
    monkeypatch.setattr(from_postgres, "PAGE", 10)
    await say_many(store, 30)
    await search.follow([1], [], [])
    assert list((await found(search)).values()) == [f"слово {number}" for number in range(1, 31)]
    assert PAGE > 10


async def test_changes_far_behind_the_last_place(store: Store, search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client changed and took away is found by its marks, near the end and behind what is read again."""
    for engine in (from_postgres, from_sqlite):
        monkeypatch.setattr(engine, "BACK", 10)
    await say_many(store, 20)
    await search.follow([1], [], [])
    for number, event in enumerate((Edited("1", "новое"), Removed("2"), Edited("19", "другое"), Removed("20")), 100):
        await changed(store, number, event)
    await search.follow([1], [], [])
    texts = list((await found(search)).values())
    assert texts == ["новое", *(f"слово {number}" for number in range(3, 19)), "другое"]


async def test_an_operator_s_words_that_were_refused_are_found_no_more(store: Store, search: Search) -> None:
    words = say("обещаю вернуть деньги", author="operator", operator="user:1")
    more = say("ещё слово", author="operator")
    receipt = await accept_one(store, inbound(1, event=Message("слово")), always(words, more))
    await search.follow([1], [], [])
    assert list((await found(search)).values()) == ["слово", "обещаю вернуть деньги", "ещё слово"]
    await store.mark([settled(receipt.outbox[0], "refused")])
    await accept_one(store, inbound(2, event=Message("и дальше")), QUIET)
    await search.follow([1], [], [])
    assert list((await found(search)).values()) == ["слово", "ещё слово", "и дальше"]
    await drain(store)


async def test_a_text_with_a_nul_stops_nothing(store: Store, search: Search) -> None:
    await accept_one(store, inbound(1, event=Message("ноль\0байт")), QUIET)
    await search.follow([1], [], [])
    assert await found(search) == {(1, 1): "ноль байт"}


async def test_only_what_is_new_is_split_into_words(
    store: Store, search: Search, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another moment of the client's card costs a number, no words."""
    split: list[str] = []

    def noted(text: str) -> list[str]:
        split.append(text)
        return []

    for engine in (postgres, sqlite):
        monkeypatch.setattr(engine, "exact_of", noted)
    await say_many(store, 5)
    await search.follow([1], [], [])
    assert sorted(split) == sorted([*(await found(search)).values(), *(await found(search, "client")).values()])
    assert "слово 1" in split
    split.clear()
    (before,) = (await found(search, "client", "at")).values()
    clock.now += 60
    for _ in range(2):
        await accept_one(store, inbound(60, event=Message("слово 6")), QUIET)
        await search.follow([1], [], [])
        assert split == ["слово 6"]
    (after,) = (await found(search, "client", "at")).values()
    assert after > before


# --- several processes ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def link(server: Cluster, emptied: str) -> AsyncIterator[Any]:
    """A connection of somebody else."""
    made = await asyncpg.connect(server.url(emptied))
    yield made
    await made.close()


@pytest.fixture
async def shared(server: Cluster, emptied: str, clock: FakeClock) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(server.url(emptied), clock, OUTER, own_clock=True)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def pair(shared: PostgresStore) -> AsyncIterator[list[PostgresSearch]]:
    """The searches of two processes."""
    made = [PostgresSearch(shared.url) for _ in range(2)]
    for it in made:
        await it.open()
    yield made
    for it in made:
        await it.close()


def counted(search: PostgresSearch, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements from now on."""
    said: list[str] = []
    connect = search._links.connect

    async def connected() -> Any:
        made = await connect()
        made.add_query_logger(lambda record: said.append(record.query))
        return made

    monkeypatch.setattr(search._links, "connect", connected)
    return said


async def test_a_unit_costs_a_dozen_statements(
    shared: PostgresStore, pair: list[PostgresSearch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the bot said, and however many conversations there are."""
    search, homes = pair[0], list(range(1, 21))
    await say_many(shared, 1)
    said = counted(search, monkeypatch)
    await search.follow([1], [], [])  # the driver asks for types when it first meets them
    await say_many(shared, 24, since=2)
    for chat in homes[1:]:
        await accept_one(shared, inbound(1000 + chat, str(chat)), always(say("ответ")))
    assert len(await following(search, homes, said)) <= 12
    assert len(await found(search)) == 44
    await accept_one(shared, inbound(2000, "1", Message("ещё")), always(say("ответ")))
    assert len(await following(search, homes[:1], said)) <= 12
    assert len(await found(search)) == 45
    again = await following(search, homes, said)
    assert len(again) <= 11
    assert not any(it.startswith(("INSERT INTO search_documents", "DELETE", "UPDATE")) for it in again)


async def following(search: PostgresSearch, homes: list[int], said: list[str]) -> list[str]:
    """The statements of a unit; the driver tells of each a moment later."""
    await asyncio.sleep(0)
    said.clear()
    await search.follow(homes, [], [])
    await asyncio.sleep(0)
    assert (said[0], said[-1]) == ("BEGIN;", "COMMIT;")
    return list(said)


async def test_who_waited_for_another_reads_what_came_meanwhile(
    shared: PostgresStore, pair: list[PostgresSearch], link: Any
) -> None:
    """What is locked is read afterwards: an older state never follows a newer one."""
    await accept_one(shared, inbound(1, event=Message("старое")), QUIET)
    for number, key in enumerate((1, 2**31 - 1), 2):  # the conversation, and its client
        async with link.transaction():
            await link.execute("SELECT pg_advisory_xact_lock($1, $2)", SPACE, key)
            late = asyncio.create_task(pair[0].follow([1], [], []))
            await waiting(link)
            await changed(shared, number, Edited("1", f"новое {number}"))
        await late
        assert await found(pair[1]) == {(1, 1): f"новое {number}"}


async def waiting(link: Any) -> None:
    """Returns when somebody waits for a lock."""
    async with asyncio.timeout(5):
        while not await link.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            await asyncio.sleep(0.01)


async def test_locks_are_taken_in_one_order(shared: PostgresStore, pair: list[PostgresSearch], link: Any) -> None:
    """Who waits for the first conversation does not hold the second one yet."""
    for chat in "12":
        await accept_one(shared, inbound(int(chat), chat), QUIET)
    async with link.transaction():
        await link.execute("SELECT pg_advisory_xact_lock($1, $2)", SPACE, 1)
        late = asyncio.create_task(pair[0].follow([2, 1], [], []))
        await waiting(link)
        await asyncio.wait_for(pair[1].follow([2], [], []), 5)
    await late
    assert len(await found(pair[0])) == 2


async def test_two_processes_end_with_the_last_state(shared: PostgresStore, pair: list[PostgresSearch]) -> None:
    chats = [str(it) for it in range(1, 7)]
    for number, chat in enumerate(chats, 1):
        await accept_one(shared, inbound(number, chat, message_id="x"), QUIET)
    homes = list(range(1, 7))
    for turn in range(1, 16):
        for number, chat in enumerate(chats, 1):
            await accept_one(shared, inbound(turn * 100 + number, chat, Edited("x", f"{turn}"), message_id=""), QUIET)
        asked = (it.follow(order, [], []) for it, order in zip(pair * 2, (homes, homes[::-1]) * 2, strict=True))
        await asyncio.gather(*asked)
        assert await found(pair[0]) == {(home, 1): f"{turn}" for home in homes}


async def test_the_thread_that_indexes_leaves_the_core_to_the_loop(clock: FakeClock, path: Path) -> None:
    store = SQLiteStore(path, clock, OUTER)
    await store.open()
    search = SQLiteSearch(path)
    await search.open()
    indexing = await asyncio.get_running_loop().run_in_executor(search._index, threading.get_native_id)
    back = sqlite.NICE if sys.platform == "linux" else 0  # only there threads have priorities
    assert os.getpriority(os.PRIO_PROCESS, indexing) == min(os.getpriority(os.PRIO_PROCESS, 0) + back, 19)
    await search.close()
    await store.close()


async def test_a_new_file_is_written_like_an_old_one(clock: FakeClock, path: Path) -> None:
    """What is derived waits for no disk, and its log does not grow for ever: not only from the second start on."""
    ways: list[list[Any]] = []
    for _ in range(2):
        store = SQLiteStore(path, clock, OUTER)
        await store.open()
        search = SQLiteSearch(path)
        await search.open()
        asked = ("journal_mode", "synchronous", "wal_autocheckpoint")
        ways.append([search._writing.execute(f"PRAGMA {name}").fetchone()[0] for name in asked])
        await search.close()
        await store.close()
    assert ways == [["wal", 0, 1000]] * 2


async def test_many_new_words_are_kept_in_parts(shared: PostgresStore, pair: list[PostgresSearch]) -> None:
    """Between two of them others have their turn, and what another process writes meanwhile is not held up."""
    rests: list[int] = []

    async def rest() -> None:
        rests.append(await accept_one(shared, inbound(5000 + len(rests), "2"), QUIET) is not None)

    await say_many(shared, 2 * FRESH + 1)
    await pair[0].follow([1], [], [], rest)
    assert len(rests) == 3
    assert len(await found(pair[0])) == 2 * FRESH + 1
