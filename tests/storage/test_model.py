"""All stores do the same, whatever happens: random histories against each other, and against the promises."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.effects import (
    Call,
    CreateTicket,
    Effect,
    Queue,
    Record,
    StartTimer,
    StopTimer,
    Unqueue,
    UpdateClient,
)
from core.events import CallDone, Message, Poisoned, Press
from core.outbox import OutboxRow, Verdict
from core.ports import Done, Receipt
from core.tickets import TicketChange, TicketStatus
from storage.memory import MemoryStore
from storage.migrate import migrate_file
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from tests.postgres import Cluster
from tests.storage.conftest import EMPTY, OUTER
from tests.storage.making import AnyStore, FakeClock, always, failing, inbound, say, settled

T = TypeVar("T")

CHATS = st.sampled_from(["a", "b", "c"])
EFFECTS: st.SearchStrategy[Effect] = st.sampled_from(
    [
        say("one"),
        say("two", author="operator"),
        say("place", author="notice", slot="queue", replace=True),
        say("other place", author="notice", slot="queue", replace=True),
        StartTimer("t", 10.0),
        StartTimer("t", 50.0, {"x": 1}, from_delivery=True),
        StartTimer("u", 20.0, from_delivery=True),
        StopTimer("t"),
        Call("k", "s", "c"),
        CreateTicket("same key", 1, "outer", "T"),
        UpdateClient({"phone": "+1"}, ("phone",)),
        UpdateClient({"phone": "+2", "city": "B"}),
        Queue("support", 1, 5.0),
        Unqueue(),
        Record("uncaught", {"text": "where?"}),
    ]
)
TURNS = st.lists(EFFECTS, max_size=4).map(tuple)
VERDICTS: st.SearchStrategy[Verdict] = st.sampled_from(
    ["sent", "sent", "sent", "retry", "unreachable", "rejected", "unknown", "refused"]
)
SEND_ROWS = {"send", "edit", "delete"}


def plain_row(row: OutboxRow, exact: bool = True) -> Any:
    """A row without its key, which is of one store; where ids have gaps, without them too."""
    if exact:
        return msgspec.structs.replace(row, key="")
    return msgspec.structs.replace(row, key="", id=0, target=int(row.target > 0))


def plain_receipts(receipts: list[Receipt], exact: bool) -> Any:
    return [msgspec.structs.replace(it, outbox=[plain_row(row, exact) for row in it.outbox]) for it in receipts]


def plain_done(done: Done, exact: bool) -> Any:
    """A processed event without the ids of the inbox, unless they are exact."""
    if exact:
        return done
    event = done.pending.event
    event = msgspec.structs.replace(event, event_id=0) if isinstance(event, Poisoned) else event
    return msgspec.structs.replace(done, pending=msgspec.structs.replace(done.pending, id=0, event=event))


@cache
def migrated() -> Path:
    """A file to copy: Alembic runs once, not in every example."""
    path = Path(tempfile.mkdtemp(prefix="frontline-model-")) / "template.db"
    migrate_file(path)
    return path


class Twins(RuleBasedStateMachine):
    """Everything is done to both stores, in the same order, at the same time."""

    exact = True  # ids are the same

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="frontline-model-"))
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.updates = 0
        self.handed: dict[int, list[OutboxRow]] = {}
        self.open_lanes: dict[int, int] = {}

    @initialize()
    def start(self) -> None:
        self.twins: list[AnyStore] = [MemoryStore(self.clock, OUTER), self.other()]
        for store in self.twins:
            self.run(store.open())

    def other(self) -> AnyStore:
        """The twin of the store in memory."""
        return SQLiteStore(Path(shutil.copy(migrated(), self.folder / "store.db")), self.clock, OUTER)

    def teardown(self) -> None:
        for store in getattr(self, "twins", []):
            self.run(store.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def take(self, receipts: list[list[Receipt]]) -> None:
        """Both did the same; remember the rows that were handed out."""
        assert plain_receipts(receipts[0], self.exact) == plain_receipts(receipts[1], self.exact)
        for memory, other in zip(*receipts, strict=True):
            for pair in zip(memory.outbox, other.outbox, strict=True):
                self.hand(pair)

    def hand(self, pair: tuple[OutboxRow, OutboxRow]) -> None:
        row = pair[0]
        if row.kind in SEND_ROWS:
            with_sender = self.open_lanes.setdefault(row.conversation, row.id)
            assert with_sender == row.id, "two messages of one conversation are under way"
        self.handed[row.id] = list(pair)

    # --- what may happen ---

    @rule(chat=CHATS, effects=TURNS, wait=st.booleans(), press=st.booleans(), old=st.booleans())
    def accept(self, chat: str, effects: tuple[Effect, ...], wait: bool, press: bool, old: bool) -> None:
        if not (old and self.updates):
            self.updates += 1
        it = inbound(self.updates, chat, event=Press("t") if press else Message("hi"))
        decide = None if wait else always(*effects)
        self.take([self.run(store.accept([it], decide)) for store in self.twins])

    @rule(effects=TURNS, limit=st.integers(1, 3))
    def work(self, effects: tuple[Effect, ...], limit: int) -> None:
        self.take([self.run(store.work(always(*effects), limit)) for store in self.twins])

    @rule()
    def fail(self) -> None:
        self.take([self.run(store.work(failing)) for store in self.twins])

    @rule(home=st.integers(1, 2), key=st.sampled_from(["x", "y"]))
    def push(self, home: int, key: str) -> None:
        if self.run(self.twins[0].conversation(home)) is not None:
            known = [self.run(store.push(home, CallDone(key, "ok"), key)) for store in self.twins]
            assert known[0] == known[1]

    @rule(verdict=VERDICTS, data=st.data(), after=st.sampled_from([0.0, 5.0]))
    def mark(self, verdict: Verdict, data: st.DataObject, after: float) -> None:
        if not self.handed:
            return
        id = data.draw(st.sampled_from(sorted(self.handed)))
        pair = self.handed.pop(id)
        if self.open_lanes.get(pair[0].conversation) == id:
            del self.open_lanes[pair[0].conversation]
        self.take(
            [
                self.run(store.mark([settled(row, verdict, after=after)]))
                for store, row in zip(self.twins, pair, strict=True)
            ]
        )

    @rule(limit=st.integers(1, 5))
    def lease(self, limit: int) -> None:
        rows = [self.run(store.lease(limit)) for store in self.twins]
        ordered = [sorted(it, key=lambda row: row.id) for it in rows]
        assert [plain_row(it, self.exact) for it in ordered[0]] == [plain_row(it, self.exact) for it in ordered[1]]
        for pair in zip(*ordered, strict=True):
            self.hand(pair)

    @rule()
    def fire(self) -> None:
        fired = [self.run(store.due(self.clock.at())) for store in self.twins]
        assert fired[0] == fired[1]

    @rule(seconds=st.sampled_from([0.1, 1.0, 15.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def lose_the_senders(self) -> None:
        """Everybody who held a row is gone; so are their leases after half a minute."""
        self.clock.now += timedelta(seconds=31).total_seconds()
        self.handed.clear()
        self.open_lanes.clear()

    @rule(status=st.sampled_from(["open", "solved"]), done=st.booleans())
    def change_ticket(self, status: str, done: bool) -> None:
        wanted = TicketStatus(status, status, "done" if done else "open")
        change = TicketChange(1, "desk", status=wanted)
        changed = [self.run(store.change_ticket(change)) for store in self.twins]
        assert changed[0] == changed[1]

    # --- what always holds ---

    @precondition(lambda self: hasattr(self, "twins"))
    @invariant()
    def the_twins_are_alike(self) -> None:
        for home in (1, 2, 3):
            memory, other = (self.look(store, home) for store in self.twins)
            assert other == memory

    def look(self, store: AnyStore, home: int) -> Any:
        history = self.run(store.history(home))
        assert [it.seq for it in history] == list(range(1, len(history) + 1))
        conversation = self.run(store.conversation(home))
        return [
            history,
            conversation,
            [plain_done(it, self.exact) for it in self.run(store.events(home))],
            self.run(store.client(home)),
            self.run(store.tickets()),
            self.run(store.queue()),
            self.run(store.uncaught()),
            self.run(store.next_due()),
            self.run(store.stats()),
        ]


class TwinsOnPostgres(Twins):
    """The same with PostgreSQL, whose ids have gaps."""

    exact = False
    url = ""

    def other(self) -> AnyStore:
        return PostgresStore(self.url, self.clock, OUTER, own_clock=True)

    @initialize()
    def start(self) -> None:
        self.run(self.clear())
        super().start()

    async def clear(self) -> None:
        link = await asyncpg.connect(self.url)
        await link.execute(EMPTY)
        await link.close()


@pytest.fixture(scope="module", autouse=True)
def _database(server: Cluster, common: str) -> None:
    TwinsOnPostgres.url = server.url(common)


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=12, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTwinsOnPostgres = TwinsOnPostgres.TestCase
TestTwinsOnPostgres.settings = settings(
    max_examples=6,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a failure over a real server takes for ever
)
