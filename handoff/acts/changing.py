"""What people change of a session without moving it: how urgent it is, what was collected."""

from __future__ import annotations

import msgspec

from core.effects import Hand, Record, Unqueue
from core.events import FieldGiven, OperatorAct
from core.normal import clean
from handoff.acts.act import Act, leads, word
from handoff.decision import URGENCY, Decision, queue
from handoff.lines import PRIORITIES, parse_priority
from handoff.sla_clocks import wake


def _against_priority(on: Decision, event: OperatorAct) -> str:
    """What waits is everybody's on the line to order, what a colleague has is theirs and the supervisor's."""
    session = on.session
    if session.owner == "operator" and session.operator != event.operator and not leads(event):
        return "owner"
    if session.owner == "bot":
        return "state"
    return "" if word(event, "priority").lower() in PRIORITIES else "priority"


def _set_priority(on: Decision, event: OperatorAct) -> None:
    session, priority = on.session, word(event, "priority").lower()
    number = parse_priority(priority)
    on.put(msgspec.structs.replace(session, priority=priority))
    on.remember(**{URGENCY: number})
    facts = {"session": session.number, "line": session.line, "by": event.operator, "was": session.priority}
    on.out(Record("priority_changed", {**facts, "priority": priority}))
    on.keep_promises(*wake(on.session, on.now, on.line))  # what is urgent is promised sooner
    if session.owner == "queue":
        on.out(Unqueue("priority"))
        queue(on)


def _set_field(on: Decision, event: OperatorAct) -> None:
    """The bot's room knows the fields and their types: it takes the value or says what is wrong with it."""
    on.out(Hand(FieldGiven(word(event, "label"), clean(event.text).strip(), event.operator)))


PRIORITY = Act(_set_priority, owner=False, against=_against_priority)
SET_FIELD = Act(_set_field)
