"""`fail`: finish the flow as a failure; the caller's `failed` runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Action
from bot.shapes import TEXT, Key
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Action):
    word: ClassVar[str] = "fail"
    about: ClassVar[str] = n_("finish the flow as a failure: the caller's `failed` runs")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("fail", "outcome", TEXT, required=True, about=n_("what went wrong, for reports and tests")),
    )
    outcome: str
