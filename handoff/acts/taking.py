"""A session comes to a person: who takes it, also over from another person, or is given it."""

from __future__ import annotations

from core.effects import Record
from core.events import OperatorAct
from handoff.acts.act import HOUSE, Act, leads, reason, word
from handoff.decision import Decision, give
from handoff.queueing import offer
from handoff.session import may


def _against_taking(on: Decision, event: OperatorAct) -> str:
    """What a colleague has is only a supervisor's to take."""
    session = on.session
    if session.owner != "operator":
        return "" if may(session, "take") else "state"
    if session.operator == event.operator:
        return "state"
    return "" if leads(event) else "owner"


def _take(on: Decision, event: OperatorAct) -> None:
    move = "take_over" if on.session.owner == "operator" else "take"
    give(on, move, event.operator, event.operator, move)


def _against_assigning(on: Decision, event: OperatorAct) -> str:
    """The house gives away what waits in a queue, a supervisor everything; to nobody who is known to be away."""
    to = word(event, "to")
    if not leads(event):
        return "right"
    if event.operator in HOUSE and (not to or on.session.owner != "queue"):
        return "state"
    if not to:
        return "person"
    if to == on.session.operator:
        return "state"
    return "absent" if event.data.get("present") is False else ""


def _assign(on: Decision, event: OperatorAct) -> None:
    """The reason and those who were passed over stay in the record."""
    to, why = word(event, "to"), word(event, "reason") or reason(event, "assign")
    give(on, "assign", to, event.operator, why)
    offer(on, event)
    about = {"session": on.session.number, "to": to, "by": event.operator, "reason": why}
    on.out(Record("assigned", {**about, "line": on.session.line, "skipped": event.data.get("skipped", [])}))


TAKE = Act(_take, owner=False, against=_against_taking)
ASSIGN = Act(_assign, owner=False, move="assign", against=_against_assigning)
