"""All that people may do with a session, by name. A new act is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from handoff.acts import (
    changing,
    closing,
    delivery,
    editing,
    giving_back,
    pausing,
    speaking,
    taking,
    ticketing,
    transferring,
)
from handoff.acts.act import Act

ACTS: Mapping[str, Act] = {
    "take": taking.TAKE,
    "assign": taking.ASSIGN,
    "reply": speaking.REPLY,
    "note": speaking.NOTE,
    "edit": editing.EDIT,
    "recall": editing.RECALL,
    "retry": delivery.RETRY,
    "return": giving_back.RETURN,
    "release": giving_back.RELEASE,
    "transfer": transferring.TRANSFER,
    "accept": transferring.ACCEPT,
    "send_back": transferring.SEND_BACK,
    "hold": pausing.HOLD,
    "unhold": pausing.UNHOLD,
    "loan": pausing.LEND,
    "end_loan": pausing.END_LOAN,
    "to_bot": giving_back.TO_BOT,
    "close": closing.CLOSE,
    "priority": changing.PRIORITY,
    "set_field": changing.SET_FIELD,
    "ticket": ticketing.TICKET,
}
