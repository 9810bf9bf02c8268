"""`goto`: go on at a named step of this flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action
from bot.shapes import Key, Reference
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Goto(Action):
    word: ClassVar[str] = "goto"
    about: ClassVar[str] = n_("go on at a named step of this flow")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("goto", "target", Reference("step"), required=True, about=n_("the name of a step")),
    )
    target: str

    def enter(self, walk: Walk) -> None:
        walk.go("next")
