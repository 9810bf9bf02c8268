"""Any sequence of events: no exception, bounded effects, the same state again, silence while people own the session."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.engine.turn import step
from core.conversation import Conversation
from core.effects import CreateTicket, Send, StartTimer
from core.events import (
    CallDone,
    DeliveryFailed,
    Edited,
    Event,
    LineAnswer,
    Message,
    Opened,
    Outside,
    Poisoned,
    Press,
    Reachability,
    TicketChanged,
    TimerFired,
)
from core.messages import Attachment, Contact
from core.turn import Facts, LineFacts
from tests.bot.engine.play import BOT, NOW, build
from tests.bot.engine.shop import SHOP

OVERDUE = """
flow: Напоминание
triggers: [{event: webhook.invoice}]
fields: {когда: {label: Когда, ask: "Когда оплатите {{ event.amount }}?"}}
steps: [{ask: когда}, {handoff: support}, {end: напомнили}]
"""
BOOK = build(_bot=BOT.rstrip() + "\n  pause: 1s\n", overdue=OVERDUE, **SHOP)
OTHER = build(**{**SHOP, "billing": SHOP["billing"].replace("Опишите", "Расскажите")})

TEXTS = st.sampled_from(
    [
        "привет",
        "хочу вернуть товар",
        "двойное списание",
        "ORD-123456",
        "8 912 345-67-89",
        "7707083893",
        "1",
        "2",
        "да",
        "нет",
        "назад",
        "отмена",
        "меню",
        "оператор",
        "пропустить",
        "часы работы",
        "Вопрос по оплате",
        "спасибо",
        "исправить",
        "верно",
        "Описание подлиннее десяти",
        "абракадабра",
        "",
        "/start",
        "/cancel",
        "x" * 5000,
        "\u202eзлой текст",
    ]
) | st.text(max_size=12)
TOKENS = st.builds(
    lambda r, k, n: f"{r}.{k}.{n}", st.integers(0, 4), st.integers(0, 9_999_999), st.integers(0, 4)
) | st.text(max_size=8)
ALBUMS = st.sampled_from(["", "", "a", "b"])


def commands(text: str) -> str:
    return text if text.startswith("/") else ""


@st.composite
def events(draw: st.DrawFn) -> tuple[str, Any]:
    """An event, or something that depends on the state: a press of a real button, the result of the real call."""
    kind = draw(
        st.sampled_from(
            [
                "message",
                "message",
                "message",
                "press",
                "junk",
                "photo",
                "contact",
                "opened",
                "silence",
                "pieces",
                "call",
                "stale_call",
                "line",
                "outside",
                "ticket",
                "other",
                "owner",
                "book",
            ]
        )
    )
    if kind == "message":
        text = draw(TEXTS)
        return "event", Message(text, command=commands(text))
    plain: dict[str, Any] = {
        "junk": Press(draw(TOKENS), draw(st.sampled_from(["", "Вернуть товар", "Часы работы"]))),
        "photo": Message(attachments=(Attachment("photo", "f1"),), album=draw(ALBUMS)),
        "contact": Message(contact=Contact("+79161112233", own=draw(st.booleans()))),
        "opened": Opened(draw(st.sampled_from(["", "vozvrat-qr", "x"]))),
        "stale_call": CallDone("nobody", "ok"),
        "line": LineAnswer(draw(st.sampled_from(["closed", "busy", "returned", "done", "left"])), "support"),
        "outside": Outside(draw(st.sampled_from(["invoice", "none"])), {"amount": 5}),
        "ticket": TicketChanged(5, "done", draw(st.booleans())),
        "pieces": TimerFired("pieces"),
        "other": draw(
            st.sampled_from([Edited("1"), Poisoned(1), Reachability(False), DeliveryFailed(1, "unreachable")])
        ),
    }
    if kind in plain:
        return "event", plain[kind]
    status = draw(st.sampled_from(["ok", "missing", "failed"]))
    take = {"номер": "1", "дней_с_доставки": draw(st.sampled_from([1, 20, None]))} if status == "ok" else {}
    return kind, {
        "n": draw(st.integers(0, 5)),
        "status": status,
        "take": take,
        "owner": draw(st.sampled_from(["bot", "bot", "queue", "operator"])),
    }


class World:
    """Everything around the step that a gateway would keep."""

    def __init__(self, open: bool) -> None:
        self.conversation = Conversation(1, "site", "main", "c", 1, "web")
        self.lines = {id: LineFacts(id, open, NOW + timedelta(hours=9)) for id in ("support", "billing")}
        self.book = BOOK
        self.buttons: list[str] = []
        self.timers: dict[str, dict[str, Any]] = {}
        self.keys: list[str] = []
        self.ticket = 1

    def event(self, kind: str, value: Any) -> Event | None:
        if kind == "event":
            return value  # type: ignore[no-any-return]
        if kind == "owner":
            self.conversation.session.owner = value["owner"]
            return None
        if kind == "book":
            self.book = OTHER if value["n"] % 2 else BOOK.with_older(OTHER)
            return None
        if kind == "press":
            return Press(self.buttons[value["n"] % len(self.buttons)]) if self.buttons else None
        if kind == "silence":
            return TimerFired("silence", self.timers.get("silence", {}))
        run = self.conversation.talk.suspended if value["n"] % 2 else self.conversation.talk.run
        return CallDone(run.pending, value["status"], value["take"]) if run is not None and run.pending else None

    def happen(self, event: Event) -> None:
        facts = Facts({"phone": "+79990001122"}, self.lines, "support", self.ticket)
        before = msgspec.json.encode(self.conversation)
        turn = step(self.book, self.conversation, event, NOW, facts)
        assert msgspec.json.encode(self.conversation) == before, "arguments are left as they are"
        again = step(self.book, msgspec.json.decode(before, type=Conversation), event, NOW, facts)
        assert msgspec.json.encode(again) == msgspec.json.encode(turn), "what comes from the store steps just so"
        assert len(turn.effects) < 1500
        packed = msgspec.json.encode(turn.conversation)
        stored = msgspec.json.decode(packed, type=Conversation)
        assert msgspec.json.encode(stored) == packed, "the state survives the store"
        if self.conversation.session.owner != "bot":
            assert not [e for e in turn.effects if isinstance(e, Send) and e.author == "bot"]
        self.remember(turn.effects)
        self.conversation = stored

    def remember(self, effects: tuple[Any, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                tokens = [button.token for row in effect.message.rows for button in row if button.token]
                assert all(len(token.encode()) <= 20 for token in tokens)
                self.buttons += tokens
            elif isinstance(effect, StartTimer):
                self.timers[effect.key] = effect.data
            elif isinstance(effect, CreateTicket):
                assert effect.key not in self.keys, "never two tickets of one key"
                assert effect.number == self.ticket, "numbers are taken one after another"
                self.keys.append(effect.key)
                self.ticket += 1


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "250")),
    deadline=None,
    derandomize="EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(events(), max_size=40), st.booleans())
def test_any_sequence_of_events(sequence: list[tuple[str, Any]], open: bool) -> None:
    world = World(open)
    for kind, value in sequence:
        event = world.event(kind, value)
        if event is not None:
            world.happen(event)
