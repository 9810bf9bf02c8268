"""One decision of the human side under way, and the steps that several decisions share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from core.conversation import Conversation, Session
from core.effects import AnswerBot, Effect, Hand, Queue, Record, StartTimer, StopTimer, Unqueue
from core.events import LoanStopped, OperatorAct
from core.locale import texts
from core.turn import Facts, Trace, Turn
from handoff.lines import House, Line, parse_priority
from handoff.session import move, open_session, opened
from handoff.sla import due_of
from handoff.sla_clocks import alarm_timer, follow, next_alarm

WAIT_TIMER = "line.wait"
IDLE_TIMER = "line.idle"
HOLD_TIMER = "line.hold"

# Marks in a session's memory.
LOAN = "loan"  # the flow that the bot runs for the person who has the session
HELD = "held"  # until when it is put aside, 0 without end
IDLE = "idle"  # since when the client owes an answer, where the line gives silent clients up
TRANSFERRED = "transfer"  # the transfer that brought it, until somebody accepts it
URGENCY = "urgency"  # its priority as a number, for the lists of people
TIMERS = {HELD: HOLD_TIMER, IDLE: IDLE_TIMER}
BEGINS = {"loan": LOAN, "hold": HELD, "reply": IDLE}  # every other move ends what these began


class Decision:
    """One decision under way: the next state and what goes out, in order."""

    def __init__(self, house: House, conversation: Conversation, now: datetime, facts: Facts) -> None:
        self.house, self.now, self.facts = house, now, facts
        self.conversation = conversation
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.t = texts(house.language)
        self.alarm_at = next_alarm(conversation.session)  # what the timer of the promises is set to

    @property
    def session(self) -> Session:
        return self.conversation.session

    def turn(self) -> Turn:
        timer = alarm_timer(self.session, self.alarm_at, self.now)
        return Turn(self.conversation, (*timer, *self.effects), tuple(self.trace))

    def out(self, *effects: Effect) -> None:
        self.effects.extend(effects)

    def why(self, kind: str, **data: Any) -> None:
        self.trace.append(Trace(kind, data))

    def move(self, event: str, who: str, why: str, **changes: Any) -> None:
        """Make a move of the session, and end the loan, the hold or the wait for an answer that it was in."""
        before = self.session
        session, record = move(before, event, self.now, who, why, **changes)
        over = [mark for mark in (LOAN, HELD, IDLE) if mark in before.memory and mark != BEGINS.get(event)]
        self.put(session)
        self.out(record, *(StopTimer(TIMERS[mark]) for mark in over if mark in TIMERS))
        if LOAN in over and who != "bot":
            self.out(Hand(LoanStopped()))
        if any(mark in session.memory for mark in over):
            self.remember(**dict.fromkeys(over))
        self.keep_promises(*follow(before, self.session, event, self.now, self.line))
        self.why("session", move=event, by=who, why=why, epoch=session.epoch)

    def keep_promises(self, session: Session, effects: tuple[Effect, ...]) -> None:
        """Keep what the clocks of the line's promises have become (`handoff.sla_clocks`)."""
        self.put(session)
        self.out(*effects)

    def put(self, session: Session) -> None:
        self.conversation = msgspec.structs.replace(self.conversation, session=session)

    def remember(self, **marks: Any) -> None:
        """Write marks into the session's memory; None forgets."""
        kept = {**self.session.memory, **marks}
        memory = {name: value for name, value in kept.items() if value is not None}
        self.put(msgspec.structs.replace(self.session, memory=memory, last_at=self.now.timestamp()))

    def refuse(self, event: OperatorAct, why: str, **data: Any) -> None:
        """Nothing is done; whoever asked reads why in the trace, reports in the record."""
        self.why("refused", act=event.act, by=event.operator, why=why, **data)
        self.out(Record("operator_refused", {"act": event.act, "operator": event.operator, "why": why}))

    def line(self, id: str) -> Line | None:
        """The line of this id; one that is gone from the config gives way to the channel's."""
        return self.house.lines.get(id) or self.house.lines.get(self.facts.line)


# --- steps that decisions share ----------------------------------------------------------------------------------------


def reopen(on: Decision) -> None:
    before = on.session.number
    on.conversation = open_session(on.conversation, on.now)
    if on.session.number != before:
        on.out(opened(on.conversation, on.facts.line))


def enqueue(
    on: Decision,
    line: Line,
    who: str,
    why: str,
    *,
    note: str,
    priority: str,
    run: int = 0,
    event: str = "",
    **changes: Any,
) -> None:
    """Move the session into the line's queue. A session that comes back keeps its deadline, and so its place."""
    memory = dict(changes.pop("memory", on.session.memory))
    memory["run"] = run or memory.get("run", 0)
    memory[URGENCY] = parse_priority(priority)
    memory.pop("leaving", None)
    if on.session.owner == "queue":
        on.out(Unqueue("moved"))
    on.move(
        event or ("queue" if on.session.owner != "operator" else "return"),
        who,
        why,
        line=line.id,
        operator="",
        note=note,
        priority=priority,
        queued_at=on.now.timestamp(),
        memory=memory,
        **changes,
    )
    queue(on)


def queue(on: Decision) -> None:
    """The session's place in its queue, by its nearest deadline. A line that promises nothing takes them as they come."""
    session = on.session
    due = due_of(session) or session.queued_at
    on.out(Queue(session.line, parse_priority(session.priority), due, session.note))


def start_wait(on: Decision, line: Line) -> None:
    """Start the wait after which the line is busy; `max_wait` 0 is a wait without end."""
    on.out(StartTimer(WAIT_TIMER, line.max_wait, mark(on)) if line.max_wait else StopTimer(WAIT_TIMER))


def unqueue(on: Decision, reason: str) -> None:
    """Take the session off its queue, when it is on one."""
    if on.session.owner == "queue":
        on.out(Unqueue(reason), StopTimer(WAIT_TIMER))


def give(on: Decision, move: str, operator: str, who: str, why: str, **changes: Any) -> None:
    """Give the session to a person; the bot is silent from this very turn."""
    unqueue(on, "taken")
    if not on.session.number:  # the client has not written yet: their first message comes to the operator
        reopen(on)
    line = on.session.line or on.facts.line
    on.move(move, who, why, **{"operator": operator, "line": line, "assigned_at": on.now.timestamp(), **changes})
    on.remember(leaving=None)


def mark(on: Decision) -> dict[str, Any]:
    return {"session": on.session.number, "epoch": on.session.epoch}


def back_to_bot(on: Decision, event: str, who: str, reason: str) -> None:
    """The session leaves the queue for the bot; the bot hears how the handoff ended."""
    line = on.session.line
    on.out(Unqueue(reason), StopTimer(WAIT_TIMER))
    on.move(event, who, reason, line="", note="", priority="", queued_at=0.0, memory={})
    on.out(AnswerBot("busy" if event == "busy" else "left", line))
