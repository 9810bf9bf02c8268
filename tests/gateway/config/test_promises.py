"""Calendars and promises that cannot be kept: each with its place and with words that say how to mend it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.config import read_config
from gateway.config.model import Config
from gateway.deployment import build_lines

LINE = """\
timezone: Europe/Moscow
lines:
  support:
    title: Поддержка
    {line}
"""
HOURS = 'hours: {mon-fri: "09:00-18:00"}'


def read(line: str, folder: Path) -> tuple[Config | None, list[str]]:
    config, findings = read_config(LINE.format(line=line), folder / "config.yaml", {})
    return config, [f"{it.at.line}:{it.at.column} {it.code} {it.message('en')}" for it in findings]


MONDAYS = ", ".join((date(2026, 1, 5) + timedelta(weeks=n)).isoformat() for n in range(60))
BAD = [
    (
        'hours: {mon: "09:00-12:00, 11:00-13:00"}',
        "5:18 C134 spans 09:00-12:00 and 11:00-13:00 overlap — join them or move one",
    ),
    (
        'hours: {mon: "22:00-06:00", tue: "05:00-12:00"}',
        "5:38 C134 spans 00:00-06:00 and 05:00-12:00 overlap — join them or move one",
    ),
    (
        'hours: {mon-wed: "09:00-18:00", tue: "10:00-12:00"}',
        "5:42 C134 tue is given twice: in “mon-wed” and in “tue” — keep one of them",
    ),
    (
        'hours: {mon: "09:00-09:00"}',
        "5:18 C134 “09:00-09:00” is empty — for day and night write 00:00-24:00, for a day off leave the day out",
    ),
    (
        f'hours: {{mon: "09:00-18:00"}}\n    holidays: [{MONDAYS}]',
        "6:15 C135 the line «support» never opens: from 2026-01-05 on, all its days are days off — "
        "take the days that are worked out of `holidays`",
    ),
    (f"{HOURS}\n    holidays: [31.12.2026]", "6:16 C112 `lines.support.holidays.0` must be a date like 2026-01-01"),
    (f"{HOURS}\n    holidays: [2026-02-30]", "6:16 C112 `lines.support.holidays.0` must be a date like 2026-01-01"),
    (
        f"{HOURS}\n    first_reply: 9h\n    resolve: 8h",
        "6:18 C136 the line «support» promises `first_reply` in 540 min, but the end of the matter "
        "in 480 min — make `resolve` the longest promise, or 0",
    ),
    (
        f"{HOURS}\n    next_reply: 90m\n    resolve: 1h",
        "6:17 C136 the line «support» promises `next_reply` in 90 min, but the end of the matter "
        "in 60 min — make `resolve` the longest promise, or 0",
    ),
    (f"{HOURS}\n    warn_at: 80", "6:14 C112 `lines.support.warn_at` must be at most 1.0"),
    (f"{HOURS}\n    warn_at: 0", "6:14 C112 `lines.support.warn_at` must be more than 0.0"),
    (
        f"{HOURS}\n    hurry: {{urgnt: 0.5}}",
        "6:20 C137 «urgnt» is no priority above the ordinary one — perhaps «urgent»?",
    ),
    (
        f"{HOURS}\n    hurry: {{low: 0.5}}",
        "6:18 C137 «low» is no priority above the ordinary one — known here: критическая, "
        "критичная, critical, срочная, срочно, urgent, высокая, high",
    ),
    (f"{HOURS}\n    hurry: {{high: 1.5}}", "6:19 C112 `lines.support.hurry.high` must be at most 1.0"),
]


@pytest.mark.parametrize(("line", "said"), BAD, ids=[said[5:9] + str(place) for place, (_, said) in enumerate(BAD)])
def test_what_is_wrong_and_how_to_mend_it(line: str, said: str, tmp_path: Path) -> None:
    assert read(line, tmp_path)[1] == [said]


def test_promises_reach_the_line(tmp_path: Path) -> None:
    promises = (
        "first_reply: 5m\n    next_reply: 15m\n    resolve: 8h\n    warn_at: 0.5\n    hurry: {high: 0.5, critical: 0.1}"
    )
    config, findings = read(f"{HOURS}\n    {promises}", tmp_path)
    assert (config is not None, findings) == (True, [])
    assert config is not None
    line = build_lines(config)["support"]
    assert (line.first_reply, line.next_reply, line.resolve, line.warn_at) == (300, 900, 28_800, 0.5)
    assert line.hurry == ((1, 0.5), (3, 0.1))


def test_a_line_that_promises_nothing_is_fine(tmp_path: Path) -> None:
    assert read(f"{HOURS}\n    first_reply: 0", tmp_path)[1] == []
