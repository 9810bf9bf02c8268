"""Events that are no messages: other systems, tickets, deep links, deliveries that failed."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.engine.begin import begin_by_name, find_by_event
from bot.engine.codes import take_code
from bot.engine.digress import divert, others
from bot.engine.listen import flush, hold
from bot.engine.runs import encode_event, settle
from bot.engine.walk import Walk
from bot.engine.words import ask_again, welcome
from core.codes import read_link
from core.effects import Send
from core.events import DeliveryFailed, Opened, Outside, Reachability, TicketChanged
from core.rich import Rich
from core.tickets import news_slot

WAITING = 20  # outside events that wait for a run or a person, at most


def is_held(walk: Walk) -> bool:
    """Whether a run or a person holds the session: outside events wait then."""
    return walk.mute or walk.talk.run is not None or walk.talk.suspended is not None


def wait(walk: Walk, event: Outside | TicketChanged) -> None:
    walk.talk.waiting = [*walk.talk.waiting, encode_event(event)][-WAITING:]
    walk.note("waiting", count=len(walk.talk.waiting))


def on_outside(walk: Walk, event: Outside) -> None:
    """A signed event of another system starts the flow that awaits it."""
    if is_held(walk):
        wait(walk, event)
        return
    if not begin_by_name(walk, f"webhook.{event.name}", event.data):
        walk.note("nobody_waits", event=event.name)
    settle(walk)


def on_ticket_changed(walk: Walk, event: TicketChanged) -> None:
    """A flow tells the client about the ticket, or else we do: at once also while people or a form have the talk.

    Then only the flow of a solved ticket is still to come: it has something to ask.
    """
    began = len(walk.effects)
    names = [*(["ticket_solved"] if event.done else []), *([] if event.told else ["ticket_changed"])]
    data = ticket_data(event)
    awaited = [name for name in names if find_by_event(walk, name, data)]
    if not event.told and (not awaited or is_held(walk)):
        notice(walk, event)
    if awaited and is_held(walk):
        if "ticket_solved" in awaited:
            wait(walk, msgspec.structs.replace(event, told=True))
    elif awaited:
        begin_by_name(walk, awaited[0], data)
        settle(walk)
    if event.place and not event.told:
        mark_news(walk, event, began)


def mark_news(walk: Walk, event: TicketChanged, began: int) -> None:
    """Name the first message of the turn: when it does not reach the client, the store tells them elsewhere."""
    for place, effect in enumerate(walk.effects[began:], began):
        if isinstance(effect, Send) and not effect.slot:
            slot = news_slot(event.source or event.number, event.place, event.number)
            walk.effects[place] = msgspec.structs.replace(effect, slot=slot)
            return


def ticket_data(event: TicketChanged) -> dict[str, Any]:
    return {
        "номер": str(event.number),
        "статус": event.status,
        "решена": event.done,
        "сказано": event.told,
        "название": event.title,
        "комментарий": event.comment,
        "number": event.number,
        "status": event.status,
        "done": event.done,
        "told": event.told,
        "title": event.title,
        "comment": event.comment,
    }


def notice(walk: Walk, event: TicketChanged) -> None:
    text = walk.t("Ticket {number}: status “{status}”.", number=event.number, status=walk.t(event.status))
    body = Rich(f"{text}\n{event.comment}" if event.comment else text)
    walk.note("ticket_notice", number=event.number)
    walk.say(body, notice=True)


def on_opened(walk: Walk, event: Opened) -> None:
    """A deep link starts its flow; Start pressed again repeats the question, or shows the menu."""
    first = walk.talk.messages == 0
    walk.talk.messages += 1
    code = read_link(event.link)
    if code:
        take_code(walk, code)
        return
    if walk.mute:
        walk.note("owner", owner=walk.conversation.session.owner)
        return
    flush(walk)
    if walk.talk.run is not None and walk.run.pending:
        hold(walk, event)
    elif not open_link(walk, event.link):
        open_chat(walk, first)
    settle(walk)


def open_link(walk: Walk, link: str) -> bool:
    flows = others(walk, [match.flow for match in walk.book.matcher.link(link)]) if link else []
    if not flows:
        return False
    walk.note("trigger", trigger="link", flow=flows[0].id, why=link)
    divert(walk, flows[0], {}, None)
    return True


def open_chat(walk: Walk, first: bool) -> None:
    if walk.talk.run is not None:
        walk.talk.asking = {}
        ask_again(walk)
    elif not (first and begin_by_name(walk, "first_message", {})):
        welcome(walk, "start")


def on_delivery_failed(walk: Walk, event: DeliveryFailed) -> None:
    """A message did not reach the client: people see it in the reports; silence is not the client's fault then."""
    walk.record("delivery_failed", seq=event.seq, verdict=event.verdict)
    walk.note("delivery_failed", seq=event.seq, verdict=event.verdict, reason=event.reason[:200])
    if event.verdict == "unreachable":
        walk.conversation.reachable = False


def on_reachability(walk: Walk, event: Reachability) -> None:
    walk.conversation.reachable = event.reachable
    walk.note("reachability", reachable=event.reachable)
