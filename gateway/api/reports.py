"""Routes of reports: numbers for those who may see numbers, and the sessions behind them for those who may see sessions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.access import Role
from core.locale import n_, texts
from gateway.api.behind import seen_behind, show_behind, titles_of
from gateway.api.models_reports import (
    BehindPage,
    BehindQuery,
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
from gateway.reporting import Reports, read_day, read_period, render_csv
from handoff.access import access_numbers
from handoff.metrics import METRICS, REPORTS, Report
from handoff.metrics_tables import Question, Row, Table, splits

NUMBERS: tuple[Role, ...] = ("supervisor", "analyst", "admin")  # who sees numbers …
BEHIND: tuple[Role, ...] = ("supervisor", "admin")  # … and what clients say, too
USUAL = timedelta(days=29)


def _report(call: Call) -> Report:
    report = REPORTS.get(call.request.match_info["name"])
    if report is None:
        raise Problem("not-found")
    return report


def _zone(call: Call) -> ZoneInfo:
    return ZoneInfo(call.floor.config.timezone)


def _today(call: Call) -> date:
    return datetime.fromtimestamp(call.people.now(), _zone(call)).date()


def _days(call: Call, query: ReportQuery) -> tuple[date, date]:
    """The first and the last day that are meant."""
    last = _day(query.last, "to") or _today(call)
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
    if by not in splits(report):
        raise Problem("invalid", errors=[{"pointer": "by", "detail": n_("sessions belong to no desk")}])
    return Question(report, by, _zone(call), query.line, query.channel, query.operator, sight)


async def _table(call: Call) -> Table:
    query: ReportQuery = call.query
    asked, period = _question(call, query), _period(call, query)
    return await _reports(call).table(asked, *period)


def _reports(call: Call) -> Reports:
    return Reports(call.floor.units, lambda: call.floor.now().timestamp())


# --- the routes ------------------------------------------------------------------------------------------------------


async def get_reports(call: Call) -> ReportList:
    t = texts(call.language)
    return ReportList(
        items=[
            ReportView(
                name=report.name,
                title=t(report.title),
                by=report.by,
                bys=list(splits(report)),
                of=report.of,
                metrics=[
                    MetricView(name=it.name, title=t(it.title), unit=it.unit, about=t(it.about))
                    for it in (METRICS[name] for name in report.metrics)
                ],
            )
            for report in REPORTS.values()
        ],
        today=_today(call).isoformat(),
    )


async def get_report(call: Call) -> TableView:
    table = await _table(call)
    first, last = _days(call, call.query)
    named = await titles_of(call, table)
    return TableView(
        name=table.report.name,
        by=table.by,
        first=first.isoformat(),
        last=last.isoformat(),
        rows=[_row(table, row, named.get(row.key, "")) for row in table.rows],
        total=_row(table, table.total, ""),
    )


def _row(table: Table, row: Row, title: str) -> RowView:
    cells = [
        CellView(metric=name, count=it.count, value=it.value, median=it.median, p90=it.p90, total=it.total)
        for name, it in zip(table.report.metrics, row.cells, strict=True)
    ]
    return RowView(key=row.key, title=title, cells=cells)


async def get_report_csv(call: Call) -> Text:
    table = await _table(call)
    return Text(text=render_csv(table, texts(call.language)))


async def get_report_sessions(call: Call) -> BehindPage:
    """Only those that the caller may open now."""
    query: BehindQuery = call.query
    asked, period = _question(call, query), _period(call, query)
    if query.metric not in asked.report.metrics:
        raise Problem("invalid", errors=[{"pointer": "metric", "detail": n_("this report has no such number")}])
    found = await _reports(call).behind(asked, *period, query.metric, query.key)
    place, seen = read_cursor(query.cursor), await seen_behind(call, found)
    left = [(at, it) for at, it in enumerate(found, 1) if at > place and it in seen]
    page = left[: query.limit]
    more = write_cursor(page[-1][0]) if len(left) > len(page) else None
    return BehindPage(items=await show_behind(call, [it for _, it in page]), next=more, count=len(seen))


ROUTES: tuple[Route, ...] = (
    Route(
        *("GET", "/reports", get_reports, "The reports that there are, with the definitions of their numbers", NUMBERS),
        scope="reports:read",
        answer=ReportList,
    ),
    Route(
        *("GET", "/reports/{name}", get_report, "A report of what began in a period: sessions or tickets", NUMBERS),
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
        *("GET", "/reports/{name}/sessions", get_report_sessions, "The sessions or tickets behind a number", BEHIND),
        scope="conversations:read",
        query=BehindQuery,
        answer=BehindPage,
        problems=("not-found",),
    ),
)
