"""The store for many processes: one PostgreSQL database is the truth, every process of the deployment opens it."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.util.concurrency import greenlet_spawn

from core.conversation import Conversation
from core.events import Event, Inbound
from core.outbox import OutboxRow, Sent, Settled
from core.ports import Bundle, Cursor, Decide, Done, HistoryItem, Receipt, StorageFull, StoredFile, Ticket
from core.tickets import Refused, TicketChange
from storage import alarms, intake, lanes, shape
from storage.ledger import LEASE, Ledger
from storage.migrate import check_revision
from storage.owners import process_name
from storage.postgres.accounts import PostgresAccounts
from storage.postgres.address import parse_address
from storage.postgres.asking import PostgresReading, as_row
from storage.postgres.epochs import Epochs
from storage.postgres.groups import Groups, Told
from storage.postgres.inheriting import inherit
from storage.postgres.joining import PostgresJoins
from storage.postgres.links import DRIVER, Links, is_away, is_lost, is_pooled
from storage.postgres.loading import Needs
from storage.postgres.questions import MAKE_PREPARE
from storage.postgres.statements import (
    ALIVE,
    BURY,
    CHANNELS,
    CHECKED,
    FREE_ROWS,
    HOLD,
    INSTANCE,
    LEASE_ROWS,
    META,
    NEXT_DUE,
    NOW,
    RELEASE,
    TARGETS,
    VERSIONS,
)
from storage.rows import Row
from storage.seal import require_home
from storage.tickets.changing import change_ticket

T = TypeVar("T")
TIMERS = 200  # due timers of one transaction
AGAIN = (0.02, 0.06, 0.15)  # seconds after which a conversation that others had locked is looked at again
BEAT_SECONDS = 10.0  # a living process says so this often …
DEAD_SECONDS = 30.0  # … and is taken for dead after this long

_HERE: set[str] = set()  # the names under which stores of this process live


class PostgresStore(PostgresJoins, PostgresAccounts):
    """`core.ports.Store` over a database that several processes use at once.

    Times come from the database, so a process whose clock is wrong does no harm; `clock` only says what this process takes
    for now. With `own_clock` it is the time of the rows too (tests). Raises `SchemaMismatch` at `open` when the tables are
    not those of this version, OSError when the database does not let us in, `StorageFull` where nothing can be written.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        outer_desks: frozenset[str] = frozenset(),
        own_clock: bool = False,
    ) -> None:
        self.url = url
        self.clock = clock
        self.outer_desks = outer_desks
        self.on_events: Callable[[], None] | None = None
        self.on_rows: Callable[[frozenset[str]], None] | None = None
        self.relaxed: Callable[[], bool] | None = None  # groups gather by themselves
        self._own_clock = clock if own_clock else None
        self._address = parse_address(url)
        self._owner = process_name()
        self._writers = Links(self._address, self._address.writers, MAKE_PREPARE)
        self._readers = Links(self._address, self._address.readers)
        self._groups = Groups(
            self._writers,
            self._readers,
            Told(self._tell_events, self._tell_rows, self._tell_feed, self._tell_touched),
            self._owner,
            outer_desks,
            self._own_clock,
            self._address.writers,
        )
        self._unclean = self._careful = self._opened = False
        self._beating: asyncio.Task[None] | None = None
        self._known_channels: set[str] = set()
        self._epochs = Epochs(self._ask)

    # --- life ---

    async def open(self) -> None:
        """Find out what stands between, whether the tables are ours, and how the last process ended."""
        try:
            self._writers.pooled = self._readers.pooled = await is_pooled(self._address)
            async with self._readers.one() as link:
                await check_revision(link)
                await require_home(link)
                await link.execute(INSTANCE, secrets.token_hex(6))
                self._groups.instance = await link.fetchval(META, "instance")
                await self._find_dead(link)
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
            raise OSError(f"PostgreSQL: {error}") from error  # waiting does not help
        except (asyncpg.PostgresError, *DRIVER, OSError, TimeoutError) as error:
            await self._readers.close()
            raise StorageFull(f"{type(error).__name__}: {error}") from error
        except BaseException:
            await self._readers.close()
            raise
        self._opened = True
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def _find_dead(self, link: Any) -> None:
        dead = [name for name, over in await link.fetch(ALIVE) if over or _ended_here(name)]
        if dead:
            await inherit(link, dead)
        self._unclean = self._careful = bool(dead)
        _HERE.add(self._live)
        await link.fetchval(HOLD, None, self._live, self._owner, DEAD_SECONDS)

    @property
    def _live(self) -> str:
        return f"live:{self._owner}"

    async def _beat(self) -> None:
        """Say that this process lives, so that the next one knows who was killed."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            with suppress(StorageFull):
                await self._ask(HOLD, None, self._live, self._owner, DEAD_SECONDS)

    async def close(self) -> None:
        """Write what waits and say that the stop was a clean one. A second call does nothing."""
        if not self._opened:
            return
        self._opened = False
        await self._groups.close()
        if self._beating is not None:
            self._beating.cancel()
            _HERE.discard(self._live)
            await asyncio.gather(self._beating, return_exceptions=True)
        # A database that is away now takes the next start for one after a crash: slower, never wrong.
        with suppress(StorageFull):
            await self._free_abandoned()
            await self._ask(BURY, [self._live])
        await asyncio.gather(self._writers.close(), self._readers.close())

    @property
    def shared(self) -> bool:
        return True

    @property
    def unclean(self) -> bool:
        """Whether a process ended without `close` since the last `open`: an event may have killed it."""
        return self._unclean

    @property
    def hands(self) -> Callable[[str], bool] | None:
        return self._groups.hands

    @hands.setter
    def hands(self, hands: Callable[[str], bool] | None) -> None:
        self._groups.hands = hands

    def _tell_events(self, again: bool) -> None:
        if self.on_events is None:
            return
        loop = asyncio.get_running_loop()
        loop.call_soon(self.on_events)
        for seconds in AGAIN if again else ():
            loop.call_later(seconds, self.on_events)

    def _tell_rows(self, channels: frozenset[str]) -> None:
        if self.on_rows is not None:
            asyncio.get_running_loop().call_soon(self.on_rows, channels)

    # --- statements by themselves ---

    async def _reading(self, question: Callable[[Any], Any]) -> Any:
        """A question to committed data, asked once more when the connection turns out to be dead."""
        for last in (False, True):
            try:
                async with self._readers.one() as link:
                    return await question(link)
            except (asyncpg.PostgresError, *DRIVER, OSError, TimeoutError) as error:
                if last or not is_lost(error):
                    if is_away(error):
                        raise StorageFull(f"{type(error).__name__}: {error}") from error
                    raise
        raise AssertionError("unreachable")

    async def _ask(self, sql: str, *values: Any) -> list[Any]:
        found: list[Any] = await self._reading(lambda link: link.fetch(sql, *values))
        return found

    async def _read(self, question: Callable[[PostgresReading], T]) -> T:
        found: T = await self._reading(lambda link: greenlet_spawn(lambda: question(PostgresReading(link))))
        return found

    async def _now(self) -> float:
        return self._own_clock() if self._own_clock is not None else float((await self._ask(NOW))[0][0])

    def _given(self) -> float | None:
        """The time for statements that take the database's when there is none."""
        return None if self._own_clock is None else self._own_clock()

    # --- inbox and worker ---

    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        needs = Needs(inbounds=inbounds, turns=decide is not None)
        return await self._groups.run(lambda ledger: intake.accept(ledger, inbounds, decide, cursor), needs)

    async def push(self, conversation: int, event: Event, key: str) -> bool:
        needs = Needs(keys=((conversation, key),))
        return await self._groups.run(lambda ledger: ledger.put_event(conversation, event, key), needs)

    async def work(self, decide: Decide, limit: int = 20) -> list[Receipt]:
        # Each by itself while one may kill the process: an attempt counts for all that share a transaction.
        receipts = await self._groups.work(decide, 1 if self._careful else limit, self._careful)
        self._careful = self._careful and bool(receipts)
        return receipts

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        def keep(ledger: Ledger) -> None:
            ledger.rows.insert("quarantine", {"at": ledger.clock(), "channel": channel, "raw": raw, "reason": reason})

        await self._groups.run(keep)

    async def cursor(self, channel: str) -> str:
        return await self._read(lambda reading: reading.cursor(channel))

    # --- leases of roles ---

    async def hold(self, name: str, owner: str, seconds: float) -> int | None:
        found = await self._ask(HOLD, self._given(), name, owner, seconds)
        return int(found[0][0]) if found else None

    async def release(self, name: str, owner: str) -> None:
        await self._ask(RELEASE, name, owner)

    # --- outbox ---

    async def lease(self, limit: int = 100) -> list[OutboxRow]:
        await self._free_abandoned()
        hands = self.hands
        others: list[str] = []
        if hands is not None:
            self._known_channels |= {record[0] for record in await self._ask(CHANNELS)}
            others = [channel for channel in self._known_channels if not hands(channel)]
        aside = hands is None or hands("")
        found = await self._ask(LEASE_ROWS, self._given(), limit, self._owner, LEASE, others, aside)
        return await self._as_outbox([as_row(record) for record in found])

    async def _as_outbox(self, rows: list[Row]) -> list[OutboxRow]:
        wanted = [row["target"] for row in rows if row["target"]]
        targets = {record[0]: as_row(record) for record in await self._ask(TARGETS, wanted)} if wanted else {}
        rows.sort(key=lambda row: int(row["id"]))
        return [shape.outbox_row(row, targets.get(row["target"])) for row in rows]

    async def _free_abandoned(self) -> None:
        """Rows that were handed out and reached nobody."""
        abandoned, self._groups.abandoned = self._groups.abandoned, set()
        if not abandoned:
            return
        try:
            await self._ask(FREE_ROWS, list(abandoned), self._owner)
        except BaseException:
            self._groups.abandoned |= abandoned
            raise

    async def epoch(self, conversation: int) -> int:
        return await self._epochs.of(conversation)

    def note(self, row: OutboxRow, sent: Sent) -> bool:
        """Another process may take the row over, and would not see a note of ours: only `mark` counts."""
        return False

    async def mark(self, settled: Sequence[Settled], patient: bool = False) -> list[Receipt]:
        return await self._groups.run(lambda ledger: lanes.mark(ledger, settled), Needs(settled=settled), patient)

    async def progress(self, row: OutboxRow) -> None:
        await self._groups.run(lambda ledger: lanes.progress(ledger, row))

    # --- timers ---

    async def due(self, now: datetime) -> int:
        """By the database's clock; `now` counts for a store with a clock of its own only."""
        at = now.timestamp() if self._own_clock is not None else None
        fired = count = await self._groups.run(partial(_fire_due, at=at))
        while count == TIMERS:
            count = await self._groups.run(partial(_fire_due, at=at))
            fired += count
        return fired

    async def next_due(self) -> float | None:
        """When this process's clock will show the time of the next timer."""
        due, now = (await self._ask(NEXT_DUE))[0]
        if due is None or self._own_clock is not None:
            return due if due is None else float(due)
        return self.clock() + float(due - now)

    # --- what people and channels read ---

    async def conversation(self, id: int) -> Conversation | None:
        return await self._read(lambda reading: reading.conversation(id))

    async def find_conversation(self, channel: str, account: str, chat: str) -> Conversation | None:
        return await self._read(lambda reading: reading.find_conversation(channel, account, chat))

    async def history(self, conversation: int, after: int = 0, limit: int = 200) -> list[HistoryItem]:
        return await self._read(lambda reading: reading.history(conversation, after, limit))

    async def events(self, conversation: int) -> list[Done]:
        return await self._read(lambda reading: reading.events(conversation))

    async def notes(self, conversation: int) -> list[dict[str, Any]]:
        """Private notes, oldest first: `at`, `author`, `text`."""
        return await self._read(lambda reading: reading.notes(conversation))

    async def versions(self, conversations: Sequence[int]) -> dict[int, int]:
        return dict(await self._ask(VERSIONS, list(conversations)))

    async def client(self, id: int) -> dict[str, Any] | None:
        return await self._read(lambda reading: reading.client(id))

    async def find_clients(self, phone: str) -> list[int]:
        return await self._read(lambda reading: reading.find_clients(phone))

    async def last_conversation(self, client: int) -> Conversation | None:
        return await self._read(lambda reading: reading.last_conversation(client))

    async def ticket(self, number: int) -> Ticket | None:
        return await self._read(lambda reading: reading.ticket(number))

    async def tickets(
        self, client: int | None = None, desk: str | None = None, status: str | None = None, limit: int = 50
    ) -> list[Ticket]:
        return await self._read(lambda reading: reading.tickets(client, desk, status, limit))

    async def change_ticket(self, change: TicketChange) -> Refused:
        return await self._groups.run(lambda ledger: change_ticket(ledger, change))

    async def queue(self, line: str | None = None) -> list[dict[str, Any]]:
        return await self._read(lambda reading: reading.queue(line))

    async def uncaught(self, limit: int = 100) -> list[tuple[str, int, float]]:
        return await self._read(lambda reading: reading.uncaught(limit))

    # --- files ---

    async def add_file(self, file: StoredFile) -> None:
        await self._groups.run(lambda ledger: ledger.rows.add_file(shape.file_row(file, ledger.clock())))

    async def file(self, id: str) -> StoredFile | None:
        return await self._read(lambda reading: reading.file(id))

    async def store_file(self, id: str, sha256: str, size: int, mime: str, error: str = "") -> None:
        await self._groups.run(lambda ledger: ledger.rows.store_file(id, sha256, size, mime, error))

    async def named_hashes(self, hashes: Sequence[str]) -> set[str]:
        return await self._read(lambda reading: reading.named_hashes(hashes))

    # --- flows ---

    async def publish(self, bundle: Bundle) -> None:
        await self._groups.run(lambda ledger: ledger.rows.publish(shape.bundle_row(bundle)))

    async def bundles(self) -> list[Bundle]:
        return await self._read(lambda reading: reading.bundles())

    async def current_bundle(self) -> tuple[str, float]:
        return await self._read(lambda reading: reading.current_bundle())

    async def live_versions(self) -> dict[str, dict[str, int]]:
        return await self._read(lambda reading: reading.live_versions())

    async def drop_bundle(self, id: str) -> None:
        await self._groups.run(lambda ledger: ledger.rows.drop_bundle(id))

    # --- secrets of web chat clients ---

    async def web_client(self, channel: str, token_hash: str) -> str | None:
        return await self._read(lambda reading: reading.web_client(channel, token_hash))

    async def add_web_client(self, channel: str, token_hash: str, chat: str) -> None:
        row = {"channel": channel, "token_hash": token_hash, "chat": chat}
        await self._groups.run(lambda ledger: ledger.rows.add_web_client({**row, "created_at": ledger.clock()}))

    # --- state of the store ---

    async def stats(self) -> dict[str, float]:
        now = await self._now()
        return await self._read(lambda reading: reading.stats(now))

    async def backlog(self) -> tuple[int, float]:
        now = await self._now()
        return await self._read(lambda reading: reading.backlog(now))

    async def healthy(self) -> bool:
        """Whether messages can be taken: only a write that was committed says so."""
        try:
            await self._ask(CHECKED, secrets.token_hex(8))
        except StorageFull:
            return False
        return True


def _fire_due(ledger: Ledger, at: float | None) -> int:
    return alarms.fire_due(ledger, ledger.clock() if at is None else at, TIMERS)


def _ended_here(name: str) -> bool:
    """Whether a name `live:<host>:<pid>:…` is of a process of this machine that is gone."""
    _, host, pid, _ = [*name.split(":"), "", "", ""][:4]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():  # ours may be another life of the same number
        return name not in _HERE
    try:
        os.kill(int(pid), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False
