"""The bench's own arithmetic: percentiles, medians, ratios, bars."""

from __future__ import annotations

import pytest

from bench.stats import Outcome, Run, at_least, calmer, lighter, median, path_bars, percentile, ratio, spread


def outcome(key: str, kind: str = "ours", memory: float = 0.0, **rates: list[float]) -> Outcome:
    """Rounds by load, `c16=[…]` in messages per second; the p99 is a thousandth of the rate."""
    runs = {int(load[1:]): [Run(rate, 1.0, rate / 1000, 1.0, 0.1) for rate in rounds] for load, rounds in rates.items()}
    return Outcome(key, key, kind, runs, memory)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)],
)
def test_percentile_is_a_value_that_was_seen(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 0.99) == 0.0


def test_median_and_spread_of_rounds() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert spread([900.0, 1000.0, 1200.0]) == pytest.approx(0.3)
    assert (median([]), spread([])) == (0.0, 0.0)


def test_ratio_takes_medians() -> None:
    ours, other = outcome("sqlite", c16=[900.0, 1000.0, 5000.0]), outcome("aiogram", c16=[400.0])
    assert ratio(ours, other, 16) == 2.5
    assert ratio(ours, other, 128) is None


@pytest.mark.parametrize(("second", "holds"), [(900.0, True), (700.0, False)])
def test_a_bar_must_hold_at_every_load(second: float, holds: bool) -> None:
    ours, other = outcome("sqlite", c16=[1000.0], c128=[second]), outcome("aiogram", c16=[400.0], c128=[300.0])
    assert at_least(ours, other, (16, 128), 2.5).holds is holds


def test_a_bar_that_nobody_measured_neither_holds_nor_fails() -> None:
    bar = at_least(outcome("sqlite", c1=[1000.0]), outcome("aiogram", c1=[1.0]), (16, 128), 2.5)
    assert bar.holds is None
    assert bar.line.startswith("not measured: sqlite ≥ 2.5 × aiogram")
    assert at_least(None, outcome("aiogram"), (16,), 2.5).holds is None


def test_calmer_compares_p99_at_common_loads() -> None:
    ours = outcome("sqlite", c1=[100.0], c16=[300.0])
    assert calmer(ours, outcome("aiogram", c1=[200.0])).holds is True
    assert calmer(ours, outcome("aiogram", c1=[200.0], c16=[200.0])).holds is False


def test_lighter_needs_both_memories() -> None:
    ours = outcome("sqlite", memory=170.0)
    assert lighter(ours, outcome("aiogram", memory=200.0)).line == (
        "pass: memory of sqlite below that of aiogram (170 / 200 MB)"
    )
    assert lighter(ours, outcome("aiogram")).holds is None


def test_bars_of_the_path_name_every_python_peer() -> None:
    ran = [
        outcome("sqlite", memory=100.0, c16=[1000.0], c128=[1000.0]),
        outcome("aiogram", "python", 200.0, c16=[500.0], c128=[300.0]),
        outcome("ptb", "python", 200.0, c16=[100.0], c128=[100.0]),
        outcome("telegraf", "node", 200.0, c16=[4000.0], c128=[4000.0]),
        outcome("floor", "floor", 60.0, c16=[1900.0], c128=[1900.0]),
        Outcome("chatsky", "chatsky", "python", missing="not installed"),
    ]
    told = {bar.promise: bar.holds for bar in path_bars(ran)}
    assert told["sqlite ≥ 2.5 × aiogram"] is False
    assert told["sqlite ≥ 0.5 × floor"] is True
    assert told["sqlite ≥ 1 × ptb"] is True
    assert not any("telegraf" in promise or "chatsky" in promise or "postgres" in promise for promise in told)
