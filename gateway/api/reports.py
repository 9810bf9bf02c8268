"""Routes of reports: numbers for those who may see numbers, and the sessions behind them for those who may see sessions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.access import Role, Sight
from core.locale import n_, texts
from gateway.api.models_reports import (
    BehindPage,
    BehindQuery,
    BehindView,
    CellView,
    MetricView,
    ReportList,
    ReportQuery,
    ReportView,
    RowView,
    TableView,
)
from gateway.api.paging import read_cursor, write_cursor
from gateway.api.problems import Problem
from gateway.api.route import Call, Route, Text
from gateway.reporting import Behind, Reports, read_day, read_period, render_csv
from handoff.access import access_numbers
from handoff.metrics import METRICS, REPORTS, Report
from handoff.metrics_tables import BYS, Question, Row, Table
from storage.work.sessions import seen_sessions

NUMBERS: tuple[Role, ...] = ("supervisor", "analyst", "admin")  # who sees numbers …
BEHIND: tuple[Role, ...] = ("supervisor", "admin")  # … and what clients say, too
USUAL = timedelta(days=29)
STRIDE = 200  # sessions looked up at a time


def _report(call: Call) -> Report:
    report = REPORTS.get(call.request.match_info["name"])
    if report is None:
        raise Problem("not-found")
    return report


def _zone(call: Call) -> ZoneInfo:
    return ZoneInfo(call.floor.config.timezone)


def _days(call: Call, query: ReportQuery) -> tuple[date, date]:
    """The first and the last day that are meant."""
    last = _day(query.last, "to") or datetime.fromtimestamp(call.people.now(), _zone(call)).date()
    return _day(query.first, "from") or last - USUAL, last


def _day(said: str, name: str) -> date | None:
    try:
        return read_day(said) if said else None
    except ValueError:
        raise Problem("invalid", errors=[{"pointer": name, "detail": n_("there is no such day")}]) from None


def _period(call: Call, query: ReportQuery) -> tuple[float, float]:
    try:
        return read_period(*_days(call, query), _zone(call))
    except (ValueError, OverflowError):
        wrong = n_("the first day is after the last one, or they are too far apart")
        raise Problem("invalid", errors=[{"pointer": "from", "detail": wrong}]) from None


def _question(call: Call, query: ReportQuery) -> Question:
    report, sight = _report(call), access_numbers(call.who)
    by = query.by or report.by
    assert by in BYS
    return Question(report, by, _zone(call), query.line, query.channel, query.operator, sight)


async def _table(call: Call) -> Table:
    query: ReportQuery = call.query
    asked, period = _question(call, query), _period(call, query)
    return await Reports(call.floor.units).table(asked, *period)


# --- the routes ------------------------------------------------------------------------------------------------------


async def get_reports(call: Call) -> ReportList:
    t = texts(call.me.language or call.floor.config.language)
    return ReportList(
        items=[
            ReportView(
                name=report.name,
                title=t(report.title),
                by=report.by,
                metrics=[
                    MetricView(name=it.name, title=t(it.title), unit=it.unit, about=it.about)
                    for it in (METRICS[name] for name in report.metrics)
                ],
            )
            for report in REPORTS.values()
        ]
    )


async def get_report(call: Call) -> TableView:
    table = await _table(call)
    first, last = _days(call, call.query)
    return TableView(
        name=table.report.name,
        by=table.by,
        first=first.isoformat(),
        last=last.isoformat(),
        rows=[_row(table, row) for row in table.rows],
        total=_row(table, table.total),
    )


def _row(table: Table, row: Row) -> RowView:
    cells = [
        CellView(metric=name, count=it.count, value=it.value, median=it.median, p90=it.p90, total=it.total)
        for name, it in zip(table.report.metrics, row.cells, strict=True)
    ]
    return RowView(key=row.key, cells=cells)


async def get_report_csv(call: Call) -> Text:
    table = await _table(call)
    return Text(text=render_csv(table, texts(call.me.language or call.floor.config.language)))


async def get_report_sessions(call: Call) -> BehindPage:
    """Only those sessions that the caller may open now."""
    query: BehindQuery = call.query
    asked, period = _question(call, query), _period(call, query)
    if query.metric not in asked.report.metrics:
        raise Problem("invalid", errors=[{"pointer": "metric", "detail": n_("this report has no such number")}])
    found = await Reports(call.floor.units).behind(asked, *period, query.metric, query.key)
    place = read_cursor(query.cursor)
    seen: list[tuple[int, Behind]] = []
    while place < len(found) and len(seen) <= query.limit:
        part = list(enumerate(found[place : place + STRIDE], place + 1))
        seen += await _seen(call, part)
        place += len(part)
    page = seen[: query.limit]
    more = write_cursor(page[-1][0]) if len(seen) > len(page) else None
    items = [BehindView(conversation=it.conversation, session=it.session, value=it.value) for _, it in page]
    return BehindPage(items=items, next=more)


async def _seen(call: Call, part: list[tuple[int, Behind]]) -> list[tuple[int, Behind]]:
    sight: Sight = call.floor.sight(call.who)
    if sight.everything:
        return part
    wanted = [(it.conversation, it.session) for _, it in part]
    open_to = await call.floor.units.ask(lambda reads: seen_sessions(reads, sight, wanted))
    return [(place, it) for place, it in part if (it.conversation, it.session) in open_to]


ROUTES: tuple[Route, ...] = (
    Route(
        *("GET", "/reports", get_reports, "The reports that there are, with the definitions of their numbers", NUMBERS),
        scope="reports:read",
        answer=ReportList,
    ),
    Route(
        *("GET", "/reports/{name}", get_report, "A report of the sessions that began in a period", NUMBERS),
        scope="reports:read",
        query=ReportQuery,
        answer=TableView,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/reports/{name}/csv", get_report_csv, "The same as a file for spreadsheets", NUMBERS),
        scope="reports:read",
        query=ReportQuery,
        answer=Text,
        text="text/csv",
        problems=("not-found",),
    ),
    Route(
        *("GET", "/reports/{name}/sessions", get_report_sessions, "The sessions behind a number", BEHIND),
        scope="conversations:read",
        query=BehindQuery,
        answer=BehindPage,
        problems=("not-found",),
    ),
)
