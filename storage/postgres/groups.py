"""Group commit on PostgreSQL: units that wait at the same time share one transaction, a few groups run at once.

The rules run in a greenlet between the loading and the writing, so a rare question of theirs may go to the database while
other groups and everything else on the loop go on.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from asyncpg import exceptions as errors
from sqlalchemy.util.concurrency import await_, greenlet_spawn

from core.ports import Decide, Receipt, StorageFull
from storage import intake
from storage.ledger import Ledger, Unit
from storage.postgres.held import RowLeases
from storage.postgres.links import Links, is_away, is_lost, is_passing, sqlstate
from storage.postgres.loading import Needs, claim, gather, prepare
from storage.postgres.numbers import TicketBlocks
from storage.postgres.rows import PostgresRows
from storage.postgres.transactions import BEGIN, BEGIN_POOLED, Transaction

T = TypeVar("T")

GROUP = 64  # units in one transaction
BESIDE = 16  # units that must wait before a group begins beside one that runs
LATE = 0.02  # seconds after which it begins anyway
PATIENCE = 0.005  # seconds that a unit nobody waits for may stay, so that the next group takes it along
SPAN = 0.005  # seconds that a group holds the loop at a stretch
TRIES = 4  # of a unit by itself, when others were in its way
PAUSE = 0.02  # seconds before the second of them, more with each
UNSTORABLE = {"22021", "22P05"}  # PostgreSQL has no NUL in texts, given by itself or in a document
SMOOTH = 0.05  # weight of the last group in what a turn writes on average

TAKE_BLOCK = (
    "INSERT INTO counters (name, next) VALUES ('ticket', $1::bigint + $2::bigint)"
    " ON CONFLICT (name) DO UPDATE SET next = greatest(counters.next, $1) + $2 RETURNING next"
)
HIGHEST_TICKET = "SELECT coalesce(max(number), 0) + 1 FROM tickets"
GIVE_BACK = "UPDATE counters SET next = $1 WHERE name = 'ticket' AND next = $2"


@dataclass
class Task:
    """A unit that waits, and what became of it."""

    work: Callable[[Ledger], Any]
    needs: Needs
    future: asyncio.Future[Any]
    unit: Unit = field(default_factory=Unit)
    result: Any = None
    patient: bool = False  # it may wait a little, to go with others
    alone: bool = False  # a unit of its group failed: each tries by itself
    tries: int = 0
    clean: bool = False  # its texts hold what the database does not store

    def chats(self) -> set[tuple[str, str, str]]:
        return {(it.channel, it.account, it.chat) for it in self.needs.inbounds}


@dataclass
class Told:
    """What a commit is followed by."""

    events: Callable[[bool], None]  # True: a conversation was locked by others, look again soon
    rows: Callable[[frozenset[str]], None]
    feed: Callable[[], None] = lambda: None
    touched: Callable[[set[int], set[int]], None] = lambda homes, clients: None


class Groups:
    """Runs units of writing over a few connections."""

    def __init__(
        self,
        links: Links,
        aside: Links,
        told: Told,
        owner: str,
        outer_desks: frozenset[str],
        own_clock: Callable[[], float] | None,
        at_once: int,
    ) -> None:
        self._links, self._aside, self._told = links, aside, told
        self.owner, self.instance = owner, ""
        self._outer_desks, self._own_clock = outer_desks, own_clock
        self._at_once = at_once
        self._waiting: deque[Task] = deque()
        self._running: set[asyncio.Task[bool]] = set()
        self._late: asyncio.TimerHandle | None = None
        self._chats: set[tuple[str, str, str]] = set()
        self._pausing: list[Task] = []
        self._blocks = TicketBlocks(self._take_numbers)
        self._per_turn = 2.0
        self.hands: Callable[[str], bool] | None = None
        self.abandoned: set[int] = set()  # rows that were leased to us and reached nobody

    # --- from outside ---

    async def run(self, work: Callable[[Ledger], T], needs: Needs | None = None, patient: bool = False) -> T:
        """The result of `work` once it is committed. Raises `StorageFull`, or what `work` raised.

        A patient unit starts no group of its own for a while: it costs less in the next one.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Task(work, needs or Needs(), future, patient=patient))
        self._wake()
        return await future

    async def work(self, decide: Decide, limit: int, careful: bool = False) -> list[Receipt]:
        """Claim conversations with pending events and process them together; each by itself when that fails."""
        claimed: list[int] = []
        turn = partial(intake.take_turn, decide=decide, one=careful)
        try:
            if careful:
                await self._claimed(intake.note_attempt, limit, claimed)
                limit, claimed = len(claimed), []
            return await self._claimed(turn, limit, claimed)
        except StorageFull:
            raise
        except Exception as error:
            if is_away(error):
                raise full(error) from error
            if not claimed:
                raise
        return await self._work_alone(turn, claimed)

    async def _work_alone(self, turn: Callable[[Ledger, int], Receipt | None], homes: list[int]) -> list[Receipt]:
        """The first error is raised when all have had their turn; then nobody sees the receipts of the others."""
        receipts: list[Receipt] = []
        wrong: Exception | None = None
        for home in homes:
            try:
                receipts += await self._claimed(turn, 1, [], [home])
            except Exception as error:
                wrong = wrong or error
        if wrong is None:
            return receipts
        self.abandoned.update(row.id for receipt in receipts for row in receipt.outbox)
        raise full(wrong) if is_away(wrong) else wrong

    async def _claimed(
        self,
        turn: Callable[[Ledger, int], T | None],
        limit: int,
        claimed: list[int],
        only: list[int] | None = None,
    ) -> list[T]:
        """A transaction of turns; what was claimed is put into `claimed`, for whoever has to do it again."""
        now = self._own_clock() if self._own_clock is not None else None
        units: list[Unit] = []
        async with self._links.one() as link, self.rows(link, limit, False, only is not None) as rows:
            ledger = self.ledger(rows)
            async with self.transaction(link):
                claimed += await claim(link, rows, now, limit, intake.LOOK_AHEAD, only)
                if not claimed:
                    await link.execute("ROLLBACK")
                    return []
                results = await greenlet_spawn(
                    self._turn_all,
                    ledger,
                    rows,
                    [(lambda ledger, home=home: turn(ledger, home)) for home in claimed],
                    units,
                )
                await self.commit(link, [id for unit in units for id in unit.taken])
        self._told.touched(*rows.saved)
        self.tell(units)
        return [it for it in results if it is not None]

    def _turn_all(
        self, ledger: Ledger, rows: PostgresRows, turns: list[Callable[[Ledger], T | None]], units: list[Unit]
    ) -> list[T | None]:
        results = []
        for turn in turns:
            units.append(ledger.begin())
            results.append(turn(ledger))
            await_(asyncio.sleep(0))  # others on the loop have their turn
        rows.flush()
        return results

    async def close(self) -> None:
        """Returns when everything that waited is written."""
        while self._running or self._pausing or self._waiting:
            await asyncio.wait(self._running) if self._running else await asyncio.sleep(PAUSE)
        await self._give_numbers_back()

    def _wake(self) -> None:
        """A group begins at once when none runs, or when enough wait for one of their own: few large ones cost less."""
        if not self._waiting or len(self._running) >= self._at_once:
            return
        if not self._running and all(task.patient for task in self._waiting):
            self._begin_in(PATIENCE)
        elif len(self._waiting) > len(self._running) * BESIDE:
            self._begin()
        else:
            self._begin_in(LATE)

    def _begin_in(self, seconds: float) -> None:
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(seconds, self._begin_late)

    def _begin_late(self) -> None:
        """Nobody came to go with, or those that run take long: somebody may be in their way, who waits should not be."""
        self._late = None
        if self._waiting and len(self._running) < self._at_once:
            self._begin()

    def _begin(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        running = asyncio.get_running_loop().create_task(self._run_next())
        self._running.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, running: asyncio.Task[bool]) -> None:
        self._running.discard(running)
        if running.cancelled() or running.result():
            self._wake()

    # --- groups ---

    async def _run_next(self) -> bool:
        """Whether there was anything to run: what waits for a chat that another group has is woken at its end."""
        group = self._form()
        if not group:
            return False
        self._wake()
        chats = set[tuple[str, str, str]]().union(*(task.chats() for task in group))
        self._chats |= chats
        try:
            await self._attempt(group)
        except BaseException as error:
            self._blame(group, error)
        finally:
            self._chats -= chats - self._paused()
        return True

    def _paused(self) -> set[tuple[str, str, str]]:
        """Chats of units that will be tried again: what came after them in a chat stays after them."""
        return set[tuple[str, str, str]]().union(*(task.chats() for task in self._pausing))

    def _form(self) -> list[Task]:
        """The next units, in order. A chat that another group works on waits for it: elsewhere it would be locked."""
        group: list[Task] = []
        passed: deque[Task] = deque()
        busy = set(self._chats)
        while self._waiting and len(group) < GROUP:
            task = self._waiting.popleft()
            if task.future.cancelled():
                continue
            chats = task.chats()
            if chats & busy or (group and (task.alone or group[-1].alone)):
                passed.append(task)
                busy |= chats
            else:
                group.append(task)
        self._waiting.extendleft(reversed(passed))
        return group

    async def _attempt(self, group: list[Task]) -> None:
        """Once more when only the connection was lost, as long as nothing was committed."""
        try:
            await self._transact(group)
        except StorageFull:
            raise
        except Exception as error:
            if not is_lost(error) or any(task.tries for task in group):
                raise
            for task in group:
                task.tries += 1
            await self._transact(group)

    async def _transact(self, group: list[Task]) -> None:
        turns = sum(len(task.needs.inbounds) for task in group if task.needs.turns)
        first = group[0]
        async with self._links.one() as link, self.rows(link, turns, first.clean, first.alone) as rows:
            ledger = self.ledger(rows)
            async with self.transaction(link):
                await prepare(link, rows, gather(task.needs for task in group), self._links.prepared)
                await greenlet_spawn(self._fill, ledger, rows, group)
                await self.commit(link, [id for task in group for id in task.unit.taken])
        self._told.touched(*rows.saved)
        self._answer(group, bool(rows.foreign))

    @property
    def begin(self) -> str:
        return BEGIN_POOLED if self._links.pooled else BEGIN

    def transaction(self, link: Any) -> Transaction:
        """BEGIN, and ROLLBACK when what is inside raises."""
        return Transaction(link, self.begin)

    async def commit(self, link: Any, taken: Iterable[int]) -> None:
        """Commit. When nobody knows whether it happened, what was handed out is free for the next `lease`.

        On a session of ours the next transaction begins with it: it has neither locks nor a snapshot before it asks anything.
        """
        try:
            await link.execute("COMMIT" if self._links.pooled else "COMMIT AND CHAIN")
        except BaseException as error:
            self.abandoned.update(taken)
            if isinstance(error, errors.PostgresError) and not is_away(error):
                raise
            raise StorageFull(f"the outcome of a commit is unknown: {type(error).__name__}") from error

    @asynccontextmanager
    async def rows(
        self, link: Any, turns: int, clean: bool = False, doubtful: bool = False
    ) -> AsyncIterator[PostgresRows]:
        """The rows of a new transaction, in which so many turns are made."""
        rows = PostgresRows(
            link, self.owner, self.instance, self._blocks, self._own_clock, self._per_turn, clean, doubtful
        )
        committed = False
        try:
            yield rows
            committed = True
            self._learn(rows.outbox_count, turns)
        finally:
            rows.numbers.settle(committed)

    def ledger(self, rows: PostgresRows) -> Ledger:
        """The rules' hands in a transaction."""
        return Ledger(rows, rows.numbers, lambda: rows.now, self._outer_desks, leases=RowLeases(rows), hands=self.hands)

    def _fill(self, ledger: Ledger, rows: PostgresRows, group: list[Task]) -> None:
        until = time.perf_counter() + SPAN
        for task in group:
            task.unit = ledger.begin()
            task.result = task.work(ledger)
            if time.perf_counter() > until and len(group) > 1:
                await_(asyncio.sleep(0))  # others on the loop have their turn
                until = time.perf_counter() + SPAN
        rows.flush()

    def _learn(self, rows: int, turns: int) -> None:
        """How many rows a turn writes."""
        if turns:
            self._per_turn += SMOOTH * (rows / turns * 1.5 - self._per_turn)

    def _answer(self, group: list[Task], again: bool) -> None:
        self.tell([task.unit for task in group], again)
        for task in group:
            if task.future.cancelled():
                self.abandoned.update(task.unit.taken)
            else:
                task.future.set_result(task.result)

    def tell(self, units: Iterable[Unit], again: bool = False) -> None:
        """Wake those who wait for what was committed."""
        left: set[str] = set()
        woke = fed = False
        for unit in units:
            left |= unit.left
            woke, fed = woke or unit.woke, fed or unit.fed
        if woke:
            self._told.events(again)
        if left:
            self._told.rows(frozenset(left))
        if fed:
            self._told.feed()

    # --- failures ---

    def _blame(self, group: list[Task], error: BaseException) -> None:
        """A database that is away is everybody's; any other failure is of one unit, so each of the group tries alone."""
        if isinstance(error, StorageFull) or is_away(error):
            _fail(group, full(error))
        elif len(group) > 1:
            self._again(group, error)
        elif self._may_pass(group[0], error):
            task = group[0]
            task.tries += 1
            self._pausing.append(task)
            asyncio.get_running_loop().call_later(PAUSE * task.tries, self._resume, task, error)
        else:
            _fail(group, error)

    def _may_pass(self, task: Task, error: BaseException) -> bool:
        if getattr(error, "constraint_name", "") in {"pk_tickets", "pk_ticket_history"}:
            self._blocks.drain()  # numbers of ours were used by somebody who went beyond his block
        washable = sqlstate(error) in UNSTORABLE and not task.clean
        return washable or (task.tries < TRIES and is_passing(error))

    def _resume(self, task: Task, error: BaseException) -> None:
        self._pausing.remove(task)
        self._chats -= task.chats()
        self._again([task], error)

    def _again(self, group: list[Task], error: BaseException) -> None:
        for task in reversed(group):
            task.alone = True
            task.clean = task.clean or sqlstate(error) in UNSTORABLE
            self._waiting.appendleft(task)
        self._wake()

    # --- ticket numbers ---

    async def _take_numbers(self, floor: int, size: int) -> int:
        """A block of ticket numbers, beside every transaction. Its end."""
        async with self._aside.one() as link:
            floor = max(floor, int(await link.fetchval(HIGHEST_TICKET)))
            return int(await link.fetchval(TAKE_BLOCK, floor, size))

    async def _give_numbers_back(self) -> None:
        """At a clean stop the numbers that nobody used are the next process's, if they are the last that were taken."""
        for block in sorted(self._blocks.drain(), key=lambda it: -it.end):
            with suppress(StorageFull, errors.PostgresError, OSError):
                async with self._aside.one() as link:
                    await link.execute(GIVE_BACK, block.next, block.end)


def full(error: BaseException) -> StorageFull:
    """What callers hear of a database that cannot take it now."""
    return error if isinstance(error, StorageFull) else StorageFull(f"{type(error).__name__}: {error}")


def _fail(group: list[Task], error: BaseException) -> None:
    for task in group:
        if not task.future.done():
            task.future.set_exception(error)
