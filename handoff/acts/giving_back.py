"""Giving a session away: back to the queue, by its owner or by the house, or back to the bot."""

from __future__ import annotations

from core.effects import AnswerBot
from core.events import OperatorAct
from handoff.acts.act import Act, leads, reason
from handoff.decision import Decision, enqueue, start_wait
from handoff.hours import is_open
from handoff.lines import Line


def _back(on: Decision, event: OperatorAct, move: str) -> Line | None:
    """Into the queue of its line, with its history; None, and refused, where there is no such line."""
    line, kept = on.line(on.session.line), on.session
    if line is None:
        on.refuse(event, "line")
    else:
        enqueue(on, line, event.operator, reason(event, move), note=kept.note, priority=kept.priority, event=move)
    return line


def _return(on: Decision, event: OperatorAct) -> None:
    """No `busy` where nobody waits to hear it: no flow, or the line is closed."""
    line = _back(on, event, "return")
    if line is not None and is_open(line.hours, on.now) and on.session.memory["run"]:
        start_wait(on, line)


def _release(on: Decision, event: OperatorAct) -> None:
    """Whoever had it is away. It is never given up: the client has been talked to already."""
    _back(on, event, "release")


def _only_led(_: Decision, event: OperatorAct) -> str:
    return "" if leads(event) else "right"


def _to_bot(on: Decision, event: OperatorAct) -> None:
    line = on.session.line
    on.move("to_bot", event.operator, "to_bot", operator="", line="", note="", priority="", queued_at=0.0, memory={})
    on.out(AnswerBot("returned", line))


RETURN = Act(_return, move="return")
RELEASE = Act(_release, owner=False, move="release", against=_only_led)
TO_BOT = Act(_to_bot, move="to_bot")
