"""The embedded store: one SQLite file, one writing connection, grouped commits, readers that see committed data only."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from core.conversation import Conversation
from core.events import Event, Inbound
from core.outbox import OutboxRow, Sent, Settled
from core.ports import Bundle, Cursor, Decide, Done, HistoryItem, Receipt, StorageFull, StoredFile, Ticket
from core.tickets import Refused, TicketChange
from storage import alarms, intake, lanes, shape
from storage import queries as q
from storage.accounts.sql import SqlAccountRows
from storage.accounts.store import AccountsOfStore
from storage.accounts.tables import AccountRows
from storage.codec import decode_conversation
from storage.driver import Driver
from storage.joining.store import JoinsOfStore
from storage.joining.tables import JoinReads
from storage.journal import Journal, Note, fits
from storage.ledger import Ledger, Numbers
from storage.lockfile import FileLock
from storage.migrate import migrate_file
from storage.reading import Reading
from storage.seal import require_unsealed_file
from storage.sql_rows import SqlRows
from storage.tickets.changing import change_ticket
from storage.wal import Log
from storage.writer import Writer

T = TypeVar("T")

TIMERS = 500  # due timers of one unit of writing


class SQLiteStore(JoinsOfStore):
    """`core.ports.Store` over a file. `clock` gives seconds since the epoch (UTC).

    Raises at `open` `StoreBusy` when another process works with the file, `StoreSealed` when it must not serve;
    `StorageFull` where nothing can be written.
    """

    def __init__(self, path: Path | str, clock: Callable[[], float], outer_desks: frozenset[str] = frozenset()) -> None:
        self.path = Path(path)
        self.clock = clock
        self.outer_desks = outer_desks
        self._lock = FileLock(self.path)
        self._journal = Journal(self.path.with_name(self.path.name + ".sent"))
        self._unclean = False
        self._careful = False  # events that the last process left may have killed it
        self.accounts = AccountsOfStore(self._look_at_accounts, self._write_accounts)
        self._opened = False
        self._on_events: Callable[[], None] | None = None
        self.on_feed: Callable[[], None] | None = None  # called after a commit that wrote a line of the feed
        self.on_rows: Callable[[frozenset[str]], None] | None = None  # nothing is ever left to others
        self.hands: Callable[[str], bool] | None = None
        self.relaxed: Callable[[], bool] | None = None

    # --- life ---

    async def open(self) -> None:
        """Take the file, bring its tables up to date, and find out how the last process left it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.take()
        try:
            require_unsealed_file(self.path)
            await asyncio.to_thread(migrate_file, self.path)
            self._connect()
        except BaseException:
            self._lock.free()
            raise
        self._unclean = self._careful = self._hot.meta("running") == "yes"
        await self._writer.run(self._start)
        await self._settle_noted()
        self._opened = True

    def _connect(self) -> None:
        self._writing = _connect_writer(self.path)
        self._readers = [_connect_reader(self.path), _connect_reader(self.path)]
        self._hot, self._slow = (Reading(connection) for connection in self._readers)
        self._rows = SqlRows(self._writing)
        self._ledger = Ledger(self._rows, _load_numbers(self._writing), self.clock, self.outer_desks)
        self._writer = Writer(self._writing, self._ledger, self._rows, _log_of(self.path, self._writing))
        self._writer.on_events = self._on_events
        self._writer.on_feed = self._tell_feed
        self._rows.touched = self._tell_touched
        self._reading = ThreadPoolExecutor(1, "frontline-read")

    def _start(self) -> None:
        self._rows.set_meta("running", "yes")
        if not self._ledger.numbers.instance:
            self._ledger.numbers.instance = secrets.token_hex(6)
            self._rows.set_meta("instance", self._ledger.numbers.instance)

    async def _settle_noted(self) -> None:
        """What the last process noted as sent and could not mark any more. The database may be of another day than the
        notes: then they speak of no row of it."""
        notes = self._journal.open()
        if notes:
            await self._writer.run(lambda: self._mark_noted(notes))
        self._journal.empty()

    def _mark_noted(self, notes: list[Note]) -> None:
        for note in notes:
            stored = self._rows.outbox_row(note.id)
            if stored is not None and fits(note, stored):
                sent = Settled(shape.outbox_row(stored), Sent("sent", note.platform_ids))
                for receipt in lanes.mark(self._ledger, [sent]):
                    self._ledger.leases.drop(row.id for row in receipt.outbox)  # the sender asks for it later

    async def close(self) -> None:
        """Write what waits, say that the stop was a clean one, leave one tidy file behind. A second call does nothing."""
        if not self._opened:
            return
        self._opened = False
        # On a full disk the next start counts as one after a crash: slower, never wrong.
        with suppress(StorageFull):
            await self._writer.run(lambda: self._rows.set_meta("running", "no"))
        await self._writer.close()
        self._reading.shutdown()
        for reader in self._readers:
            reader.close()
        await asyncio.to_thread(self._writing.close)
        self._journal.close()
        self._lock.free()

    @property
    def shared(self) -> bool:
        """One process owns it."""
        return False

    async def hold(self, name: str, owner: str, seconds: float) -> int | None:
        """The only process holds every lease."""
        return 1

    async def release(self, name: str, owner: str) -> None:
        """There is nobody to give it to."""

    @property
    def unclean(self) -> bool:
        """Whether the last process ended without `close`: an event may have killed it."""
        return self._unclean

    @property
    def on_events(self) -> Callable[[], None] | None:
        """Called on the loop after a commit that left new pending events."""
        return self._on_events

    @on_events.setter
    def on_events(self, call: Callable[[], None] | None) -> None:
        self._on_events = call
        if hasattr(self, "_writer"):
            self._writer.on_events = call

    def _tell_feed(self) -> None:
        if self.on_feed is not None:
            self.on_feed()

    async def _read(self, question: Callable[[], T]) -> T:
        """A read that may be long: in a thread, so that it holds nobody up."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, question)

    # --- who is who ---

    async def look(self, question: Callable[[JoinReads], T]) -> T:
        return await self._read(lambda: question(self._slow))

    async def locked(self, homes: Sequence[int], work: Callable[[Ledger], T]) -> T:
        return await self._writer.run(lambda: work(self._ledger))

    async def _look_at_accounts(self, work: Callable[[AccountRows], T]) -> T:
        return await self._read(lambda: work(SqlAccountRows(self._slow)))

    async def _write_accounts(self, work: Callable[[AccountRows], T]) -> T:
        return await self._writer.run(lambda: work(SqlAccountRows(self._rows)))

    # --- inbox and worker ---

    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        patient = self.relaxed is not None and self.relaxed()
        return await self._writer.run(lambda: intake.accept(self._ledger, inbounds, decide, cursor), patient)

    async def push(self, conversation: int, event: Event, key: str) -> bool:
        return await self._writer.run(lambda: self._ledger.put_event(conversation, event, key))

    async def work(self, decide: Decide, limit: int = 20) -> list[Receipt]:
        # Each by itself while one may kill the process: an attempt counts for all that share a transaction.
        most = 1 if self._careful else limit
        claimed = await self._read(lambda: self._slow.ready(self.clock(), most))
        if self._careful:
            await self._all([partial(intake.note_attempt, self._ledger, home) for home in claimed])
        turn = partial(intake.take_turn, self._ledger, decide=decide, one=self._careful)
        receipts = await self._all([partial(turn, home) for home in claimed])
        self._careful = self._careful and bool(claimed)
        return [receipt for receipt in receipts if receipt is not None]

    async def _all(self, units: list[Callable[[], T]]) -> list[T]:
        """Units that share a commit. The first error is raised when all have ended."""
        ended = await asyncio.gather(*(self._writer.run(unit) for unit in units), return_exceptions=True)
        results = [it for it in ended if not isinstance(it, BaseException)]
        for it in ended:
            if isinstance(it, BaseException):
                self._give_back(results)
                raise it
        return results

    def _give_back(self, results: list[Any]) -> None:
        """Nobody will see these receipts: their rows are free for the next `lease`."""
        for it in results:
            if isinstance(it, Receipt):
                self._ledger.leases.drop(row.id for row in it.outbox)

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        row = {"at": self.clock(), "channel": channel, "raw": raw, "reason": reason}
        await self._writer.run(lambda: self._rows.insert("quarantine", row))

    async def cursor(self, channel: str) -> str:
        return self._hot.cursor(channel)

    # --- outbox ---

    async def lease(self, limit: int = 100) -> list[OutboxRow]:
        now = self.clock()
        self._ledger.leases.forget_old(now)
        due = await self._read(lambda: self._slow.due_rows(now, limit + len(self._ledger.leases)))
        free = [id for id in due if not self._ledger.leases.held(id, now)]
        if not free:
            return []
        return await self._writer.run(lambda: lanes.hand_out(self._ledger, free, now, limit))

    async def epoch(self, conversation: int) -> int:
        known = self._rows.states.committed(conversation)
        return self._hot.epoch(conversation) if known is None else known[1]

    def note(self, row: OutboxRow, sent: Sent) -> bool:
        return self._journal.note(row, sent)

    async def mark(self, settled: Sequence[Settled], patient: bool = False) -> list[Receipt]:
        # What is noted is in no hurry, either: its mark goes with the next group.
        patient = patient or self._journal.holds(settled)
        receipts = await self._writer.run(lambda: lanes.mark(self._ledger, settled), patient)
        self._journal.marked(it.row.id for it in settled)
        return receipts

    async def progress(self, row: OutboxRow) -> None:
        await self._writer.run(lambda: lanes.progress(self._ledger, row))

    # --- timers ---

    async def due(self, now: datetime) -> int:
        at = now.timestamp()
        fired = count = await self._writer.run(lambda: alarms.fire_due(self._ledger, at, TIMERS))
        while count == TIMERS:
            count = await self._writer.run(lambda: alarms.fire_due(self._ledger, at, TIMERS))
            fired += count
        return fired

    async def next_due(self) -> float | None:
        return self._hot.next_due()

    # --- what people and channels read ---

    async def conversation(self, id: int) -> Conversation | None:
        known = self._rows.states.committed(id)
        return self._hot.conversation(id) if known is None else decode_conversation.decode(known[0])

    async def find_conversation(self, channel: str, account: str, chat: str) -> Conversation | None:
        return self._hot.find_conversation(channel, account, chat)

    async def history(self, conversation: int, after: int = 0, limit: int = 200) -> list[HistoryItem]:
        return await self._read(lambda: self._slow.history(conversation, after, limit))

    async def events(self, conversation: int) -> list[Done]:
        return await self._read(lambda: self._slow.events(conversation))

    async def notes(self, conversation: int) -> list[dict[str, Any]]:
        """Private notes, oldest first: `at`, `author`, `text`."""
        return await self._read(lambda: self._slow.notes(conversation))

    async def versions(self, conversations: Sequence[int]) -> dict[int, int]:
        return await self._read(lambda: self._slow.versions(conversations))

    async def client(self, id: int) -> dict[str, Any] | None:
        return self._hot.client(id)

    async def find_clients(self, phone: str) -> list[int]:
        return self._hot.find_clients(phone)

    async def last_conversation(self, client: int) -> Conversation | None:
        return self._hot.last_conversation(client)

    async def ticket(self, number: int) -> Ticket | None:
        return self._hot.ticket(number)

    async def tickets(
        self, client: int | None = None, desk: str | None = None, status: str | None = None, limit: int = 50
    ) -> list[Ticket]:
        return await self._read(lambda: self._slow.tickets(client, desk, status, limit))

    async def change_ticket(self, change: TicketChange) -> Refused:
        return await self._writer.run(lambda: change_ticket(self._ledger, change))

    async def queue(self, line: str | None = None) -> list[dict[str, Any]]:
        return await self._read(lambda: self._slow.queue(line))

    async def uncaught(self, limit: int = 100) -> list[tuple[str, int, float]]:
        return await self._read(lambda: self._slow.uncaught(limit))

    # --- files ---

    async def add_file(self, file: StoredFile) -> None:
        await self._writer.run(lambda: self._rows.add_file(shape.file_row(file, self.clock())))

    async def file(self, id: str) -> StoredFile | None:
        return self._hot.file(id)

    async def store_file(self, id: str, sha256: str, size: int, mime: str, error: str = "") -> None:
        await self._writer.run(lambda: self._rows.store_file(id, sha256, size, mime, error))

    async def named_hashes(self, hashes: Sequence[str]) -> set[str]:
        return await self._read(lambda: self._slow.named_hashes(hashes))

    # --- flows ---

    async def publish(self, bundle: Bundle) -> None:
        await self._writer.run(lambda: self._rows.publish(shape.bundle_row(bundle)))

    async def bundles(self) -> list[Bundle]:
        return await self._read(self._slow.bundles)

    async def current_bundle(self) -> tuple[str, float]:
        return await self._read(self._slow.current_bundle)

    async def live_versions(self) -> dict[str, dict[str, int]]:
        return await self._read(self._slow.live_versions)

    async def drop_bundle(self, id: str) -> None:
        await self._writer.run(lambda: self._rows.drop_bundle(id))

    # --- secrets of web chat clients ---

    async def web_client(self, channel: str, token_hash: str) -> str | None:
        return self._hot.web_client(channel, token_hash)

    async def add_web_client(self, channel: str, token_hash: str, chat: str) -> None:
        row = {"channel": channel, "token_hash": token_hash, "chat": chat, "created_at": self.clock()}
        await self._writer.run(lambda: self._rows.add_web_client(row))

    # --- state of the store ---

    async def stats(self) -> dict[str, float]:
        return await self._read(lambda: self._slow.stats(self.clock()))

    async def backlog(self) -> tuple[int, float]:
        return self._hot.backlog(self.clock())

    async def healthy(self) -> bool:
        """Whether messages can be taken: only a write that reached the disk says so."""
        try:
            # A new value each time: SQLite does not write what has not changed.
            await self._writer.run(lambda: self._rows.set_meta("checked", secrets.token_hex(8)))
        except (StorageFull, sqlite3.Error):
            return False
        return True


def _connect_writer(path: Path) -> sqlite3.Connection:
    """The only connection that writes and checkpoints (two of those can corrupt a file before SQLite 3.51.3)."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=2000",
        "cache_size=-16384",  # KiB: the working set of thousands of chats; what is larger waits in the system's cache
        "mmap_size=0",
        "wal_autocheckpoint=32000",  # pages; the writer checkpoints long before, beside the loop
        "journal_size_limit=67108864",  # bytes: a log that grew under a reader is cut off when it is begun anew
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _log_of(path: Path, connection: sqlite3.Connection) -> Log:
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return Log(path.with_name(path.name + "-wal"), page)


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in (
        "query_only=1",
        "wal_autocheckpoint=0",
        "busy_timeout=2000",
        "mmap_size=0",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _load_numbers(connection: sqlite3.Connection) -> Numbers:
    driver = Driver(connection)
    highest = {name: int(driver.value(statement) or 0) for name, statement in q.HIGHEST.items()}
    highest["ticket"] = max(highest["ticket"], _numbers_left_out(connection))
    instance = driver.value(q.META, name="instance") or ""
    return Numbers(**{name: number + 1 for name, number in highest.items()}, instance=instance)


def _numbers_left_out(connection: sqlite3.Connection) -> int:
    """The highest ticket number that was left out: after a restore, those that the original may have given away."""
    found = connection.execute("SELECT next FROM counters WHERE name = 'ticket'").fetchone()
    return found[0] - 1 if found else 0
