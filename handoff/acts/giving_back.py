"""Giving a session away: back to the queue, by its owner or by the house, or back to the bot."""

from __future__ import annotations

from core.effects import AnswerBot
from core.events import OperatorAct
from core.normal import clean
from handoff.acts.act import Act, leads
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


def _release(on: Decision, event: OperatorAct) -> None:
    """Whoever had it is away. It is never given up: the client has been talked to already."""
    line = on.line(on.session.line)
    if line is None:
        on.refuse(event, "line")
        return
    why = clean(event.text) or "release"
    enqueue(on, line, event.operator, why, note=on.session.note, priority=on.session.priority, event="release")


def _only_led(_: Decision, event: OperatorAct) -> str:
    return "" if leads(event) else "right"


def _to_bot(on: Decision, event: OperatorAct) -> None:
    line = on.session.line
    on.move("to_bot", event.operator, "to_bot", operator="", line="", note="", priority="", queued_at=0.0, memory={})
    on.out(AnswerBot("returned", line))


RETURN = Act(_return, move="return")
RELEASE = Act(_release, owner=False, move="release", against=_only_led)
TO_BOT = Act(_to_bot, move="to_bot")
