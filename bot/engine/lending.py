"""The end of a loan: what people had put aside goes on, with what the bot has got for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.engine.editing import put
from bot.engine.ground import LENT
from core.conversation import Run
from core.effects import Hand
from core.events import LoanOver

if TYPE_CHECKING:
    from bot.engine.walk import Walk


def give_back(walk: Walk, told: bool = True) -> None:
    """The person has the word again. `told`: they do not know it yet."""
    lent = walk.talk.memory.pop(LENT)
    walk.talk.run, walk.talk.suspended = _unpack(lent["run"]), _unpack(lent["suspended"])
    walk.mute = walk.peoples
    fields: dict[str, str] = lent.get("fields", {})
    for label, text in fields.items():
        put(walk, label, text)
    walk.note("loan_over", outcome=lent.get("outcome", ""))
    if told:
        walk.effects.append(Hand(LoanOver(lent.get("outcome", ""), fields)))


def pack(run: Run | None) -> dict[str, Any] | None:
    """A run as it lies in the talk's memory."""
    packed: dict[str, Any] | None = None if run is None else msgspec.to_builtins(run)
    return packed


def _unpack(raw: dict[str, Any] | None) -> Run | None:
    return None if raw is None else msgspec.convert(raw, Run)
