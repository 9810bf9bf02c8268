"""`rating`: a number from 1 to 5, or stars."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Rows, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts
from core.messages import Button

STARS = "⭐🌟★"
NAMES = {"один": 1, "два": 2, "три": 3, "четыре": 4, "пять": 5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


class Rating(FieldKind):
    type: ClassVar[str] = "rating"
    keys: ClassVar[frozenset[str]] = frozenset({"min", "max"})
    value_type: ClassVar[ValueType] = "number"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        low, high = bounds(field)
        mark = _mark(heard)
        if mark is None or not low <= mark <= high:
            return Wrong(t("Please answer with a number from {low} to {high}.", low=low, high=high))
        return Accepted(mark)

    def buttons(self, field: Field, t: Texts) -> Rows:
        low, high = bounds(field)
        return (tuple(Button(str(n)) for n in range(low, high + 1)),)


def bounds(field: Field) -> tuple[int, int]:
    """1 to 5 unless the field says otherwise; never more than ten marks."""
    low = int(field.min if field.min is not None else 1)
    high = int(field.max if field.max is not None else 5)
    return low, min(high, low + 9)


def _mark(heard: Heard) -> int | None:
    text = heard.text.replace("\ufe0f", "").replace(" ", "")
    if text and not text.strip(STARS):
        return len(text)
    figure = text.strip(".!)")
    if figure.isascii() and figure.isdigit():
        return int(figure[:4])
    return NAMES.get(heard.normal)
