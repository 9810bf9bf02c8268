"""One event, one turn: what both rooms share."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.conversation import Conversation
from core.events import DeliveryFailed, Event, Message, Opened, Press
from core.turn import Facts
from gateway.deployment import build_house
from gateway.turns import run_turn
from handoff.lines import line_facts
from tests.flows.test_shipped import book, config

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
