"""Reports over the event log: read in slices, counted in threads, so that neither the loop nor other readers wait for them."""

from __future__ import annotations

import asyncio
import csv
import io
import time as clock
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.locale import Texts
from handoff.metrics import METRICS
from handoff.metrics_life import Fact, Life, build_life
from handoff.metrics_tables import Cell, Question, Row, Table, Tally, entries
from handoff.metrics_tickets import TicketLife
from storage.codec import decode_dict
from storage.reports.reading import Told, by_session, count_messages, read_facts, slices
from storage.reports.tickets import read_tickets, ticket_slices
from storage.rows import Row as Stored
from storage.work.units import Units

LONGEST = 1_100  # days of one report
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


class Behind(NamedTuple):
    """A session or a ticket behind a number, and what it gives to it. Of the two, the other's number is 0."""

    conversation: int
    session: int
    value: float
    ticket: int = 0


class Reports:
    """Answers questions about sessions that began, or tickets that were created, between two moments, seconds since the epoch.

    `now` is the moment at which deadlines of tickets are looked at.
    """

    def __init__(self, units: Units, now: Callable[[], float] = clock.time) -> None:
        self._units, self._now = units, now

    async def table(self, asked: Question, since: float, until: float) -> Table:
        """The report. Raises `StorageFull` when the database is away."""
        tally = Tally(asked)
        async for lives in self._lives(asked, since, until):
            await asyncio.to_thread(tally.add, lives)
        return await asyncio.to_thread(tally.table)

    async def behind(self, asked: Question, since: float, until: float, metric: str, key: str | None) -> list[Behind]:
        """What is behind a number of the report, in the order in which it began; all rows' without a key."""
        found: list[Behind] = []
        async for lives in self._lives(asked, since, until):
            for life in sorted(lives, key=lambda it: (it.opened_at, it.conversation)):
                given = [it for it in entries(life, asked) if it.metric == metric and key in (None, it.key)]
                if given:
                    session, ticket = (0, life.number) if isinstance(life, TicketLife) else (life.number, 0)
                    value = sum(it.measure.value for it in given)
                    found.append(Behind(life.conversation, session, value, ticket))
        return found

    async def _lives(self, asked: Question, since: float, until: float) -> AsyncIterator[Sequence[Life | TicketLife]]:
        if asked.report.of == "tickets":
            async for tickets in self._tickets(since, until):
                yield tickets
            return
        for start, end in await self._units.ask(partial(slices, since=since, until=until)):
            told = await self._units.ask(partial(read_facts, since=start, until=end))
            said: dict[tuple[int, int], dict[str, int]] = {}
            if asked.report.needs_messages:
                said = await self._units.ask(partial(count_messages, since=start, until=end))
            yield await asyncio.to_thread(_build, told, said)

    async def _tickets(self, since: float, until: float) -> AsyncIterator[list[TicketLife]]:
        now = self._now()
        for part in await self._units.ask(partial(ticket_slices, since=since, until=until)):
            found = await self._units.ask(partial(read_tickets, since=since, until=until, part=part))
            yield [_ticket(row, entries, now) for row, entries in found]


def _build(told: list[Told], said: dict[tuple[int, int], dict[str, int]]) -> list[Life]:
    found = []
    for home, number, facts in by_session(told):
        read = (Fact(it.at, it.kind, decode_dict.decode(it.data)) for it in facts)
        life = build_life(home, number, read, 0.0, said.get((home, number)))
        if life is not None:
            found.append(life)
    return found


def _ticket(row: Stored, entries: list[dict[str, Any]], now: float) -> TicketLife:
    same = ("number", "conversation", "desk", "category", "client", "line", "solved_at", "deadline", "rating", "master")
    return TicketLife(
        **{name: row[name] for name in same},
        channel=row["channel"] or "",
        operator=row["assignee"],
        opened_at=row["created_at"],
        now=now,
        entries=entries,
    )


# --- what is asked for -----------------------------------------------------------------------------------------------


def read_day(text: str) -> date:
    """`2026-03-04`. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  (a day has no zone of its own)


def read_period(first: date, last: date, zone: ZoneInfo) -> tuple[float, float]:
    """From the beginning of the first day to the end of the last, in a zone. Raises ValueError for none and for too long."""
    if last < first:
        raise ValueError("the last day is before the first")
    if (last - first).days >= LONGEST or last.year > 9000:
        raise ValueError(f"a report is of at most {LONGEST} days")
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()


# --- how it looks ----------------------------------------------------------------------------------------------------


def render_csv(table: Table, t: Texts) -> str:
    """A line for each row and number: for programs and spreadsheets. Shares are 0 to 1, durations seconds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("by", "key", "metric", "title", "unit", "count", "value", "median", "p90", "total"))
    for row in (*table.rows, table.total):
        for name, cell in zip(table.report.metrics, row.cells, strict=True):
            metric = METRICS[name]
            by, key = (table.by, row.key) if row is not table.total else ("total", "")
            numbers = (cell.count, cell.value, cell.median, cell.p90, cell.total)
            writer.writerow((by, harmless(key), name, t(metric.title), metric.unit, *map(_exact, numbers)))
    return out.getvalue()


def _exact(number: float | None) -> str:
    """Every digit of it, and none for a whole number's fraction."""
    if number is None:
        return ""
    return str(int(number)) if float(number).is_integer() else repr(number)


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def render_cell(name: str, cell: Cell) -> str:
    """A number for people: `12`, `83 %`, `4.6`, `3:05 (p90 12:40)`."""
    if cell.value is None:
        return "—"
    match METRICS[name].unit:
        case "share":
            return f"{cell.value:.0%}"
        case "mean":
            return f"{cell.value:.2f}"
        case "seconds":
            return f"{render_seconds(cell.median or 0.0)} (p90 {render_seconds(cell.p90 or 0.0)})"
        case _:
            return f"{cell.value:.0f}"


def render_seconds(seconds: float) -> str:
    """`0:45`, `12:40`, `3:05:00`, minutes first."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def render_rows(table: Table) -> list[tuple[str, ...]]:
    """The rows of the table as texts, the total last."""
    return [_render_row(table, row) for row in (*table.rows, table.total)]


def _render_row(table: Table, row: Row) -> tuple[str, ...]:
    cells = zip(table.report.metrics, row.cells, strict=True)
    return (row.key, *(render_cell(name, cell) for name, cell in cells))
