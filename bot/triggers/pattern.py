"""`pattern`: an RE2 pattern finds something; its named groups fill fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Trigger
from bot.patterns import Pattern
from bot.shapes import PATTERN, Key
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternTrigger(Trigger):
    word: ClassVar[str] = "pattern"
    level: ClassVar[int] = 5
    about: ClassVar[str] = n_("the pattern finds something in the message")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("pattern", "pattern", PATTERN, required=True, about=n_("an RE2 pattern; its named groups fill fields")),
    )
    pattern: Pattern
