"""Lines: facts of the moment, what they promise, priorities."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.deployment import LineInfo, LineRule
from handoff.hours import parse_hours
from handoff.lines import House, Line, line_facts, parse_priority

OFFICE = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow")
SUPPORT = Line(id="support", title="Поддержка", hours=OFFICE, busy=LineRule("general"))
NIGHT = Line(id="night", title="Дежурные")
HOUSE = House(lines={"support": SUPPORT, "night": NIGHT}, words={"cancel": ("отмена", "Стоп!")})
SATURDAY = datetime(2026, 1, 3, 12, 0, tzinfo=UTC)


def test_facts_of_every_line_at_a_moment() -> None:
    facts = line_facts(HOUSE, SATURDAY)
    assert (facts["support"].title, facts["support"].open) == ("Поддержка", False)
    opens = facts["support"].opens_at
    assert opens is not None
    assert opens.isoformat() == "2026-01-05T09:00:00+03:00"
    assert facts["night"].open
    assert line_facts(HOUSE, SATURDAY + timedelta(days=2))["support"].open


def test_facts_follow_the_clock_to_the_minute() -> None:
    before = datetime(2026, 1, 5, 5, 59, 59, tzinfo=UTC)
    assert not line_facts(HOUSE, before)["support"].open
    assert line_facts(HOUSE, before + timedelta(seconds=1))["support"].open


def test_what_is_urgent_is_promised_sooner() -> None:
    line = Line(id="a", title="a", resolve=3600.0, hurry=((1, 0.5), (2, 0.25)))
    assert [line.promised("resolve", urgency) for urgency in (-1, 0, 1, 2, 9)] == [3600, 3600, 1800, 900, 900]
    assert [line.promised("first_reply"), line.promised("next_reply")] == [300, 0]


def test_the_mark_of_the_rules_changes_with_whatever_deadlines_depend_on() -> None:
    holiday = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow", ["2026-01-01"])
    elsewhere = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Berlin")
    line = Line(id="a", title="a", hours=OFFICE)
    others = [
        replace(line, hours=holiday),
        replace(line, hours=elsewhere),
        replace(line, first_reply=60.0),
        replace(line, next_reply=60.0),
        replace(line, resolve=60.0),
        replace(line, warn_at=0.5),
        replace(line, hurry=((1, 0.5),)),
    ]
    assert len({it.rules for it in [line, *others]}) == len(others) + 1
    assert Line(id="b", title="other words", hours=OFFICE, max_wait=1.0).rules == SUPPORT.rules


def test_what_flows_see_of_a_line() -> None:
    assert SUPPORT.info() == LineInfo("Поддержка", None, LineRule("general"), False)
    assert NIGHT.info() == LineInfo("Дежурные", None, None, True)


@pytest.mark.parametrize(("text", "said"), [("Отмена.", True), ("стоп", True), ("не отмена", False), ("", False)])
def test_system_words_are_whole_messages(text: str, said: bool) -> None:
    assert HOUSE.says(("cancel", "menu"), text) is said


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("высокая", 1),
        ("Срочно!", 2),
        ("Критическая", 3),
        ("низкая", -1),
        ("3", 3),
        ("-2", -2),
        ("99", 9),
        ("-500", -9),
        ("12345678901234567890", 0),
        ("--1", 0),
        ("²", 0),
        ("потом", 0),
    ],
)
def test_priorities(text: str, number: int) -> None:
    assert parse_priority(text) == number
