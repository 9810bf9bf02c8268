"""Transfers to another line or person, with what the receiver needs to know; accepted, or sent back with a reason."""

from __future__ import annotations

from typing import Any

from core.effects import Note, Record
from core.events import OperatorAct
from core.normal import clean
from handoff import notices
from handoff.acts.act import Act, word
from handoff.decision import TRANSFERRED, Decision, enqueue, give, start_wait
from handoff.hours import is_open
from handoff.lines import Line, parse_priority
from handoff.queueing import is_offered

URGENT = "urgent"


def packet_of(line: Line, known: dict[str, Any], given: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What a transfer to the line brings, label → text, and the labels that are missing. What is given wins over what is
    known."""
    texts = {label: clean(text).strip() for label, text in {**known, **given}.items() if isinstance(text, str)}
    packet = {label: text for label, text in texts.items() if text and (label in line.packet or label in given)}
    return packet, [label for label in line.packet if label not in packet]


def _against(on: Decision, event: OperatorAct) -> str:
    """A line that is closed and a person who is away take nothing."""
    line, person = on.house.lines.get(word(event, "line")), word(event, "person")
    if line is None:
        return "line"
    if person:
        if person == on.session.operator:
            return "same"
        return "" if event.data.get("present") is True else "absent"
    if on.session.owner == "queue" and on.session.line == line.id:
        return "same"
    return "" if is_open(line.hours, on.now) else "closed"


def _transfer(on: Decision, event: OperatorAct) -> None:
    session, line, person = on.session, on.house.lines[word(event, "line")], word(event, "person")
    packet, missing = packet_of(line, {**_map(event, "known"), **session.packet}, _map(event, "packet"))
    if missing and event.data.get(URGENT) is not True:
        on.refuse(event, "packet", missing=missing)
        return
    about = {"line": session.line, "operator": session.operator, "by": event.operator, "at": on.now.timestamp()}
    about |= {"missing": missing} if missing else {}
    why = clean(event.text).strip()
    changes = {"packet": packet, "memory": {**session.memory, TRANSFERRED: about}}
    if person:
        give(on, "assign", person, event.operator, "transfer", line=line.id, note=why or session.note, **changes)
    else:
        _to_line(on, event, line, why, missing, changes)
    facts = {"session": session.number, "from_line": session.line, "line": line.id, "to": person, "by": event.operator}
    on.out(Record("transferred", {**facts, "missing": missing}))
    if why:
        on.out(Note(why, event.operator))


def _to_line(
    on: Decision, event: OperatorAct, line: Line, why: str, missing: list[str], changes: dict[str, Any]
) -> None:
    """Into the line's queue; what is incomplete goes because it is urgent, and is so for the receiver, too."""
    priority = on.session.priority
    if missing and parse_priority(priority) < parse_priority(URGENT):
        priority = URGENT
    note = why or on.session.note
    enqueue(on, line, event.operator, "transfer", note=note, priority=priority, event="transfer", **changes)
    if on.session.memory["run"]:
        start_wait(on, line)
    on.out(notices.transferred(on.house, line.title))


def _map(event: OperatorAct, name: str) -> dict[str, Any]:
    value = event.data.get(name)
    return value if isinstance(value, dict) else {}


# --- at the receiver's -------------------------------------------------------------------------------------------------


def _not_transferred(on: Decision, event: OperatorAct) -> str:
    return "" if TRANSFERRED in on.session.memory or is_offered(on.session) else "state"


def accepted(on: Decision, event: OperatorAct) -> None:
    """The receiver keeps a transfer; nothing where there is none."""
    about = on.session.memory.get(TRANSFERRED)
    if about is not None and about["by"] != event.operator:
        on.out(Record("transfer_accepted", {"session": on.session.number, "from_line": about["line"]}))
        on.remember(**{TRANSFERRED: None})


def _accept(on: Decision, event: OperatorAct) -> None:
    accepted(on, event)


def _against_sending_back(on: Decision, event: OperatorAct) -> str:
    """It needs a reason, which the sender reads, and a line to go back to."""
    about = on.session.memory.get(TRANSFERRED)
    if about is None or about["by"] == event.operator:
        return "state"
    if not clean(event.text).strip():
        return "reason"
    return "" if on.line(about["line"]) is not None else "line"


def _send_back(on: Decision, event: OperatorAct) -> None:
    """To the person who had it, when they are there (`present` in the data), else to the line it came from. Counted for the
    sending line."""
    session, why = on.session, clean(event.text).strip()
    about = session.memory[TRANSFERRED]
    line = on.line(about["line"])
    assert line is not None
    memory = {name: value for name, value in session.memory.items() if name != TRANSFERRED}
    if about["operator"] and event.data.get("present") is True:
        give(on, "assign", about["operator"], event.operator, "send_back", line=line.id, note=why, memory=memory)
    else:
        enqueue(
            *(on, line, event.operator, "send_back"),
            note=why,
            priority=session.priority,
            event="send_back",
            memory=memory,
        )
    facts = {"session": session.number, "from_line": about["line"], "line": session.line, "by": event.operator}
    on.out(Record("transfer_returned", {**facts, "why": why}), Note(why, event.operator))


TRANSFER = Act(_transfer, move="transfer", against=_against, led=True)
ACCEPT = Act(_accept, against=_not_transferred)
SEND_BACK = Act(_send_back, move="send_back", against=_against_sending_back)
