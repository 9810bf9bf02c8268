"""Who is chosen to run."""

from __future__ import annotations

import pytest

from bench.contenders import EVERY, QUICK, choose


@pytest.mark.parametrize(
    ("only", "all_", "expected"),
    [
        ("", False, list(QUICK)),
        ("", True, list(EVERY)),
        ("frontline", False, ["sqlite"]),
        ("PostgreSQL + Redis)", True, ["postgres"]),
        ("frontline", True, [key for key in EVERY if key.startswith(("sqlite", "postgres"))]),
        ("telegraf, floor", True, ["telegraf", "floor"]),
        ("chatsky", False, ["chatsky"]),
    ],
)
def test_who_is_chosen(only: str, all_: bool, expected: list[str]) -> None:
    """Words look among the quick three first, then among all."""
    assert choose(only, all_) == expected
