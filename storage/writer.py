"""Group commit: waiting units of writing share one transaction, whose fsync runs beside the event loop.

Statements take microseconds and run on the loop's thread; a thread of their own would fight it for the GIL at each of
them. Only COMMIT, which waits for the disk, is sent to a thread, and meanwhile the next group gathers.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from core.ports import StorageFull
from storage.ledger import Ledger, Unit
from storage.sql_rows import SqlRows

T = TypeVar("T")

GROUP = 64  # units in one transaction
SPAN = 0.010  # seconds that a group may hold the loop

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
class _Waiting:
    work: Callable[[], Any]
    future: asyncio.Future[Any]


@dataclass
class _Finished:
    future: asyncio.Future[Any]
    unit: Unit
    result: Any = None
    error: Exception | None = None


class _Savepoint:
    """One unit within a group: its failure is its own and undoes nothing else. A full disk is everybody's."""

    __slots__ = ("_execute", "_finished", "_rows")

    def __init__(self, connection: sqlite3.Connection, rows: SqlRows, finished: _Finished) -> None:
        self._execute = connection.execute
        self._rows = rows
        self._finished = finished

    def __enter__(self) -> None:
        self._execute("SAVEPOINT unit")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if error is None:
            self._rows.keep_unit()
        elif not isinstance(error, Exception) or is_full(error):
            return False
        else:
            self._execute("ROLLBACK TO unit")
            self._rows.drop_unit()
            self._finished.error = error
        self._execute("RELEASE unit")
        return True


class Writer:
    """Runs units of writing in groups over one connection. `on_events` is called when one left new pending events."""

    def __init__(self, connection: sqlite3.Connection, ledger: Ledger, rows: SqlRows) -> None:
        self._connection = connection
        self._ledger = ledger
        self._rows = rows
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(1, "frontline-commit")
        self.on_events: Callable[[], None] | None = None
        self._before = 0  # changes of the connection before the group
        self.full = False  # the last group could not be written

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work` once it is on the disk. Raises `StorageFull`, or what `work` raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, future))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())
        return await future

    async def close(self) -> None:
        """Returns when everything that waited is written."""
        while self._task is not None:
            await asyncio.wait([self._task])
        self._disk.shutdown()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._group()
        finally:
            self._task = None

    async def _group(self) -> None:
        finished: list[_Finished] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._fill(finished)
            self._rows.flush()
            if self._connection.total_changes != self._before:
                await asyncio.get_running_loop().run_in_executor(self._disk, self._connection.commit)
            else:
                self._connection.commit()
        except sqlite3.Error as error:
            self._abandon(finished, error)
            return
        self._keep(finished)

    def _fill(self, finished: list[_Finished]) -> None:
        """Run what waits, until the group is large enough or has held the loop for long enough."""
        self._before = self._connection.total_changes
        until = time.perf_counter() + SPAN
        while self._waiting and len(finished) < GROUP and (not finished or time.perf_counter() < until):
            waiting = self._waiting.popleft()
            if not waiting.future.cancelled():
                it = _Finished(waiting.future, self._ledger.begin())
                finished.append(it)
                with _Savepoint(self._connection, self._rows, it):
                    it.result = waiting.work()
                if it.error is not None:
                    self._ledger.dropped(it.unit)

    def _keep(self, finished: list[_Finished]) -> None:
        self.full = False
        self._rows.keep_group()
        woke = False
        for it in finished:
            if it.error is None:
                self._ledger.committed(it.unit)
                woke = woke or it.unit.woke
            _answer(it, self._ledger)
        if woke and self.on_events is not None:
            self.on_events()

    def _abandon(self, finished: list[_Finished], error: sqlite3.Error) -> None:
        """Nothing of the group was written: everybody in it hears so. What waits behind it tries for itself."""
        self.full = is_full(error)
        if self._connection.in_transaction:
            self._connection.rollback()
        self._rows.drop_group()
        if not finished and self._waiting:
            finished.append(_Finished(self._waiting.popleft().future, Unit()))
        for it in finished:
            self._ledger.dropped(it.unit)
            it.error = StorageFull(str(error)) if self.full else error
            _answer(it, self._ledger)


def _answer(it: _Finished, ledger: Ledger) -> None:
    if it.future.cancelled():
        # Nobody takes the rows that were handed out: they are free for the next who asks.
        ledger.leases.drop(it.unit.taken)
    elif it.error is not None:
        it.future.set_exception(it.error)
    else:
        it.future.set_result(it.result)
