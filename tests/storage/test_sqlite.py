"""What only the embedded store promises: groups, durability, one process, recovery."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from core.effects import StartTimer
from core.events import CallDone, Event, Message, Poisoned
from core.ports import Cursor, Result, StorageFull, Work
from storage import open_store, writer
from storage.lockfile import StoreBusy
from storage.sqlite import SQLiteStore
from storage.work.schema import sessions
from storage.work.units import Based, Units
from tests.storage.making import ECHO, FakeClock, accept_one, always, failing, inbound, say, settled, stored, texts


async def reopened(store: SQLiteStore, clock: FakeClock) -> SQLiteStore:
    """The same file in a new process, after a clean stop."""
    await store.close()
    again = SQLiteStore(store.path, clock)
    await again.open()
    return again


# --- groups ----------------------------------------------------------------------------------------------------------


async def test_units_that_wait_together_share_one_commit(sqlite: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SPAN", 60.0)  # however slow the machine is
    commits: list[str] = []
    sqlite._writing.set_trace_callback(lambda sql: commits.append(sql) if sql.startswith("COMMIT") else None)
    receipts = await asyncio.gather(*(sqlite.accept([inbound(n, str(n))], ECHO) for n in range(32)))
    assert len(commits) == 1
    assert all(receipt.processed for (receipt,) in receipts)


async def test_a_failing_unit_undoes_nobody_else(sqlite: SQLiteStore) -> None:
    def broken(work: Work) -> Result:
        raise KeyError("step")

    deciders = [ECHO, broken, ECHO, ECHO]
    results = await asyncio.gather(
        *(sqlite.accept([inbound(n, str(n))], decide) for n, decide in enumerate(deciders)), return_exceptions=True
    )
    assert [isinstance(it, KeyError) for it in results] == [False, True, False, False]
    assert (await sqlite.stats())["outbox"] == 3
    assert await sqlite.find_conversation("telegram", "bot", "1") is None
    assert await sqlite.lease() == []
    assert (await accept_one(sqlite, inbound(9, "1"))).processed


async def test_a_unit_that_breaks_a_constraint_undoes_nobody_else(sqlite: SQLiteStore) -> None:
    good = sqlite.accept([inbound(1)], ECHO)
    bad = sqlite._writer.run(lambda: sqlite._rows.insert("meta", {"name": None, "value": None}))
    last = sqlite.accept([inbound(2, "b")], ECHO)
    first, error, second = await asyncio.gather(good, bad, last, return_exceptions=True)
    assert isinstance(error, sqlite3.IntegrityError)
    assert isinstance(first, list)
    assert isinstance(second, list)


async def test_a_checkpoint_begins_the_log_anew(sqlite: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for nobody who reads; when they are gone, the log is written over, and cut off if it has become too long."""
    monkeypatch.setattr(writer, "CHECKPOINT", 50)
    log = sqlite.path.with_name(sqlite.path.name + "-wal")
    (limit,) = sqlite._writing.execute("PRAGMA journal_size_limit").fetchone()
    sqlite._writing.execute("PRAGMA journal_size_limit = 300000")
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM inbox").fetchall()
        for n in range(100):
            await sqlite.accept([inbound(n, str(n))], ECHO)
        grown = log.stat().st_size
    for n in range(100, 200):
        await sqlite.accept([inbound(n, str(n))], ECHO)
    assert grown > 1_000_000
    assert 300_000 <= log.stat().st_size < 600_000
    assert limit == 64 << 20


def hold_commits(store: SQLiteStore) -> threading.Event:
    """Make the disk slow: nothing is committed until the event is set."""
    event = threading.Event()
    store._writer._pace = 1.0  # seconds: too slow to be waited for on the spot
    store._writer._disk.submit(event.wait)
    return event


async def test_nobody_sees_what_is_not_committed(sqlite: SQLiteStore) -> None:
    home = (await accept_one(sqlite, inbound(1))).conversation

    def grow(work: Work) -> Result:
        work.conversation.session.epoch = 5
        return ECHO(work)

    disk = hold_commits(sqlite)
    writing = asyncio.ensure_future(sqlite.accept([inbound(2)], grow))
    while not sqlite._writer._group:
        await asyncio.sleep(0)
    conversation = await sqlite.conversation(home)
    assert conversation is not None
    assert (conversation.session.epoch, await sqlite.epoch(home)) == (0, 0)
    found = await sqlite.find_conversation("telegram", "bot", "1")
    assert found is not None
    assert found.session.epoch == 0
    assert len(await sqlite.history(home)) == 2
    assert not writing.done()
    disk.set()
    await writing
    assert await sqlite.epoch(home) == 5


async def test_nothing_is_acknowledged_before_the_commit(sqlite: SQLiteStore) -> None:
    finished: list[str] = []
    sqlite._writing.set_trace_callback(lambda sql: finished.append(sql) if sql.startswith("COMMIT") else None)
    accepting = asyncio.ensure_future(sqlite.accept([inbound(1)], ECHO))
    accepting.add_done_callback(lambda _: finished.append("answered"))
    await accepting
    await asyncio.sleep(0)
    assert finished == ["COMMIT", "answered"]


async def test_a_caller_that_went_away_leaves_its_rows_to_the_next(sqlite: SQLiteStore) -> None:
    disk = hold_commits(sqlite)
    accepting = asyncio.ensure_future(sqlite.accept([inbound(1)], ECHO))
    while not sqlite._writer._group:
        await asyncio.sleep(0)
    accepting.cancel()
    disk.set()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    await sqlite.push(1, CallDone("k", "ok"), "k")
    assert texts(await sqlite.lease()) == ["re m1"]


async def test_reads_do_not_disturb_the_writer(sqlite: SQLiteStore) -> None:
    async def read() -> None:
        for _ in range(20):
            await sqlite.history(1)
            await sqlite.stats()
            await sqlite.lease()

    async def write(chat: str) -> None:
        for number in range(20):
            await accept_one(sqlite, inbound(number, chat, external_id=f"{chat}:{number}"))

    await asyncio.gather(read(), read(), *(write(str(chat)) for chat in range(5)))
    assert len(await sqlite.history(1, limit=1000)) == 40


# --- restart ---------------------------------------------------------------------------------------------------------


async def test_everything_survives_a_restart(sqlite: SQLiteStore, clock: FakeClock) -> None:
    receipt = await accept_one(sqlite, inbound(1), always(say("a"), say("b"), StartTimer("t", 9.0)))
    await sqlite.accept([], None, Cursor("telegram", "8"))
    again = await reopened(sqlite, clock)
    assert await again.cursor("telegram") == "8"
    assert await again.next_due() == clock.now + 9
    assert (await accept_one(again, inbound(1))).duplicate
    (row,) = await again.lease()  # at start all leases are void
    assert row == stored(receipt.outbox[0])
    second = await accept_one(again, inbound(2))
    assert second.conversation == receipt.conversation
    assert [it.seq for it in await again.history(receipt.conversation)] == [1, 2, 3, 4, 5]
    await again.close()


async def test_numbers_and_keys_go_on_after_a_restart(sqlite: SQLiteStore, clock: FakeClock) -> None:
    first = await accept_one(sqlite, inbound(1, "a"))
    again = await reopened(sqlite, clock)
    second = await accept_one(again, inbound(2, "b"))
    assert second.conversation == first.conversation + 1
    assert second.outbox[0].id == first.outbox[0].id + 1
    assert second.outbox[0].key.partition("-")[0] == first.outbox[0].key.partition("-")[0]
    await again.close()


async def test_keys_of_two_stores_differ(sqlite: SQLiteStore, tmp_path: Path, clock: FakeClock) -> None:
    other = SQLiteStore(tmp_path / "other.db", clock)
    await other.open()
    rows = [(await accept_one(store, inbound(1))).outbox[0] for store in (sqlite, other)]
    assert rows[0].id == rows[1].id
    assert rows[0].key != rows[1].key
    await other.close()


async def test_a_small_cache_changes_nothing(path: Path, clock: FakeClock) -> None:
    store = SQLiteStore(path, clock)
    await store.open()
    for layer in store._rows._layers:
        layer._size = 2
    for number in range(30):
        await accept_one(store, inbound(number, str(number % 7)))
    for home in range(1, 8):
        conversation = await store.conversation(home)
        history = await store.history(home)
        assert conversation is not None
        assert [it.seq for it in history] == list(range(1, conversation.seq + 1))
    await store.close()


# --- after a crash ---------------------------------------------------------------------------------------------------


def abandon(store: SQLiteStore) -> None:
    """What kill -9 leaves behind, as far as one process can play it: the file as it is, the lock free."""
    store._lock.free()


async def test_a_clean_stop_is_told_from_a_crash(sqlite: SQLiteStore, clock: FakeClock) -> None:
    assert not sqlite.unclean
    abandon(sqlite)
    crashed = SQLiteStore(sqlite.path, clock)
    await crashed.open()
    assert crashed.unclean
    again = await reopened(crashed, clock)
    assert not again.unclean
    await again.close()


async def test_an_event_that_kills_the_process_is_set_aside(sqlite: SQLiteStore, clock: FakeClock) -> None:
    await accept_one(sqlite, inbound(1, "bad"), None)
    await accept_one(sqlite, inbound(2, "bad"), None)
    abandon(sqlite)

    class Killed(BaseException):
        """Stands for the end of the process."""

    processed: list[Event] = []

    def kill(work: Work) -> Result:
        if work.events[0].event == Message("m1"):
            raise Killed
        processed.extend(it.event for it in work.events)
        return ECHO(work)

    attempts = 0
    for _ in range(20):
        store = SQLiteStore(sqlite.path, clock)
        await store.open()
        assert store.unclean
        try:
            attempts += 1
            await store.work(kill)
        except BaseException as error:
            assert isinstance(error, Killed)  # noqa: PT017
        else:
            break
        abandon(store)
    assert attempts == 6
    while await store.work(kill):
        pass
    assert {type(it) for it in processed} == {Poisoned, Message}
    assert len(processed) == 2
    assert (await store.stats())["dead"] == 1
    assert [it.event for it in await store.history(1) if it.author == "client"] == [Message("m1"), Message("m2")]
    await store.close()


async def test_care_ends_with_what_the_last_process_left(sqlite: SQLiteStore, clock: FakeClock) -> None:
    """One event a commit, counted beforehand, is for those that may have killed: later ones come in batches again."""
    for n in (1, 2):
        await accept_one(sqlite, inbound(n), None)
    abandon(sqlite)
    store = SQLiteStore(sqlite.path, clock)
    await store.open()
    batches: list[int] = []

    def count(work: Work) -> Result:
        batches.append(len(work.events))
        return ECHO(work)

    while await store.work(count):
        pass
    for n in (3, 4):
        await accept_one(store, inbound(n), None)
    await store.work(count)
    assert batches == [1, 1, 2]
    assert store.unclean, "how the last process ended stays known"
    await store.close()


async def test_attempts_counted_beforehand_are_not_counted_twice(sqlite: SQLiteStore, clock: FakeClock) -> None:
    await accept_one(sqlite, inbound(1), None)
    abandon(sqlite)
    store = SQLiteStore(sqlite.path, clock)
    await store.open()
    tries = 0
    while (await store.stats())["dead"] == 0:
        await store.work(failing)
        tries += 1
        clock.now += 10
    assert tries == 5
    await store.close()


# --- kill -9 ---------------------------------------------------------------------------------------------------------

WRITER = """
import asyncio, sys, time
from storage.sqlite import SQLiteStore
from tests.storage.making import ECHO, inbound, settled

async def client(store, chat):
    number = 0
    while True:
        number += 1
        (receipt,) = await store.accept([inbound(number, chat, external_id=f"{chat}:{number}")], ECHO)
        print(f"{chat}:{number}", flush=True)
        for row in receipt.outbox:
            await store.mark([settled(row)])

async def main():
    store = SQLiteStore(sys.argv[1], time.time)
    await store.open()
    await asyncio.gather(*(client(store, f"{sys.argv[2]}{n}") for n in range(16)))

asyncio.run(main())
"""


def run_and_kill(path: Path, run: int) -> list[str]:
    """What a process under load acknowledged before kill -9."""
    command = [sys.executable, "-c", WRITER, str(path), f"r{run}-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(200 + 37 * run)]
        process.kill()
        return acknowledged + process.stdout.read().split("\n")[:-1]


@pytest.mark.faults
async def test_kill_minus_nine_loses_nothing_acknowledged(path: Path, clock: FakeClock) -> None:
    acknowledged = [name for run in range(5) for name in run_and_kill(path, run)]
    store = SQLiteStore(path, clock)
    await store.open()
    assert store.unclean
    assert store._writing.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    named = [(name, *name.partition(":")) for name in acknowledged]
    again = [inbound(int(number), chat, external_id=name) for name, chat, _, number in named]
    assert all(receipt.duplicate for receipt in await store.accept(again))
    for home in range(1, store._ledger.numbers.conversation):
        history = await store.history(home, limit=100_000)
        assert [it.seq for it in history] == list(range(1, len(history) + 1))
        said = [it.event.text for it in history if isinstance(it.event, Message)]
        assert said == [f"m{n}" for n in range(1, len(said) + 1)]
        assert [it.message.body.text for it in history if it.message] == [f"re {text}" for text in said]
    assert len(acknowledged) > 1000
    await store.close()


# --- one process per file --------------------------------------------------------------------------------------------


async def test_a_second_process_is_told_who_has_the_file(sqlite: SQLiteStore, clock: FakeClock) -> None:
    second = SQLiteStore(sqlite.path, clock)
    with pytest.raises(StoreBusy, match=str(os.getpid())) as caught:
        await second.open()
    assert caught.value.pid == os.getpid()
    assert (await accept_one(sqlite, inbound(1))).processed


async def test_a_store_that_could_not_open_leaves_the_file_free(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"this is no database" * 100)
    store = SQLiteStore(path, clock)
    with pytest.raises(sqlite3.DatabaseError):
        await store.open()
    path.unlink()
    await store.open()
    await store.close()


# --- a full disk -----------------------------------------------------------------------------------------------------


def set_room(store: SQLiteStore, pages: int) -> None:
    """Give the file only so many pages more than it has; a negative number takes the limit away."""
    (used,) = store._writing.execute("PRAGMA page_count").fetchone()
    store._writing.execute(f"PRAGMA max_page_count={used + pages if pages >= 0 else 1_073_741_823}")


async def test_a_full_disk_refuses_and_recovers_by_itself(sqlite: SQLiteStore, clock: FakeClock) -> None:
    first = await accept_one(sqlite, inbound(0, "x"))
    set_room(sqlite, 3)
    acknowledged, refused = [], 0
    wall = "я" * 4096
    for number in range(1, 30):
        try:
            receipt = await accept_one(sqlite, inbound(number, f"c{number}", event=Message(wall)))
            acknowledged.append((number, receipt.conversation))
        except StorageFull:
            refused += 1
    assert refused > 0
    with pytest.raises(StorageFull):
        await sqlite.accept([inbound(99, event=Message(wall * 10))], ECHO, Cursor("telegram", "100"))
    assert await sqlite.cursor("telegram") == ""
    set_room(sqlite, -1)
    assert await sqlite.healthy()
    receipt = await accept_one(sqlite, inbound(99, event=Message(wall)))
    assert not receipt.duplicate
    for number, home in acknowledged:
        again = await accept_one(sqlite, inbound(number, f"c{number}", event=Message(wall)))
        assert (again.duplicate, again.conversation) == (True, home)
    assert await sqlite.mark([settled(first.outbox[0])]) == []
    assert sqlite._writing.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_full_disk_fails_the_whole_group_and_frees_its_leases(sqlite: SQLiteStore) -> None:
    set_room(sqlite, 0)
    wall = "я" * 40_000
    ended = await asyncio.gather(
        *(sqlite.accept([inbound(n, str(n), event=Message(wall))], ECHO) for n in range(8)), return_exceptions=True
    )
    assert all(isinstance(it, StorageFull) for it in ended)
    assert len(sqlite._ledger.leases) == 0
    set_room(sqlite, -1)
    assert (await sqlite.stats())["outbox"] == 0
    assert await sqlite.conversation(1) is None
    assert (await accept_one(sqlite, inbound(1, "1"))).seq == 1


LIMITED = """
import asyncio, json, resource, signal, sys, time
from core.ports import StorageFull
from core.events import Message
from storage.sqlite import SQLiteStore
from tests.storage.making import ECHO, inbound

async def main():
    store = SQLiteStore(sys.argv[1], time.time)
    await store.open()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wall, acknowledged, refused = "w" * 4000, [], 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
    for number in range(300):
        try:
            await store.accept([inbound(number, str(number), event=Message(wall))], ECHO)
            acknowledged.append(number)
        except StorageFull:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.accept([inbound(1000)], ECHO)
    healthy = await store.healthy()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    unnoticed = await store.healthy()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.close()
    print(json.dumps([acknowledged, refused, healthy, unnoticed]))

asyncio.run(main())
"""


def run_on_little_space(path: Path) -> tuple[list[int], int, bool, bool]:
    """What was acknowledged, how many were refused, whether the store was well when there was space again, and whether
    it says so of a disk that is full when nobody writes."""
    command = [sys.executable, "-c", LIMITED, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    acknowledged, refused, healthy, unnoticed = json.loads(ended.stdout)
    return acknowledged, refused, healthy, unnoticed


@pytest.mark.faults
async def test_the_kernel_refuses_to_grow_the_files(path: Path, clock: FakeClock) -> None:
    acknowledged, refused, healthy, unnoticed = run_on_little_space(path)
    assert acknowledged
    assert refused
    assert healthy
    assert not unnoticed
    store = SQLiteStore(path, clock)
    await store.open()
    assert not store.unclean
    for number in [*acknowledged, 1000]:
        assert (await accept_one(store, inbound(number, str(number)), None)).duplicate
    assert store._writing.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    await store.close()


def inside(folder: Path) -> list[int]:
    """The modes of what is in a folder."""
    return [it.stat().st_mode for it in folder.iterdir()]


async def test_nothing_outlives_a_store_of_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is a whole store while it lasts: with lists, in a folder that nobody else may read."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = open_store("memory:", FakeClock())
    assert not inside(tmp_path)
    await store.open()
    (mode,) = inside(tmp_path)
    assert mode & 0o077 == 0
    await store.accept([inbound(1, "a")])
    rows = await Units(cast(Based, store)).ask(lambda reads: reads.all(select(sessions)))
    assert rows == []
    await store.close()
    await store.close()
    assert not inside(tmp_path)


async def test_a_store_of_memory_that_cannot_open_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_: Path) -> bool:
        raise OSError("no tables today")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("storage.sqlite.migrate_file", broken)
    with pytest.raises(OSError, match="no tables today"):
        await open_store("memory:", FakeClock()).open()
    assert not inside(tmp_path)
