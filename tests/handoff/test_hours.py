"""Opening hours: reading them, and calculating with them, over changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.hours import (
    DAYS,
    BadHours,
    Hours,
    closes_at,
    deadline,
    is_open,
    opens_at,
    parse_days,
    parse_hours,
    reach,
    split,
    worked,
)

MOSCOW = "Europe/Moscow"
BERLIN = "Europe/Berlin"
OFFICE = parse_hours({"mon-fri": "09:00-18:00", "sat": "10:00-14:00, 15:00-17:00"}, MOSCOW, ["2026-01-01"])
NIGHT = parse_hours({"fri-sun": "22:00-06:00"}, BERLIN)
ALWAYS = parse_hours(None, MOSCOW)
NEVER = parse_hours({}, MOSCOW)


def moscow(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(MOSCOW))


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), fold=fold)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2025-12-31 09:00", True),  # Wednesday
        ("2025-12-31 08:59:59", False),
        ("2025-12-31 17:59:59", True),
        ("2025-12-31 18:00", False),
        ("2026-01-01 12:00", False),  # a holiday
        ("2026-01-03 14:30", False),  # Saturday, between two spans
        ("2026-01-03 16:59", True),
        ("2026-01-04 12:00", False),  # Sunday
    ],
)
def test_is_open(at: str, open_: bool) -> None:
    assert is_open(OFFICE, moscow(at)) is open_
    assert is_open(OFFICE, moscow(at).astimezone(UTC)) is open_


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2025-12-31 10:00", "2025-12-31 10:00"),
        ("2025-12-31 07:00", "2025-12-31 09:00"),
        ("2025-12-31 18:00", "2026-01-02 09:00"),
        ("2026-01-03 14:10", "2026-01-03 15:00"),
        ("2026-01-03 17:00", "2026-01-05 09:00"),
    ],
)
def test_opens_at(at: str, opens: str) -> None:
    found = opens_at(OFFICE, moscow(at).astimezone(UTC))
    assert found == moscow(opens)
    assert found is not None
    assert str(found.tzinfo) == MOSCOW


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2025-12-30 10:00", 0, "2025-12-30 10:00"),
        ("2025-12-30 10:00", 15, "2025-12-30 10:15"),
        ("2025-12-30 17:50", 10, "2025-12-30 18:00"),
        ("2025-12-30 17:50", 15, "2025-12-31 09:05"),
        ("2025-12-31 17:50", 15, "2026-01-02 09:05"),  # over the holiday
        ("2026-01-02 17:00", 120, "2026-01-03 11:00"),  # into Saturday
        ("2026-01-03 13:00", 90, "2026-01-03 15:30"),  # over the break
        ("2026-01-04 03:00", 8 * 60, "2026-01-05 17:00"),
        ("2026-01-05 09:00", 51 * 60, "2026-01-10 17:00"),  # five days of nine hours and six on Saturday
    ],
)
def test_deadline(start: str, minutes: float, end: str) -> None:
    assert deadline(moscow(start), minutes, OFFICE) == moscow(end)


def test_a_night_span_goes_on_into_the_next_day() -> None:
    assert is_open(NIGHT, berlin("2026-01-02 23:00"))
    assert is_open(NIGHT, berlin("2026-01-05 05:59"))  # Monday morning, begun on Sunday
    assert not is_open(NIGHT, berlin("2026-01-02 05:00"))  # Friday morning: Thursday has no night


def test_the_hour_that_is_left_out_is_no_working_time() -> None:
    # Berlin, 29 March 2026: 02:00 becomes 03:00, so 22:00-06:00 lasts seven hours.
    assert deadline(berlin("2026-03-28 22:00"), 7 * 60, NIGHT) == berlin("2026-03-29 06:00")
    assert worked(berlin("2026-03-28 22:00"), berlin("2026-03-29 06:00"), NIGHT) == 7 * 60
    whole = parse_hours({"sun": "00:00-24:00"}, BERLIN)
    assert worked(berlin("2026-03-29 00:00"), berlin("2026-03-30 00:00"), whole) == 23 * 60


def test_spans_that_touch_the_hour_that_is_left_out() -> None:
    inside = parse_hours({"sun": "02:15-02:45, 10:00-11:00"}, BERLIN)
    assert opens_at(inside, berlin("2026-03-29 00:00")) == berlin("2026-03-29 10:00")
    begins = parse_hours({"sun": "02:30-06:00"}, BERLIN)
    assert opens_at(begins, berlin("2026-03-29 00:00")) == berlin("2026-03-29 03:00")
    ends = parse_hours({"sun": "01:00-02:30"}, BERLIN)
    assert is_open(ends, berlin("2026-03-29 01:59"))
    assert not is_open(ends, berlin("2026-03-29 03:00"))


def test_the_hour_that_comes_twice_is_worked_twice() -> None:
    # Berlin, 25 October 2026: 03:00 becomes 02:00 again.
    whole = parse_hours({"sun": "00:00-24:00"}, BERLIN)
    assert worked(berlin("2026-10-25 00:00"), berlin("2026-10-26 00:00"), whole) == 25 * 60
    until = parse_hours({"sun": "01:00-02:30"}, BERLIN)
    assert is_open(until, berlin("2026-10-25 02:45"))
    assert is_open(until, berlin("2026-10-25 02:15", fold=1))
    assert not is_open(until, berlin("2026-10-25 02:30", fold=1))
    assert deadline(berlin("2026-10-25 01:00"), 150, until) == berlin("2026-10-25 02:30", fold=1).astimezone(UTC)


def test_open_always_and_never() -> None:
    now = moscow("2026-01-01 00:00")
    assert ALWAYS.always
    assert is_open(ALWAYS, now)
    assert deadline(now, 5, ALWAYS) == now + timedelta(minutes=5)
    assert not NEVER.always
    assert not is_open(NEVER, now)
    assert opens_at(NEVER, now) is None
    assert deadline(now, 5, NEVER) is None


def test_hours_that_hardly_ever_open() -> None:
    rare = Hours((((0, 1),), (), (), (), (), (), ()), MOSCOW)
    assert deadline(moscow("2026-01-01 00:00"), 10_000, rare) is None
    closed = Hours(rare.week, MOSCOW, frozenset(date(2026, 1, 5) + timedelta(weeks=n) for n in range(60)))
    assert opens_at(closed, moscow("2026-01-01 00:00")) is None


@pytest.mark.parametrize(
    ("key", "days"), [("mon", [0]), ("mon-fri", [0, 1, 2, 3, 4]), ("Sat, SUN", [5, 6]), ("fri-mon", [4, 5, 6, 0])]
)
def test_parse_days(key: str, days: list[int]) -> None:
    assert parse_days(key) == days


@pytest.mark.parametrize(
    ("days", "key", "offset", "words"),
    [
        ({"mon-fry": "09:00-18:00"}, "mon-fry", 4, ["fry", "fri"]),
        ({"mon": "9-18"}, "mon", 0, ["9-18", "09:00-18:00"]),
        ({"mon": "09:00-10:00, 25:00-26:00"}, "mon", 13, ["25:00-26:00", "24:00"]),
        ({"mon": "09:60-10:00"}, "mon", 0, ["09:60-10:00"]),
        ({"mon": "24:00-10:00"}, "mon", 0, ["24:00-10:00"]),
        ({"mon": "09:00-09:00"}, "mon", 0, ["09:00-09:00", "00:00-24:00"]),
        ({"mon": "09:00-12:00, 11:00-13:00"}, "mon", 0, ["09:00-12:00", "11:00-13:00"]),
        ({"mon": "22:00-06:00", "tue": "05:00-12:00"}, "tue", 0, ["00:00-06:00", "05:00-12:00"]),
        ({"mon-wed": "09:00-18:00", "tue": "10:00-12:00"}, "tue", 0, ["tue", "mon-wed"]),
    ],
)
def test_bad_hours_say_where_and_how_to_mend(days: dict[str, str], key: str, offset: int, words: list[str]) -> None:
    with pytest.raises(BadHours) as caught:
        parse_hours(days, MOSCOW)
    assert (caught.value.key, caught.value.offset) == (key, offset)
    assert all(word in str(caught.value) for word in words)


def test_a_span_may_end_at_midnight_written_either_way() -> None:
    assert parse_hours({"mon": "22:00-00:00"}, MOSCOW) == parse_hours({"mon": "22:00-24:00"}, MOSCOW)


def test_work_that_runs_out_of_hours() -> None:
    assert worked(moscow("2026-01-05 09:00"), moscow("2026-01-05 12:00"), NEVER) == 0


def test_a_bad_zone_and_a_bad_holiday() -> None:
    with pytest.raises(BadHours, match="Europe/Mosco"):
        parse_hours(None, "Europe/Mosco")
    with pytest.raises(BadHours, match=r"31\.12"):
        parse_hours(None, MOSCOW, ["31.12"])
    assert parse_hours(None, MOSCOW, [date(2026, 1, 1), "2026-01-02"]).holidays == {date(2026, 1, 1), date(2026, 1, 2)}


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
calendars = st.sampled_from([OFFICE, NIGHT, ALWAYS])


@settings(max_examples=200, deadline=None)
@given(moments, st.integers(1, 5000), calendars)
def test_a_deadline_has_exactly_its_working_time_before_it(start: datetime, minutes: int, hours: Hours) -> None:
    end = deadline(start, minutes, hours)
    assert end is not None
    assert worked(start, end, hours) == pytest.approx(minutes)
    assert is_open(hours, end - timedelta(microseconds=1))


@settings(max_examples=200, deadline=None)
@given(moments, calendars)
def test_a_line_is_open_when_it_opens_and_closed_before(at: datetime, hours: Hours) -> None:
    opening = opens_at(hours, at)
    assert opening is not None
    assert is_open(hours, opening)
    if not is_open(hours, at):
        assert opening > at
        assert not is_open(hours, opening - timedelta(microseconds=1))
        assert worked(at, opening, hours) == 0


# --- odd zones, both changes of the clock ------------------------------------------------------------------------------


def local(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


# Hours that a day of 00:00-24:00 and a day of 00:00-06:00 really have, in zones whose clocks do odd things.
CHANGES = [
    ("Europe/Berlin", "2026-03-29", 23, 5),
    ("Europe/Berlin", "2026-10-25", 25, 7),
    ("Europe/Moscow", "2026-03-29", 24, 6),  # no change any more
    ("Australia/Lord_Howe", "2026-10-04", 23.5, 5.5),  # half an hour
    ("Australia/Lord_Howe", "2026-04-05", 24.5, 6.5),
    ("Asia/Kathmandu", "2026-03-29", 24, 6),  # +05:45
    ("Pacific/Chatham", "2026-09-27", 23, 5),  # +12:45, at 02:45
    ("Pacific/Chatham", "2026-04-05", 25, 7),
    ("America/Sao_Paulo", "2018-11-04", 23, 5),  # midnight itself is left out
    ("America/Sao_Paulo", "2018-02-17", 25, 6),  # the last hour of the day comes twice
    ("Atlantic/Azores", "2026-10-25", 25, 7),  # 01:00 becomes 00:00: the first hour comes twice
    ("Pacific/Apia", "2011-12-30", 0, 0),  # a day that never was
    ("America/St_Johns", "2026-03-08", 23, 5),  # -03:30
]


@pytest.mark.parametrize(
    ("zone", "day", "whole", "morning"), CHANGES, ids=[f"{zone}-{day}" for zone, day, *_ in CHANGES]
)
def test_a_day_has_as_many_hours_as_its_clock_runs_through(zone: str, day: str, whole: float, morning: float) -> None:
    start = local(zone, f"{day} 00:00") - timedelta(hours=30)
    end = start + timedelta(days=4)
    weekday = DAYS[date.fromisoformat(day).weekday()]
    for spans, wanted in (("00:00-24:00", whole), ("00:00-06:00", morning), ("00:00-02:30, 02:30-06:00", morning)):
        hours = parse_hours({weekday: spans}, zone)
        assert worked(start, end, hours) == wanted * 60, spans
        if wanted:
            assert deadline(start, wanted * 60, hours) == max(to for _, to, open_ in split(start, end, hours) if open_)


@pytest.mark.parametrize(
    ("zone", "at", "minutes", "end"),
    [
        ("Asia/Kathmandu", "2026-01-05 17:50", 20, "2026-01-06 09:10"),
        ("Pacific/Chatham", "2026-04-03 17:50", 20, "2026-04-06 09:10"),  # over the change
        ("Australia/Lord_Howe", "2026-10-02 17:59", 2, "2026-10-05 09:01"),
        ("America/St_Johns", "2026-03-06 17:30", 60, "2026-03-09 09:30"),
    ],
)
def test_deadlines_over_a_change_in_odd_zones(zone: str, at: str, minutes: int, end: str) -> None:
    hours = parse_hours({"mon-fri": "09:00-18:00"}, zone)
    assert deadline(local(zone, at), minutes, hours) == local(zone, end)
    assert worked(local(zone, at), local(zone, end), hours) == minutes


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        ("2026-01-05 10:00", "2026-01-05 18:00"),
        ("2026-01-05 18:00", None),
        ("2026-01-03 13:00", "2026-01-03 14:00"),
        ("2026-01-03 14:30", None),
    ],
)
def test_closes_at(at: str, closes: str | None) -> None:
    assert closes_at(OFFICE, moscow(at)) == (moscow(closes) if closes else None)


def test_a_night_closes_in_the_morning_and_what_never_closes_never_does() -> None:
    assert closes_at(NIGHT, berlin("2026-01-02 23:00")) == berlin("2026-01-03 06:00")
    assert closes_at(ALWAYS, moscow("2026-01-02 23:00")) is None
    day_and_night = parse_hours({"mon-sun": "00:00-24:00"}, MOSCOW, ["2020-01-01"])
    assert closes_at(day_and_night, moscow("2026-01-02 23:00")) is None
    until_holiday = parse_hours({"mon-sun": "00:00-24:00"}, MOSCOW, ["2026-01-05"])
    assert closes_at(until_holiday, moscow("2026-01-02 23:00")) == moscow("2026-01-05 00:00")


ODD = st.sampled_from(
    [
        OFFICE,
        NIGHT,
        ALWAYS,
        parse_hours({"mon-sun": "22:15-03:45"}, "Australia/Lord_Howe"),
        parse_hours({"sat-mon": "00:00-02:30, 02:30-12:45"}, "Pacific/Chatham", ["2026-04-05"]),
        parse_hours({"mon-fri": "00:00-24:00"}, "America/St_Johns"),
    ]
)
exact = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=300, deadline=None)
@given(exact, st.integers(1, 20_000_000_000), ODD)
def test_deadline_and_worked_are_inverse_to_the_microsecond(start: datetime, microseconds: int, hours: Hours) -> None:
    left = timedelta(microseconds=microseconds)
    end = reach(start, left, hours)
    assert end is not None
    assert sum((to - begin for begin, to, open_ in split(start, end, hours) if open_), timedelta()) == left
    assert reach(start, left + timedelta(microseconds=1), hours) > end  # type: ignore[operator]


@settings(max_examples=300, deadline=None)
@given(exact, st.timedeltas(timedelta(0), timedelta(days=20)), ODD)
def test_stretches_have_no_gap_and_say_what_is_open(start: datetime, long: timedelta, hours: Hours) -> None:
    spans, at = list(split(start, start + long, hours)), start
    for begin, end, open_ in spans:
        assert begin == at
        assert end > begin
        assert is_open(hours, begin) is open_
        assert is_open(hours, end - timedelta(microseconds=1)) is open_
        at = end
    assert at == start + long
    total = sum((end - begin for begin, end, open_ in spans if open_), timedelta())
    assert worked(start, start + long, hours) == total / timedelta(minutes=1)


def test_time_that_runs_backwards_is_none() -> None:
    assert worked(moscow("2026-01-05 12:00"), moscow("2026-01-05 10:00"), OFFICE) == 0
    assert list(split(moscow("2026-01-05 12:00"), moscow("2026-01-05 12:00"), OFFICE)) == []
