"""Times of day as people say them: «10:30», «в 10», «7 вечера», «полвосьмого», `half past seven`, `7 pm`."""

from __future__ import annotations

import re
from datetime import time

LEADING = re.compile(r"^(?:(?:в|во|к|ко|на|с|до|после|at|by|from|around)\s+)+")
WORDS = {"полдень": time(12), "полночь": time(0), "noon": time(12), "midday": time(12), "midnight": time(0)}
HOURS = {
    name: n
    for n, names in enumerate(
        (
            "ноль zero",
            "час один one",
            "два two",
            "три three",
            "четыре four",
            "пять five",
            "шесть six",
            "семь seven",
            "восемь eight",
            "девять nine",
            "десять ten",
            "одиннадцать eleven",
            "двенадцать twelve",
        )
    )
    for name in names.split()
}
TOWARDS = {
    name: n
    for n, name in enumerate(
        (
            "первого",
            "второго",
            "третьего",
            "четвертого",
            "пятого",
            "шестого",
            "седьмого",
            "восьмого",
            "девятого",
            "десятого",
            "одиннадцатого",
            "двенадцатого",
        ),
        1,
    )
}
PART = r"(?: ?(утра|дня|вечера|ночи|a\.?m\.?|p\.?m\.?|in the morning|in the afternoon|in the evening|at night))?"
MORNING = {"утра", "am", "a.m", "a.m.", "am.", "in the morning"}
NIGHT = {"ночи", "at night"}
AMBIGUOUS = 8  # «в 7» may be the evening; from nine on a bare hour is what it says

CLOCK = re.compile(
    rf"([01]?\d|2[0-4])(?:[:.\-]| ?ч(?:ас(?:а|ов)?)?\.? ?| )([0-5]\d)(?: ?м(?:ин(?:ут[аы]?)?)?\.?)?{PART}", re.ASCII
)
COMPACT = re.compile(r"([01]\d|2[0-3])([0-5]\d)", re.ASCII)
HOUR = re.compile(rf"(\d{{1,2}}|[а-яa-z]+)(?: ?(?:ч|час|часа|часов|o'clock)\.?)?{PART}", re.ASCII)
HALF = re.compile(rf"(?:пол|половин[ауе] ?|пол ?-?)\s?([а-я]+ого|[а-я]+его){PART}")
QUARTER = re.compile(rf"четверть ([а-я]+ого|[а-я]+его){PART}")
MINUS_QUARTER = re.compile(rf"без (?:четверти|15(?: минут)?) (\d{{1,2}}|[а-я]+){PART}")
ENGLISH = re.compile(rf"(half past|quarter past|quarter to) (\d{{1,2}}|[a-z]+){PART}")


def parse_times(text: str, now: time) -> list[time]:
    """Every time of day a text can mean, the likelier first; none when it is no time."""
    said = " ".join(text.lower().replace("ё", "е").replace("\u00a0", " ").split()).strip(" .,!?;")
    said = LEADING.sub("", said)
    if said in WORDS:
        return [WORDS[said]]
    if said in {"сейчас", "now", "прямо сейчас", "right now"}:
        return [now.replace(second=0, microsecond=0, tzinfo=None)]
    return (_clock(said) or _parts_of_hours(said)) if len(said) <= 60 else []


def _clock(said: str) -> list[time]:
    if found := CLOCK.fullmatch(said):
        return _times(int(found[1]), int(found[2]), found[3], bare=False)
    if found := COMPACT.fullmatch(said):
        return [time(int(found[1]), int(found[2]))]
    if found := HOUR.fullmatch(said):
        hour = _hour(found[1])
        return [] if hour is None else _times(hour, 0, found[2], bare=len(found[1]) == 1 or not found[1].isdigit())
    return []


def _parts_of_hours(said: str) -> list[time]:
    """«полвосьмого» is 7:30, «четверть восьмого» 7:15, «без четверти восемь» 7:45."""
    for shape, minutes in ((HALF, 30), (QUARTER, 15)):
        if (found := shape.fullmatch(said)) and (towards := TOWARDS.get(found[1])):
            return _times((towards - 1) or 12, minutes, found[2], bare=True, limit=11)
    if (found := MINUS_QUARTER.fullmatch(said)) and (hour := _hour(found[1])):
        return _times((hour - 1) or 12, 45, found[2], bare=True, limit=11)
    if (found := ENGLISH.fullmatch(said)) and (hour := _hour(found[2])):
        before = found[1].endswith("to")
        minutes = 30 if found[1].startswith("half") else 45 if before else 15
        return _times(((hour - 1) or 12) if before else hour, minutes, found[3], bare=True, limit=11)
    return []


def _hour(said: str) -> int | None:
    return int(said) if said.isdigit() else HOURS.get(said)


def _times(hour: int, minute: int, part: str | None, bare: bool, limit: int = AMBIGUOUS) -> list[time]:
    if hour > 24 or (hour == 24 and minute):
        return []
    if part:
        return _in_part(hour, minute, part)
    first = time(hour % 24, minute)
    return [first, time(hour + 12, minute)] if bare and 1 <= hour <= limit else [first]


def _in_part(hour: int, minute: int, part: str) -> list[time]:
    """«7 вечера» is 19:00, «12 ночи» 0:00, «11 дня» 11:00; «15 утра» is nothing."""
    morning = part in MORNING
    if hour > 12:
        return [] if morning else [time(hour % 24, minute)]
    eleven = part == "дня" and 10 <= hour < 12
    late = 6 < hour < 12 if part in NIGHT else not morning and not eleven
    return [time(hour % 12 + (12 if late else 0), minute)]
