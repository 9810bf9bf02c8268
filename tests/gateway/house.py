"""A small house for tests of the pipeline: a real store in memory, a channel that records, a decision that echoes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bot.book import Book, load
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineRule
from core.effects import Effect, Send
from core.events import Event, Inbound, Message
from core.messages import Outgoing
from core.outbox import OutboxRow, Sent
from core.ports import Capabilities, Done, Gate, Receipt, Result, Work
from core.rich import plain
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.worker import FloodGuard, Worker
from handoff.lines import House, Line
from storage.files.local import LocalFiles
from storage.memory import MemoryStore

PLAIN = Capabilities(4096, 1024, "inline", 8, 10, 64, 64, (), files=True, file_bytes=1 << 20)
NOWHERE = LocalFiles(Path(os.devnull))  # a place that takes no file
NOON = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = NOON

    def __call__(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at = datetime.fromtimestamp(self.at.timestamp() + seconds, UTC)


@dataclass
class Recorder:
    """A channel whose platform answers as told: `answers` are used up first, then everything is sent."""

    name: str = "telegram"
    kind: str = "telegram"
    account: str = "42"
    capabilities: Capabilities = PLAIN
    rows: list[OutboxRow] = field(default_factory=list)
    answers: list[Sent | Exception] = field(default_factory=list)
    hold: asyncio.Event | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    commands: tuple[tuple[str, str], ...] = ()

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        return []

    async def start(self, gate: Gate) -> None:
        self.gate = gate

    async def stop(self) -> None:
        self.gate = None  # type: ignore[assignment]

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Nothing limits how fast it goes."""
        return None

    async def caught_up(self) -> None:
        return

    async def send(self, row: OutboxRow) -> Sent:
        self.rows.append(row)
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else Sent("sent", (f"m{row.id}",))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        data = self.files.get(ref)
        if data is None:
            raise ValueError("the platform does not give the file")
        return data[:limit], "image/png"

    async def typing(self, chat: str) -> None:
        self.typed.append(chat)

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        self.commands = tuple(commands)

    @property
    def texts(self) -> list[str]:
        return [row.message.body.text for row in self.rows if row.message]


def inbound(number: int, event: Event | str, chat: str = "1", at: datetime = NOON) -> Inbound:
    """An event of chat `chat` as an adapter hands it in."""
    happened = Message(event) if isinstance(event, str) else event
    return Inbound("telegram", "42", f"u:{number}", chat, happened, at, sender_id=chat, sender_name="Клиент")


def echo(*more: Effect) -> Callable[[Work], Result]:
    """A decision: every message is answered by itself, then `more`."""

    def decide(work: Work) -> Result:
        result = Result(work.conversation, [])
        for pending in work.events:
            said = pending.event.text if isinstance(pending.event, Message) else type(pending.event).__name__
            effects = (Send(Outgoing(plain(said))), *more)
            result.done.append(Done(pending, effects, (), b"{}", work.conversation.session.epoch))
        return result

    return decide


def taken_over(work: Work) -> Result:
    """A decision: an operator takes the session over."""
    session = msgspec.structs.replace(
        work.conversation.session, owner="operator", epoch=work.conversation.session.epoch + 1
    )
    conversation = msgspec.structs.replace(work.conversation, session=session)
    return Result(conversation, [Done(pending, (), (), b"{}", session.epoch) for pending in work.events])


async def settled(tasks: Callable[[], Sequence[object]]) -> None:
    """Runs the loop until nothing of `tasks` is left; fails after two seconds."""
    async with asyncio.timeout(2):
        while tasks():
            await asyncio.sleep(0)


SHOP = """
bot: Б
welcome: hello
fallback: hello
operator: people
words: {cancel: [отмена]}
policy:
  silence:
    - after: 15m
      say: Вы ещё здесь?
    - after: 24h
      end: клиент замолчал
"""
HELLO = """
flow: Привет
steps:
  - say: Здравствуйте
  - end: готово
"""
PEOPLE = """
flow: Люди
triggers: [{exact: [человек]}]
steps:
  - handoff: support
  - end: передано
"""
FORM = """
flow: Заявка
triggers: [{exact: [заявка]}]
fields:
  телефон: {label: Телефон, type: phone, ask: Ваш телефон?, keep: client.phone}
  фото: {label: Фото, type: photo, ask: Пришлите фото.}
steps:
  - ask: телефон
  - ask: фото
  - ticket: general
    title: Заявка
    attach: [фото]
    save: заявка
  - say: Заявка {{ заявка.номер }}
  - end: создана
"""
BUSY = LineRule("general")
LINES = House(lines={"support": Line(id="support", title="Поддержка", busy=BUSY)})
FLOWS = {"_bot.yaml": SHOP, "hello.yaml": HELLO, "people.yaml": PEOPLE, "form.yaml": FORM}


def flows() -> Book:
    """The flows of the tests, compiled."""
    deployment = Deployment(
        language="ru",
        timezone="Europe/Moscow",
        lines={id: line.info() for id, line in LINES.lines.items()},
        desks={"general": DeskInfo("Обращения", ())},
        services={},
        channels={"telegram": ChannelInfo("telegram", "support")},
    )
    made, findings = load(FLOWS, deployment)
    assert made is not None, [finding.line("en") for finding in findings]
    return made


class Pipeline:
    """Intake, worker and clock of real parts over a store; what is offered to the sender is kept."""

    def __init__(self, store: MemoryStore, clock: Clock, flood: FloodGuard | None = None) -> None:
        self.store, self.clock, self.metrics = store, clock, Metrics()
        self.house, self.book = LINES, flows()
        self.rows: list[OutboxRow] = []
        self.woken = 0
        self.worker = Worker(
            house=lambda: self.house,
            book=lambda: self.book,
            channel_lines={"telegram": "support"},
            timezone="Europe/Moscow",
            metrics=self.metrics,
            flood=flood or FloodGuard(0, 1.0),
        )
        self.intake = Intake(store, self.worker, self.metrics, self.rows.extend, self.wake, files=NOWHERE)
        self.numbers = 0

    def wake(self) -> None:
        self.woken += 1

    async def say(self, event: Event | str, chat: str = "1") -> Receipt:
        """One event of a chat, now; the receipt."""
        self.numbers += 1
        (receipt,) = await self.intake.accept([inbound(self.numbers, event, chat, self.clock.at)])
        return receipt

    async def settle(self) -> None:
        """Works until nothing is ready, as the clock does."""
        while receipts := await self.store.work(self.worker.decide):
            self.intake.hand_on(receipts)

    async def said(self, conversation: int = 1) -> list[str]:
        """All that went out to a client, or waits for its turn."""
        return [one.message.body.text for one in await self.store.history(conversation) if one.message]


def count(metric: Any, *labels: str) -> float:
    """The value of a counter."""
    (child,) = (metric.labels(*labels) if labels else metric).collect()
    return float(child.samples[0].value)
