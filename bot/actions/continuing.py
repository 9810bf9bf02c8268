"""`continue`: let the client go on in another messenger, with a one-time code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.engine.codes import ask_code
from bot.model import Action
from bot.shapes import TEMPLATE, Key
from bot.templates import Template
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue(Action):
    """`text` is said first; the code and the links follow as soon as they are made, and the flow goes on meanwhile."""

    word: ClassVar[str] = "continue"
    about: ClassVar[str] = n_("send a one-time code with which the client goes on in another messenger")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("continue", "text", TEMPLATE, required=True, about=n_("what is said before the code")),
    )
    text: Template

    def enter(self, walk: Walk) -> None:
        walk.say(walk.rich(self.text))
        ask_code(walk)
        walk.go("next")
