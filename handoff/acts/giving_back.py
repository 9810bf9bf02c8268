"""Giving a session away: back to the queue, back to the bot, or to an end."""

from __future__ import annotations

from core.effects import AnswerBot
from core.events import OperatorAct
from core.normal import clean
from handoff import notices
from handoff.acts.act import Act
from handoff.decision import Decision, enqueue, start_wait
from handoff.hours import is_open


def _return(on: Decision, event: OperatorAct) -> None:
    """Back to the queue with its history. No `busy` where nobody waits to hear it: no flow, or the line is closed."""
    line = on.line(on.session.line)
    if line is None:
        on.why("no_line", line=on.session.line)
        on.refuse(event, "line")
        return
    why = clean(event.text) or "return"
    enqueue(on, line, event.operator, why, note=on.session.note, priority=on.session.priority)
    if is_open(line.hours, on.now) and on.session.memory["run"]:
        start_wait(on, line)


def _to_bot(on: Decision, event: OperatorAct) -> None:
    line = on.session.line
    on.move("to_bot", event.operator, "to_bot", operator="", line="", note="", priority="", queued_at=0.0, memory={})
    on.out(AnswerBot("returned", line))


def _close(on: Decision, event: OperatorAct) -> None:
    """The talk is over; the client hears how to come back. The session keeps its line for reports."""
    at = on.now.timestamp()
    on.move("close", event.operator, "close", operator="", queued_at=0.0, closed_at=at, memory={})
    said = clean(event.text).strip() or on.t("The conversation is over. Write here any time, and we will go on.")
    on.out(notices.notice(said), AnswerBot("done", on.session.line))


RETURN = Act(_return, move="return")
TO_BOT = Act(_to_bot, move="to_bot")
CLOSE = Act(_close, move="close")
