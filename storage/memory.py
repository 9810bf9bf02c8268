"""The in-memory twin: the same promises but durability. `frontline talk` and tests run on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from core.conversation import Conversation
from core.events import Event, Inbound
from core.outbox import OutboxRow, Sent, Settled
from core.ports import Bundle, Cursor, Decide, Done, HistoryItem, Receipt, StoredFile, Ticket
from core.tickets import Refused, TicketChange
from storage import alarms, intake, lanes, shape
from storage.accounts.memory import MemoryAccountRows
from storage.accounts.store import AccountsOfStore
from storage.accounts.tables import AccountRows
from storage.joining.store import JoinsOfStore
from storage.joining.tables import JoinReads
from storage.ledger import Ledger, Numbers, is_free
from storage.memory_rows import MemoryRows
from storage.reading import count_versions
from storage.rows import DEAD, FAILED, PENDING, PROCESSED, UNKNOWN, WAITING
from storage.tickets.changing import change_ticket

T = TypeVar("T")


class MemoryStore(JoinsOfStore):
    """`core.ports.Store` in dictionaries. `clock` gives seconds since the epoch (UTC)."""

    lists = False  # it keeps what turns write, and answers none of the questions of people at work

    def __init__(self, clock: Callable[[], float], outer_desks: frozenset[str] = frozenset()) -> None:
        self.clock = clock
        self.on_events: Callable[[], None] | None = None
        self.on_touched: Callable[[Collection[int], Collection[int]], None] | None = None  # nobody searches here
        self.on_feed: Callable[[], None] | None = None  # nobody asks for the feed here
        self.on_rows: Callable[[frozenset[str]], None] | None = None  # nothing is ever left to others
        self.hands: Callable[[str], bool] | None = None
        self.relaxed: Callable[[], bool] | None = None
        self._rows = MemoryRows()
        self._ledger = Ledger(self._rows, Numbers(instance="memory"), clock, outer_desks)
        self.accounts = AccountsOfStore(self._on_accounts, self._on_accounts)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

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
        """A new process starts with nothing."""
        return False

    def _write(self, work: Callable[[], T]) -> T:
        """One unit: all of it, or none when it raises."""
        unit = self._ledger.begin()
        done = False
        try:
            result = work()
            done = True
        finally:
            if not done:
                self._rows.drop_unit()
                self._ledger.dropped(unit)
        self._rows.keep_unit()
        self._ledger.committed(unit)
        if unit.woke and self.on_events is not None:
            self.on_events()
        return result

    # --- who is who ---

    async def look(self, question: Callable[[JoinReads], T]) -> T:
        return question(self._rows)

    async def locked(self, homes: Sequence[int], work: Callable[[Ledger], T]) -> T:
        return self._write(lambda: work(self._ledger))

    async def _on_accounts(self, work: Callable[[AccountRows], T]) -> T:
        return self._write(lambda: work(MemoryAccountRows(self._rows)))

    # --- inbox and worker ---

    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        return self._write(lambda: intake.accept(self._ledger, inbounds, decide, cursor))

    async def push(self, conversation: int, event: Event, key: str) -> bool:
        return self._write(lambda: self._ledger.put_event(conversation, event, key))

    async def work(self, decide: Decide, limit: int = 20) -> list[Receipt]:
        receipts = [self._turn(home, decide) for home in self._ready(limit)]
        return [receipt for receipt in receipts if receipt is not None]

    def _turn(self, home: int, decide: Decide) -> Receipt | None:
        return self._write(lambda: intake.take_turn(self._ledger, home, decide))

    def _ready(self, limit: int) -> list[int]:
        latest: dict[int, float] = {}
        for row in self._rows.all("inbox", state=PENDING):
            latest[row["conversation"]] = max(row["not_before"], latest.get(row["conversation"], 0.0))
        return [home for home, not_before in latest.items() if not_before <= self.clock()][:limit]

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        row = {"at": self.clock(), "channel": channel, "raw": raw, "reason": reason}
        self._write(lambda: self._rows.insert("quarantine", row))

    async def cursor(self, channel: str) -> str:
        row = self._rows.get("cursors", channel)
        return "" if row is None else str(row["value"])

    # --- outbox ---

    async def lease(self, limit: int = 100) -> list[OutboxRow]:
        now = self.clock()
        self._ledger.leases.forget_old(now)
        free = [row["id"] for row in self._rows.all("outbox", state=WAITING) if is_free(row, self._ledger.leases, now)]
        return self._write(lambda: lanes.hand_out(self._ledger, free, now, limit))

    async def epoch(self, conversation: int) -> int:
        row = self._rows.get("conversations", conversation)
        return 0 if row is None else int(row["epoch"])

    def note(self, row: OutboxRow, sent: Sent) -> bool:
        """What dies with the process cannot come twice."""
        return True

    async def mark(self, settled: Sequence[Settled], patient: bool = False) -> list[Receipt]:
        return self._write(lambda: lanes.mark(self._ledger, settled))

    async def progress(self, row: OutboxRow) -> None:
        self._write(lambda: lanes.progress(self._ledger, row))

    # --- timers ---

    async def due(self, now: datetime) -> int:
        return self._write(lambda: alarms.fire_due(self._ledger, now.timestamp(), -1))

    async def next_due(self) -> float | None:
        return min((row["due"] for row in self._rows.all("timers") if row["due"] is not None), default=None)

    # --- what people and channels read ---

    async def conversation(self, id: int) -> Conversation | None:
        return self._rows.conversation(id)

    async def find_conversation(self, channel: str, account: str, chat: str) -> Conversation | None:
        id = self._rows.conversation_of(channel, account, chat)
        return None if id is None else self._rows.conversation(id)

    async def history(self, conversation: int, after: int = 0, limit: int = 200) -> list[HistoryItem]:
        return [shape.history_item(row) for row in self._rows.messages_after(conversation, after, limit)]

    async def events(self, conversation: int) -> list[Done]:
        rows = self._rows.all("inbox", conversation=conversation, state=PROCESSED)
        return [shape.processed_event(row) for row in sorted(rows, key=lambda row: int(row["place"]))]

    async def notes(self, conversation: int) -> list[dict[str, Any]]:
        """Private notes, oldest first: `at`, `author`, `text`."""
        return list(self._rows.all("notes", conversation=conversation))

    async def versions(self, conversations: Sequence[int]) -> dict[int, int]:
        rows = [self._rows.get("conversations", id) for id in conversations]
        return {row["id"]: row["version"] for row in rows if row is not None}

    async def client(self, id: int) -> dict[str, Any] | None:
        return None if self._rows.get("clients", id) is None else self._rows.card(id)

    async def find_clients(self, phone: str) -> list[int]:
        return [row["id"] for row in self._rows.all("clients", phone=phone) if phone]

    async def last_conversation(self, client: int) -> Conversation | None:
        id = self._rows.last_conversation(client)
        return None if id is None else self._rows.conversation(id)

    async def ticket(self, number: int) -> Ticket | None:
        row = self._rows.get("tickets", number)
        if row is None:
            return None
        return shape.ticket(row, [entry["entry"] for entry in self._rows.all("ticket_history", number=number)])

    async def tickets(
        self, client: int | None = None, desk: str | None = None, status: str | None = None, limit: int = 50
    ) -> list[Ticket]:
        asked = {"client": client, "desk": desk, "status": status}
        wanted = {name: value for name, value in asked.items() if value is not None}
        numbers = sorted((row["number"] for row in self._rows.all("tickets", **wanted)), reverse=True)
        found = [await self.ticket(number) for number in numbers[:limit]]
        return [it for it in found if it is not None]

    async def change_ticket(self, change: TicketChange) -> Refused:
        return self._write(lambda: change_ticket(self._ledger, change))

    async def queue(self, line: str | None = None) -> list[dict[str, Any]]:
        rows = self._rows.all("queue") if line is None else self._rows.all("queue", line=line)
        ordered = sorted(rows, key=lambda it: (it["deadline"], -it["priority"], it["since"], it["conversation"]))
        return [shape.queue_entry(row) for row in ordered]

    async def uncaught(self, limit: int = 100) -> list[tuple[str, int, float]]:
        rows = sorted(self._rows.all("uncaught"), key=lambda row: (-row["times"], -row["last_at"], row["text"]))
        return [(row["text"], row["times"], row["last_at"]) for row in rows[:limit]]

    # --- files ---

    async def add_file(self, file: StoredFile) -> None:
        self._write(lambda: self._rows.add_file(shape.file_row(file, self.clock())))

    async def file(self, id: str) -> StoredFile | None:
        row = self._rows.get("files", id)
        return None if row is None else shape.stored_file(row)

    async def store_file(self, id: str, sha256: str, size: int, mime: str, error: str = "") -> None:
        self._write(lambda: self._rows.store_file(id, sha256, size, mime, error))

    async def named_hashes(self, hashes: Sequence[str]) -> set[str]:
        return {row["sha256"] for row in self._rows.all("files")} & set(hashes)

    # --- flows ---

    async def publish(self, bundle: Bundle) -> None:
        self._write(lambda: self._rows.publish(shape.bundle_row(bundle)))

    async def bundles(self) -> list[Bundle]:
        rows = sorted(self._rows.all("bundles"), key=lambda row: (-row["published_at"], row["id"]))
        return [shape.bundle(row) for row in rows]

    async def current_bundle(self) -> tuple[str, float]:
        found = next((bundle for bundle in await self.bundles() if bundle.current), None)
        return ("", 0.0) if found is None else (found.id, found.published_at)

    async def live_versions(self) -> dict[str, dict[str, int]]:
        found = [self._rows.conversation(row["id"]) for row in self._rows.all("conversations")]
        return count_versions([it for it in found if it is not None])

    async def drop_bundle(self, id: str) -> None:
        self._write(lambda: self._rows.drop_bundle(id))

    # --- secrets of web chat clients ---

    async def web_client(self, channel: str, token_hash: str) -> str | None:
        row = self._rows.get("web_clients", channel, token_hash)
        return None if row is None else str(row["chat"])

    async def add_web_client(self, channel: str, token_hash: str, chat: str) -> None:
        row = {"channel": channel, "token_hash": token_hash, "chat": chat, "created_at": self.clock()}
        self._write(lambda: self._rows.add_web_client(row))

    # --- state of the store ---

    async def stats(self) -> dict[str, float]:
        events = list(self._rows.all("inbox", state=PENDING))
        rows = list(self._rows.all("outbox", state=WAITING))
        buried = sum(1 for _ in self._rows.all("inbox", state=DEAD))
        failed = sum(1 for row in self._rows.all("outbox") if row["state"] in {FAILED, UNKNOWN})
        now = self.clock()
        return {
            "inbox": float(len(events)),
            "outbox": float(len(rows)),
            "inbox_age": max((now - row["at"] for row in events), default=0.0),
            "outbox_age": max((now - row["created_at"] for row in rows), default=0.0),
            "timers": float(len(self._rows.tables["timers"])),
            "queued": float(len(self._rows.tables["queue"])),
            "quarantine": float(len(self._rows.tables["quarantine"])),
            "dead": float(buried + failed),
        }

    async def backlog(self) -> tuple[int, float]:
        since = [row["at"] for row in self._rows.all("inbox", state=PENDING)]
        return len(since), max(0.0, self.clock() - min(since, default=self.clock()))

    async def healthy(self) -> bool:
        return True
