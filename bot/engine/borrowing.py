"""Loans: a person who has the session lets the bot ask the questions of a flow. What was under way is put aside."""

from __future__ import annotations

from bot.engine.editing import refuse
from bot.engine.ground import LENT
from bot.engine.lending import give_back, pack
from bot.engine.runs import cancel_all, settle, start_run
from bot.engine.walk import Walk
from core.effects import Hand
from core.events import LoanAsked, LoanBegun, LoanStopped


def on_loan_asked(walk: Walk, event: LoanAsked) -> None:
    """Begin the flow, or say why not: there is none of that name, or a remote call is under way."""
    flow, talk = walk.book.flows.get(event.flow), walk.talk
    pending = any(run is not None and run.pending for run in (talk.run, talk.suspended))
    if flow is None or pending:
        refuse(walk, "loan", event.operator, "flow" if flow is None else "busy")
        return
    talk.memory.pop("pieces", None)
    talk.memory[LENT] = {"run": pack(talk.run), "suspended": pack(talk.suspended)}
    talk.run = talk.suspended = None
    walk.mute = False
    walk.effects.append(Hand(LoanBegun(flow.id, event.operator)))
    start_run(walk, flow, "loan")
    settle(walk)


def on_loan_stopped(walk: Walk, _: LoanStopped) -> None:
    """The person speaks again: the flow ends where it stands, its answers stay."""
    if LENT in walk.talk.memory:
        cancel_all(walk, walk.t("cancelled"))
        give_back(walk, told=False)
