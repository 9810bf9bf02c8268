"""`date`: a day in figures or in words → `2025-03-05`; what may mean two days is asked back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from bot.dates import as_date, render_date
from bot.fields.kind import Accepted, FieldKind, Parsed, Unclear, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from bot.said_dates import NoSuchDay, parse_dates
from core.locale import Texts


class Date(FieldKind):
    type: ClassVar[str] = "date"
    value_type: ClassVar[ValueType] = "date"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        if not heard.text:
            return None
        try:
            days = parse_dates(heard.text, now.date(), t.language)
        except NoSuchDay:
            return Wrong(t("There is no such date."))
        if not days:
            return Wrong(t("This is not a date."))
        fitting = [day for day in days if _keeps_rules(field, day, now)] or days[:1]
        if len(fitting) == 1:
            return Accepted(fitting[0].isoformat())
        return Unclear(
            t("Which date do you mean?"), tuple((label, day.isoformat()) for label, day in _labelled(fitting, now, t))
        )

    def show(self, field: Field, value: Any, t: Texts) -> str:
        """With the year: a value is shown long after it was said."""
        day = as_date(value)
        return render_date(day, t.language, date.min) if day else str(value)


def _keeps_rules(field: Field, day: date, now: datetime) -> bool:
    """A rule such as `value <= today` tells which of two days is meant; rules about other names cannot."""
    names = {"value": day.isoformat(), "today": now.date().isoformat(), "now": now.isoformat()}
    for rule in field.check:
        errors: list[str] = []
        if not rule.must.truth(names, errors) and not errors:
            return False
    return True


def _labelled(days: list[date], now: datetime, t: Texts) -> list[tuple[str, date]]:
    """The year stands on all labels or on none."""
    today = now.date() if all(day.year == now.year for day in days) else date.min
    return [(render_date(day, t.language, today), day) for day in days]
