"""Dates and times as values: ISO texts in, ISO texts out, and how people write and read them."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")

MONTHS_RU = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def as_date(value: Any) -> date | None:
    """The date in a value: a date, a moment, or an ISO text that begins with a date."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and ISO_DATE.match(value):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def as_time(value: Any) -> time | None:
    """The time of day in a value: a time, a moment, `HH:MM`, or an ISO moment."""
    if isinstance(value, datetime):
        return value.time()
    if isinstance(value, time):
        return value
    if not isinstance(value, str):
        return None
    if found := CLOCK.fullmatch(value):
        return time(int(found[1]), int(found[2]))
    return _time_of_moment(value)


def _time_of_moment(text: str) -> time | None:
    try:
        return datetime.fromisoformat(text).time() if len(text) > 10 else None
    except ValueError:
        return None


def render_date(day: date, language: str, today: date | None = None) -> str:
    """«5 марта», with the year when it is not this year (as `today` tells)."""
    year = today is not None and today.year != day.year
    if language == "ru":
        said = f"{day.day} {MONTHS_RU[day.month - 1]}"
        return f"{said} {day.year}" if year else said
    said = f"{MONTHS_EN[day.month - 1]} {day.day}"
    return f"{said}, {day.year}" if year else said


def render_time(clock: time) -> str:
    """«09:00»."""
    return f"{clock.hour:02}:{clock.minute:02}"
