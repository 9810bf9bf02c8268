"""What an operator has said, put right or taken back where the channel lets us."""

from __future__ import annotations

import msgspec

from core.delivery import Able, Delivery
from core.effects import Change, Recall
from core.events import OperatorAct
from core.normal import clean
from handoff.acts.act import Act
from handoff.acts.delivery import delivery_of
from handoff.decision import Decision


def against_edit(it: Delivery, able: Able, operator: str, now: float) -> str:
    """Why a message cannot get another text, empty when it can."""
    return _against(it, operator) or _reach(it, able.edit, able.edit_seconds, now)


def against_recall(it: Delivery, able: Able, operator: str, now: float) -> str:
    """Why a message cannot be taken back, empty when it can."""
    return _against(it, operator) or _reach(it, able.delete, able.delete_seconds, now)


def _against(it: Delivery, operator: str) -> str:
    if it.author != "operator" or it.operator != operator or not it.row:
        return "not_own"
    if it.removed:
        return "gone"
    return "" if it.state in {"sent", "waiting"} else "not_sent"


def _reach(it: Delivery, can: bool, seconds: float, now: float) -> str:
    """What the channel says: whether it can at all, and whether the message is young enough."""
    if not can:
        return "cannot"
    return "too_old" if seconds and now - (it.settled_at or it.at) > seconds else ""


def _able(event: OperatorAct) -> Able:
    return msgspec.convert(event.data["able"], Able)


def _why_no_edit(on: Decision, event: OperatorAct) -> str:
    if not clean(event.text).strip():
        return "empty"
    return against_edit(delivery_of(event), _able(event), event.operator, on.now.timestamp())


def _edit(on: Decision, event: OperatorAct) -> None:
    it = delivery_of(event)
    on.why("edit", seq=it.seq)
    on.out(Change(it.seq, it.row, clean(event.text)))


def _why_no_recall(on: Decision, event: OperatorAct) -> str:
    return against_recall(delivery_of(event), _able(event), event.operator, on.now.timestamp())


def _recall(on: Decision, event: OperatorAct) -> None:
    it = delivery_of(event)
    on.why("recall", seq=it.seq)
    on.out(Recall(it.seq, it.row))


# Only who has the session writes to the client; a slip may be taken back by whoever made it, also after the session is gone.
EDIT = Act(_edit, fresh=False, against=_why_no_edit)
RECALL = Act(_recall, owner=False, fresh=False, against=_why_no_recall)
