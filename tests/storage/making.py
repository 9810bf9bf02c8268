"""Events, turns and clocks for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from core.effects import Effect, Record, Send
from core.events import Event, Inbound, Message
from core.messages import Outgoing
from core.outbox import OutboxRow, Sent, Settled, Verdict
from core.ports import Decide, Done, Pending, Receipt, Result, Work
from core.rich import plain
from core.turn import Trace
from storage.memory import MemoryStore
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore

AnyStore = MemoryStore | SQLiteStore | PostgresStore
START = 1_800_000_000.0


@dataclass
class FakeClock:
    """Time that moves only when told."""

    now: float = START

    def __call__(self) -> float:
        return self.now

    def at(self, seconds: float = 0.0) -> datetime:
        return datetime.fromtimestamp(self.now + seconds, UTC)


def inbound(number: int, chat: str = "1", event: Event | None = None, **more: object) -> Inbound:
    """An update of a messenger."""
    values = {
        "channel": "telegram",
        "account": "bot",
        "external_id": f"update:{number}",
        "chat": chat,
        "event": event or Message(f"m{number}"),
        "sent_at": datetime.fromtimestamp(START + number, UTC),
        "sender_id": chat,
        "sender_name": f"Client {chat}",
        "message_id": str(number),
    }
    return Inbound(**(values | more))  # type: ignore[arg-type]


def outgoing(text: str) -> Outgoing:
    return Outgoing(plain(text))


def say(text: str, **more: object) -> Send:
    return Send(outgoing(text), **more)  # type: ignore[arg-type]


Turn = Callable[[Pending], tuple[Effect, ...]]


def deciding(turn: Turn) -> Decide:
    """A decider that gives each event the effects of `turn`."""

    def decide(work: Work) -> Result:
        epoch = work.conversation.session.epoch
        done = [Done(it, turn(it), (Trace("test"),), b'{"f":1}', epoch) for it in work.events]
        return Result(work.conversation, done)

    return decide


def always(*effects: Effect) -> Decide:
    """A decider with the same effects for every event."""
    return deciding(lambda _: effects)


def echo(pending: Pending) -> tuple[Effect, ...]:
    """Answer a message with its own text, record everything else."""
    event = pending.event
    return (say(f"re {event.text}"),) if isinstance(event, Message) else (Record(type(event).__name__),)


ECHO = deciding(echo)


def failing(work: Work) -> Result:
    """A step that fails on the first event."""
    return Result(work.conversation, [], failed=work.events[0], error="boom")


@dataclass
class Seen:
    """A decider that remembers what it was shown."""

    turn: Turn = echo
    works: list[Work] = field(default_factory=list)

    def __call__(self, work: Work) -> Result:
        self.works.append(work)
        return deciding(self.turn)(work)

    @property
    def events(self) -> list[Event]:
        return [it.event for work in self.works for it in work.events]


def shown(row: OutboxRow) -> str:
    """The platform's id of what it shows for a row: by its place, which is the same in every store."""
    return f"p{row.conversation}-{row.seq}"


def stored(row: OutboxRow) -> OutboxRow:
    """A row that was handed out, as it comes out of the store later."""
    return msgspec.structs.replace(row, fresh=False, followed=False)


def settled(row: OutboxRow, verdict: Verdict = "sent", **more: object) -> Settled:
    ids = (shown(row),) if verdict == "sent" else ()
    return Settled(row, Sent(verdict, ids, **more))  # type: ignore[arg-type]


def texts(rows: list[OutboxRow]) -> list[str]:
    return [row.message.body.text if row.message else row.kind for row in rows]


async def accept_one(store: AnyStore, it: Inbound, decide: Decide | None = ECHO) -> Receipt:
    (receipt,) = await store.accept([it], decide)
    return receipt


async def drain(store: AnyStore) -> list[str]:
    """Send everything that can be sent now; the texts in order."""
    sent: list[str] = []
    rows = await store.lease()
    while rows:
        row = rows.pop(0)
        sent += texts([row])
        for receipt in await store.mark([settled(row)]):
            rows += receipt.outbox
    return sent
