"""`location`: a place by the messenger's button, an address or degrees in words → {адрес, широта, долгота}."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, Rows, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from core.locale import Texts
from core.messages import Button
from core.normal import clean

DEGREES = re.compile(r"(-?[0-9]{1,2}\.[0-9]+)\s*[,; ]\s*(-?[0-9]{1,3}\.[0-9]+)")
SHORTEST = 5  # characters of an address


class Location(FieldKind):
    type: ClassVar[str] = "location"
    value_type: ClassVar[ValueType] = "place"
    parts: ClassVar[dict[str, ValueType]] = {"адрес": "text", "широта": "number", "долгота": "number"}

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if heard.location is not None:
            here = heard.location
            return Accepted(place(clean(here.address), here.latitude, here.longitude))
        text = " ".join(heard.text.split())
        if not text:
            return None
        if found := DEGREES.fullmatch(text):
            return _degrees(float(found[1]), float(found[2]), t)
        if len(text) < SHORTEST or not any(c.isalpha() for c in text):
            return Wrong(t("Please send a location or write the address."))
        return Accepted(place(text))

    def buttons(self, field: Field, t: Texts) -> Rows:
        return ((Button(t("Share my location"), ask="location"),),)


def _degrees(latitude: float, longitude: float, t: Texts) -> Accepted | Wrong:
    if abs(latitude) > 90 or abs(longitude) > 180:
        return Wrong(t("There is no such place on Earth."))
    return Accepted(place("", latitude, longitude))


def place(address: str, latitude: float | None = None, longitude: float | None = None) -> dict[str, Any]:
    """The stored value. There is always an address: the degrees when nothing better is known."""
    if latitude is None or longitude is None:
        return {"адрес": address}
    return {"адрес": address or f"{latitude}, {longitude}", "широта": latitude, "долгота": longitude}
