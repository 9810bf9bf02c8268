"""Backups made under load, and what a restored copy does not do: send what the original may have sent."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.effects import CreateTicket, StartTimer
from core.events import DeliveryFailed
from core.outbox import Sent, Settled
from core.ports import Result, Work
from storage import StoreBusy, StoreSealed, open_store
from storage.copies import TICKET_GAP, NoBackup, back_up, restore
from storage.migrate import migrate
from storage.sqlite import SQLiteStore
from tests.postgres import Cluster
from tests.storage.making import ECHO, FakeClock, always, inbound, say

NOW = "2026-03-04T09:00:00+00:00"


def ticket(number: int) -> CreateTicket:
    return CreateTicket(f"key-{number}", number, "general", "Title")


def meta(path: Path, name: str) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return found[0] if found else None


@pytest.fixture
async def copy(sqlite: SQLiteStore, tmp_path: Path) -> Path:
    """A copy with one message sent, one that waits, a timer that waits for it, and a ticket."""
    (first,) = await sqlite.accept([inbound(1)], always(say("sent"), say("waits"), ticket(1)))
    await sqlite.mark([Settled(first.outbox[0], Sent("sent", ("m1",)))])
    await sqlite.accept([inbound(2)], always(say("asks"), StartTimer("silence", 60.0, from_delivery=True)))
    to = tmp_path / "copy.db"
    back_up(sqlite.path, to, NOW)
    return to


async def test_a_copy_does_not_serve(copy: Path, clock: FakeClock) -> None:
    with pytest.raises(StoreSealed) as raised:
        await SQLiteStore(copy, clock).open()
    assert (raised.value.why, raised.value.detail) == ("backup", NOW)


async def test_a_refused_copy_is_free(copy: Path, clock: FakeClock) -> None:
    """Whoever was refused holds no lock: the restore comes next."""
    with pytest.raises(StoreSealed):
        await SQLiteStore(copy, clock).open()
    await restore(f"sqlite:///{copy}", clock)
    store = SQLiteStore(copy, clock)
    await store.open()
    await store.close()


async def test_a_restored_copy_sends_nothing_of_the_past(copy: Path, clock: FakeClock) -> None:
    done = await restore(f"sqlite:///{copy}", clock)
    assert (done.unsent, done.sealed) == (2, f"backup:{NOW}")
    store = SQLiteStore(copy, clock)
    await store.open()
    assert await store.lease() == []
    states = {it.message.body.text: it.state for it in await store.history(1) if it.message}
    assert states == {"sent": "sent", "waits": "failed", "asks": "failed"}
    await store.close()


async def test_what_was_not_sent_is_visible(copy: Path, clock: FakeClock) -> None:
    """Each becomes an event of its conversation, as any delivery that nobody confirmed."""
    await restore(f"sqlite:///{copy}", clock)
    store = SQLiteStore(copy, clock)
    await store.open()
    while await store.work(ECHO):
        pass
    verdicts = [
        it.pending.event.verdict for it in await store.events(1) if isinstance(it.pending.event, DeliveryFailed)
    ]
    assert verdicts == ["unknown", "unknown"]
    await store.close()


async def test_timers_that_wait_for_a_delivery_run(copy: Path, clock: FakeClock) -> None:
    await restore(f"sqlite:///{copy}", clock)
    store = SQLiteStore(copy, clock)
    await store.open()
    assert await store.next_due() == clock.now + 60.0
    await store.close()


async def test_new_keys_and_numbers_are_not_those_of_the_original(
    copy: Path, clock: FakeClock, sqlite: SQLiteStore
) -> None:
    """The original goes on; a desk must not take the copy's rows for repeats of the original's."""
    await restore(f"sqlite:///{copy}", clock)
    store = SQLiteStore(copy, clock)
    await store.open()
    keys, numbers = [], []
    for it in (sqlite, store):
        (receipt,) = await it.accept([inbound(9, chat="9")], always(say("new")))
        keys.append(receipt.outbox[0].key)
        (work,) = await work_of(it)
        numbers.append(work)
    assert keys[0] != keys[1]
    assert numbers == [2, 2 + TICKET_GAP]
    await store.close()


async def work_of(store: SQLiteStore) -> list[int]:
    """The ticket number that the next step is told."""
    told: list[int] = []

    def decide(work: Work) -> Result:
        told.append(work.ticket_number)
        return ECHO(work)

    await store.accept([inbound(10, chat="10")], decide)
    return told


async def test_with_keep_what_waits_is_sent(copy: Path, clock: FakeClock) -> None:
    original = meta(copy, "instance")
    done = await restore(f"sqlite:///{copy}", clock, keep=True)
    assert done.unsent == 0
    store = SQLiteStore(copy, clock)
    await store.open()
    assert [row.message.body.text for row in await store.lease() if row.message] == ["waits"]
    assert meta(copy, "instance") == original
    await store.close()


async def test_a_store_that_serves_is_not_restored(sqlite: SQLiteStore, clock: FakeClock) -> None:
    with pytest.raises(StoreBusy):
        await restore(f"sqlite:///{sqlite.path}", clock)


async def test_a_backup_under_load_is_whole(sqlite: SQLiteStore, tmp_path: Path, clock: FakeClock) -> None:
    """Every message is there with its answer, or not at all."""
    taken = 0

    async def load() -> None:
        nonlocal taken
        while True:
            taken += 1
            await sqlite.accept([inbound(taken, chat=str(taken % 7))], ECHO)

    loading = asyncio.create_task(load())
    while taken < 50:
        await asyncio.sleep(0)
    await asyncio.to_thread(back_up, sqlite.path, tmp_path / "a.db", NOW)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    with closing(sqlite3.connect(tmp_path / "a.db")) as copy:
        ((events,),) = copy.execute("SELECT count(*) FROM inbox WHERE state = 1").fetchall()
        ((rows,),) = copy.execute("SELECT count(*) FROM outbox").fetchall()
        ((shown,),) = copy.execute("SELECT count(*) FROM messages").fetchall()
    assert events >= 49
    assert (rows, shown) == (events, 2 * events)


def test_a_backup_replaces_nothing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("other")
    with pytest.raises(NoBackup, match="exists"):
        back_up(path, tmp_path / "a.db", NOW)
    assert (tmp_path / "a.db").read_text() == "other"


def test_there_is_no_backup_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoBackup):
        back_up(tmp_path / "none.db", tmp_path / "a.db", NOW)
    assert not (tmp_path / "none.db").exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(NoBackup):
        back_up(path, tmp_path / "no folder" / "a.db", NOW)
    assert list(tmp_path.glob("**/*.part")) == []


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_copy_may_be_older_than_the_program(
    engine: str, tmp_path: Path, server: Cluster, clock: FakeClock
) -> None:
    """A backup of last year has the tables of last year."""
    url = f"sqlite:///{tmp_path}/old.db" if engine == "sqlite" else server.url(server.create())
    await asyncio.to_thread(migrate, url, "0001")
    await restore(url, clock)
    store = open_store(url, clock)
    await store.open()
    (receipt,) = await store.accept([inbound(1)], ECHO)
    assert receipt.processed
    await store.close()
