"""The feed's numbers: after the commit, without gaps, in an order in which nobody misses anything; also with two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy.util.concurrency import await_

from core.conversation import Conversation
from storage.asked import Asked
from storage.feed import numbering
from storage.feed.reading import AT_ONCE
from storage.feed.store import Feed
from storage.ledger import Ledger
from storage.memory import MemoryStore
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.work.projecting import tell
from storage.work.units import Units, asked
from tests.storage.making import START, AnyStore, FakeClock, accept_one, inbound

pytestmark = pytest.mark.parametrize("make", ["sqlite", "postgresql", "pgbouncer"], indirect=True)
Store = SQLiteStore | PostgresStore


def home(id: int) -> Conversation:
    return Conversation(id=id, channel="telegram", account="bot", chat=str(id), client=id)


def telling(id: int, at: float = START) -> Callable[[Ledger], None]:
    return lambda ledger: tell(ledger, home(id), "message", at, {"n": id})


@pytest.fixture
def sql(store: AnyStore) -> Store:
    assert not isinstance(store, MemoryStore)
    return store


@pytest.fixture
def units(sql: Store) -> Units:
    return Units(sql)


@pytest.fixture
def feed(units: Units) -> Feed:
    return Feed(units)


async def seqs(feed: Feed, after: int = 0) -> list[int]:
    return [row["seq"] for row in (await feed.news(after, 0)).rows]


async def test_numbers_begin_at_one_and_have_no_gap(units: Units, feed: Feed) -> None:
    assert (await feed.bounds()).last == 0
    for id in (5, 3, 4):
        await units.write(telling(id))
    assert await seqs(feed) == [], "a row without a number is not there yet"
    assert await feed.number()
    found = (await feed.news(0, 0)).rows
    assert [(row["seq"], row["conversation"]) for row in found] == [(1, 5), (2, 3), (3, 4)]
    await units.write(telling(6))
    await feed.number()
    assert await seqs(feed, 2) == [3, 4]


async def test_what_is_undone_takes_no_number(units: Units, feed: Feed) -> None:
    def fall(ledger: Ledger) -> None:
        telling(1)(ledger)
        raise LookupError("second thoughts")

    with pytest.raises(LookupError):
        await units.write(fall)
    await units.write(telling(2))
    await feed.number()
    assert [(row["seq"], row["conversation"]) for row in (await feed.news(0, 0)).rows] == [(1, 2)]


async def test_many_writers_and_numberers_at_once_leave_no_gap_and_no_repeat(units: Units, feed: Feed) -> None:
    """Whoever reads behind the last number he saw, again and again, has seen all, each once and in order."""
    over = asyncio.Event()
    seen: list[int] = []

    async def read() -> None:
        while not over.is_set() or await feed.number() is False or (await feed.bounds()).last > len(seen):
            await feed.number()
            seen.extend(await seqs(feed, seen[-1] if seen else 0))
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    await asyncio.gather(*(units.write(telling(id)) for id in range(1, 301)), *(feed.number() for _ in range(20)))
    over.set()
    async with asyncio.timeout(20):
        await reading
    assert seen == list(range(1, 301))


async def test_old_rows_go_from_the_front_and_numbers_go_on(units: Units, feed: Feed) -> None:
    for id, age in enumerate((900, 800, 100, 700, 0), 1):
        await units.write(telling(id, START - age))
    assert await feed.trim(START - 500) == 2, "what lies behind a younger row stays: there is never a gap"
    bounds = await feed.bounds()
    assert (bounds.oldest, bounds.last) == (3, 5)
    assert [bounds.reach(after) for after in range(7)] == [False, False, True, True, True, True, False]
    assert await feed.trim(START + 1) == 3
    assert (await feed.bounds()).last == 5
    await units.write(telling(9))
    await feed.number()
    assert await seqs(feed) == [6]


async def test_a_commit_tells_that_it_wrote_a_line(sql: Store, units: Units) -> None:
    told: list[int] = []
    sql.on_feed = lambda: told.append(1)
    await units.write(lambda ledger: None)
    await asyncio.sleep(0.01)
    assert told == []
    await units.write(telling(1))
    await asyncio.sleep(0.01)
    assert told == [1]


async def test_rows_of_many_conversations_come_with_their_last_message(sql: Store, feed: Feed) -> None:
    homes = [(await accept_one(sql, inbound(n, str(n)))).conversation for n in range(1, AT_ONCE + 3)]
    found = await feed.rows(homes)
    assert set(found) == set()  # no session began in them: lists do not have them


@pytest.fixture
async def other(make: Callable[[], AnyStore], sql: Store) -> AsyncIterator[Store]:
    """Another process; where one owns the file, another part of it."""
    if isinstance(sql, SQLiteStore):
        yield sql
        return
    made = make()
    assert isinstance(made, PostgresStore)
    await made.open()
    yield made
    await made.close()


async def test_two_number_together(sql: Store, other: Store, clock: FakeClock) -> None:
    """Two write and number at the same time, a reader of each goes on from his own last number: both see the same."""
    feeds, seen = (Feed(Units(sql)), Feed(Units(other))), ([], [])  # type: tuple[Feed, Feed], tuple[list[int], list[int]]

    async def write(store: Store, first: int) -> None:
        for id in range(first, first + 60):
            await Units(store).write(telling(id))

    async def read(feed: Feed, into: list[int]) -> None:
        while len(into) < 120:
            await feed.number()
            into.extend(row["seq"] for row in (await feed.news(into[-1] if into else 0, 0)).rows)
            await asyncio.sleep(0.001)

    async with asyncio.timeout(30):
        await asyncio.gather(write(sql, 1), write(other, 1000), *map(read, feeds, seen))
    assert seen[0] == seen[1] == list(range(1, 121))


async def test_who_begins_a_moment_later_goes_on_where_the_other_began(
    sql: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find that nothing was ever numbered; one has numbered all of it before the other begins."""
    if isinstance(sql, SQLiteStore):
        return  # one process has the file, one unit at a time writes
    first, second = Units(sql), Units(other)
    await first.write(telling(1))

    class Slow:
        """Rows of a unit that stops for a moment when it has found no number."""

        def __init__(self, rows: Asked) -> None:
            self._rows = rows

        def value(self, statement: Any, **values: Any) -> Any:
            found = self._rows.value(statement, **values)
            if statement is numbering.LAST:
                monkeypatch.undo()
                await_(Feed(second).number())
                await_(second.write(telling(2)))
            return found

        def run(self, statement: Any, **values: Any) -> Any:
            return self._rows.run(statement, **values)

    monkeypatch.setattr("storage.feed.numbering.asked", lambda ledger: Slow(asked(ledger)))
    await Feed(first).number()
    await Feed(first).number()
    assert await seqs(Feed(first)) == [1, 2]
    assert (await Feed(first).bounds()).last == 2
