"""What somebody may do with a session as it is now: exactly the acts that would not be refused for its state. Pure."""

from __future__ import annotations

from core.events import OperatorAct
from handoff.acts import ACTS
from handoff.acts.act import RIGHT, refusal
from handoff.decision import Decision

OF_MESSAGES = frozenset({"edit", "recall", "retry"})  # these depend on a message, not on the session
# Anything else is for the act's own words to mend: a reason, a line.
REFUSED = frozenset({"owner", "right", "state", "epoch"})


def possible(on: Decision, operator: str, supervises: bool) -> list[str]:
    """Names of `handoff.acts.ACTS`, in their order. `supervises`: the session's line."""
    if on.session.status == "closed" or not on.session.number:
        return [name for name in ACTS if name in {"take", "note"} and _may(on, name, operator, supervises)]
    return [name for name in ACTS if name not in OF_MESSAGES and _may(on, name, operator, supervises)]


def _may(on: Decision, name: str, operator: str, supervises: bool) -> bool:
    data = {RIGHT: "supervisor"} if supervises else {}
    event = OperatorAct(operator, name, "", on.session.epoch, data=data)
    return refusal(ACTS[name], on, event) not in REFUSED
