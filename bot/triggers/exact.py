"""`exact`: the whole message is one of these phrases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Trigger
from bot.shapes import TEXTS, Key
from core.findings import Position
from core.locale import n_
from core.normal import normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact(Trigger):
    """`phrase_at` are the places of the phrases in the file, one for each, or none at all."""

    word: ClassVar[str] = "exact"
    level: ClassVar[int] = 4
    about: ClassVar[str] = n_("the whole message is one of these phrases")
    keys: ClassVar[tuple[Key, ...]] = (Key("exact", "phrases", TEXTS, required=True, about=n_("phrases")),)
    phrases: tuple[str, ...]
    phrase_at: tuple[Position, ...] = ()


def exact_key(phrase: str) -> str:
    """Normalised; a phrase of punctuation only («+») stays as it is."""
    return normal(phrase) or phrase.strip()
