"""`fail`: finish the flow as a failure; the caller's `failed` runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action
from bot.shapes import TEXT, Key
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Action):
    word: ClassVar[str] = "fail"
    about: ClassVar[str] = n_("finish the flow as a failure: the caller's `failed` runs")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("fail", "outcome", TEXT, required=True, about=n_("what went wrong, for reports and tests")),
    )
    outcome: str

    def onward(self) -> Iterator[str]:
        yield from ()

    def enter(self, walk: Walk) -> None:
        walk.fail(self.outcome)
