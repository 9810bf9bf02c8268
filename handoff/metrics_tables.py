"""Reports as tables: what sessions give to each number, put together by day, line, channel, person or hour. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple, get_args

from core.access import Sight
from handoff.metrics import METRICS, Metric, Report, Unit
from handoff.metrics_counting import Measure
from handoff.metrics_life import Life
from handoff.metrics_tickets import TicketLife

By = Literal["day", "week", "month", "hour", "weekhour", "line", "channel", "operator", "category", "desk"]
BYS: tuple[By, ...] = get_args(By)
TOTAL = ""  # the key of the row of everything


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of a table. `count` is of how many values it was made.

    `value` is the sum, the number of different ones, the share (0 to 1) or the mean, None where there is nothing to divide;
    `median`, `p90` (nearest rank) and `total` are given for durations, in seconds.
    """

    count: int
    value: float | None
    median: float | None = None
    p90: float | None = None
    total: float | None = None


class Row(NamedTuple):
    """A line of a table: its key, and a cell for each number of the report in order."""

    key: str
    cells: tuple[Cell, ...]


class Table(NamedTuple):
    """A report: the rows by key, and the row of everything."""

    report: Report
    by: By
    rows: tuple[Row, ...]
    total: Row


@dataclass(frozen=True)
class Question:
    """Which report of which sessions. Empty filters let everything through; days begin in `zone`.

    `sight` is what whoever asks may see: what happened on other lines does not exist.
    """

    report: Report
    by: By
    zone: tzinfo
    line: str = ""
    channel: str = ""
    operator: str = ""
    sight: Sight = field(default_factory=lambda: Sight(everything=True))


def splits(report: Report) -> tuple[By, ...]:
    """What a report may be split by: a session belongs to no desk."""
    return tuple(by for by in BYS if by != "desk" or report.of == "tickets")


class Entry(NamedTuple):
    """A measure in its row and column."""

    key: str
    metric: str
    measure: Measure


def entries(life: Life | TicketLife, asked: Question) -> Iterator[Entry]:
    """What a session or a ticket gives to the table."""
    if asked.channel and life.channel != asked.channel:
        return
    for name in asked.report.metrics:
        for measure in METRICS[name].of(life):
            if _is_asked_for(measure, asked):
                yield Entry(_key(life, measure, asked), name, measure)


def _is_asked_for(measure: Measure, asked: Question) -> bool:
    if asked.line and measure.line != asked.line:
        return False
    if asked.operator and measure.operator != asked.operator:
        return False
    return asked.sight.everything or measure.line in asked.sight.lines


_CLOCK = {"hour": "%H", "weekhour": "%u-%H"}  # by when something happened


def _key(life: Life | TicketLife, measure: Measure, asked: Question) -> str:
    by = asked.by
    if by in _CLOCK:
        return datetime.fromtimestamp(measure.at, asked.zone).strftime(_CLOCK[by])
    if by in ("line", "operator"):
        return str(getattr(measure, by))
    if by in ("channel", "category", "desk"):
        return str(getattr(life, by, ""))
    return period_of(life.opened_at, by, asked.zone)


def period_of(at: float, by: By, zone: tzinfo) -> str:
    """The day `2026-03-04`, the week `2026-W10` (ISO 8601) or the month `2026-03` of a moment."""
    day = datetime.fromtimestamp(at, zone).date()
    if by == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04}-W{week:02}"
    return day.isoformat() if by == "day" else f"{day:%Y-%m}"


class Tally:
    """Collects entries, then makes the table."""

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self._values: dict[tuple[str, str], list[float]] = {}

    def add(self, lives: Iterable[Life | TicketLife]) -> None:
        """Count sessions or tickets in."""
        for life in lives:
            for entry in entries(life, self.asked):
                self._values.setdefault((entry.key, entry.metric), []).append(entry.measure.value)

    def table(self) -> Table:
        report = self.asked.report
        keys = sorted({key for key, _ in self._values})
        rows = tuple(self._row(key, [key]) for key in keys)
        return Table(report, self.asked.by, rows, self._row(TOTAL, keys))

    def _row(self, name: str, keys: list[str]) -> Row:
        return Row(name, tuple(self._cell(METRICS[metric], keys) for metric in self.asked.report.metrics))

    def _cell(self, metric: Metric, keys: list[str]) -> Cell:
        return make_cell(metric.unit, [value for key in keys for value in self._values.get((key, metric.name), ())])


def make_cell(unit: Unit, values: list[float]) -> Cell:
    """The number that values come to, exact whatever their order."""
    count = len(values)
    if unit == "different":
        return Cell(count, float(len(set(values))))
    total = math.fsum(values)
    if unit == "count":
        return Cell(count, total)
    if not count:
        return Cell(0, None)
    if unit != "seconds":
        return Cell(count, total / count)
    ordered = sorted(values)
    return Cell(count, total / count, nearest_rank(ordered, 0.5), nearest_rank(ordered, 0.9), total)


def nearest_rank(ordered: list[float], part: float) -> float:
    """The smallest value that at least this part of all does not exceed."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
