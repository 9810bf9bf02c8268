"""A believable month: clients, the bot, three operators and the clock; every turn is made by the real rooms."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from bot.book import Book, load
from core.conversation import Conversation
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineRule
from core.effects import CreateTicket, Record, Send, StartTimer, StopTimer
from core.events import Event, Message, OperatorAct, Press, TimerFired
from core.turn import Facts
from gateway.turns import run_turn
from handoff.hours import parse_hours
from handoff.lines import House, Line, line_facts
from storage.codec import encode
from tests.gateway.house import FORM, HELLO, PEOPLE, SHOP

BEGIN = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
DAYS = 31
DAY = 86_400.0
OFFICE = parse_hours({"mon-fri": "09:00-18:00", "sat": "10:00-14:00"}, "Europe/Moscow")
RULE = LineRule("general")
HOUSE = House(
    lines={
        "support": Line(
            id="support",
            title="Поддержка",
            closed=RULE,
            busy=RULE,
            max_wait=900.0,
            rating=True,
            idle_warn=1200,
            idle_close=1800,
            next_reply=600.0,
            resolve=7200.0,
            categories=("Возврат", "Доставка"),
        ),
        "billing": Line(
            id="billing",
            title="Расчёты",
            hours=OFFICE,
            closed=RULE,
            busy=RULE,
            packet=("Номер заказа",),
            first_reply=900.0,
        ),
    },
    words={"cancel": ("отмена",)},
)
BILLS = """
flow: Счёт
triggers: [{exact: [счёт]}]
steps:
  - handoff: billing
    closed:
      - say: Линия закрыта, напишите в рабочее время
      - end: закрыто
  - end: передано
"""
FLOWS = {"_bot.yaml": SHOP, "hello.yaml": HELLO, "people.yaml": PEOPLE, "form.yaml": FORM, "bills.yaml": BILLS}
CHANNELS = ("telegram", "vk", "site")
OPERATORS = ("user:7", "user:8", "user:9")


@cache
def book() -> Book:
    deployment = Deployment(
        language="ru",
        timezone="Europe/Moscow",
        lines={id: line.info() for id, line in HOUSE.lines.items()},
        desks={"general": DeskInfo("Обращения", ())},
        services={},
        channels={name: ChannelInfo(name, "support") for name in CHANNELS},
    )
    made, findings = load(FLOWS, deployment)
    assert made is not None, [finding.line("en") for finding in findings]
    return made


Row = dict[str, Any]


@dataclass
class Month:
    """What was written: rows of `records` and of `messages`, in the order of their turns."""

    random: random.Random
    records: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    tickets: int = 0

    def play(self, conversations: int) -> Month:
        """So many clients, each with one to four visits."""
        for id in range(1, conversations + 1):
            client = id if self.random.random() < 0.9 else max(1, id - 1)  # some write in two channels
            chat = Chat(self, id, client, self.random.choice(CHANNELS))
            at = BEGIN + self.random.uniform(-2, DAYS) * DAY
            for _ in range(self.random.choice((1, 1, 1, 2, 3, 4))):
                at = chat.visit(at) + self.random.expovariate(1 / (3 * DAY))
                if at > BEGIN + (DAYS + 2) * DAY:
                    break
        self.records.sort(key=lambda row: row["at"])  # the log has the order of time; sort is stable within a turn
        return self


@dataclass
class Chat:
    """One conversation and whoever acts in it."""

    month: Month
    id: int
    client: int
    channel: str
    timers: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.home = Conversation(id=self.id, channel=self.channel, account="1", chat=str(self.id), client=self.client)

    # --- the machine ---

    def turn(self, event: Event, at: float) -> None:
        """One event at its time, after all timers that come due before."""
        while due := min(((due, key) for key, (due, _) in self.timers.items() if due <= at), default=None):
            _, data = self.timers.pop(due[1])
            self._turn(TimerFired(due[1], data), due[0])
        self._turn(event, at)

    def _turn(self, event: Event, at: float) -> None:
        self.at = at = max(at, self.at)
        now = datetime.fromtimestamp(at, UTC)
        facts = Facts({"id": self.client}, line_facts(HOUSE, now), "support", self.month.tickets + 1)
        turn = run_turn(book(), HOUSE, self.home, event, now, facts)
        seq = self.home.seq
        if isinstance(event, Message | Press):
            seq = self._say(seq, "client", at)
        for effect in turn.effects:
            match effect:
                case Record():
                    row = {"conversation": self.id, "at": at, "kind": effect.kind, "data": encode(effect.data)}
                    self.month.records.append({**row, "session": effect.data.get("session", 0)})
                case Send():
                    seq = self._say(seq, effect.author, at)
                case StartTimer():
                    self.timers[effect.key] = (at + effect.seconds, effect.data)
                case StopTimer():
                    self.timers.pop(effect.key, None)
                case CreateTicket():
                    self.month.tickets += 1
                case _:
                    pass
        self.home = msgspec.structs.replace(turn.conversation, seq=seq)

    def _say(self, seq: int, author: str, at: float) -> int:
        row = {"conversation": self.id, "seq": seq + 1, "author": author, "operator": "", "at": at, "event": None}
        more = {"message": None, "state": "sent", "reason": "", "message_id": "", "edited": 0}
        self.month.messages.append({**row, **more})
        return seq + 1

    # --- the people ---

    def visit(self, at: float) -> float:
        """A client writes, and things take their course for a while. When it was over."""
        dice = self.month.random
        self.turn(Message(dice.choice(("привет", "привет", "заявка", "человек", "человек", "счёт"))), at)
        for _ in range(dice.choice((0, 1, 3, 6, 12))):
            at += dice.choice((2.0, 20.0, 90.0, 400.0, 1000.0)) * dice.random()
            for event in self._doing(dice):
                self.turn(event, at)
        if self.home.session.owner == "operator" and dice.random() < 0.8:
            category = dice.choice(("Возврат", "Доставка")) if self.home.session.line == "support" else ""
            self.turn(self._act("close", category=category), at + 30)
            if dice.random() < 0.6:
                self.turn(Press(f"q.rate.{self.home.session.number}.{dice.randint(1, 5)}"), at + 60)
        return at

    def _doing(self, dice: random.Random) -> Iterator[Event]:
        session = self.home.session
        if session.owner == "bot":
            yield Message(dice.choice(("привет", "что", "человек", "отмена", "+79161234567")))
        elif session.owner == "queue":
            yield from dice.choice((self._taking, self._taking, self._adding, self._leaving))(dice)
        else:
            yield from dice.choice((self._talking,) * 5 + (self._passing_on, self._pausing, self._sending_back))(dice)

    def _taking(self, dice: random.Random) -> Iterator[Event]:
        yield OperatorAct(dice.choice(OPERATORS), "take", "", self.home.session.epoch)

    def _adding(self, _: random.Random) -> Iterator[Event]:
        yield Message("и ещё")

    def _leaving(self, _: random.Random) -> Iterator[Event]:
        yield Message("отмена")
        yield Message("да")

    def _talking(self, dice: random.Random) -> Iterator[Event]:
        yield self._act("reply", "Слушаю") if dice.random() < 0.6 else Message("вот так")

    def _passing_on(self, dice: random.Random) -> Iterator[Event]:
        to = dice.choice(("support", "billing"))
        match dice.randrange(5):
            case 0:
                yield self._act("return")
            case 1:
                yield self._act("to_bot")
            case 2:
                yield self._act("transfer", "посмотрите", line=to, person="user:9", present=True, urgent=True)
            case _:
                yield self._act("transfer", "к вам", line=to, urgent=dice.random() < 0.5, packet={"Номер заказа": "77"})

    def _sending_back(self, _: random.Random) -> Iterator[Event]:
        yield self._act("send_back", "не наше")

    def _pausing(self, dice: random.Random) -> Iterator[Event]:
        yield self._act(dice.choice(("hold", "unhold")))

    def _act(self, name: str, text: str = "", **data: Any) -> OperatorAct:
        session = self.home.session
        return OperatorAct(session.operator, name, text, session.epoch, data=data)


def make_month(conversations: int, seed: int = 5) -> Month:
    """The same month for the same seed."""
    return Month(random.Random(seed)).play(conversations)
