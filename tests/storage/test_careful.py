"""After a kill: what may have killed is tried by itself, and only its own attempts are counted."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest

from core.ports import Result, Work
from storage.owners import is_gone, process_name
from storage.sqlite import SQLiteStore
from tests.storage.making import ECHO, FakeClock, accept_one, inbound
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


async def test_what_the_dead_of_this_machine_held_is_free_at_once(new: Make, link: Any) -> None:
    store = new(own_clock=False)
    await store.open()
    await store.accept([inbound(1)], ECHO)
    child = await asyncio.create_subprocess_exec("true")
    await child.wait()
    me = process_name().split(":")
    dead, elsewhere = f"{me[0]}:{child.pid}:{me[2]}", f"other-host:{child.pid}:{me[2]}"
    assert (is_gone(dead), is_gone(elsewhere), is_gone(process_name())) == (True, False, False)
    assert not is_gone(f"{me[0]}:{child.pid}:1-abc"), "a container that counts its own pids"
    held = "INSERT INTO leases VALUES ($1, $2, 3, extract(epoch FROM clock_timestamp()) + 10)"
    await link.execute(held, f"live:{dead}", dead)
    await link.execute(held, "send:telegram", dead)
    await link.execute(held, "poll:telegram", elsewhere)
    await link.execute("UPDATE outbox SET lease_owner = $1, lease_until = lease_until + 1000", dead)
    after = new(own_clock=False)
    await after.open()
    assert await after.hold("send:telegram", "new", 12) == 4, "free, and its epoch grows"
    assert await after.hold("poll:telegram", "new", 12) is None
    assert len(await after.lease()) == 1
    await after.close()
    await store.close()


async def test_every_process_that_starts_soon_after_a_kill_knows(new: Make, link: Any) -> None:
    """What killed one may kill the next, whoever starts first."""
    await link.execute(DEAD_PROCESS)
    for _ in range(2):
        store = new()
        await store.open()
        assert store.unclean
        await store.close()
