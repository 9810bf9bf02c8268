"""Taking a session over: from the queue, or from the bot."""

from __future__ import annotations

from core.effects import StopTimer, Unqueue
from core.events import OperatorAct
from handoff.acts.act import Act
from handoff.decision import WAIT_TIMER, Decision, reopen


def _take(on: Decision, event: OperatorAct) -> None:
    """The bot is silent from this very turn."""
    if on.session.owner == "queue":
        on.out(Unqueue("taken"), StopTimer(WAIT_TIMER))
    elif not on.session.number:  # the client has not written yet: their first message comes to the operator
        reopen(on)
    on.move(
        "take",
        event.operator,
        "take",
        operator=event.operator,
        line=on.session.line or on.facts.line,
        assigned_at=on.now.timestamp(),
    )
    on.remember(leaving=None)


TAKE = Act(_take, owner=False, move="take")
