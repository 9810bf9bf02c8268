"""What an act of people is: who may do it when, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.conversation import Session
from core.events import OperatorAct
from core.normal import clean
from handoff.decision import Decision
from handoff.session import may

HOUSE = ("router", "house")  # whose acts are the house's own; no account has such a name
REASON = 200  # characters
RIGHT = "right"  # in the data of an act, set by whoever let the person in: `supervisor` of the session's line


@dataclass(frozen=True)
class Act:
    """`run` is only asked when nothing speaks against it.

    `owner`: only whoever has the session may do it, and with `led` a supervisor of its line or the house. `fresh`: the epoch
    that was seen must be the present one. `move`: the move of `handoff.session.LIFE` that must be legal, where the act makes
    one. `against`: what else speaks against it (`epoch`, `owner`, `state`, `empty`, …), or empty.
    """

    run: Callable[[Decision, OperatorAct], None]
    owner: bool = True
    fresh: bool = True
    move: str = ""
    against: Callable[[Decision, OperatorAct], str] | None = None
    led: bool = False


def refusal(act: Act, on: Decision, event: OperatorAct) -> str:
    """Why the act may not be done, by name; empty when it may."""
    if act.fresh and event.epoch != on.session.epoch:
        return "epoch"
    if act.owner and not (_owns(on.session, event.operator) or (act.led and leads(event))):
        return "owner"
    if act.move and not may(on.session, act.move):
        return "state"
    return act.against(on, event) if act.against is not None else ""


def _owns(session: Session, operator: str) -> bool:
    return session.owner == "operator" and session.operator == operator


def leads(event: OperatorAct) -> bool:
    """Whether a supervisor of the line does it, or the house."""
    return event.operator in HOUSE or event.data.get(RIGHT) == "supervisor"


def reason(event: OperatorAct, name: str) -> str:
    """Why somebody does it, in their words as far as they fit into a record; else its name."""
    return clean(event.text).strip()[:REASON] or name


def word(event: OperatorAct, name: str) -> str:
    """A text of the act's data; empty when there is none."""
    value = event.data.get(name)
    return value if isinstance(value, str) else ""
