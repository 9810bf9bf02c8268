"""`confirm`: show what was collected, let the client mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model import Action
from bot.shapes import FIELDS, Key
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Action):
    """Buttons «Всё верно» / «Исправить»."""

    word: ClassVar[str] = "confirm"
    about: ClassVar[str] = n_("show what was collected and let the client mend it")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("confirm", "fields", FIELDS, required=True, about=n_("the fields of the summary")),
    )
    fields: tuple[str, ...]
