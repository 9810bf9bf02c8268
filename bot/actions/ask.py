"""`ask`: ask for fields, one question after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Action
from bot.shapes import FIELDS, Key
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Action):
    """Compiled to one state per field."""

    word: ClassVar[str] = "ask"
    about: ClassVar[str] = n_("ask for fields, one question after another")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("ask", "fields", FIELDS, required=True, about=n_("a field or a list of fields")),
    )
    fields: tuple[str, ...]
