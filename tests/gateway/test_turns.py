"""One event, one turn: what both rooms share."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.book import Book, load
from core.conversation import Conversation
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineRule
from core.effects import CreateTicket, Send
from core.events import DeliveryFailed, Event, Message, Opened, Press
from core.turn import Facts, LineFacts, Turn
from gateway.deployment import build_house
from gateway.turns import run_turn
from handoff.hours import parse_hours
from handoff.lines import House, Line, line_facts
from tests.flows.test_shipped import book, config
from tests.gateway.house import FLOWS

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))


def after(conversation: Conversation, event: Event) -> Conversation:
    house = build_house(config(), book().bot.words)
    facts = Facts(client={"id": 1}, lines=line_facts(house, NOON), line="support", ticket_number=1)
    return run_turn(book(), house, conversation, event, NOON, facts).conversation


@pytest.mark.parametrize("event", [Message("Здравствуйте"), Press("x"), Opened()])
def test_a_client_who_writes_again_can_be_reached_again(event: Event) -> None:
    """Who blocked the bot and comes back may do so without the platform telling us of the unblocking."""
    conversation = after(Conversation(id=1, channel="telegram", account="42", chat="1", client=1), Message("Привет"))
    blocked = after(conversation, DeliveryFailed(1, "unreachable", "blocked"))
    assert not blocked.reachable
    assert after(blocked, event).reachable


# --- both rooms in one turn ------------------------------------------------------------------------------------------

SHUT = parse_hours({"mon": "03:00-03:01"}, "Europe/Moscow")
RULE = LineRule("general")
CLOSED = House(lines={"support": Line(id="support", title="Поддержка", hours=SHUT, closed=RULE, busy=RULE)})
TWO_TICKETS = """
flow: Две заявки
triggers: [{exact: [две]}]
steps:
  - ticket: general
    title: Первая
    save: первая
  - say: Заявка {{ первая.номер }}
  - handoff: support
  - end: готово
"""
CIRCLE = """
flow: По кругу
triggers: [{exact: [круг]}]
steps:
  - step: снова
    handoff: support
    closed:
      - goto: снова
  - end: готово
"""


def small(name: str, flow: str) -> Book:
    deployment = Deployment(
        language="ru",
        timezone="Europe/Moscow",
        lines={id: line.info() for id, line in CLOSED.lines.items()},
        desks={"general": DeskInfo("Обращения", ())},
        services={},
        channels={"telegram": ChannelInfo("telegram", "support")},
    )
    made, findings = load({**FLOWS, f"{name}.yaml": flow}, deployment)
    assert made is not None, [finding.line("en") for finding in findings]
    return made


def turn_of(flows: Book, text: str, told: bool) -> Turn:
    """The turn of a first message. `told`: the facts say that the line is closed; else the line itself has to."""
    conversation = Conversation(id=1, channel="telegram", account="42", chat="1", client=1)
    lines = line_facts(CLOSED, NOON) if told else {"support": LineFacts("Поддержка", True)}
    facts = Facts(client={"id": 1}, lines=lines, line="support", ticket_number=7)
    return run_turn(flows, CLOSED, conversation, Message(text), NOON, facts)


@pytest.mark.parametrize("told", [True, False])
def test_tickets_on_both_sides_of_a_closed_line_have_numbers_of_their_own(told: bool) -> None:
    turn = turn_of(small("two", TWO_TICKETS), "две", told)
    assert [one.number for one in turn.effects if isinstance(one, CreateTicket)] == [7, 8]
    said = [one.message.body.text for one in turn.effects if isinstance(one, Send)]
    assert "Заявка 7" in said[0]
    assert "8" in said[-1]


def test_a_circle_through_a_closed_line_ends_in_the_same_turn() -> None:
    """The engine counts how often a step is entered; the turn must not stop halfway, with a run that waits for nobody."""
    turn = turn_of(small("circle", CIRCLE), "круг", True)
    run = turn.conversation.talk.run
    assert run is None or run.question, "the client is asked, or the run is over"
    assert turn.conversation.session.owner == "bot"
    assert any(isinstance(one, Send) for one in turn.effects)
