"""One event, one turn: who owns the session decides, the bot or the line; the two rooms meet only here. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.book import Book
from bot.engine.codes import concerns_codes
from bot.engine.collected import known_texts
from bot.engine.turn import step
from core.conversation import Conversation
from core.effects import AnswerBot, CreateTicket, Effect, Hand, ToLine
from core.events import (
    ColleagueReply,
    Edited,
    Event,
    HandoffAsked,
    LineAnswer,
    LoanBegun,
    LoanOver,
    Message,
    Opened,
    OperatorAct,
    Poisoned,
    Press,
    TimerFired,
)
from core.turn import Facts, Trace, Turn
from handoff import rating, returning
from handoff.decide import TOKENS, decide
from handoff.decision import LOAN
from handoff.lines import House
from handoff.session import opened

# A handoff may be refused and answered by another handoff; more rounds than this would be a circle.
ROUNDS = 8


def is_for_people(conversation: Conversation, event: Event) -> bool:
    """Whether the line, not the bot, decides on this event."""
    if isinstance(event, HandoffAsked | OperatorAct | LoanBegun | LoanOver | ColleagueReply | Poisoned):
        return True
    if isinstance(event, TimerFired):
        return event.key.startswith("line.")
    if answers_people(conversation, event):
        return True
    if LOAN in conversation.session.memory:
        return isinstance(event, Edited)
    theirs = conversation.session.owner != "bot" or returning.returns(conversation, event)
    return theirs and isinstance(event, Message | Press | Opened | Edited)


def answers_people(conversation: Conversation, event: Event) -> bool:
    """Whether a client answers a question of the human side: by its button, or a rating by its number."""
    if isinstance(event, Press):
        return event.token.startswith(TOKENS)
    return rating.typed(conversation, event)


def run_turn(book: Book, house: House, conversation: Conversation, event: Event, now: datetime, facts: Facts) -> Turn:
    """The whole turn of one event: next state, effects that the store understands, and why."""
    effects: list[Effect] = []
    if isinstance(event, Message | Press | Opened):
        before = conversation.session.number
        if not answers_people(conversation, event):  # a rating begins no session
            conversation = returning.begin(house, conversation, now)
        if conversation.session.number != before:
            effects.append(opened(conversation, facts.line))
        if not conversation.reachable:  # who had blocked us writes again
            conversation = msgspec.structs.replace(conversation, reachable=True)
    if isinstance(event, OperatorAct) and event.act == "transfer":
        event = with_known(book, conversation, event, now, facts)
    trace: list[Trace] = []
    todo: list[Event] = [event]
    for _ in range(ROUNDS):
        if not todo:
            break
        current = todo.pop(0)
        told = after_tickets(facts, effects)
        if is_for_people(conversation, current) and not concerns_codes(book, current):
            turn = decide(house, conversation, current, now, told)
        else:
            turn = step(book, conversation, current, now, told)
        conversation = turn.conversation
        trace.extend(turn.trace)
        for effect in turn.effects:
            inner = inner_event(effect)
            if inner is None:
                effects.append(effect)
            else:
                todo.append(inner)
    return Turn(conversation, tuple(effects), tuple(trace))


def with_known(book: Book, conversation: Conversation, event: OperatorAct, now: datetime, facts: Facts) -> OperatorAct:
    """A transfer with what flows and the client's card know, for the packet."""
    known = known_texts(book, conversation, now, facts)
    return msgspec.structs.replace(event, data={**event.data, "known": known})


def after_tickets(facts: Facts, effects: list[Effect]) -> Facts:
    """The facts of the next round: numbers that tickets of this turn have taken are not given out again."""
    ordered = sum(isinstance(effect, CreateTicket) for effect in effects)
    return msgspec.structs.replace(facts, ticket_number=facts.ticket_number + ordered) if ordered else facts


def inner_event(effect: Effect) -> Event | None:
    """The event for the other room that an effect stands for; None for effects of the store."""
    if isinstance(effect, ToLine):
        return HandoffAsked(effect.line, effect.note, effect.priority, effect.run)
    if isinstance(effect, AnswerBot):
        return LineAnswer(effect.answer, effect.line)
    return effect.event if isinstance(effect, Hand) else None
