"""Opening hours as a pure calculator: open or not, when next, and deadlines in working time. Right over DST changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.locale import n_, texts

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60  # minutes
AHEAD = 400  # days: how far an opening is looked for
LONGEST = 3660  # days: how far a deadline may lie
SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—]\s*(\d{1,2}):(\d{2})")

Span = tuple[int, int]  # minutes from local midnight, end not included
Interval = tuple[datetime, datetime]  # UTC


class BadHours(ValueError):
    """Hours that cannot be read. `what`, `mend`, `values` as in a Finding.

    `key` is the day key or the holiday at fault, `offset` the place in its text.
    """

    def __init__(self, what: str, mend: str, key: str, offset: int = 0, **values: Any) -> None:
        self.what, self.mend, self.key, self.offset, self.values = what, mend, key, offset, values
        super().__init__(self.message("en"))

    def message(self, language: str) -> str:
        """`what — mend` in the reader's language."""
        t = texts(language)
        return f"{t(self.what, **self.values)} — {t(self.mend, **self.values)}"


@dataclass(frozen=True, slots=True)
class Hours:
    """Open spans by weekday (Monday first), the days off, and the zone in which both are meant."""

    week: tuple[tuple[Span, ...], ...]
    timezone: str
    holidays: frozenset[date] = frozenset()

    @property
    def always(self) -> bool:
        """Open day and night, every day."""
        return not self.holidays and all(spans == ((0, DAY),) for spans in self.week)


# --- reading ---------------------------------------------------------------------------------------------------------


def parse_hours(days: Mapping[str, str] | None, timezone: str, holidays: Iterable[date | str] = ()) -> Hours:
    """Hours from `{mon-fri: "09:00-18:00", sat: "10:00-14:00, 15:00-17:00"}`; None is open always. Raises BadHours.

    A span over midnight ("22:00-06:00") goes on into the next day; a holiday is closed from midnight to midnight.
    """
    parse_timezone(timezone)
    week = _parse_week(days) if days is not None else ((((0, DAY),),) * 7)
    return Hours(week, timezone, frozenset(parse_holiday(day) for day in holidays))


def parse_timezone(name: str) -> ZoneInfo:
    """The zone of this name in the IANA database. Raises BadHours."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadHours(
            n_("unknown time zone “{zone}”"), n_("write an IANA name such as Europe/Moscow"), name, zone=name
        ) from None


def parse_holiday(day: date | str) -> date:
    """A day off. Raises BadHours."""
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day.strip())
    except ValueError:
        raise BadHours(n_("“{day}” is not a date"), n_("write year, month and day: 2026-12-31"), day, day=day) from None


def _parse_week(days: Mapping[str, str]) -> tuple[tuple[Span, ...], ...]:
    given: dict[int, str] = {}
    week: list[list[tuple[Span, str]]] = [[] for _ in DAYS]
    for key, text in days.items():
        spans = parse_spans(text, key)
        for day in parse_days(key):
            if day in given:
                raise BadHours(
                    n_("{day} is given twice: in “{first}” and in “{second}”"),
                    n_("keep one of them"),
                    key,
                    day=DAYS[day],
                    first=given[day],
                    second=key,
                )
            given[day] = key
            for start, end in spans:
                _lay(week, day, start, end, key)
    return tuple(_ordered(day) for day in week)


def _lay(week: list[list[tuple[Span, str]]], day: int, start: int, end: int, key: str) -> None:
    if end > start:
        week[day].append(((start, end), key))
        return
    week[day].append(((start, DAY), key))
    if end:
        week[(day + 1) % 7].append(((0, end), key))


def _ordered(spans: list[tuple[Span, str]]) -> tuple[Span, ...]:
    ordered = sorted(spans)
    for (before, _), (after, key) in pairwise(ordered):
        if after[0] < before[1]:
            raise BadHours(
                n_("spans {first} and {second} overlap"),
                n_("join them or move one"),
                key,
                first=render_span(before),
                second=render_span(after),
            )
    return tuple(span for span, _ in ordered)


def parse_days(key: str) -> list[int]:
    """`mon`, `mon-fri`, `sat, sun`, `fri-mon` → weekdays, Monday is 0. Raises BadHours."""
    found: list[int] = []
    for part in key.split(","):
        ends = [_parse_day(name, key) for name in part.split("-", 1)]
        count = (ends[-1] - ends[0]) % 7 + 1
        found += [(ends[0] + n) % 7 for n in range(count)]
    return found


def _parse_day(name: str, key: str) -> int:
    name = name.strip().lower()
    if name in DAYS:
        return DAYS.index(name)
    near = get_close_matches(name, DAYS, 1, 0.3)
    raise BadHours(
        n_("unknown day “{day}”"),
        n_("days are mon tue wed thu fri sat sun; perhaps “{near}”?"),
        key,
        max(key.lower().find(name), 0),
        day=name,
        near=near[0] if near else "mon",
    )


def parse_spans(text: str, key: str = "") -> list[Span]:
    """`"10:00-14:00, 15:00-17:00"` → spans in minutes; the end of a span may lie before its start. Raises BadHours."""
    spans, offset = [], 0
    for part in str(text).split(","):
        spans.append(_parse_span(part.strip(), key, offset + len(part) - len(part.lstrip())))
        offset += len(part) + 1
    return spans


def _parse_span(text: str, key: str, offset: int) -> Span:
    match = SPAN.fullmatch(text)
    if match is None:
        raise BadHours(n_("“{text}” is not a span of hours"), n_("write it like 09:00-18:00"), key, offset, text=text)
    h1, m1, h2, m2 = (int(group) for group in match.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or start >= DAY or end > DAY:
        raise BadHours(
            n_("there is no such time in “{text}”"), n_("hours go from 00:00 to 24:00"), key, offset, text=text
        )
    if start == end:
        raise BadHours(
            n_("“{text}” is empty"),
            n_("for day and night write 00:00-24:00, for a day off leave the day out"),
            key,
            offset,
            text=text,
        )
    return start, end


def render_span(span: Span) -> str:
    """Minutes as people write them: 09:00-18:00."""
    start, end = span
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


# --- calculating -----------------------------------------------------------------------------------------------------


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether the moment (aware) lies in a span."""
    day = at.astimezone(ZoneInfo(hours.timezone)).date()
    return any(start <= at < end for start, end in _intervals(hours, day))


def opens_at(hours: Hours, at: datetime) -> datetime | None:
    """The next moment of opening in the hours' own zone: `at` itself when open, None when there is none in a year."""
    for start, _ in _ahead(hours, at, AHEAD):
        return max(start, at).astimezone(ZoneInfo(hours.timezone))
    return None


def closes_at(hours: Hours, at: datetime) -> datetime | None:
    """When what is open now closes, in the hours' own zone; None when it is closed, or does not close in a year."""
    last = at
    for start, end in () if hours.always else _ahead(hours, at, AHEAD):
        if start > last:
            break
        last = end
    else:
        return None
    return last.astimezone(ZoneInfo(hours.timezone)) if last > at else None


def deadline(start: datetime, minutes: float, hours: Hours) -> datetime | None:
    """The moment (UTC) when so many minutes of working time have passed; None when the hours never give as many."""
    return reach(start, timedelta(minutes=minutes), hours)


def reach(start: datetime, left: timedelta, hours: Hours) -> datetime | None:
    """The moment (UTC) when so much working time has passed, to the microsecond; None when the hours never give as much."""
    if hours.always:
        return start.astimezone(UTC) + left
    for opening, end in _ahead(hours, start, LONGEST):
        begin = max(opening, start.astimezone(UTC))
        if left <= end - begin:
            return begin + left
        left -= end - begin
    return None


def worked(start: datetime, end: datetime, hours: Hours) -> float:
    """Minutes of working time between two moments: the inverse of `deadline`."""
    return sum((to - begin for begin, to, open_ in split(start, end, hours) if open_), timedelta()) / timedelta(
        minutes=1
    )


def split(start: datetime, end: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime, bool]]:
    """The time between two moments as stretches without a gap, in UTC, each with whether it is working time."""
    at, end = start.astimezone(UTC), end.astimezone(UTC)
    if hours.always and at < end:
        yield at, end, True
        return
    days = (end - at).days + 3
    for opening, closing in _ahead(hours, at, days) if at < end else ():
        if opening >= end:
            break
        if opening > at:
            yield at, opening, False
            at = opening
        yield at, min(closing, end), True
        at = min(closing, end)
    if at < end:
        yield at, end, False


def _ahead(hours: Hours, at: datetime, days: int) -> Iterator[Interval]:
    """Open intervals that end after the moment, in order; one may begin where the other ends, none before that."""
    if not any(hours.week):
        return
    first = at.astimezone(ZoneInfo(hours.timezone)).date()
    reached = datetime.min.replace(tzinfo=UTC)
    for n in range(days):
        for start, end in _intervals(hours, first + timedelta(days=n)):
            begin, reached = max(start, reached), max(end, reached)  # spans that meet in an hour that comes twice
            if end > max(begin, at):
                yield begin, end


@lru_cache(maxsize=4096)
def _intervals(hours: Hours, day: date) -> tuple[Interval, ...]:
    if day in hours.holidays:
        return ()
    found = []
    for start, end in hours.week[day.weekday()]:
        begins, ends = _moment(hours, day, start, fold=0), _moment(hours, day, end, fold=1)
        if ends > begins:  # a span wholly in the hour that a change of the clock leaves out is no time at all
            found.append((begins, ends))
    return tuple(found)


def _moment(hours: Hours, day: date, minute: int, fold: int) -> datetime:
    """A wall clock time as UTC. In the hour that comes twice, spans begin in the first and end in the second; a time in
    the hour that is left out is the moment of the change."""
    if minute == DAY:
        day, minute, fold = day + timedelta(days=1), 0, 0
    zone = ZoneInfo(hours.timezone)
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    return _change(zone, wall)


def _change(zone: ZoneInfo, wall: datetime) -> datetime:
    """The moment (UTC) at which the clock leaves out this time of the wall, by halving."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    early = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle == before:
            break
        if middle.astimezone(zone).utcoffset() == early:
            before = middle
        else:
            after = middle
    return after
