"""Dates as people say them: «05.03», «5 марта», «завтра», «в пятницу», «через неделю», `March 5`, `2025-03-05`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from re import Match

from bot.dates import MONTHS_EN, MONTHS_RU

FAR = 270  # days ahead; then the same day of last year is as likely
LEADING = re.compile(r"^(?:(?:в|во|на|с|к|ко|до|от|это|on|by|at|the|from|until)\s+)+")
TRAILING = re.compile(r"\s*(?:г\.|г|год|года|году)$")
DAY = r"(\d{1,2})(?:\s?-?(?:го|е|ое|st|nd|rd|th))?"
YEAR = r"(\d{4}|\d{2})"

SHIFTS = {
    "сегодня": 0,
    "завтра": 1,
    "послезавтра": 2,
    "вчера": -1,
    "позавчера": -2,
    "today": 0,
    "tomorrow": 1,
    "day after tomorrow": 2,
    "yesterday": -1,
    "day before yesterday": -2,
}
NOMINATIVE = (
    "январь",
    "февраль",
    "март",
    "апрель",
    "май",
    "июнь",
    "июль",
    "август",
    "сентябрь",
    "октябрь",
    "ноябрь",
    "декабрь",
)
MONTHS = {
    name: n % 12 + 1
    for names in (
        MONTHS_RU,
        NOMINATIVE,
        [m[:3] for m in MONTHS_RU],
        [m.lower() for m in MONTHS_EN],
        [m[:3].lower() for m in MONTHS_EN],
    )
    for n, name in enumerate(names)
} | {"сент": 9, "sept": 9}
WEEKDAYS = {
    name: n
    for n, names in enumerate(
        (
            "понедельник понедельника понедельнику пн monday mon",
            "вторник вторника вторнику вт tuesday tue",
            "среда среду среды среде ср wednesday wed",
            "четверг четверга четвергу чт thursday thu",
            "пятница пятницу пятницы пятнице пт friday fri",
            "суббота субботу субботы субботе сб saturday sat",
            "воскресенье воскресенья воскресенью вс sunday sun",
        )
    )
    for name in names.split()
}
UNITS = {
    "день": 1,
    "дня": 1,
    "дней": 1,
    "day": 1,
    "days": 1,
    "неделю": 7,
    "недели": 7,
    "недель": 7,
    "week": 7,
    "weeks": 7,
}
COUNTS = {
    "": 1,
    "a": 1,
    "one": 1,
    "один": 1,
    "одну": 1,
    "два": 2,
    "две": 2,
    "two": 2,
    "пару": 2,
    "три": 3,
    "three": 3,
    "четыре": 4,
    "four": 4,
    "пять": 5,
    "five": 5,
    "шесть": 6,
    "six": 6,
    "семь": 7,
    "seven": 7,
    "десять": 10,
    "ten": 10,
}


class NoSuchDay(Exception):
    """The calendar has no such day: «31.02»."""


def parse_dates(text: str, today: date, language: str = "ru") -> list[date]:
    """Every day a text can mean, the likelier first; none when it is no date. Raises `NoSuchDay`."""
    said = " ".join(text.lower().replace("ё", "е").replace("\u00a0", " ").split()).strip(" .,!?;")
    said = TRAILING.sub("", LEADING.sub("", said))
    if len(said) > 60:
        return []
    if said in SHIFTS:
        return [today + timedelta(days=SHIFTS[said])]
    for shape, read in SHAPES:
        if (found := shape.fullmatch(said)) and (days := read(found, today, language)):
            return sorted(set(days), key=days.index)
    return []


def _iso(found: Match[str], today: date, language: str) -> list[date]:
    return [_day(int(found[1]), int(found[2]), int(found[3]))]


def _numeric(found: Match[str], today: date, language: str) -> list[date]:
    """`05.03` is a day and a month; `03/05` of an English reader may be the other way round."""
    first, mark, second, year = int(found[1]), found[2], int(found[3]), found[4]
    if mark != "/" or language == "ru" or first == second:
        orders = [(first, second)]
    else:
        orders = [(d, m) for d, m in ((second, first), (first, second)) if m <= 12]
    return [day for d, m in orders for day in _dated(d, m, year, today)]


def _day_month(found: Match[str], today: date, language: str) -> list[date]:
    month = MONTHS.get(found[2])
    return _dated(int(found[1]), month, found[3], today) if month else []


def _month_day(found: Match[str], today: date, language: str) -> list[date]:
    month = MONTHS.get(found[1])
    return _dated(int(found[2]), month, found[3], today) if month else []


def _dated(day: int, month: int, year: str | None, today: date) -> list[date]:
    if year:
        return [_day(_full_year(year, today), month, day)]
    _day(2000, month, day)
    return _around(day, month, today)


def _around(day: int, month: int, today: date) -> list[date]:
    """Without a year: this year, with next year when it is past, with last year when it is far ahead."""
    found = {y: date(y, month, day) for y in range(today.year - 1, today.year + 5) if _exists(y, month, day)}
    this = found.get(today.year)
    if this is None:
        return [min((d for d in found.values()), key=lambda d: abs(d - today))]
    if this < today:
        return [d for d in (this, found.get(today.year + 1)) if d]
    if (this - today).days > FAR and (last := found.get(today.year - 1)):
        return [last, this]
    return [this]


def _weekday(found: Match[str], today: date, language: str) -> list[date]:
    """The coming one; said on the same weekday it is today or in a week, «следующая» may be either of two."""
    wanted = WEEKDAYS.get(found[2])
    if wanted is None:
        return []
    ahead = (wanted - today.weekday()) % 7
    coming = today + timedelta(days=ahead)
    which = found[1] or ""
    if which.startswith(("прошл", "last")):
        return [coming - timedelta(days=7)]
    if which.startswith(("следующ", "next")):
        next_week = today + timedelta(days=7 - today.weekday() + wanted)
        return [next_week] if ahead == 0 or coming == next_week else [coming, next_week]
    if ahead == 0 and not which:
        return [today, today + timedelta(days=7)]
    return [coming]


def _shift(found: Match[str], today: date, language: str) -> list[date]:
    """«через 3 дня», «неделю назад»."""
    groups = [group or "" for group in found.groups()]
    count, unit = groups[0].strip(), groups[1]
    number = int(count) if count.isdigit() else COUNTS.get(count)
    if number is None or unit not in UNITS:
        return []
    sign = -1 if found[0].endswith(("назад", "ago")) else 1
    try:
        return [today + timedelta(days=sign * number * UNITS[unit])]
    except OverflowError as error:
        raise NoSuchDay from error


def _months(found: Match[str], today: date, language: str) -> list[date]:
    """«через месяц»: the same day, or the month's last when it is shorter."""
    sign = -1 if found[0].endswith(("назад", "ago")) else 1
    year, month = divmod(today.year * 12 + today.month - 1 + sign, 12)
    return [date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))]


def _day_only(found: Match[str], today: date, language: str) -> list[date]:
    """«15-го», «5 числа»: of this month, and of the next when it is past."""
    day = int(found[1])
    _day(2000, 1, day)
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    months = [(today.year, today.month), (following.year, following.month)]
    days = [date(y, m, day) for y, m in months if _exists(y, m, day)]
    return days[:1] if days and days[0] >= today else days


def _full_year(year: str, today: date) -> int:
    """`25` is 2025 and `85` is 1985: at most ten years ahead."""
    if len(year) == 4:
        return int(year)
    full = today.year // 100 * 100 + int(year)
    return full if full <= today.year + 10 else full - 100


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise NoSuchDay from error


def _exists(year: int, month: int, day: int) -> bool:
    return day <= calendar.monthrange(year, month)[1]


Reader = Callable[[Match[str], date, str], list[date]]

COUNT = r"(?:(\d{1,6}|[a-zа-я]+) )?"
SHAPES: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", re.ASCII), _iso),
    (re.compile(rf"(\d{{1,2}}) ?([./-]) ?(\d{{1,2}})(?: ?[./-] ?{YEAR})?", re.ASCII), _numeric),
    (re.compile(r"(\d{1,2})( )(\d{1,2}) (\d{4})", re.ASCII), _numeric),
    (re.compile(rf"{DAY} ?(?:of )?([а-яa-z]{{3,}})\.?(?:,? {YEAR})?", re.ASCII), _day_month),
    (re.compile(rf"([a-zа-я]{{3,}})\.? {DAY}(?:,? {YEAR})?", re.ASCII), _month_day),
    (re.compile(r"(?:(эт[уоа][тй]?|следующ[а-я]+|прошл[а-я]+|this|next|last) )?([а-яa-z]{2,})"), _weekday),
    (re.compile(rf"(?:через|in) {COUNT}([а-яa-z]+)"), _shift),
    (re.compile(rf"{COUNT}([а-яa-z]+) (?:назад|ago)"), _shift),
    (
        re.compile(r"(?:через|in) (?:a |один |one )?(?:месяц|month)|(?:a |один |one )?(?:месяц|month) (?:назад|ago)"),
        _months,
    ),
    (re.compile(r"(\d{1,2})(?:-?(?:го|е|ое|st|nd|rd|th)(?: числ[оа])?| числ[оа])", re.ASCII), _day_only),
)
