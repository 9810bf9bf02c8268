"""Times in which the operator has not the word: the session is put aside, or the bot asks something for them."""

from __future__ import annotations

from core.effects import Hand, StartTimer, StopTimer
from core.events import LoanAsked, OperatorAct
from handoff.acts.act import Act, reason, word
from handoff.decision import HELD, HOLD_TIMER, LOAN, Decision, mark


def until(event: OperatorAct) -> float:
    """Until when (seconds since the epoch), 0 without end."""
    at = event.data.get("until", 0)
    return float(at) if isinstance(at, int | float) and not isinstance(at, bool) else 0.0


def _past(on: Decision, event: OperatorAct) -> str:
    at = until(event)
    return "until" if at and at <= on.now.timestamp() else ""


def _hold(on: Decision, event: OperatorAct) -> None:
    """Put aside until a time, or until the client writes."""
    at = until(event)
    on.move("hold", event.operator, reason(event, "hold"), memory={**on.session.memory, HELD: at})
    if at:
        on.out(StartTimer(HOLD_TIMER, at - on.now.timestamp(), {**mark(on), "until": at}))
    else:
        on.out(StopTimer(HOLD_TIMER))


def _unhold(on: Decision, event: OperatorAct) -> None:
    on.move("unhold", event.operator, "unhold")


def _lent(on: Decision, event: OperatorAct) -> str:
    if LOAN in on.session.memory:
        return "state"
    return "" if word(event, "flow") else "flow"


def _lend(on: Decision, event: OperatorAct) -> None:
    """The bot says whether it has such a flow and is free; then the loan begins."""
    on.out(Hand(LoanAsked(word(event, "flow"), event.operator)))


def _not_lent(on: Decision, _: OperatorAct) -> str:
    return "" if LOAN in on.session.memory else "state"


def _end_loan(on: Decision, event: OperatorAct) -> None:
    on.move("loan_over", event.operator, "stopped")


HOLD = Act(_hold, move="hold", against=_past)
UNHOLD = Act(_unhold, move="unhold")
LEND = Act(_lend, move="loan", against=_lent)
END_LOAN = Act(_end_loan, move="loan_over", against=_not_lent)
