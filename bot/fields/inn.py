"""`inn`: a Russian taxpayer's number, 10 digits (organisations) or 12 (people), with its checksum."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Token, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts

WEIGHTS = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
TOKEN = re.compile(r"(?<![\w+-])(?:[0-9]{12}|[0-9]{10})(?![\w-])")
PREFIX = re.compile(r"^(?:инн|inn)\b\s*[:№-]?\s*", re.IGNORECASE)


class Inn(FieldKind):
    type: ClassVar[str] = "inn"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        digits = re.sub(r"[\s.-]", "", PREFIX.sub("", heard.text)).rstrip(",;")
        if not re.fullmatch(r"[0-9]{10}|[0-9]{12}", digits):
            return Wrong(t("An INN has 10 or 12 digits."))
        return (
            Accepted(digits)
            if is_inn(digits)
            else Wrong(t("There is a mistake in this INN: its check digit does not fit."))
        )

    def find(self, field: Field, text: str) -> list[Token]:
        return [(m[0], m.start(), m.end()) for m in TOKEN.finditer(text) if is_inn(m[0])]


def is_inn(digits: str) -> bool:
    """Whether the check digits fit (order of the Federal Tax Service № ЕД-7-14/559)."""
    if len(set(digits)) == 1:
        return False
    if len(digits) == 10:
        return _check_digit(digits[:9]) == digits[9]
    return _check_digit(digits[:10]) == digits[10] and _check_digit(digits[:11]) == digits[11]


def _check_digit(digits: str) -> str:
    weights = WEIGHTS[len(WEIGHTS) - len(digits) :]
    return str(sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 % 10)
