"""Lists over a database of before: every session that is there gets its row, on both engines."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import select

from core.conversation import Conversation, Session
from gateway.sessions import Filler
from storage.codec import encode
from storage.migrate import migrate, migrate_file, migrate_postgres
from storage.postgres.store import PostgresStore
from storage.rows import Row
from storage.sqlite import SQLiteStore
from storage.work import filling
from storage.work.schema import sessions
from storage.work.units import Based, Units
from tests.postgres import Cluster
from tests.storage.making import FakeClock, always, inbound

OLD = "0006"  # the last revision without lists
INSERT = (
    "INSERT INTO conversations (id, channel, account, chat, client, version, epoch, live, last_at, created_at, state)"
    " VALUES ({})"
)
QUEUED = Session(
    number=2, status="queued", owner="queue", epoch=5, line="support", opened_at=5.0, queued_at=7.0, last_at=8.0,
    memory={"urgency": 1, "due": 50.0},
)  # fmt: skip
WITH_BOT = Session(number=1, opened_at=3.0, last_at=4.0)
BEFORE = {1: QUEUED, 2: WITH_BOT, 3: Session(), 5: Session(number=1, status="closed", epoch=3, closed_at=9.0)}


def old_rows(kept: dict[int, Session]) -> list[tuple[Any, ...]]:
    """Conversations as the program of before wrote them."""
    rows = []
    for id, session in kept.items():
        home = Conversation(id, "telegram", "bot", str(id), 100 + id, version=1, session=session)
        rows.append((id, "telegram", "bot", str(id), 100 + id, 1, session.epoch, 0, 1.0, 1.0, encode(home)))
    return rows


@pytest.fixture(params=["sqlite", "postgresql"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Any]:
    """A store over a database of before that has just been migrated."""
    store: SQLiteStore | PostgresStore
    if request.param == "sqlite":
        path = tmp_path / "old.db"
        migrate(f"sqlite:///{path}", OLD)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(INSERT.format(", ".join("?" * 11)), old_rows(BEFORE))
        migrate_file(path)
        store = SQLiteStore(path, clock)
    else:
        server: Cluster = request.getfixturevalue("server")
        url = server.url(server.create())
        await _off_loop(migrate, url, OLD)
        link = await asyncpg.connect(url)
        await link.executemany(INSERT.format(", ".join(f"${n}" for n in range(1, 12))), old_rows(BEFORE))
        await link.close()
        await _off_loop(migrate_postgres, url)
        store = PostgresStore(url, clock, own_clock=True)
    await store.open()
    yield store
    await store.close()


async def _off_loop(work: Callable[..., Any], *values: Any) -> None:
    await asyncio.to_thread(work, *values)


async def rows_of(units: Units) -> dict[int, Row]:
    return {row["conversation"]: row for row in await units.ask(lambda reads: reads.all(select(sessions)))}


@pytest.mark.parametrize("span", [1, 2, 1000])
async def test_sessions_of_before_come_into_the_lists(
    span: int, opened: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "SPAN", span)
    units = Units(cast(Based, opened))
    assert await rows_of(units) == {}
    assert await Filler(units, opened.shared).fill() == 3
    rows = await rows_of(units)
    assert sorted(rows) == [1, 2, 5]  # nobody has begun to talk in the third
    queued = rows[1]
    wanted = {"number": 2, "current": 1, "client": 101, "status": "queued", "owner": "queue", "line": "support"}
    assert {name: queued[name] for name in wanted} == wanted
    assert (queued["epoch"], queued["priority"], queued["queued_at"], queued["moved_at"]) == (5, 1, 7.0, 8.0)
    assert rows[5]["status"] == "closed"
    assert await Filler(units, opened.shared).fill() == 0


async def test_what_an_older_program_moved_is_found_again(opened: Any, clock: FakeClock) -> None:
    """It runs beside this one for a while, and knows no lists."""
    units = Units(cast(Based, opened))
    await Filler(units, opened.shared).fill()
    moved = Session(number=2, status="assigned", owner="operator", epoch=6, line="support", operator="vk:77")

    def as_before(ledger: Any) -> None:
        home = ledger.rows.conversation(1)
        home.session, home.version = moved, home.version + 1
        ledger.rows.save_conversation(home, home.version - 1, 0.0)

    await units.write(as_before, [1])
    assert (await rows_of(units))[1]["epoch"] == 5
    assert await Filler(units, opened.shared).fill() == 1
    row = (await rows_of(units))[1]
    assert (row["epoch"], row["operator"], row["status"]) == (6, "vk:77", "assigned")


async def test_new_sessions_need_no_filling(opened: Any, clock: FakeClock) -> None:
    units = Units(cast(Based, opened))
    await Filler(units, opened.shared).fill()
    await opened.accept([inbound(1, "new")], always())
    assert await Filler(units, opened.shared).fill() == 0
