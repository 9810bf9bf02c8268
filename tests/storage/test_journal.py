"""Notes of what was sent: they keep a message from coming twice after a kill, and speak only of rows that they know."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from core.outbox import OutboxRow, Sent
from storage import journal as journals
from storage import writer as writers
from storage.journal import Journal
from storage.sqlite import SQLiteStore
from tests.storage.making import ECHO, FakeClock, inbound, settled

WAITS, DONE = 0, 1


def row(id: int, created_at: float = 5.0) -> OutboxRow:
    return OutboxRow(
        id=id, conversation=1, kind="send", channel="telegram", account="42", chat="1", key=f"k{id}", epoch=0,
        created_at=created_at,
    )  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    it = Journal(tmp_path / "x.sent")
    assert it.open() == []
    return it


def again(journal: Journal) -> list[int]:
    return [note.id for note in Journal(journal._path).open()]


def test_notes_outlive_their_writer(journal: Journal) -> None:
    assert all(journal.note(row(n), Sent("sent", (f"m{n}",))) for n in (1, 2))
    assert [(note.id, note.platform_ids) for note in Journal(journal._path).open()] == [(1, ("m1",)), (2, ("m2",))]


def test_half_a_line_spoils_nothing(journal: Journal) -> None:
    journal.note(row(1), Sent("sent"))
    os.write(journal._file, b"\n[2,5.0,[")
    journal.note(row(3), Sent("sent"))
    assert again(journal) == [1, 3]


def test_a_full_disk_is_said(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, line: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert not journal.note(row(1), Sent("sent"))
    monkeypatch.setattr(os, "write", lambda file, line: 3)
    assert not journal.note(row(1), Sent("sent"))


def test_it_is_emptied_when_all_is_marked(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "LARGEST", 30)
    for n in range(5):
        journal.note(row(n), Sent("sent"))
    journal.marked([0, 1, 2, 3])
    assert len(again(journal)) == 5
    journal.marked([4])
    assert again(journal) == []


async def die(store: SQLiteStore) -> None:
    """What a kill leaves: nothing is written any more, the locks are free."""
    await store._writer.close()
    store._writing.close()
    store._lock.free()


def states(path: Path) -> list[tuple[int, int]]:
    with sqlite3.connect(path) as rows:
        return rows.execute("SELECT id, state FROM outbox ORDER BY id").fetchall()


async def test_a_noted_row_is_not_sent_again(path: Path, clock: FakeClock) -> None:
    first = SQLiteStore(path, clock)
    await first.open()
    [receipt] = await first.accept([inbound(1)], ECHO)
    assert first.note(receipt.outbox[0], settled(receipt.outbox[0]).sent)
    await die(first)
    assert states(path) == [(1, WAITS)]

    second = SQLiteStore(path, clock)
    await second.open()
    assert states(path) == [(1, DONE)]
    assert await second.lease() == []
    assert [item.state for item in await second.history(receipt.conversation)][-1] == "sent"
    await second.close()


async def test_the_next_row_of_its_lane_is_free(path: Path, clock: FakeClock) -> None:
    first = SQLiteStore(path, clock)
    await first.open()
    [receipt] = await first.accept([inbound(1)], ECHO)
    await first.accept([inbound(2)], ECHO)
    first.note(receipt.outbox[0], settled(receipt.outbox[0]).sent)
    await die(first)

    second = SQLiteStore(path, clock)
    await second.open()
    assert [row.id for row in await second.lease()] == [2]
    await second.close()


async def test_notes_of_another_day_are_not_believed(path: Path, clock: FakeClock) -> None:
    """A database that was restored from a backup gives the numbers of later rows out again."""
    first = SQLiteStore(path, clock)
    await first.open()
    [receipt] = await first.accept([inbound(1)], ECHO)
    other = receipt.outbox[0]
    other.created_at -= 1.0
    first.note(other, settled(other).sent)
    await die(first)

    second = SQLiteStore(path, clock)
    await second.open()
    assert [row.id for row in await second.lease()] == [1]
    await second.close()


async def test_a_noted_mark_goes_with_the_next_group(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PATIENCE", 60.0)
    store = SQLiteStore(path, clock)
    await store.open()
    [receipt] = await store.accept([inbound(1)], ECHO)
    verdict = settled(receipt.outbox[0])
    assert store.note(verdict.row, verdict.sent)
    marking = asyncio.create_task(store.mark([verdict]))
    await asyncio.sleep(0.05)
    assert not marking.done()
    await store.accept([inbound(2, "other")], ECHO)
    assert await asyncio.wait_for(marking, 5) == []
    assert states(path)[0] == (1, DONE)
    await store.close()


async def test_patience_ends_and_so_does_a_store(path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLiteStore(path, clock)
    await store.open()
    for number in (1, 2):
        [receipt] = await store.accept([inbound(number)], ECHO)
        verdict = settled(receipt.outbox[0])
        store.note(verdict.row, verdict.sent)
        marking = asyncio.create_task(store.mark([verdict]))
        if number == 1:
            await asyncio.wait_for(marking, 5)
            monkeypatch.setattr(writers, "PATIENCE", 60.0)
    await asyncio.sleep(0)
    await store.close()
    await marking
    assert states(path) == [(1, DONE), (2, DONE)]


async def test_who_waits_for_the_sender_anyway_shares_a_commit(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PATIENCE", 60.0)
    store = SQLiteStore(path, clock)
    await store.open()
    store.relaxed = lambda: True
    first = asyncio.create_task(store.accept([inbound(1)], ECHO))
    await asyncio.sleep(0.05)
    assert not first.done()
    store.relaxed = lambda: False
    await store.accept([inbound(2, "other")], ECHO)
    assert (await asyncio.wait_for(first, 5))[0].processed
    await store.close()


async def test_what_comes_while_a_slow_disk_is_busy_waits_for_more(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PATIENCE", 60.0)
    store = SQLiteStore(path, clock)
    await store.open()
    [receipt] = await store.accept([inbound(1)], ECHO)
    verdict = settled(receipt.outbox[0])
    store.note(verdict.row, verdict.sent)
    store._writer._pace = 1.0  # seconds: too slow to be waited for on the spot
    busy = threading.Event()
    store._writer._disk.submit(busy.wait)
    under_way = asyncio.create_task(store.accept([inbound(2, "other")], ECHO))
    while not store._writer._group:
        await asyncio.sleep(0)
    marking = asyncio.create_task(store.mark([verdict]))
    await asyncio.sleep(0)
    busy.set()
    await under_way
    await asyncio.sleep(0.05)
    assert not marking.done()
    await store.accept([inbound(3, "third")], ECHO)
    await asyncio.wait_for(marking, 5)
    await store.close()
