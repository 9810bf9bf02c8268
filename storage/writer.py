"""Group commit: waiting units of writing share one transaction and one fsync.

Statements take microseconds and run on the loop's thread; a thread of their own would fight it for the GIL at each of
them. Only what waits for the disk is sent to a thread, and meanwhile the next group gathers: checkpoints, and COMMIT on a
disk that is slow. On a quick one the way to a thread and back costs more than the fsync.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.ports import StorageFull
from storage.ledger import Ledger, Unit
from storage.sql_rows import SqlRows
from storage.wal import Log

T = TypeVar("T")

GROUP = 64  # units in one transaction
QUICK = 0.001  # seconds: a disk that answers sooner is waited for on the spot, a thread would cost more
PROBE = 64  # groups between two looks at a disk that was slow
CHECKPOINT = 5_000  # rows changed between checkpoints, up to 25 MB of log; the next group waits for each
SPAN = 0.010  # seconds that a group may hold the loop
PATIENCE = 0.005  # seconds that a unit nobody waits for may stay, so that the next group takes it along

# The disk is full or gone, as SQLite says it: https://www.sqlite.org/rescode.html
_OUT_OF_ORDER = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_NOMEM,
}


def is_full(error: BaseException) -> bool:
    """Whether nothing can be written now; a mistake of one unit is something else."""
    return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _OUT_OF_ORDER


@dataclass
class _Task:
    """A unit that waits, and what became of it."""

    work: Callable[[], Any]
    future: asyncio.Future[Any]
    unit: Unit = field(default_factory=Unit)
    result: Any = None
    patient: bool = False  # it may wait a little, to go with others
    alone: bool = False  # a unit of its group failed: each tries by itself


class Writer:
    """Runs units of writing in groups over one connection. `on_events` is called when one left new pending events, `on_feed`
    when one wrote a line of the feed."""

    def __init__(self, connection: sqlite3.Connection, ledger: Ledger, rows: SqlRows, log: Log) -> None:
        self._connection = connection
        self._log = log
        self._ledger = ledger
        self._rows = rows
        self._waiting: deque[_Task] = deque()
        self._group: list[_Task] = []
        self._drain: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._disk = ThreadPoolExecutor(1, "frontline-commit")
        self.on_events: Callable[[], None] | None = None
        self.on_feed: Callable[[], None] | None = None
        self._checkpointed = connection.total_changes
        self._groups = 0
        self._pace = 0.0  # seconds that a commit takes of late

    async def run(self, work: Callable[[], T], patient: bool = False) -> T:
        """The result of `work` once it is on the disk. Raises `StorageFull`, or what `work` raised.

        A patient unit starts no group of its own for a while: it costs less in the next one.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Task(work, future, patient=patient))
        if self._drain is None:
            self._wake_in_time()
        return await future

    async def close(self) -> None:
        """Returns when everything that waited is written."""
        while self._waiting or self._drain is not None:
            self._wake()
            if self._drain is not None:
                await asyncio.wait([self._drain])
        self._disk.shutdown()
        self._log.close()

    def _wake_in_time(self) -> None:
        """Now when somebody is in a hurry; else in a while, if anybody waits."""
        if not self._all_patient():
            self._wake()
        elif self._waiting and self._later is None:
            self._later = asyncio.get_running_loop().call_later(PATIENCE, self._wake)

    def _all_patient(self) -> bool:
        return all(task.patient for task in self._waiting)

    def _wake(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._drain is None and self._waiting:
            self._drain = asyncio.get_running_loop().create_task(self._write_all())
            self._drain.add_done_callback(self._ended)

    def _ended(self, drain: asyncio.Task[None]) -> None:
        """Whatever stopped the writing is answered for by the group it happened to; what waits goes on."""
        self._drain = None
        error = None if drain.cancelled() else drain.exception()
        if error is not None:
            self._rollback()
            self._blame(error)
        self._wake_in_time()

    async def _write_all(self) -> None:
        """Groups until nobody waits, or only such as came while the disk was busy and may wait for more to come."""
        whole = False
        while self._waiting and not (whole and self._all_patient()):
            before = self._connection.total_changes
            self._log.ready()
            self._connection.execute("BEGIN IMMEDIATE")
            self._fill()
            whole = not self._waiting
            self._rows.flush()
            if self._connection.total_changes == before:
                self._connection.commit()  # no word of the disk: it says nothing of its pace
            elif self._is_quick():
                self._commit_here()
            else:
                await asyncio.get_running_loop().run_in_executor(self._disk, self._connection.commit)
            self._keep()
            if self._connection.total_changes - self._checkpointed > CHECKPOINT:
                self._checkpointed = self._connection.total_changes
                await asyncio.get_running_loop().run_in_executor(self._disk, self._checkpoint)

    def _is_quick(self) -> bool:
        """Whether the disk is worth waiting for on the spot. A slow one is tried again now and then."""
        self._groups += 1
        return self._pace < QUICK or self._groups % PROBE == 0

    def _commit_here(self) -> None:
        """Only here the disk is timed: in the thread, waiting for the GIL would count as waiting for the disk."""
        began = time.perf_counter()
        self._connection.commit()
        self._pace += (time.perf_counter() - began - self._pace) / 16

    def _checkpoint(self) -> None:
        """Move the log into the database, so that it is written over from its beginning. Where somebody reads just now, or the
        disk is full, the log grows and the next checkpoint tries.

        To cut the log off each time would cost more: 20 ms for the cutting, while messages wait, and a slower commit for each
        frame that makes it longer again (`storage.wal`).
        """
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._log.anew()

    def _fill(self) -> None:
        """Run what waits, until the group is large enough or has held the loop for long enough."""
        group = self._group = []
        until = time.perf_counter() + SPAN
        while self._waiting and (not group or (self._may_join(group) and time.perf_counter() < until)):
            task = self._waiting.popleft()
            if not task.future.cancelled():
                group.append(task)
                task.unit = self._ledger.begin()
                task.result = task.work()

    def _may_join(self, group: list[_Task]) -> bool:
        return len(group) < GROUP and not group[-1].alone and not self._waiting[0].alone

    def _keep(self) -> None:
        self._rows.keep()
        group, self._group = self._group, []
        if self.on_events is not None and any(task.unit.woke for task in group):
            asyncio.get_running_loop().call_soon(self.on_events)
        if self.on_feed is not None and any(task.unit.fed for task in group):
            asyncio.get_running_loop().call_soon(self.on_feed)
        for task in group:
            self._ledger.committed(task.unit)
            if task.future.cancelled():
                # Nobody takes the rows that were handed out: they are free for the next who asks.
                self._ledger.dropped(task.unit)
            else:
                task.future.set_result(task.result)

    def _rollback(self) -> None:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            self._connection.rollback()
        self._rows.drop()
        for task in self._group:
            self._ledger.dropped(task.unit)

    def _blame(self, error: BaseException) -> None:
        """A full disk is everybody's; any other failure is of one unit, so each of the group tries alone."""
        group, self._group = self._group, []
        if is_full(error):
            # Without a group not even a transaction could be begun: the first that waits hears of it.
            _fail(group or self._first(), StorageFull(str(error)))
        elif len(group) <= 1:
            _fail(group or self._first(), error)
        else:
            for task in reversed(group):
                task.alone = True
                self._waiting.appendleft(task)

    def _first(self) -> list[_Task]:
        return [self._waiting.popleft()] if self._waiting else []


def _fail(group: list[_Task], error: BaseException) -> None:
    for task in group:
        if not task.future.cancelled():
            task.future.set_exception(error)
