"""The human side's pure step: what an event means while a session is, or shall be, with people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from core.conversation import Conversation, Session
from core.effects import AnswerBot, Note, Record, StartTimer
from core.events import (
    ColleagueReply,
    Edited,
    Event,
    HandoffAsked,
    LoanBegun,
    LoanOver,
    Message,
    Opened,
    OperatorAct,
    Poisoned,
    Press,
    Reachability,
    TimerFired,
)
from core.normal import clean, normal
from core.turn import Facts, LineFacts, Turn
from handoff import loans, notices, queueing, rating, returning, silence, sla_alarms
from handoff.acts import ACTS
from handoff.acts.act import refusal
from handoff.decision import (
    HOLD_TIMER,
    IDLE_TIMER,
    LOAN,
    WAIT_TIMER,
    Decision,
    back_to_bot,
    enqueue,
    mark,
    reopen,
    start_wait,
    unqueue,
)
from handoff.hours import is_open
from handoff.lines import House, Line

COLLEAGUE_TIMER = "line.colleague"
# A colleague who answers in the messenger itself has no button that gives the session back: it goes back by itself when
# nothing more was said there for so long, a working day.
COLLEAGUE_SECONDS = 8 * 3600.0
TOKENS = "q."  # button tokens that are ours, not the bot's


def decide(house: House, conversation: Conversation, event: Event, now: datetime, facts: Facts) -> Turn:
    """What the human side makes of an event. Total: an event that means nothing here changes nothing.

    Never mutates its arguments. `now` is aware. Asked for: `HandoffAsked`, `OperatorAct`, `ColleagueReply`, `Poisoned`,
    timers and button tokens of our own, and all of a client's doings while the session's owner is not the bot.
    """
    desk = Decision(house, conversation, now, facts)
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(desk, event)
    return desk.turn()


# --- into the queue and out of it ------------------------------------------------------------------------------------


def _handoff(on: Decision, event: HandoffAsked) -> None:
    """A closed line answers the bot without taking the session; an open one queues it."""
    line = on.line(event.line)
    if LOAN in on.session.memory:  # the people are here already
        on.out(AnswerBot("returned", event.line))
    elif on.session.owner == "operator" or (on.session.owner == "queue" and line and line.id == on.session.line):
        on.why("handoff_ignored", owner=on.session.owner)
    elif line is None or not is_open(line.hours, on.now):
        _closed(on, line.id if line else event.line)
    else:
        reopen(on)
        enqueue(on, line, "flow", "handoff", note=clean(event.note), priority=event.priority, run=event.run)
        start_wait(on, line)
        on.out(notices.queued(on.house, line.title))


def _closed(on: Decision, line: str) -> None:
    """The bot answers for a closed line; a session that waits on another line goes on waiting there."""
    on.why("line_closed", line=line)
    on.out(Record("line_closed", {"session": on.session.number, "line": line}))
    if on.session.owner == "bot":
        on.out(AnswerBot("closed", line))


def _timer(on: Decision, event: TimerFired) -> None:
    handler = _TIMERS.get(event.key)
    if handler is not None:
        handler(on, event)


def _waited(on: Decision, event: TimerFired) -> None:
    """Nobody took the session within `max_wait`. A timer of an earlier stay in the queue is void."""
    if on.session.status == "queued" and event.data == mark(on):
        back_to_bot(on, "busy", "clock", "busy")
    else:
        on.why("stale_timer", key=event.key)


# --- the client ------------------------------------------------------------------------------------------------------


def _message(on: Decision, event: Message) -> None:
    """The message is the people's; it lies in the history. In the queue only the way out is answered."""
    if on.session.owner == "queue":
        _queued_message(on, event.text or event.command)
    elif on.session.owner == "operator":
        on.move("client", "client", "message")
    elif rating.typed(on.conversation, event):
        rating.rate(on, int(event.text))
    else:
        returning.welcome_back(on)


def _edited(on: Decision, event: Edited) -> None:
    """People may have read what it was: they hear of both, and the client has the word again."""
    if on.session.owner == "bot":
        return
    if on.session.owner == "operator" and LOAN not in on.session.memory:
        on.move("client", "client", "edited")
    now = event.text or on.t("[no text]")
    if event.was:
        said = on.t("The client changed a message. Before: «{was}». Now: «{now}».", was=event.was, now=now)
    else:
        said = on.t("The client changed a message. Now: «{now}».", now=now)
    on.out(Note(said))


def _queued_message(on: Decision, text: str) -> None:
    answer = _answer(on, text) if on.session.memory.get("leaving") else ""
    if answer:
        _leave(on, answer)
    elif on.house.says(("cancel", "menu"), text):
        on.remember(leaving=True)
        on.out(notices.leave_question(on.house, on.session))
    else:
        on.remember(leaving=None)
        on.why("kept_for_people", line=on.session.line)


def _answer(on: Decision, text: str) -> str:
    """A typed answer to «Выйти из очереди?»: the label or the number of a button."""
    said = normal(text)
    if said in (normal(on.t("Yes")), "1"):
        return "y"
    return "n" if said in (normal(on.t("No")), "2") else ""


def _leave(on: Decision, answer: str) -> None:
    if answer == "y":
        back_to_bot(on, "leave", "client", "left")
    else:
        on.remember(leaving=None)
        on.out(notices.notice(on.t("Fine, you keep your place in the queue.")))


def _press(on: Decision, event: Press) -> None:
    """Our own buttons act in the queue they were made in; buttons of flows are silent while people own the session."""
    if not event.token.startswith(TOKENS):
        if on.session.owner == "operator":
            on.move("client", "client", "press")
        elif on.session.owner == "bot":
            returning.welcome_back(on)
    elif rating.pressed(on.session, event):
        rating.rate(on, int(event.token[-1]))
    elif on.session.owner == "queue" and event.token in _leave_tokens(on.session):
        _leave(on, event.token[-1])
    else:
        on.why("stale_button", token=event.token)
        on.out(notices.notice(on.t("This button is out of date.")))


def _leave_tokens(session: Session) -> tuple[str, str]:
    return notices.leave_token(session, "y"), notices.leave_token(session, "n")


def _opened(on: Decision, event: Opened) -> None:
    """Start pressed again in the queue: the chat may look empty now, so say once more where the client is."""
    line = on.line(on.session.line)
    if on.session.owner == "queue" and line is not None:
        on.out(notices.queued(on.house, line.title))
    elif on.session.owner == "bot":
        returning.welcome_back(on)


def _reachability(on: Decision, event: Reachability) -> None:
    on.conversation = msgspec.structs.replace(on.conversation, reachable=event.reachable)


# --- people at work ---------------------------------------------------------------------------------------------------


def _operator(on: Decision, event: OperatorAct) -> None:
    act = ACTS.get(event.act)
    against = "unknown" if act is None else refusal(act, on, event)
    if act is None or against:
        on.refuse(event, against)
    else:
        queueing.answered(on, event)
        act.run(on, event)


# --- a colleague who answers in the messenger itself -------------------------------------------------------------------


def _colleague(on: Decision, event: ColleagueReply) -> None:
    """The answer is out already. Whoever gave it has the session from this very turn, unless a person has it: the bot is
    silent, and what it was about to say is refused."""
    unqueue(on, "taken")
    if on.session.owner != "operator":
        reopen(on)
        line = on.session.line or on.facts.line
        on.move("take", event.operator, "colleague", operator=event.operator, line=line, assigned_at=on.now.timestamp())
        on.remember(leaving=None)
    on.move("reply", event.operator, "colleague", first_reply_at=on.session.first_reply_at or on.now.timestamp())
    if on.session.operator == event.operator:
        on.out(StartTimer(COLLEAGUE_TIMER, COLLEAGUE_SECONDS, mark(on)))


def _colleague_left(on: Decision, event: TimerFired) -> None:
    """Nothing more came from the colleague: the talk is over, or, when the client has had the last word, the line's."""
    if on.session.owner != "operator" or event.data != mark(on):
        on.why("stale_timer", key=event.key)
        return
    line = on.line(on.session.line)
    if on.session.status == "assigned" and line is not None:
        note = on.t("The client wrote after a colleague had answered in the messenger")
        enqueue(on, line, "clock", "colleague", note=note, priority=on.session.priority)
    else:
        at = on.now.timestamp()
        on.move("close", "clock", "colleague", operator="", queued_at=0.0, closed_at=at, memory={})
        on.out(AnswerBot("done", on.session.line))


# --- our own failures ------------------------------------------------------------------------------------------------


def _poisoned(on: Decision, event: Poisoned) -> None:
    """An event could not be processed: people take over on the channel's line, closed or not, so nobody is lost."""
    note = on.t("Event {id} of the client could not be processed: {error}", id=event.event_id, error=event.error)
    on.out(Note(note))
    line = on.line("")
    if line is None or on.session.owner != "bot":
        on.why("poisoned", event=event.event_id, owner=on.session.owner)
        return
    reopen(on)
    enqueue(on, line, "clock", "poisoned", note=note, priority="")
    on.out(notices.failed(on.house, _facts(on, line), on.now))


def _facts(on: Decision, line: Line) -> LineFacts:
    return on.facts.lines.get(line.id) or LineFacts(line.title, is_open(line.hours, on.now))


_TIMERS: dict[str, Callable[[Decision, TimerFired], None]] = {
    sla_alarms.SLA_TIMER: sla_alarms.alarm,
    sla_alarms.EDITED_TIMER: sla_alarms.edited,
    WAIT_TIMER: _waited,
    COLLEAGUE_TIMER: _colleague_left,
    IDLE_TIMER: silence.silent,
    HOLD_TIMER: silence.held_out,
    queueing.OFFER_TIMER: queueing.offer_over,
    queueing.POSITION_TIMER: queueing.tell_position,
}

_HANDLERS: dict[type, Callable[[Decision, Any], None]] = {
    HandoffAsked: _handoff,
    Message: _message,
    Edited: _edited,
    Press: _press,
    Opened: _opened,
    Reachability: _reachability,
    TimerFired: _timer,
    OperatorAct: _operator,
    LoanBegun: loans.begun,
    LoanOver: loans.over,
    ColleagueReply: _colleague,
    Poisoned: _poisoned,
}
