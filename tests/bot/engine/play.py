"""A conversation played through the pure step: what the client does, what the bot answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.book import Book, load
from bot.engine.turn import step
from core.conversation import Conversation
from core.deployment import CallInfo, ChannelInfo, Deployment, DeskInfo, LineInfo, LineRule, Take
from core.effects import Call, CreateTicket, Effect, Record, Send, StartTimer, StopTimer, ToLine, UpdateClient
from core.events import CallDone, Event, LineAnswer, Message, Press, TimerFired
from core.messages import Outgoing
from core.turn import Facts, LineFacts, Trace

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2025, 3, 5, 12, 0, tzinfo=MOSCOW)

BOT = """
bot: Помощник магазина «Север»
welcome: menu
fallback: not_understood
operator: to_operator
words:
  cancel: [отмена, отменить, стоп]
  back: [назад]
  operator: [оператор, человек, позовите человека]
  menu: [меню, в начало]
  skip: [пропустить, не знаю]
policy:
  attempts: 3
  wrong: Не получилось разобрать ответ.
  too_many:
    - call: to_operator
  failed:
    - call: to_operator
    - end: передано людям
  silence:
    - after: 15m
      say: Вы ещё здесь? {{ question }}
    - after: 24h
      end: клиент замолчал
"""

MENU = """
flow: Меню
triggers:
  - event: first_message
steps:
  - say: Здравствуйте! Это магазин «Север».
  - end: показано меню
"""

NOT_UNDERSTOOD = """
flow: Не понял
steps:
  - say: Не понял вас.
  - end: не понят
"""

TO_OPERATOR = """
flow: Позвать оператора
triggers:
  - button: Позвать оператора
steps:
  - say: Зову человека.
  - handoff: support
  - end: передано людям
"""

DEPLOYMENT = Deployment(
    language="ru",
    timezone="Europe/Moscow",
    lines={
        "support": LineInfo("Поддержка", LineRule("general"), LineRule("general")),
        "billing": LineInfo("Расчёты", None, LineRule("general")),
    },
    desks={
        "general": DeskInfo("Обращения", ("Вопрос", "Телефон")),
        "returns": DeskInfo("Возвраты", ()),
        "billing": DeskInfo("Расчёты", ()),
        "outer": DeskInfo("Внешний стол", (), True),
    },
    services={
        "shop": {
            "get_order": CallInfo(
                ("number", "phone"),
                {"номер": Take("text"), "дней_с_доставки": Take("number"), "статус": Take("text", True)},
            ),
            "block": CallInfo(("number",), {"итог": Take("text")}, False),
        },
    },
    channels={"site": ChannelInfo("web", "support")},
)


def sources(**flows: str) -> dict[str, str]:
    """The bot's files with some flows added or replaced."""
    base = {"_bot": BOT, "menu": MENU, "not_understood": NOT_UNDERSTOOD, "to_operator": TO_OPERATOR}
    return {f"{name}.yaml": text for name, text in {**base, **flows}.items()}


def build(deployment: Deployment = DEPLOYMENT, /, **flows: str) -> Book:
    book, findings = load(sources(**flows), deployment)
    assert book is not None, [finding.line("en") for finding in findings if finding.level == "error"]
    return book


class Play:
    """One client's conversation. Keeps everything that came out of it."""

    def __init__(self, book: Book, client: dict[str, Any] | None = None, now: datetime = NOW) -> None:
        self.book = book
        self.now = now
        self.client: dict[str, Any] = dict(client or {})
        self.lines = {
            id: LineFacts(line.title, True, now + timedelta(hours=9)) for id, line in book.deployment.lines.items()
        }
        self.line = "support"
        self.ticket = 100
        self.starting = False
        self.conversation = Conversation(1, "site", "main", "c1", 1, "web")
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.tickets: list[CreateTicket] = []
        self.records: list[Record] = []
        self.timers: dict[str, StartTimer] = {}
        self.buttons: dict[str, str] = {}

    def happen(self, event: Event) -> list[str]:
        """One event; the texts said in answer."""
        facts = Facts(self.client, self.lines, self.line, self.ticket, self.starting)
        turn = step(self.book, self.conversation, event, self.now, facts)
        self.conversation = turn.conversation
        self.effects, self.trace = list(turn.effects), list(turn.trace)
        for effect in turn.effects:
            self.keep(effect)
        return self.texts

    def keep(self, effect: Effect) -> None:
        if isinstance(effect, CreateTicket):
            self.tickets.append(effect)
            self.ticket += 1
        elif isinstance(effect, Record):
            self.records.append(effect)
        elif isinstance(effect, UpdateClient):
            self.client.update(effect.values)
            self.client["verified"] = sorted({*self.client.get("verified", ()), *effect.verified})
        elif isinstance(effect, StartTimer):
            self.timers[effect.key] = effect
        elif isinstance(effect, StopTimer):
            self.timers.pop(effect.key, None)
        elif isinstance(effect, Send):
            self.buttons.update({b.label: b.token for row in effect.message.rows for b in row if b.token})

    def say(self, text: str, **more: Any) -> list[str]:
        return self.happen(Message(text, **more))

    def press(self, label: str) -> list[str]:
        """Press the latest button of this label."""
        return self.happen(Press(self.buttons[label], label))

    def fire(self, key: str) -> list[str]:
        timer = self.timers.pop(key)
        self.now += timedelta(seconds=timer.seconds)
        return self.happen(TimerFired(key, timer.data))

    def done(self, status: Any = "ok", **take: Any) -> list[str]:
        run = self.conversation.talk.run
        assert run is not None
        return self.happen(CallDone(run.pending, status, take))

    def answer(self, answer: Any, line: str = "support") -> list[str]:
        return self.happen(LineAnswer(answer, line))

    @property
    def sent(self) -> list[Outgoing]:
        return [effect.message for effect in self.effects if isinstance(effect, Send)]

    @property
    def texts(self) -> list[str]:
        return [message.body.text for message in self.sent]

    @property
    def labels(self) -> list[str]:
        """The buttons of the last message."""
        return [button.label for row in self.sent[-1].rows for button in row] if self.sent else []

    @property
    def calls(self) -> list[Call]:
        return [effect for effect in self.effects if isinstance(effect, Call)]

    @property
    def handed(self) -> list[ToLine]:
        return [effect for effect in self.effects if isinstance(effect, ToLine)]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(r.data["flow"], r.data["outcome"]) for r in self.records if r.kind == "run_ended"]

    @property
    def state(self) -> str:
        run = self.conversation.talk.run
        return run.frames[-1].state if run is not None else ""

    def value(self, name: str) -> Any:
        run = self.conversation.talk.run
        return run.frames[-1].values.get(name) if run is not None else None

    def why(self, kind: str) -> list[dict[str, Any]]:
        return [trace.data for trace in self.trace if trace.kind == kind]

    def errors(self) -> list[str]:
        return [record.data["error"] for record in self.records if record.kind == "error"]


def all_kinds(effects: Iterable[Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]
