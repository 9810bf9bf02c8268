"""The promises of a session's life over any order of what clients, people, the house and the clock do, both rooms together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.book import Book, load
from bot.engine.ground import LENT
from core.conversation import Conversation, Session
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineRule
from core.effects import AnswerBot, Hand, Queue, Record, Send, StartTimer, StopTimer, ToLine, Unqueue
from core.events import ColleagueReply, Event, HandoffAsked, Message, Opened, OperatorAct, Poisoned, Press, TimerFired
from core.messages import Attachment
from core.turn import Facts, Turn
from gateway.turns import run_turn
from handoff.acts import ACTS
from handoff.decision import HELD, HOLD_TIMER, IDLE, IDLE_TIMER, LOAN, TRANSFERRED
from handoff.hours import parse_hours
from handoff.lines import House, Line, line_facts
from handoff.session import OWNERS, RATE, owner
from tests.gateway.house import FLOWS

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))
OFFICE = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow")
RULE = LineRule("general")
HOUSE = House(
    lines={
        "support": Line(
            id="support",
            title="Поддержка",
            closed=RULE,
            busy=RULE,
            categories=("Возврат",),
            rating=True,
            idle_warn=600,
            idle_close=1200,
            returning="line",
        ),
        "billing": Line(id="billing", title="Расчёты", hours=OFFICE, closed=RULE, busy=RULE, packet=("Телефон",)),
    },
    words={"cancel": ("отмена",)},
)
ORDER = """
flow: Номер заказа
fields:
  заказ: {label: Номер заказа, type: number, ask: Какой номер заказа?}
steps:
  - ask: заказ
  - end: спросил
"""
TO_PEOPLE = """
flow: Опять люди
steps:
  - handoff: billing
  - end: передано
"""
SECRET = "между нами"  # stands in everything that is for colleagues alone


def build() -> Book:
    deployment = Deployment(
        language="ru",
        timezone="Europe/Moscow",
        lines={id: line.info() for id, line in HOUSE.lines.items()},
        desks={"general": DeskInfo("Обращения", ())},
        services={},
        channels={"telegram": ChannelInfo("telegram", "support")},
    )
    made, findings = load({**FLOWS, "ask_order.yaml": ORDER, "again.yaml": TO_PEOPLE}, deployment)
    assert made is not None, [finding.line("en") for finding in findings]
    return made


BOOK = build()
OWNER, ASKED = "owner", "q.rate.*.5"  # whoever has the session, the button that waits
words = st.sampled_from(["привет", "человек", "заявка", "отмена", "да", "1", "5", "42", "+79161234567", "оператор", ""])
tokens = st.sampled_from(
    [ASKED, ASKED, "q.1.y", "q.1.n", "q.rate.1.5", "q.rate.2.1", "q.rate.1.9", "q.", "1.1.0", "0.1.0"]
)
people = st.sampled_from([OWNER, OWNER, OWNER, "user:1", "user:2", "user:9", "router", "house"])
inside = st.just(SECRET)
sensible = st.fixed_dictionaries(
    {
        "right": st.sampled_from(["supervisor", ""]),
        "to": st.sampled_from(["user:1", "user:2", "user:9"]),
        "line": st.sampled_from(["support", "billing"]),
        "person": st.sampled_from(["", "", "user:2"]),
        "present": st.just(True),
        "packet": st.just({"Телефон": "+7"}),
        "until": st.sampled_from([0, NOON.timestamp() + 90_000]),
        "flow": st.sampled_from(["ask_order", "again", "form"]),
        "category": st.just("Возврат"),
        "priority": st.sampled_from(["high", "urgent"]),
        "label": st.sampled_from(["Телефон", "Номер заказа"]),
    }
)
odd = st.fixed_dictionaries(
    {},
    optional={
        "right": st.sampled_from(["supervisor", ""]),
        "to": st.sampled_from(["user:1", "user:2", "", 7]),
        "line": st.sampled_from(["support", "billing", "gone", 3]),
        "person": st.sampled_from(["user:1", "user:2", ""]),
        "present": st.booleans(),
        "urgent": st.booleans(),
        "packet": st.sampled_from([{"Телефон": "+7"}, {"Телефон": 7}, "", {}]),
        "until": st.sampled_from([0, 1, "завтра", NOON.timestamp() + 90_000, True]),
        "flow": st.sampled_from(["ask_order", "again", "form", "nothing", ""]),
        "category": st.sampled_from(["Возврат", "Погода", ""]),
        "priority": st.sampled_from(["high", "urgent", "so-so"]),
        "label": st.sampled_from(["Телефон", "Номер заказа", "Погода"]),
        "mention": st.sampled_from([["user:1"], "user:1", [7]]),
    },
)
data: st.SearchStrategy[dict[str, Any]] = st.one_of(sensible, sensible, odd)
OTHERS = {"edit", "recall", "retry", "ticket"}  # these move no session and trust the data that the API checked
acts = st.sampled_from(sorted(set(ACTS) - OTHERS))
clients = st.one_of(st.builds(Message, words), st.builds(Press, tokens), st.builds(Opened))
deeds = st.builds(OperatorAct, people, acts, inside, data=data)
others = st.one_of(
    st.builds(HandoffAsked, st.sampled_from(["support", "billing", "gone"]), inside, run=st.integers(0, 2)),
    st.builds(ColleagueReply, st.just("vk:7")),
    st.builds(Poisoned, st.just(1)),
    st.builds(Message, st.just(""), st.just((Attachment("photo", "f1"),))),
)
# (event or the n-th armed timer, minutes since the last one, how far an epoch is behind)
steps = st.tuples(
    st.one_of(clients, deeds, deeds, others, st.integers(0, 3)), st.integers(0, 12), st.sampled_from([0, 0, 0, 1])
)


class Life:
    """A conversation under any events, and what an observer of the effects believes of it."""

    def __init__(self) -> None:
        self.conversation = Conversation(id=1, channel="telegram", account="42", chat="1", client=1)
        self.now = NOON
        self.in_queue = False
        self.timers: dict[str, StartTimer] = {}

    def event(self, what: Event | int, behind: int) -> Event | None:
        """What happens: an act with the epoch that was seen, a timer that is armed."""
        session = self.conversation.session
        if isinstance(what, OperatorAct):
            who = (session.operator or "user:1") if what.operator == OWNER else what.operator
            return msgspec.structs.replace(what, operator=who, epoch=session.epoch - behind)
        if isinstance(what, Press) and what.token == ASKED:
            return Press(f"q.rate.{session.memory.get(RATE, {}).get('session', 0)}.5")
        if not isinstance(what, int):
            return what
        armed = sorted(self.timers)
        return TimerFired(armed[what], self.timers.pop(armed[what]).data) if what < len(armed) else None

    def go(self, what: Event | int, minutes: int, behind: int) -> None:
        self.now += timedelta(minutes=minutes)
        event = self.event(what, behind)
        if event is None:
            return
        before, encoded = self.conversation, msgspec.json.encode(self.conversation)
        facts = Facts({"id": 1}, line_facts(HOUSE, self.now), "support")
        turn = run_turn(BOOK, HOUSE, before, event, self.now, facts)
        assert msgspec.json.encode(before) == encoded, "nothing given is changed"
        self.follow(turn)
        self.check(before.session, turn, event)
        self.conversation = turn.conversation

    def follow(self, turn: Turn) -> None:
        for effect in turn.effects:
            assert not isinstance(effect, ToLine | AnswerBot | Hand), "rooms talk inside the turn"
            if isinstance(effect, StartTimer):
                self.timers[effect.key] = effect
            elif isinstance(effect, StopTimer):
                self.timers.pop(effect.key, None)
            elif isinstance(effect, Queue):
                assert not self.in_queue
                self.in_queue = True
            elif isinstance(effect, Unqueue):
                assert self.in_queue
                self.in_queue = False

    def check(self, old: Session, turn: Turn, event: Event) -> None:
        new, moves = turn.conversation.session, 0
        assert (new.owner, bool(new.operator)) == (OWNERS[new.status], new.owner == "operator")
        assert self.in_queue == (new.owner == "queue")
        assert new.owner != "queue" or new.line in HOUSE.lines
        for one in turn.effects:
            if isinstance(one, Record) and one.kind == "session_moved":
                assert one.data["who"]
                assert one.data["why"]
                moves += 1
            if isinstance(one, Send):
                self.check_said(one, event)
        assert (owner(new) == owner(old)) or new.epoch > old.epoch
        assert new.epoch - old.epoch <= moves
        if old.status == "closed" and old.number == new.number:
            assert (new.status, moves) == ("closed", 0)
        self.check_marks(turn.conversation)

    def check_said(self, send: Send, event: Event) -> None:
        """What is for colleagues goes to nobody else; the words of an operator come from the operator's own act."""
        said = isinstance(event, OperatorAct) and event.act in ("reply", "close")
        assert said or SECRET not in send.message.body.text
        if send.author == "operator":
            assert isinstance(event, OperatorAct)
            assert (event.act, event.operator) == ("reply", send.operator)

    def check_marks(self, conversation: Conversation) -> None:
        session = conversation.session
        memory = session.memory
        assert (LOAN in memory) == (LENT in conversation.talk.memory), "both rooms know of the same loan"
        assert LOAN not in memory or session.status == "waiting"
        assert (HELD in memory) == (session.status == "held")
        assert (HOLD_TIMER in self.timers) <= bool(memory.get(HELD))
        assert (IDLE in memory) <= (session.status == "waiting")
        assert (IDLE_TIMER in self.timers) <= (IDLE in memory)
        assert TRANSFERRED not in memory or session.owner != "bot"


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, min_size=20, max_size=50))
def test_any_life(walk: list[tuple[Any, int, int]]) -> None:
    life = Life()
    for what, minutes, behind in walk:
        life.go(what, minutes, behind)


TAKEN: tuple[Event, ...] = (Message("заявка"), Message("+79161234567"), OperatorAct("user:1", "take"))
PASSED = OperatorAct("user:1", "transfer", data={"line": "billing"})
STARTS: dict[str, tuple[Event, ...]] = {
    "lent": (*TAKEN, OperatorAct("user:1", "loan", data={"flow": "ask_order"})),
    "held": (*TAKEN, OperatorAct("user:1", "hold", data={"until": NOON.timestamp() + 600})),
    "silent": (*TAKEN, OperatorAct("user:1", "reply", "Ваш номер?")),
    "transferred": (*TAKEN, PASSED, OperatorAct("user:2", "take")),
    "closed": (*TAKEN, OperatorAct("user:1", "close", data={"category": "Возврат"})),
}
STATES = {"lent": "waiting", "held": "held", "silent": "waiting", "transferred": "assigned", "closed": "closed"}


@pytest.mark.parametrize("start", STARTS)
@settings(max_examples=60, deadline=None)
@given(walk=st.lists(steps, max_size=15))
def test_any_life_from_the_middle(start: str, walk: list[tuple[Any, int, int]]) -> None:
    life = Life()
    for event in STARTS[start]:
        life.go(event, 0, 0)
    assert life.conversation.session.status == STATES[start]
    for what, minutes, behind in walk:
        life.go(what, minutes, behind)
