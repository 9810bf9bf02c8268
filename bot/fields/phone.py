"""`phone`: «+7», «8» or ten digits, other countries with «+», or the messenger's contact button → +79991234567."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

import phonenumbers

from bot.fields.kind import Accepted, FieldKind, Parsed, Rows, Token, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts
from core.messages import Button

REGION = "RU"
SHAPE = re.compile(r"[+\d(][\d\s().–-]{5,30}")
RUN = re.compile(r"(?<![\w@.+-])[+(]{0,2}\d[\d ().–-]*(?![\w@])")
CHUNK = re.compile(r"[^ ]+")
CHUNKS = 24
MIN_DIGITS, MAX_DIGITS = 10, 15  # E.164
CANDIDATES = 10  # no message holds more phones that matter


class Phone(FieldKind):
    type: ClassVar[str] = "phone"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """A contact, the whole answer, or the only phone in it («мой номер +7 999 123-45-67»)."""
        if heard.contact is not None and (number := parse_phone(heard.contact.phone, shared=True)):
            return Accepted(number, verified=heard.contact.own)
        if not heard.text:
            return None
        whole = parse_phone(heard.text)
        found = [whole] if whole else [value for value, _, _ in self.find(field, heard.text)]
        return Accepted(found[0]) if len(found) == 1 else Wrong(t("This does not look like a phone number."))

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return render_phone(str(value))

    def buttons(self, field: Field, t: Texts) -> Rows:
        return ((Button(t("Share my phone"), ask="contact"),),)

    def find(self, field: Field, text: str) -> list[Token]:
        tokens: list[Token] = []
        for run, _ in zip(RUN.finditer(text), range(CANDIDATES), strict=False):
            tokens += _phones_in(run[0], run.start())
        return tokens


def _phones_in(run: str, start: int) -> list[Token]:
    """Phones in figures that follow each other: «123456 8 999 123 45 67» holds one. The longest that fits is taken."""
    chunks = [(m.start(), m.end()) for m in CHUNK.finditer(run)][:CHUNKS]
    tokens: list[Token] = []
    at = 0
    while at < len(chunks):
        begin = chunks[at][0]
        for last in range(len(chunks), at, -1):
            said = run[begin : chunks[last - 1][1]].rstrip(".–-(")
            if MIN_DIGITS <= sum(c.isdigit() for c in said) <= MAX_DIGITS and (value := parse_phone(said)):
                tokens.append((value, start + begin, start + begin + len(said)))
                at = last - 1
                break
        at += 1
    return tokens


def parse_phone(text: str, shared: bool = False) -> str | None:
    """The number as +79991234567, None when it is none. `shared`: messengers leave the «+» out of contacts."""
    text = text.strip(" .,;")
    if not SHAPE.fullmatch(text):
        return None
    digits = re.sub(r"\D", "", text)
    foreign = text.startswith("+") or (shared and len(digits) > 10 and not digits.startswith("8"))
    try:
        number = phonenumbers.parse(f"+{digits}" if foreign else digits, None if foreign else REGION)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if _is_valid(number) else None


def _is_valid(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(number)


def render_phone(number: str) -> str:
    """+79991234567 → «+7 999 123-45-67»."""
    try:
        parsed = phonenumbers.parse(number, REGION)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
