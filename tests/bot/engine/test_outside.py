"""Events that are no messages: other systems, tickets, deliveries."""

from __future__ import annotations

import pytest

from core.effects import Send
from core.events import (
    DeliveryFailed,
    Edited,
    HandoffAsked,
    Outside,
    Poisoned,
    Reachability,
    TicketChanged,
)
from core.locale import texts
from tests.bot.engine.play import Play, build
from tests.bot.engine.shop import SHOP

T = texts("ru")
OVERDUE = """
flow: Напоминание
triggers: [{event: webhook.invoice, where: event.amount > 10}]
fields: {когда: {label: Когда, ask: "Когда оплатите?"}}
steps:
  - say: "Счёт на {{ event.amount }}."
  - ask: когда
  - say: "Ждём {{ event.amount }}."
  - end: напомнили
"""
SOLVED = """
flow: Решено
triggers: [{event: ticket_solved}]
steps:
  - say: "Заявка решена."
  - end: решено
"""
BOOK = build(overdue=OVERDUE, **SHOP)
INVOICE = Outside("invoice", {"amount": 50})


def test_an_outside_event_starts_its_flow_with_its_data() -> None:
    play = Play(BOOK)
    assert play.happen(INVOICE) == ["Счёт на 50.", "Когда оплатите?"]
    assert play.say("завтра") == ["Ждём 50."]


def test_where_must_hold_and_somebody_must_wait() -> None:
    play = Play(BOOK)
    assert play.happen(Outside("invoice", {"amount": 5})) == []
    assert play.happen(Outside("other")) == []
    assert play.why("nobody_waits")


def test_outside_events_wait_for_the_run() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    assert play.happen(INVOICE) == []
    assert play.say("отмена") == [T("Cancelled."), "Счёт на 50.", "Когда оплатите?"]


def test_outside_events_wait_for_the_person() -> None:
    play = Play(BOOK)
    play.say("оператор")
    play.conversation.session.owner = "operator"
    assert play.happen(INVOICE) == []
    play.conversation.session.owner = "bot"
    assert play.answer("done") == ["Счёт на 50.", "Когда оплатите?"]


def test_at_most_twenty_events_wait() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    for amount in range(30):
        play.happen(Outside("invoice", {"amount": 100 + amount}))
    assert len(play.conversation.talk.waiting) == 20
    play.say("отмена")
    assert play.texts[1] == "Счёт на 110."


def test_a_waiting_event_that_cannot_be_read_is_let_go() -> None:
    play = Play(BOOK)
    play.conversation.talk.waiting = [{"type": "unheard of"}]
    play.say("привет")
    assert play.conversation.talk.waiting == []


@pytest.mark.parametrize("owner", ["bot", "queue", "operator"])
def test_a_changed_ticket_is_told_as_a_notice(owner: str) -> None:
    play = Play(BOOK)
    play.conversation.session.owner = owner  # type: ignore[assignment]
    said = play.happen(TicketChanged(7, "work", comment="Взяли в работу."))
    assert said[0].startswith(T("Ticket {number}: status “{status}”.", number=7, status=T("work")))
    assert said[0].endswith("Взяли в работу.")
    assert [effect.author for effect in play.effects if isinstance(effect, Send)] == ["notice"]


def test_a_flow_may_tell_of_a_solved_ticket_and_waits_for_its_turn() -> None:
    play = Play(build(solved=SOLVED, **SHOP))
    assert play.happen(TicketChanged(7, "done", True)) == ["Заявка решена."]
    assert play.happen(TicketChanged(7, "work"))[0].startswith("Заявка 7") or play.texts
    play.say("двойное списание")
    told = play.happen(TicketChanged(7, "done", True, place=2))
    assert [text.startswith("Заявка 7") for text in told] == [True], "the client hears of it at once"
    assert [it.slot for it in play.effects if isinstance(it, Send)] == ["ticket:7:2:7"]
    assert play.say("отмена")[-1] == "Заявка решена.", "the flow has its turn later"


def test_a_change_that_was_told_begins_no_flow_of_changes_later() -> None:
    changed = "flow: Изменилась\ntriggers: [{event: ticket_changed}]\nsteps: [{say: Изменилась}, {end: сказано}]\n"
    play = Play(build(changed=changed, **SHOP))
    assert play.happen(TicketChanged(7, "work")) == ["Изменилась"]
    play.say("двойное списание")
    assert len(play.happen(TicketChanged(7, "work", place=3))) == 1
    assert "Изменилась" not in play.say("отмена")


def test_a_failed_delivery_is_seen_and_an_unreachable_client_marked() -> None:
    play = Play(BOOK)
    play.happen(DeliveryFailed(3, "unreachable", "blocked"))
    assert not play.conversation.reachable
    assert play.records[-1].kind == "delivery_failed"
    play.happen(Reachability(True))
    assert play.conversation.reachable
    play.happen(DeliveryFailed(4, "rejected"))
    assert play.conversation.reachable


@pytest.mark.parametrize("event", [Edited("1", "x"), Poisoned(1), HandoffAsked("support")])
def test_events_of_others_change_nothing(event: Edited | Poisoned | HandoffAsked) -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    before = play.conversation
    assert play.happen(event) == []
    assert play.conversation == before
