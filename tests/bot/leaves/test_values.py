"""Numbers and dates as values: reading, showing, plurals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dates import as_date, as_time, render_date, render_time
from bot.numbers import parse_number, plural_form, render_money, render_number, render_plain
from bot.said_dates import parse_dates
from bot.said_times import parse_times

FORMS = ("день", "дня", "дней")


@pytest.mark.parametrize(
    ("n", "form"),
    [(0, "дней"), (1, "день"), (2, "дня"), (5, "дней"), (11, "дней"), (12, "дней"), (21, "день"), (22, "дня"), (111, "дней"),
     (-1, "день"), (1.5, "дня"), (2.0, "дня"), (1_000_001, "день")],
)  # fmt: skip
def test_russian_plural(n: float, form: str) -> None:
    assert plural_form(n, FORMS) == form


def test_english_plural() -> None:
    assert [plural_form(n, ("day", "days")) for n in (0, 1, 2, 1.5, 21)] == ["days", "day", "days", "days", "days"]


@pytest.mark.parametrize(
    ("number", "russian", "english"),
    [
        (0, "0", "0"), (1500, "1\u00a0500", "1,500"), (1500.5, "1\u00a0500,5", "1,500.5"),
        (-1234567, "-1\u00a0234\u00a0567", "-1,234,567"),
        (0.1 + 0.2, "0,3", "0.3"), (2.0, "2", "2"),
    ],
)  # fmt: skip
def test_numbers_in_groups(number: float, russian: str, english: str) -> None:
    assert render_number(number, "ru") == russian
    assert render_number(number, "en") == english


def test_money() -> None:
    assert render_money(1500, "ru") == "1\u00a0500\u00a0₽"
    assert render_money(1500.5, "ru") == "1\u00a0500,50\u00a0₽"
    assert render_money(0.999, "ru") == "1\u00a0₽"
    assert render_money(-0.5, "en") == "-0.50\u00a0₽"


def test_plain_numbers_have_no_groups() -> None:
    assert render_plain(123456, "ru") == "123456"
    assert render_plain(1.25, "ru") == "1,25"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.sampled_from(["ru", "en"]))
def test_what_we_show_we_can_read(number: Decimal, language: str) -> None:
    assert number in parse_number(render_number(float(number), language, 2))


@given(st.text(max_size=30) | st.text(alphabet="0123456789 .,'+-", max_size=20))
def test_any_text_as_number(text: str) -> None:
    assert len(parse_number(text)) <= 2


def test_dates_in_values() -> None:
    day = date(2025, 3, 5)
    moment = datetime(2025, 3, 5, 9, 7, tzinfo=UTC)
    assert [as_date(value) for value in (day, moment, "2025-03-05", moment.isoformat())] == [day] * 4
    assert [as_date(value) for value in ("2025-02-31", "5 марта", 5, None)] == [None] * 4
    clock = time(9, 7)
    assert [as_time(value) for value in (clock, moment, "9:07", "09:07:30")] == [clock] * 4
    assert as_time(moment.isoformat()) == clock
    assert [as_time(value) for value in ("25:00", "позже потом когда", 5)] == [None] * 3


def test_dates_and_times_shown() -> None:
    assert render_date(date(2025, 3, 5), "ru") == "5 марта"
    assert render_date(date(2025, 3, 5), "en", date(2025, 1, 1)) == "March 5"
    assert render_date(date(2025, 3, 5), "en", date(2024, 1, 1)) == "March 5, 2025"
    assert render_time(time(9, 0)) == "09:00"


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.dates(date(2020, 1, 1), date(2090, 12, 31)))
def test_a_full_date_means_one_day(day: date, today: date) -> None:
    for said in (
        day.isoformat(),
        f"{day:%d.%m.%Y}",
        f"{render_date(day, 'ru', date.min)} года",
        render_date(day, "en", date.min),
    ):
        assert parse_dates(said, today) == [day]
    assert any(d.day == day.day and d.month == day.month for d in parse_dates(f"{day:%d.%m}", today))


@given(st.times(), st.times())
def test_a_full_time_means_one(clock: time, now: time) -> None:
    assert parse_times(f"{clock:%H:%M}", now) == [clock.replace(second=0, microsecond=0)]
