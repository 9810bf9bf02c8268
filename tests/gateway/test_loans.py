"""The bot on loan, both rooms together: what is put aside and comes back, where answers land, what ends a loan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.book import load
from bot.engine.collected import Known, known_fields, known_texts
from bot.engine.ground import LENT
from core.conversation import Conversation
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineRule
from core.effects import Note, Record, Send
from core.events import CallDone, Event, Message, MoveAsked, OperatorAct, Outside, TimerFired
from core.turn import Facts, Turn
from gateway.turns import run_turn
from handoff.decision import LOAN
from handoff.lines import House, Line, line_facts
from tests.gateway.house import FLOWS
from tests.gateway.test_turns import NOON

ORDER = """
flow: Номер заказа
fields:
  заказ: {label: Номер заказа, type: number, ask: Какой номер заказа?}
  адрес: {label: Адрес, ask: Куда везти?, optional: true}
steps:
  - ask: [заказ, адрес]
  - end: спросил
"""
RETURN = """
flow: Возврат
triggers: [{exact: [возврат]}]
fields:
  номер: {label: Номер заказа, type: number, ask: Номер заказа для возврата?}
  причина: {label: Причина, ask: Почему?}
steps:
  - ask: [причина, номер]
  - end: готово
"""
PAGED = """
flow: Снаружи
triggers: [{event: webhook.paid}]
steps:
  - say: Оплачено
  - end: готово
"""
LINES = House(
    lines={"support": Line(id="support", title="Поддержка", busy=LineRule("general"))}, words={"cancel": ("отмена",)}
)


class Talk:
    """A client and Anna in one conversation."""

    def __init__(self) -> None:
        deployment = Deployment(
            language="ru",
            timezone="Europe/Moscow",
            lines={id: line.info() for id, line in LINES.lines.items()},
            desks={"general": DeskInfo("Обращения", ())},
            services={},
            channels={"telegram": ChannelInfo("telegram", "support")},
        )
        more = {"order.yaml": ORDER, "return.yaml": RETURN, "paid.yaml": PAGED}
        book, findings = load({**FLOWS, **more}, deployment)
        assert book is not None, [finding.line("en") for finding in findings]
        self.book, self.now = book, NOON
        self.state = Conversation(id=1, channel="telegram", account="42", chat="1", client=1)

    def go(self, event: Event) -> Turn:
        self.now += timedelta(seconds=1)
        facts = Facts({"id": 1, "phone": "+79160000000"}, line_facts(LINES, self.now), "support")
        turn = run_turn(self.book, LINES, self.state, event, self.now, facts)
        self.state = turn.conversation
        return turn

    def said(self, event: Event | str) -> list[str]:
        turn = self.go(Message(event) if isinstance(event, str) else event)
        return [one.message.body.text for one in turn.effects if isinstance(one, Send)]

    def act(self, name: str, text: str = "", **data: Any) -> Turn:
        return self.go(OperatorAct("user:1", name, text, self.state.session.epoch, data=data))

    def fields(self) -> dict[str, Known]:
        found = known_fields(self.book, self.state, self.now, Facts({}, {}))
        return {one.label: one for one in found}

    @property
    def lent(self) -> bool:
        assert (LOAN in self.state.session.memory) == (LENT in self.state.talk.memory)
        return LOAN in self.state.session.memory


def taken(*before: str) -> Talk:
    talk = Talk()
    for text in before or ("привет",):
        talk.said(text)
    talk.act("take")
    return talk


def lent(*before: str) -> Talk:
    talk = taken(*before)
    talk.act("loan", flow="order")
    assert talk.lent
    return talk


def test_answers_land_in_the_run_that_was_put_aside() -> None:
    talk = lent("возврат", "не подошло")
    talk.said("42")
    turn = talk.go(Message("пропустить"))
    assert not talk.lent
    assert any(isinstance(one, Note) and "Номер заказа: 42" in one.text for one in turn.effects)
    run = talk.state.talk.run
    assert run is not None
    assert run.frames[0].values == {"причина": "не подошло", "номер": 42}
    back = talk.act("to_bot")
    said = [one.message.body.text for one in back.effects if isinstance(one, Send)]
    assert "Возврат" in said[0]


def test_answers_without_a_run_are_kept_for_people() -> None:
    talk = lent()
    talk.said("42")
    talk.said("Тула, Ленина 1")
    assert [(one.label, one.text, one.by) for one in talk.fields().values()] == [
        ("Номер заказа", "42", "bot"),
        ("Адрес", "Тула, Ленина 1", "bot"),
    ]
    talk.act("close")
    assert talk.fields() == {}


def test_answers_so_far_stay_when_the_person_takes_the_word_back() -> None:
    talk = lent()
    talk.said("42")
    talk.act("end_loan")
    assert not talk.lent
    assert talk.fields()["Номер заказа"].text == "42"
    assert talk.said("Тула") == []


@pytest.mark.parametrize("word", ["отмена", "оператор", "/operator", "/menu", "/cancel"])
def test_the_client_can_ask_for_the_person(word: str) -> None:
    talk = lent()
    command = word if word.startswith("/") else ""
    talk.go(Message(word, command=command))
    assert talk.lent == (word == "оператор"), "only words that `_bot.yaml` knows"
    if not talk.lent:
        assert (talk.state.session.status, talk.state.session.operator) == ("assigned", "user:1")


def test_no_digression_leads_out_of_a_loan() -> None:
    talk = lent()
    assert "Какой номер заказа?" in talk.said("возврат")[0]
    assert talk.lent


def test_a_flow_that_is_not_there_and_a_bot_that_waits_lend_nothing() -> None:
    talk = taken()
    turn = talk.act("loan", flow="nothing")
    assert [one.data["why"] for one in turn.trace if one.kind == "refused"] == ["flow"]
    assert Record("operator_refused", {"act": "loan", "operator": "user:1", "why": "flow"}) in turn.effects
    assert not talk.lent


def test_outside_events_wait_for_the_person_not_for_the_loan() -> None:
    talk = lent()
    assert talk.said(Outside("paid")) == []
    talk.said("42")
    assert "Оплачено" not in talk.said("пропустить")
    assert not talk.lent
    assert "Оплачено" not in talk.said("и что?"), "the bot is silent while a person has the session"


def test_a_run_does_not_move_away_during_a_loan() -> None:
    talk = lent("возврат", "не подошло")
    talk.go(MoveAsked(2, "vk"))
    assert talk.lent
    assert talk.said("42")


@pytest.mark.parametrize("event", [CallDone("x", "ok"), TimerFired("pieces"), TimerFired("silence", {"run": 9})])
def test_other_events_leave_a_loan_alone(event: Event) -> None:
    talk = lent()
    talk.go(event)
    assert talk.lent


# --- fields ------------------------------------------------------------------------------------------------------------


def test_a_field_put_right_is_marked_until_the_client_answers_anew() -> None:
    talk = taken("возврат", "не подошло", "42")
    talk.act("set_field", "43", label="Номер заказа")
    talk.act("set_field", "сломано", label="Причина")
    assert {label: one.by for label, one in talk.fields().items()} == {"Номер заказа": "user:1", "Причина": "user:1"}
    talk.act("loan", flow="order")
    talk.said("44")
    talk.act("end_loan")
    assert (talk.fields()["Номер заказа"].text, talk.fields()["Номер заказа"].by) == ("44", "bot")


@pytest.mark.parametrize(
    ("label", "text", "why"),
    [("Номер заказа", "много", "value"), ("Номер заказа", "", "value"), ("Погода", "дождь", "field")],
)
def test_fields_that_are_refused(label: str, text: str, why: str) -> None:
    talk = taken("возврат", "не подошло")
    turn = talk.act("set_field", text, label=label)
    assert [one.data["why"] for one in turn.trace if one.kind == "refused"] == [why]
    assert label not in talk.fields()


def test_the_card_fills_what_was_not_asked() -> None:
    talk = taken("возврат", "не подошло")
    known = known_texts(talk.book, talk.state, talk.now, Facts({"phone": "+79160000000", "name": "Анна"}, {}))
    assert (known["Телефон"], known["Имя"], known["Причина"]) == ("+79160000000", "Анна", "не подошло")
