"""`end`: finish the flow well."""

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
class End(Action):
    word: ClassVar[str] = "end"
    about: ClassVar[str] = n_("finish the flow well")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("end", "outcome", TEXT, required=True, about=n_("what came of it, for reports and tests")),
    )
    outcome: str

    def onward(self) -> Iterator[str]:
        yield from ()

    def enter(self, walk: Walk) -> None:
        walk.end(self.outcome)
