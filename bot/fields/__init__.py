"""The types of fields. A new one is a file here and a line in the tuple."""

from __future__ import annotations

from bot.fields.choice import Choice, Many
from bot.fields.contact import Contact
from bot.fields.date import Date
from bot.fields.email import Email
from bot.fields.file import File, Photo
from bot.fields.inn import Inn
from bot.fields.kind import Accepted, FieldKind, Parsed, Unclear, Wrong
from bot.fields.location import Location
from bot.fields.number import Money, Number
from bot.fields.phone import Phone
from bot.fields.rating import Rating
from bot.fields.text import Text
from bot.fields.time import Time
from bot.fields.yes_no import YesNo
from bot.model import Field

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
    "FIELDS",
    "Accepted",
    "FieldKind",
    "Parsed",
    "Unclear",
    "Wrong",
    "field_kind",
    "kind_of",
]


def field_kind(name: str) -> FieldKind | None:
    """The type of that name, None when there is none."""
    return BY_TYPE.get(name)


def kind_of(field: Field) -> FieldKind:
    """The type of a field that has been checked."""
    return BY_TYPE[field.type]
