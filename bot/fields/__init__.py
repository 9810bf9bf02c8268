"""The types of fields. A new one is a file here and a line in the tuple."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.fields.choice import Choice, Many
from bot.fields.contact import Contact
from bot.fields.date import Date
from bot.fields.email import Email
from bot.fields.file import File, Photo
from bot.fields.inn import Inn
from bot.fields.kind import COMMON_KEYS, Accepted, FieldKind, Parsed, Unclear, Wrong
from bot.fields.location import Location
from bot.fields.number import Money, Number
from bot.fields.phone import Phone
from bot.fields.rating import Rating
from bot.fields.text import Text
from bot.fields.time import Time
from bot.fields.yes_no import YesNo
from bot.model import Field
from core.rich import Rich

FIELDS: tuple[FieldKind, ...] = (
    Text(),
    Number(),
    Money(),
    YesNo(),
    Choice(),
    Many(),
    Date(),
    Time(),
    Phone(),
    Email(),
    Inn(),
    Photo(),
    File(),
    Location(),
    Contact(),
    Rating(),
)
BY_TYPE = {kind.type: kind for kind in FIELDS}

__all__ = [
    "COMMON_KEYS",
    "FIELDS",
    "Accepted",
    "FieldKind",
    "Parsed",
    "Unclear",
    "Wrong",
    "check_value",
    "field_kind",
    "kind_of",
]


def field_kind(name: str) -> FieldKind | None:
    """The type of that name, None when there is none."""
    return BY_TYPE.get(name)


def kind_of(field: Field) -> FieldKind:
    """The type of a field that has been checked."""
    return BY_TYPE[field.type]


def check_value(field: Field, value: Any, names: Mapping[str, Any], errors: list[str]) -> Rich | None:
    """What to say when the value breaks one of the field's rules, None when it keeps all. `value` is its name in them."""
    if not field.check:
        return None
    known = {**names, "value": value}
    for rule in field.check:
        if not rule.must.truth(known, errors):
            return rule.otherwise.render(known, errors)
    return None
