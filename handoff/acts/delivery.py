"""A message that failed, sent once more by hand."""

from __future__ import annotations

import msgspec

from core.delivery import Delivery
from core.effects import Resend
from core.events import OperatorAct
from handoff.acts.act import Act
from handoff.decision import Decision


def delivery_of(event: OperatorAct) -> Delivery:
    """The message as whoever asked the store saw it."""
    return msgspec.convert(event.data["delivery"], Delivery)


def against_retry(it: Delivery, even_if_twice: bool) -> str:
    """Why a message cannot be sent again, empty when it can: only what is settled, and surely or knowingly not there."""
    if it.author != "operator" or not it.row:
        return "not_own"
    if it.state == "unknown" and not even_if_twice:
        return "unconfirmed"
    return "" if it.state in {"failed", "unknown"} and not it.removed else "not_failed"


def _against(_: Decision, event: OperatorAct) -> str:
    return against_retry(delivery_of(event), bool(event.data.get("even_if_twice")))


def _retry(on: Decision, event: OperatorAct) -> None:
    it = delivery_of(event)
    on.why("retry", seq=it.seq, row=it.row, was=it.state)
    on.out(Resend(it.seq, it.row))


RETRY = Act(_retry, fresh=False, against=_against)
