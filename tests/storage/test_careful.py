"""After a kill: what may have killed is tried by itself, and only its own attempts are counted."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from core.ports import Result, Work
from storage.sqlite import SQLiteStore
from tests.storage.making import FakeClock, accept_one, inbound
from tests.storage.postgres.conftest import Make, link, new
from tests.storage.test_sqlite import abandon

__all__ = ["link", "new"]
DEAD_PROCESS = "INSERT INTO leases VALUES ('live:elsewhere:1:x', 'x', 1, extract(epoch FROM clock_timestamp()) - 1)"
ATTEMPTS = "SELECT attempts FROM inbox ORDER BY id"


class Killed(Exception):
    """Stands for the end of the process: nothing of the turn is written."""


def kill(work: Work) -> Result:
    raise Killed


async def test_sqlite_counts_no_neighbours(sqlite: SQLiteStore, clock: FakeClock) -> None:
    for n in (1, 2, 3):
        await accept_one(sqlite, inbound(n, f"chat {n}"), None)
    abandon(sqlite)
    store = SQLiteStore(sqlite.path, clock)
    await store.open()
    with pytest.raises(Killed):
        await store.work(kill)
    rows = sqlite3.connect(sqlite.path).execute(ATTEMPTS).fetchall()
    assert [attempts for (attempts,) in rows] == [1, 0, 0]
    await store.close()


async def test_postgresql_counts_no_neighbours(new: Make, link: Any) -> None:
    await link.execute(DEAD_PROCESS)
    store = new()
    await store.open()
    for n in (1, 2, 3):
        await accept_one(store, inbound(n, f"chat {n}"), None)
    with pytest.raises(Killed):
        await store.work(kill)
    assert [attempts for (attempts,) in await link.fetch(ATTEMPTS)] == [1, 0, 0]
    await store.close()


async def test_every_process_that_starts_soon_after_a_kill_knows(new: Make, link: Any) -> None:
    """What killed one may kill the next, whoever starts first."""
    await link.execute(DEAD_PROCESS)
    for _ in range(2):
        store = new()
        await store.open()
        assert store.unclean
        await store.close()
