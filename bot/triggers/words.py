"""`words`: all words of one phrase occur, in any order and form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Trigger
from bot.shapes import TEXTS, Key
from core.findings import Position
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Trigger):
    """`phrase_at` are the places of the phrases in the file, one for each, or none at all."""

    word: ClassVar[str] = "words"
    level: ClassVar[int] = 6
    about: ClassVar[str] = n_("all words of one phrase occur, in any order and form")
    keys: ClassVar[tuple[Key, ...]] = (Key("words", "phrases", TEXTS, required=True, about=n_("phrases")),)
    phrases: tuple[str, ...]
    phrase_at: tuple[Position, ...] = ()
