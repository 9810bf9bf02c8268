"""`time`: a time of day in figures or in words → `09:30`; «в 7» is asked back: morning or evening."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.dates import render_time
from bot.fields.kind import Accepted, FieldKind, Parsed, Unclear, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from bot.said_times import parse_times
from core.locale import Texts


class Time(FieldKind):
    type: ClassVar[str] = "time"
    value_type: ClassVar[ValueType] = "time"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        times = [render_time(clock) for clock in parse_times(heard.text, now.time())]
        if not times:
            return Wrong(t("This is not a time of day."))
        if len(times) == 1:
            return Accepted(times[0])
        return Unclear(t("Which time do you mean?"), tuple((label, label) for label in times))
