"""The human side's pure step: what an event means while a session is, or shall be, with people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from core.conversation import Conversation, Session
from core.effects import AnswerBot, Effect, Note, Queue, Record, Send, StartTimer, StopTimer, Unqueue
from core.events import (
    ColleagueReply,
    Edited,
    Event,
    HandoffAsked,
    Message,
    Opened,
    OperatorAct,
    Poisoned,
    Press,
    Reachability,
    TimerFired,
)
from core.locale import texts
from core.messages import Outgoing
from core.normal import clean, normal
from core.rich import plain
from core.turn import Facts, LineFacts, Trace, Turn
from handoff import notices
from handoff.hours import is_open
from handoff.lines import House, Line, parse_priority
from handoff.session import may, move, open_session

WAIT_TIMER = "line.wait"
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
    desk = _Decision(house, conversation, now, facts)
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(desk, event)
    return desk.turn()


class _Decision:
    """One decision under way: the next state and what goes out, in order."""

    def __init__(self, house: House, conversation: Conversation, now: datetime, facts: Facts) -> None:
        self.house, self.now, self.facts = house, now, facts
        self.conversation = conversation
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.t = texts(house.language)

    @property
    def session(self) -> Session:
        return self.conversation.session

    def turn(self) -> Turn:
        return Turn(self.conversation, tuple(self.effects), tuple(self.trace))

    def out(self, *effects: Effect) -> None:
        self.effects.extend(effects)

    def why(self, kind: str, **data: Any) -> None:
        self.trace.append(Trace(kind, data))

    def move(self, event: str, who: str, why: str, **changes: Any) -> None:
        session, record = move(self.session, event, self.now, who, why, **changes)
        self.put(session)
        self.out(record)
        self.why("session", move=event, by=who, why=why, epoch=session.epoch)

    def put(self, session: Session) -> None:
        self.conversation = msgspec.structs.replace(self.conversation, session=session)

    def remember(self, **marks: Any) -> None:
        """Write marks into the session's memory; None forgets."""
        kept = {**self.session.memory, **marks}
        memory = {name: value for name, value in kept.items() if value is not None}
        self.put(msgspec.structs.replace(self.session, memory=memory, last_at=self.now.timestamp()))

    def line(self, id: str) -> Line | None:
        """The line of this id; one that is gone from the config gives way to the channel's."""
        return self.house.lines.get(id) or self.house.lines.get(self.facts.line)


# --- into the queue and out of it ------------------------------------------------------------------------------------


def _handoff(on: _Decision, event: HandoffAsked) -> None:
    """A closed line answers the bot without taking the session; an open one queues it."""
    line = on.line(event.line)
    if on.session.owner == "operator" or (on.session.owner == "queue" and line and line.id == on.session.line):
        on.why("handoff_ignored", owner=on.session.owner)
    elif line is None or not is_open(line.hours, on.now):
        _closed(on, line.id if line else event.line)
    else:
        _reopen(on)
        _enqueue(on, line, "flow", "handoff", note=clean(event.note), priority=event.priority, run=event.run)
        _wait(on, line)
        on.out(notices.queued(on.house, line.title))


def _closed(on: _Decision, line: str) -> None:
    """The bot answers for a closed line; a session that waits on another line goes on waiting there."""
    on.why("line_closed", line=line)
    on.out(Record("line_closed", {"line": line}))
    if on.session.owner == "bot":
        on.out(AnswerBot("closed", line))


def _reopen(on: _Decision) -> None:
    on.conversation = open_session(on.conversation, on.now)


def _enqueue(on: _Decision, line: Line, who: str, why: str, *, note: str, priority: str, run: int = 0) -> None:
    """Move the session into the line's queue. A session that comes back keeps its first deadline, and so its place."""
    memory = dict(on.session.memory)
    memory.setdefault("due", line.due(on.now))
    memory["run"] = run or memory.get("run", 0)
    memory.pop("leaving", None)
    if on.session.owner == "queue":
        on.out(Unqueue("moved"))
    on.move(
        "queue" if on.session.owner != "operator" else "return",
        who,
        why,
        line=line.id,
        operator="",
        note=note,
        priority=priority,
        queued_at=on.now.timestamp(),
        memory=memory,
    )
    on.out(Queue(line.id, parse_priority(priority), memory["due"], note))


def _wait(on: _Decision, line: Line) -> None:
    """Start the wait after which the line is busy; `max_wait` 0 is a wait without end."""
    on.out(StartTimer(WAIT_TIMER, line.max_wait, _mark(on)) if line.max_wait else StopTimer(WAIT_TIMER))


def _mark(on: _Decision) -> dict[str, Any]:
    return {"session": on.session.number, "epoch": on.session.epoch}


def _back_to_bot(on: _Decision, event: str, who: str, reason: str) -> None:
    """The session leaves the queue for the bot; the bot hears how the handoff ended."""
    line = on.session.line
    on.out(Unqueue(reason), StopTimer(WAIT_TIMER))
    on.move(event, who, reason, line="", note="", priority="", queued_at=0.0, memory={})
    on.out(AnswerBot("busy" if event == "busy" else "left", line))


def _timer(on: _Decision, event: TimerFired) -> None:
    """Nobody took the session within `max_wait`. A timer of an earlier stay in the queue is void."""
    if event.key == COLLEAGUE_TIMER:
        _colleague_left(on, event)
    elif event.key != WAIT_TIMER:
        return
    elif on.session.status == "queued" and event.data == _mark(on):
        _back_to_bot(on, "busy", "clock", "busy")
    else:
        on.why("stale_timer", key=event.key)


# --- the client ------------------------------------------------------------------------------------------------------


def _message(on: _Decision, event: Message) -> None:
    """The message is the people's; it lies in the history. In the queue only the way out is answered."""
    if on.session.owner == "queue":
        _queued_message(on, event.text or event.command)
    elif on.session.owner == "operator":
        on.move("client", "client", "message")


def _edited(on: _Decision, event: Edited) -> None:
    """People may have read what it was: they hear of both, and the client has the word again."""
    if on.session.owner == "bot":
        return
    if on.session.owner == "operator":
        on.move("client", "client", "edited")
    now = event.text or on.t("[no text]")
    if event.was:
        said = on.t("The client changed a message. Before: «{was}». Now: «{now}».", was=event.was, now=now)
    else:
        said = on.t("The client changed a message. Now: «{now}».", now=now)
    on.out(Note(said))


def _queued_message(on: _Decision, text: str) -> None:
    answer = _answer(on, text) if on.session.memory.get("leaving") else ""
    if answer:
        _leave(on, answer)
    elif on.house.says(("cancel", "menu"), text):
        on.remember(leaving=True)
        on.out(notices.leave_question(on.house, on.session))
    else:
        on.remember(leaving=None)
        on.why("kept_for_people", line=on.session.line)


def _answer(on: _Decision, text: str) -> str:
    """A typed answer to «Выйти из очереди?»: the label or the number of a button."""
    said = normal(text)
    if said in (normal(on.t("Yes")), "1"):
        return "y"
    return "n" if said in (normal(on.t("No")), "2") else ""


def _leave(on: _Decision, answer: str) -> None:
    if answer == "y":
        _back_to_bot(on, "leave", "client", "left")
    else:
        on.remember(leaving=None)
        on.out(notices.notice(on.t("Fine, you keep your place in the queue.")))


def _press(on: _Decision, event: Press) -> None:
    """Our own buttons act in the queue they were made in; buttons of flows are silent while people own the session."""
    if not event.token.startswith(TOKENS):
        if on.session.owner == "operator":
            on.move("client", "client", "press")
    elif on.session.owner == "queue" and event.token in _leave_tokens(on.session):
        _leave(on, event.token[-1])
    else:
        on.why("stale_button", token=event.token)
        on.out(notices.notice(on.t("This button is out of date.")))


def _leave_tokens(session: Session) -> tuple[str, str]:
    return notices.leave_token(session, "y"), notices.leave_token(session, "n")


def _opened(on: _Decision, event: Opened) -> None:
    """Start pressed again in the queue: the chat may look empty now, so say once more where the client is."""
    line = on.line(on.session.line)
    if on.session.owner == "queue" and line is not None:
        on.out(notices.queued(on.house, line.title))


def _reachability(on: _Decision, event: Reachability) -> None:
    on.conversation = msgspec.structs.replace(on.conversation, reachable=event.reachable)


# --- the operator ----------------------------------------------------------------------------------------------------


def _operator(on: _Decision, event: OperatorAct) -> None:
    refusal = _refusal(on.session, event)
    if refusal:
        on.why("refused", act=event.act, by=event.operator, why=refusal)
        on.out(Record("operator_refused", {"act": event.act, "operator": event.operator, "why": refusal}))
    else:
        _ACTS[event.act](on, event)


def _refusal(session: Session, event: OperatorAct) -> str:
    """Why the deed may not be done: `epoch`, `owner`, `state`, `empty`; empty when it may."""
    if event.act == "note":
        return "" if event.text.strip() else "empty"
    if event.epoch != session.epoch:
        return "epoch"
    if event.act == "take":
        return "" if may(session, "take") else "state"
    if session.owner != "operator" or session.operator != event.operator:
        return "owner"
    return "empty" if event.act == "reply" and not clean(event.text).strip() else ""


def _take(on: _Decision, event: OperatorAct) -> None:
    """From the queue or from the bot; the bot is silent from this very turn."""
    if on.session.owner == "queue":
        on.out(Unqueue("taken"), StopTimer(WAIT_TIMER))
    elif not on.session.number:  # the client has not written yet: their first message comes to the operator
        _reopen(on)
    on.move("take", event.operator, "take", operator=event.operator, line=on.session.line or on.facts.line)
    on.remember(leaving=None)


def _reply(on: _Decision, event: OperatorAct) -> None:
    on.move("reply", event.operator, "reply")
    on.out(Send(Outgoing(plain(clean(event.text)), quote=event.quote), "operator", event.operator))


def _note(on: _Decision, event: OperatorAct) -> None:
    on.out(Note(clean(event.text), event.operator))


def _return(on: _Decision, event: OperatorAct) -> None:
    """Back to the queue with its history. No `busy` where nobody waits to hear it: no flow, or the line is closed."""
    line = on.line(on.session.line)
    if line is None:
        on.why("no_line", line=on.session.line)
        on.out(Record("operator_refused", {"act": event.act, "operator": event.operator, "why": "line"}))
        return
    _enqueue(
        on, line, event.operator, clean(event.text) or "return", note=on.session.note, priority=on.session.priority
    )
    if is_open(line.hours, on.now) and on.session.memory["run"]:
        _wait(on, line)


def _to_bot(on: _Decision, event: OperatorAct) -> None:
    line = on.session.line
    on.move("to_bot", event.operator, "to_bot", operator="", line="", note="", priority="", queued_at=0.0, memory={})
    on.out(AnswerBot("returned", line))


def _close(on: _Decision, event: OperatorAct) -> None:
    """The talk is over; the client hears how to come back. The session keeps its line for reports."""
    on.move("close", event.operator, "close", operator="", queued_at=0.0, memory={})
    said = clean(event.text).strip() or on.t("The conversation is over. Write here any time, and we will go on.")
    on.out(notices.notice(said), AnswerBot("done", on.session.line))


_ACTS: dict[str, Callable[[_Decision, OperatorAct], None]] = {
    "take": _take,
    "reply": _reply,
    "note": _note,
    "return": _return,
    "to_bot": _to_bot,
    "close": _close,
}


# --- a colleague who answers in the messenger itself -------------------------------------------------------------------


def _colleague(on: _Decision, event: ColleagueReply) -> None:
    """The answer is out already. Whoever gave it has the session from this very turn, unless a person has it: the bot is
    silent, and what it was about to say is refused."""
    if on.session.owner == "queue":
        on.out(Unqueue("taken"), StopTimer(WAIT_TIMER))
    if on.session.owner != "operator":
        _reopen(on)
        line = on.session.line or on.facts.line
        on.move("take", event.operator, "colleague", operator=event.operator, line=line)
        on.remember(leaving=None)
    on.move("reply", event.operator, "colleague")
    if on.session.operator == event.operator:
        on.out(StartTimer(COLLEAGUE_TIMER, COLLEAGUE_SECONDS, _mark(on)))


def _colleague_left(on: _Decision, event: TimerFired) -> None:
    """Nothing more came from the colleague: the talk is over, or, when the client has had the last word, the line's."""
    if on.session.owner != "operator" or event.data != _mark(on):
        on.why("stale_timer", key=event.key)
        return
    line = on.line(on.session.line)
    if on.session.status == "assigned" and line is not None:
        note = on.t("The client wrote after a colleague had answered in the messenger")
        _enqueue(on, line, "clock", "colleague", note=note, priority=on.session.priority)
    else:
        on.move("close", "clock", "colleague", operator="", queued_at=0.0, memory={})
        on.out(AnswerBot("done", on.session.line))


# --- our own failures ------------------------------------------------------------------------------------------------


def _poisoned(on: _Decision, event: Poisoned) -> None:
    """An event could not be processed: people take over on the channel's line, closed or not, so nobody is lost."""
    note = on.t("Event {id} of the client could not be processed: {error}", id=event.event_id, error=event.error)
    on.out(Note(note))
    line = on.line("")
    if line is None or on.session.owner != "bot":
        on.why("poisoned", event=event.event_id, owner=on.session.owner)
        return
    _reopen(on)
    _enqueue(on, line, "clock", "poisoned", note=note, priority="")
    on.out(notices.failed(on.house, _facts(on, line), on.now))


def _facts(on: _Decision, line: Line) -> LineFacts:
    return on.facts.lines.get(line.id) or LineFacts(line.title, is_open(line.hours, on.now))


_HANDLERS: dict[type, Callable[[_Decision, Any], None]] = {
    HandoffAsked: _handoff,
    Message: _message,
    Edited: _edited,
    Press: _press,
    Opened: _opened,
    Reachability: _reachability,
    TimerFired: _timer,
    OperatorAct: _operator,
    ColleagueReply: _colleague,
    Poisoned: _poisoned,
}
