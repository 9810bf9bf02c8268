"""Who is chosen to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.contenders import EVERY, QUICK, Place, build, choose


@pytest.mark.parametrize(
    ("only", "all_", "expected"),
    [
        ("", False, list(QUICK)),
        ("", True, list(EVERY)),
        ("frontline", False, ["sqlite"]),
        ("PostgreSQL + Redis)", True, ["postgres"]),
        ("frontline", True, [key for key in EVERY if key.startswith(("sqlite", "postgres"))]),
        ("telegraf, floor", True, ["telegraf", "floor", "floor-postgres"]),
        ("by hand", True, ["aiogram", "aiogram-uvloop", "aiogram-postgres"]),
        ("chatsky", False, ["chatsky"]),
    ],
)
def test_who_is_chosen(only: str, all_: bool, expected: list[str]) -> None:
    """Words look among the quick three first, then among all."""
    assert choose(only, all_) == expected


@pytest.mark.parametrize("key", ["aiogram-postgres", "floor-postgres"])
async def test_who_keeps_in_postgresql_needs_one(key: str, tmp_path: Path) -> None:
    assert (await build(Place("http://api", "redis://r", tmp_path), key)).outcome.missing == "not installed"
