"""`number` and `money`: «1 500,50 ₽» → 1500.5."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Unclear, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from bot.numbers import as_json, parse_number, render_money, render_number
from core.locale import Texts

CURRENCY = r"(?:₽|руб(?:\.|л[а-я]*)?|р\.?|rub(?:\.|les?|s)?)"
NUMBER = r"([0-9.,' +\-−–—]+)"
AFTER = re.compile(rf"{NUMBER} ?{CURRENCY}", re.IGNORECASE)
BEFORE = re.compile(rf"{CURRENCY} ?{NUMBER}", re.IGNORECASE)


class Number(FieldKind):
    type: ClassVar[str] = "number"
    keys: ClassVar[frozenset[str]] = frozenset({"min", "max"})
    value_type: ClassVar[ValueType] = "number"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        readings = parse_number(without_currency(heard.text))
        if not readings:
            return Wrong(t("This is not a number."))
        fitting = [r for r in readings if isinstance(_within(field, r, self, t), Accepted)] or readings[:1]
        if len(fitting) == 1:
            return _within(field, fitting[0], self, t)
        return Unclear(
            t("Which number do you mean?"), tuple((self.show(field, float(r), t), as_json(r)) for r in fitting)
        )

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return render_number(value, t.language)


class Money(FieldKind):
    type: ClassVar[str] = "money"
    keys: ClassVar[frozenset[str]] = frozenset({"min", "max"})
    value_type: ClassVar[ValueType] = "money"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """«1.500 ₽» is a thousand and a half: kopecks have two digits."""
        if not heard.text:
            return None
        sums = [s for s in parse_number(without_currency(heard.text)) if not _has_three_decimals(s)]
        return _within(field, sums[0], self, t) if sums else Wrong(t("This is not a sum of money."))

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return render_money(value, t.language)


def without_currency(text: str) -> str:
    """The number of a sum: «₽» or «руб.» stands before or after it."""
    said = " ".join(text.split())
    found = AFTER.fullmatch(said) or BEFORE.fullmatch(said)
    return found[1] if found else said


def _has_three_decimals(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -2


def _within(field: Field, number: Decimal, kind: FieldKind, t: Texts) -> Accepted | Wrong:
    value = as_json(number)
    if field.min is not None and value < field.min:
        return Wrong(t("It must be at least {limit}.", limit=kind.show(field, field.min, t)))
    if field.max is not None and value > field.max:
        return Wrong(t("It must be at most {limit}.", limit=kind.show(field, field.max, t)))
    return Accepted(value)
