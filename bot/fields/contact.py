"""`contact`: a person with a phone, by the messenger's button or in words → {имя, телефон}."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Rows, ValueType, Wrong
from bot.fields.phone import Phone, parse_phone
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts
from core.messages import Button
from core.normal import clean


class Contact(FieldKind):
    type: ClassVar[str] = "contact"
    value_type: ClassVar[ValueType] = "person"
    parts: ClassVar[dict[str, ValueType]] = {"имя": "text", "телефон": "text"}

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """«Иван, +7 999 123-45-67»: what stands around the phone is the name."""
        if heard.contact is not None and (number := parse_phone(heard.contact.phone, shared=True)):
            return Accepted(person(number, clean(heard.contact.name)), verified=heard.contact.own)
        if not heard.text:
            return None
        if number := parse_phone(heard.text):
            return Accepted(person(number))
        found = Phone().find(field, heard.text)
        if len(found) != 1:
            return Wrong(t("Please send a contact or a phone number."))
        number, start, end = found[0]
        return Accepted(person(number, f"{heard.text[:start]} {heard.text[end:]}"))

    def buttons(self, field: Field, t: Texts) -> Rows:
        return ((Button(t("Share my contact"), ask="contact"),),)


def person(phone: str, name: str = "") -> dict[str, str]:
    """The stored value."""
    return {"имя": " ".join(name.split()).strip(" ,.;:-–—"), "телефон": phone}
