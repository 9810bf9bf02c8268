"""All that people may do with a session, by name. A new act is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from handoff.acts import giving_back, speaking, taking
from handoff.acts.act import Act

ACTS: Mapping[str, Act] = {
    "take": taking.TAKE,
    "reply": speaking.REPLY,
    "note": speaking.NOTE,
    "return": giving_back.RETURN,
    "to_bot": giving_back.TO_BOT,
    "close": giving_back.CLOSE,
}
