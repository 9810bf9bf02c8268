"""After a turn: who got a session, and who no longer has it."""

from __future__ import annotations

from collections.abc import Sequence

from core.conversation import Conversation, Session
from core.events import OperatorAct, TimerFired
from core.ports import Done
from storage.ledger import Ledger
from storage.rows import Row

GOT, LEFT = "got", "left"
STRAIGHT = -1.0  # seconds waited by a session that came from no queue


def follow(ledger: Ledger, before: Session, after: Conversation, done: Sequence[Done], now: float) -> None:
    """Write down that a session changed hands between people. Turns that do not cost nothing."""
    session = after.session
    if before.operator == session.operator and before.number == session.number:
        return
    why = _why(done)
    if before.operator:
        ledger.rows.insert("assignments", _row(after.id, before, LEFT, why, now, STRAIGHT))
    if session.operator:
        waited = max(now - before.queued_at, 0.0) if before.owner == "queue" and before.queued_at else STRAIGHT
        ledger.rows.insert("assignments", _row(after.id, session, GOT, why, now, waited))


def _row(conversation: int, session: Session, what: str, why: str, now: float, waited: float) -> Row:
    return {
        "at": now,
        "what": what,
        "why": why,
        "line": session.line,
        "operator": session.operator,
        "conversation": conversation,
        "session": session.number,
        "epoch": session.epoch,
        "waited": waited,
    }


def _why(done: Sequence[Done]) -> str:
    """The act or the timer that the turn ended with, else the kind of its last event."""
    if not done:
        return ""
    event = done[-1].pending.event
    if isinstance(event, OperatorAct):
        return event.act
    return event.key if isinstance(event, TimerFired) else str(event.__struct_config__.tag)
