"""`text`: anything; with a `pattern`, what the pattern stands for."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Token, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts


class Text(FieldKind):
    type: ClassVar[str] = "text"
    keys: ClassVar[frozenset[str]] = frozenset({"pattern", "min", "max"})

    def strict(self, field: Field) -> bool:
        return field.pattern is not None

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text.strip():
            return None
        value = heard.text.strip() if field.pattern is None else field.pattern.whole(heard.text)
        if value is None:
            return Wrong(t("The answer does not have the expected form."))
        return _too_long_or_short(field, value, t) or Accepted(value)

    def find(self, field: Field, text: str) -> list[Token]:
        found = field.pattern.find(text) if field.pattern is not None else []
        return [token for token in found if fits(field, token[0])]


def fits(field: Field, value: str) -> bool:
    """Whether the length is within `min` and `max`."""
    return (field.min or 0) <= len(value) and (field.max is None or len(value) <= field.max)


def _too_long_or_short(field: Field, value: str, t: Texts) -> Wrong | None:
    if field.min is not None and len(value) < field.min:
        return Wrong(
            t.plural("Please write at least {n} character.", "Please write at least {n} characters.", int(field.min))
        )
    if field.max is not None and len(value) > field.max:
        return Wrong(
            t.plural("Please write at most {n} character.", "Please write at most {n} characters.", int(field.max))
        )
    return None
