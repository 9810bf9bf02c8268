"""A file of the search that breaks while it is used is made anew; what broke elsewhere leaves it alone."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from core.events import Message
from core.ports import StorageFull
from storage.search import sqlite
from storage.search.sqlite import SQLiteSearch
from storage.sqlite import SQLiteStore
from tests.storage.conftest import OUTER
from tests.storage.making import FakeClock, accept_one, always, inbound

PAGE = 4096


@pytest.fixture
async def store(path: Path, clock: FakeClock) -> AsyncIterator[SQLiteStore]:
    made = SQLiteStore(path, clock, OUTER)
    await made.open()
    for number in range(1, 31):
        await accept_one(made, inbound(number, str(number), event=Message(f"заказ {number}")), always())
    yield made
    await made.close()


@pytest.fixture
async def search(store: SQLiteStore) -> AsyncIterator[SQLiteSearch]:
    made = SQLiteSearch(store.path)
    await made.open()
    await made.follow(range(1, 31), [], [])
    yield made
    await made.close()


async def ask(search: SQLiteSearch) -> int:
    """How many documents have a word, as the thread of questions finds it."""
    return await search._run(search._ask, lambda: _count(search))


def _count(search: SQLiteSearch) -> int:
    found: int = search._asking.execute("SELECT count(*) FROM words WHERE words MATCH 'заказ'").fetchone()[0]
    return found


def spoil_words(search: SQLiteSearch) -> None:
    """The tables are sound; the index of words in them is not."""
    search._writing.execute("DELETE FROM words_data WHERE id > 10")


def spoil_pages(search: SQLiteSearch) -> None:
    """Nothing behind the first page is what it was."""
    search._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with search.path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (search.path.stat().st_size - PAGE))
    for link in (search._writing, search._asking):
        link.execute("PRAGMA shrink_memory")  # else they go on with what they remember


@pytest.mark.parametrize(
    ("spoil", "first"), [(spoil_words, "asked"), (spoil_pages, "asked"), (spoil_pages, "followed")]
)
async def test_a_broken_file_is_made_anew(
    search: SQLiteSearch, spoil: Callable[[SQLiteSearch], None], first: str
) -> None:
    assert (await ask(search), search.anew) == (30, 0)
    spoil(search)
    with pytest.raises(StorageFull):
        await (ask(search) if first == "asked" else search.follow(range(1, 31), [], []))
    assert (search.anew, await ask(search)) == (1, 0)
    assert await search.stale(0, 100) == (list(range(1, 31)), 0)
    await search.follow(range(1, 31), [], [])
    assert await ask(search) == 30


async def test_what_is_broken_elsewhere_leaves_it_alone(search: SQLiteSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def broken(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "SQLiteSource", broken)
        with pytest.raises(StorageFull):
            await search.follow([1], [], [])
    assert (search.anew, await ask(search)) == (0, 30)


async def test_no_room_for_a_new_file_is_tried_again(search: SQLiteSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    spoil_words(search)
    with monkeypatch.context() as patch:
        patch.setattr(search, "_take_anew", full)
        with pytest.raises(StorageFull):
            await ask(search)
    assert search.anew == 0
    with pytest.raises(StorageFull):
        await ask(search)
    assert (search.anew, await ask(search)) == (1, 0)
