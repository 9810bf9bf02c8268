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

CURRENCY = re.compile(r"\s*(?:₽|руб(?:\.|л[а-я]*)?|р\.?|rub(?:\.|les?|s)?)\s*", re.IGNORECASE)


class Number(FieldKind):
    type: ClassVar[str] = "number"
    keys: ClassVar[frozenset[str]] = frozenset({"min", "max"})
    value_type: ClassVar[ValueType] = "number"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        readings = parse_number(heard.text)[:1]
        return _within(field, readings[0], self, t) if readings else Wrong(t("This is not a number."))

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return render_number(value, t.language)


class Money(FieldKind):
    type: ClassVar[str] = "money"
    keys: ClassVar[frozenset[str]] = frozenset({"min", "max"})
    value_type: ClassVar[ValueType] = "money"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """«1.500» is a thousand and a half or one and a half: the client is asked."""
        if not heard.text:
            return None
        sums = [s.quantize(Decimal("0.01")) for s in parse_number(without_currency(heard.text))]
        if not sums:
            return Wrong(t("This is not a sum of money."))
        if len(sums) == 1:
            return _within(field, sums[0], self, t)
        fitting = [s for s in reversed(sums) if isinstance(_within(field, s, self, t), Accepted)] or sums[:1]
        if len(fitting) == 1:
            return _within(field, fitting[0], self, t)
        options = tuple((render_money(float(s), t.language), as_json(s)) for s in fitting)
        return Unclear(t("Which sum do you mean?"), options)

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return render_money(value, t.language)


def without_currency(text: str) -> str:
    """The number of a sum: «₽» or «руб.» stands before or after it."""
    text = text.strip()
    if sign := CURRENCY.match(text):
        return text[sign.end() :]
    for sign in CURRENCY.finditer(text):
        if sign.end() == len(text):
            return text[: sign.start()]
    return text


def _within(field: Field, number: Decimal, kind: FieldKind, t: Texts) -> Accepted | Wrong:
    value = as_json(number)
    if field.min is not None and value < field.min:
        return Wrong(t("It must be at least {limit}.", limit=kind.show(field, field.min, t)))
    if field.max is not None and value > field.max:
        return Wrong(t("It must be at most {limit}.", limit=kind.show(field, field.max, t)))
    return Accepted(value)
