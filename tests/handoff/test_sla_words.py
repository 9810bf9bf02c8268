"""The words of the promises: times as people say them, what counted, why a deadline moved; in both languages."""

from __future__ import annotations

from typing import get_args

import pytest

from core.locale import texts
from handoff.sla import Cause, Change, Clock, Promise
from handoff.sla_words import CAUSES, ORDER, PROMISES, WHYS, render_change, render_ledger, render_promise, render_time

EN, RU = texts("en"), texts("ru")
MINUTE, HOUR = 60.0, 3600.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (20.4, "20 s"),
        (59.4, "59 s"),
        (59.6, "1 m"),
        (60, "1 m"),
        (89, "1 m"),
        (91, "2 m"),
        (40 * MINUTE, "40 m"),
        (HOUR - 1, "1 h"),
        (8 * HOUR, "8 h"),
        (HOUR + 5 * MINUTE, "1 h 5 m"),
        (2 * HOUR - 20, "2 h"),
        (50 * HOUR, "50 h"),
    ],
)
def test_a_time_is_as_short_as_people_say_it(seconds: float, said: str) -> None:
    assert render_time(EN, seconds) == said


def test_times_are_said_in_the_readers_language() -> None:
    assert [render_time(RU, it) for it in (20, 65 * MINUTE)] == ["20 с", "1 ч 5 мин"]


def test_the_ledger_has_one_order_and_says_nothing_of_what_was_not() -> None:
    spent: dict[Cause, float] = {"hours": 8 * HOUR, "hold": 0.0, "client": 40 * MINUTE, "counted": 12 * MINUTE}
    assert render_ledger(EN, spent) == "counted 12 m · waiting for the client 40 m · outside hours 8 h"
    assert render_ledger(RU, spent) == "зачтено 12 мин · ждали клиента 40 мин · вне рабочих часов 8 ч"
    assert render_ledger(EN, {"hold": 30.0}) == "on hold 30 s"
    assert render_ledger(EN, {}) == ""


@pytest.mark.parametrize(
    ("why", "was", "due", "said"),
    [
        ("hours", 1000, 1000 + HOUR, "The hours or the promises of the line were edited. The deadline is 1 h later."),
        ("priority", 1000, 700, "The priority was changed. The deadline is 5 m sooner."),
        ("line", 0, 1000, "The session went to a line with other hours."),
        ("line", 1000, 0, "The session went to a line with other hours."),
        (
            "of a newer version",
            1000,
            1020,
            "The hours or the promises of the line were edited. The deadline is 20 s later.",
        ),
    ],
)
def test_a_moved_deadline_says_why_and_by_how_much(why: str, was: float, due: float, said: str) -> None:
    assert render_change(EN, Change(1.0, why, was, due)) == said


def test_a_moved_deadline_is_told_in_russian() -> None:
    said = render_change(RU, Change(1.0, "hours", 1000, 700))
    assert said == "Часы или обещания линии изменили. Срок сдвинулся на 5 мин раньше."


@pytest.mark.parametrize(
    ("promise", "target", "said"),
    [
        ("first_reply", 300, "first reply in 5 m"),
        ("next_reply", 900, "next reply in 15 m"),
        ("resolve", 8 * HOUR, "end of the matter in 8 h"),
    ],
)
def test_what_was_promised(promise: Promise, target: float, said: str) -> None:
    assert render_promise(EN, Clock(promise, "support", 1.0, target, [])) == said


def test_nothing_that_can_happen_is_without_words_in_russian() -> None:
    assert set(ORDER) == set(CAUSES) == set(get_args(Cause))
    assert set(PROMISES) == set(get_args(Promise))
    ids = [*CAUSES.values(), *PROMISES.values(), *WHYS.values()]
    assert [id for id in ids if RU(id) == id] == []
