"""The shipped flows and the lines under any sequence of events: one owner, growing epochs, silence, a true queue."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.book import Book
from bot.triggers.button import Button
from core.conversation import Conversation
from core.effects import (
    AnswerBot,
    Call,
    CreateTicket,
    Effect,
    Queue,
    Record,
    Send,
    StartTimer,
    StopTimer,
    ToLine,
    Unqueue,
    UpdateClient,
)
from core.events import (
    CallDone,
    DeliveryFailed,
    Edited,
    Event,
    Message,
    Opened,
    OperatorAct,
    Outside,
    Poisoned,
    Press,
    Reachability,
    TicketChanged,
    TimerFired,
)
from core.messages import Attachment, Contact, Location
from core.turn import Facts
from gateway.deployment import build_house
from gateway.turns import run_turn
from handoff.lines import House, line_facts
from handoff.session import OWNERS, owner
from storage.codec import decode_conversation, encode
from tests.flows.test_shipped import book, config

MOST_EFFECTS = 400
DAY = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # Wednesday, noon in Moscow
ORDER = {
    "номер": "123456",
    "статус": "доставлен",
    "товары": "Чайник",
    "сумма": {"amount": "100", "currency": "RUB"},
    "доставлен": True,
    "дней_с_доставки": 3,
    "примечание": None,
}


@cache
def house() -> House:
    return build_house(config(), book().bot.words)


@cache
def said() -> list[str]:
    """What clients of the shipped flows write: system words, labels, answers, and what nobody expects."""
    labels = [t.label for flow in book().flows.values() for t in flow.flow.triggers if isinstance(t, Button)]
    words = [word for known in book().bot.words.values() for word in known[:2]]
    answers = ["123456", "+79161234567", "7707083893", "да", "нет", "1", "2", "5", "брак", "Описание длиннее десяти"]
    strange = ["", "абракадабра", "/start", "/cancel", "x" * 4096, "\u202eзлой", "{{ client }}", "<b>", "исправить"]
    asked = ["вернуть товар", "забыл пароль", "нет доступа", "часы работы", "не могу войти", "привет", "спасибо"]
    return [*labels, *words, *words, *answers, *answers, *strange, *asked]


GOOD = {"phone": "+79161234567", "inn": "7707083893", "rating": "5", "yes_no": "да", "email": "a@b.ru", "choice": "1"}
MARKS = st.fixed_dictionaries({"n": st.integers(0, 7), "yes": st.booleans(), "seconds": st.sampled_from([1, 60, 3600])})
KINDS = ["good"] * 14 + ["text"] * 6 + ["press"] * 4 + ["timer"] * 2 + ["call"] * 3 + ["operator"] * 3 + ["other"] * 2
STEPS = st.tuples(st.sampled_from(KINDS), st.integers(0, 1000), MARKS)
OTHERS: list[Event] = [
    Message(attachments=(Attachment("photo", "f1"),), album="a"),
    Message(attachments=(Attachment("file", "f2", "счёт.pdf"),)),
    Message(contact=Contact("+79161112233", own=True)),
    Message(contact=Contact("+79161112233", own=False)),
    Message(location=Location(55.7, 37.6)),
    Opened(""),
    Opened("vozvrat-qr"),
    Press("q.1.y"),
    Press("q.1.n"),
    Press("junk", "Вернуть товар"),
    Press("q.", ""),
    Edited("1", "другое"),
    Reachability(False),
    Reachability(True),
    DeliveryFailed(1, "unreachable"),
    TicketChanged(5, "решена", True),
    TicketChanged(5, "в работе"),
    Outside("invoice_overdue", {"номер": "1", "сумма": 5}),
    Outside("invoice_overdue", {}),
    Outside("nobody", {}),
    Poisoned(1, "ValueError"),
    TimerFired("line.wait", {"session": 1, "epoch": 1}),
    TimerFired("line.nobody"),
    TimerFired("silence"),
    TimerFired("pieces"),
    CallDone("nobody", "ok"),
]
STATUSES: tuple[Literal["ok", "missing", "failed"], ...] = ("ok", "ok", "missing", "failed")
ACTS = ["take", "reply", "note", "return", "to_bot", "close"]


class World:
    """Everything around the turn that a gateway keeps: the card, timers, calls, buttons, the queue, the clock."""

    def __init__(self, at: datetime) -> None:
        self.now = at
        self.conversation = Conversation(1, "site", "site", "c1", 1, "web")
        self.client: dict[str, Any] = {"id": 1, "name": "Клиент", "verified": []}
        self.timers: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.buttons: list[str] = []
        self.queued: list[str] = []
        self.keys: set[str] = set()
        self.ticket = 1

    def event(self, kind: str, n: int, marks: dict[str, Any]) -> Event:
        if kind == "text":
            text = said()[n % len(said())]
            return Message(text, command=text if text.startswith("/") else "")
        if kind == "press" and self.buttons:
            return Press(self.buttons[-1 - n % min(len(self.buttons), 12)])
        if kind == "timer" and self.timers:
            key = sorted(self.timers)[n % len(self.timers)]
            return TimerFired(key, self.timers.pop(key))
        if kind == "call" and self.calls:
            return self.answer(marks)
        if kind == "operator":
            epoch = self.conversation.session.epoch - (n % 9 == 0)
            return OperatorAct("anna" if n % 5 else "boris", ACTS[n % 6], "Здравствуйте" * marks["yes"], epoch)
        return OTHERS[n % len(OTHERS)] if kind == "other" else self.good(marks)

    def good(self, marks: dict[str, Any]) -> Event:
        """What a willing client does next: the call comes back, the question is answered, a flow is chosen."""
        run = self.conversation.talk.run
        if run is not None and run.pending and self.calls:
            return self.answer(marks)
        if run is None:
            return Message(said()[marks["n"]])
        frame = run.frames[-1]
        node = book().versions[frame.flow, frame.version].nodes[frame.state]
        if node.field is None:
            return Message("1")
        if node.field.type in ("photo", "file"):
            return Message(attachments=(Attachment("photo", "f1"),))
        if node.field.name == "номер_заказа":
            return Message("123456")
        return Message(GOOD.get(node.field.type, "Описание длиннее десяти"))

    def answer(self, marks: dict[str, Any]) -> Event:
        status = STATUSES[marks["n"] % 4]
        take = (
            {**ORDER, "доставлен": marks["n"] != 4, "дней_с_доставки": 3 * marks["n"], "заявки": []}
            if status == "ok"
            else {}
        )
        return CallDone(self.calls.pop(0), status, take)

    def happen(self, event: Event, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        facts = Facts(self.client, line_facts(house(), self.now), "support", self.ticket, starting=seconds > 60)
        before = encode(self.conversation)
        turn = run_turn(book(), house(), self.conversation, event, self.now, facts)
        assert encode(self.conversation) == before, "arguments are left as they are"
        stored = run_turn(book(), house(), decode_conversation.decode(before), event, self.now, facts)
        assert encode(stored) == encode(turn), "what comes from the store steps just so"
        self.check_owner(turn.conversation, turn.effects)
        self.conversation = turn.conversation
        for effect in turn.effects:
            self.perform(effect)
        self.check_queue()
        check_not_stuck(book(), self.conversation)

    def check_owner(self, after: Conversation, effects: tuple[Effect, ...]) -> None:
        before = self.conversation.session
        assert len(effects) < MOST_EFFECTS
        assert OWNERS[after.session.status] == after.session.owner
        assert after.session.epoch >= before.epoch
        if owner(after.session) != owner(before) and after.session.number == before.number:
            assert after.session.epoch > before.epoch, "a new owner is a new epoch"
        if not any(isinstance(e, Record) and e.kind == "session_moved" for e in effects):
            assert after.session.epoch == before.epoch
        check_silence(before.owner, effects)

    def perform(self, effect: Effect) -> None:
        assert not isinstance(effect, ToLine | AnswerBot), "rooms talk inside the turn"
        if isinstance(effect, Send):
            self.buttons += [button.token for row in effect.message.rows for button in row if button.token]
        elif isinstance(effect, StartTimer):
            assert effect.seconds >= 0
            self.timers[effect.key] = effect.data
        elif isinstance(effect, StopTimer):
            self.timers.pop(effect.key, None)
        elif isinstance(effect, Call):
            self.calls.append(effect.key)
        elif isinstance(effect, UpdateClient):
            proved = sorted({*self.client["verified"], *effect.verified})
            self.client = {**self.client, **effect.values, "verified": proved}
        elif isinstance(effect, CreateTicket):
            assert effect.key not in self.keys, "never two tickets of one key"
            assert effect.number == self.ticket, "numbers are taken one after another"
            self.keys.add(effect.key)
            self.ticket += 1
        elif isinstance(effect, Queue):
            self.queued.append(effect.line)
        elif isinstance(effect, Unqueue):
            self.queued.clear()

    def check_queue(self) -> None:
        session = self.conversation.session
        assert self.queued == ([session.line] if session.status == "queued" else []), "the queue holds who waits"


def check_silence(owner_before: str, effects: tuple[Effect, ...]) -> None:
    """In the order of the effects: the bot speaks only while it owns the session."""
    owned = owner_before
    for effect in effects:
        if isinstance(effect, Record) and effect.kind == "session_moved":
            owned = OWNERS[effect.data["to"]]
        if isinstance(effect, Send) and effect.author == "bot":
            assert owned == "bot", "the bot is silent while people own the session"


def check_not_stuck(flows: Book, conversation: Conversation) -> None:
    """A run that waits for people while the bot owns the session would wait for ever."""
    run = conversation.talk.run
    if run is None or conversation.session.owner != "bot":
        return
    frame = run.frames[-1]
    node = flows.versions[frame.flow, frame.version].nodes[frame.state]
    assert node.action.word not in ("handoff", "line"), f"nobody will answer {frame.flow}:{frame.state}"


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "120")),
    deadline=None,
    derandomize="EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=1, max_size=60), st.sampled_from([0, 9, 83]))
def test_any_sequence_of_events_and_people(steps: list[tuple[str, int, dict[str, Any]]], hours: int) -> None:
    world = World(DAY + timedelta(hours=hours))
    for kind, n, marks in steps:
        world.happen(world.event(kind, n, marks), marks["seconds"])
