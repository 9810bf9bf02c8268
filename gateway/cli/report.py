"""`frontline report`: what the event log says of a period, as a table, for spreadsheets or for scripts."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import msgspec

from core.locale import n_
from gateway.cli.shell import Shell, ask_office
from gateway.cli.words import command, option
from handoff.metrics import METRICS, REPORTS
from handoff.metrics_tables import BYS, Row, Table, splits

if TYPE_CHECKING:
    from gateway.config import Config

USUAL = timedelta(days=29)
DAY = click.DateTime(["%Y-%m-%d"])
# What the first column holds.
HEADS = {
    "day": n_("Day"),
    "week": n_("Week"),
    "month": n_("Month"),
    "hour": n_("Hour"),
    "line": n_("Line"),
    "channel": n_("Channel"),
    "operator": n_("Operator"),
    "category": n_("Category"),
    "desk": n_("Desk"),
    "weekhour": n_("Weekday and hour"),
}


@command(
    "report",
    help=n_(
        "What came of the sessions that began in a period: volume, the bot's share, waiting, resolution, SLA, rating. NAME is one"
        " of overview, volume, bot, waiting, service, transfers, time, load; tickets is about tickets that were created then."
    ),
)
@click.argument("name", type=click.Choice(list(REPORTS)), default="overview")
@option("--from", "first", type=DAY, metavar="DAY", help=n_("The first day: 2026-03-01. Left out: 30 days in all."))
@option("--to", "last", type=DAY, metavar="DAY", help=n_("The last day, included. Left out: today."))
@option("--by", type=click.Choice(BYS), help=n_("One row for each."))
@option("--line", default="", help=n_("Only what happened on this line."))
@option("--channel", default="", help=n_("Only sessions of this channel."))
@option("--operator", default="", help=n_("Only what this person had a part in: user:7."))
@option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    help=n_("`csv` for spreadsheets, `json` for scripts; durations are seconds there."),
)
@click.pass_obj
def report_command(
    shell: Shell,
    name: str,
    first: datetime | None,
    last: datetime | None,
    by: str | None,
    line: str,
    channel: str,
    operator: str,
    form: str,
) -> int:
    config = shell.load()
    _require_known(shell, config, line, channel)
    days = _days(config, first, last)
    by = by or REPORTS[name].by
    if by not in splits(REPORTS[name]):
        raise click.UsageError(shell.t("Sessions belong to no desk; only the report of tickets is split by desks."))
    table = _ask(shell, config, name, by, days, {"line": line, "channel": channel, "operator": operator})
    if form == "json":
        shell.json(_values(table, days))
    elif form == "csv":
        from gateway.reporting import render_csv

        click.echo(render_csv(table, shell.t), nl=False)
    else:
        _print(shell, table, days)
    return 0


def _require_known(shell: Shell, config: Config, line: str, channel: str) -> None:
    for asked, known, said in (
        (line, config.lines, n_("There is no line «{name}»; known: {known}.")),
        (channel, config.channels, n_("There is no channel «{name}»; known: {known}.")),
    ):
        if asked and asked not in known:
            raise click.UsageError(shell.t(said, name=asked, known=", ".join(known)))


def _days(config: Config, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    end = last.date() if last else datetime.fromtimestamp(time.time(), ZoneInfo(config.timezone)).date()
    return (first.date() if first else end - USUAL), end


def _ask(shell: Shell, config: Config, name: str, by: str, days: tuple[date, date], only: dict[str, str]) -> Table:
    from gateway.reporting import read_period

    try:
        since, until = read_period(*days, ZoneInfo(config.timezone))
    except (ValueError, OverflowError):
        wrong = shell.t("The first day is after the last one, or they are too far apart.")
        raise click.UsageError(wrong) from None
    asked = {"name": name, "by": by, "zone": config.timezone, "since": since, "until": until}
    found = ask_office(shell, config, "report", **asked, **only)
    *rows, total = msgspec.convert(found, list[Row])
    assert by in BYS
    return Table(REPORTS[name], by, tuple(rows), total)


def _values(table: Table, days: tuple[date, date]) -> dict[str, Any]:
    """The report for scripts: each number under its name."""
    rows = [
        {"key": row.key, **dict(zip(table.report.metrics, map(msgspec.to_builtins, row.cells), strict=True))}
        for row in (*table.rows, table.total)
    ]
    first, last = (day.isoformat() for day in days)
    return {
        "report": table.report.name,
        "by": table.by,
        "from": first,
        "to": last,
        "rows": rows[:-1],
        "total": rows[-1],
    }


def _print(shell: Shell, table: Table, days: tuple[date, date]) -> None:
    from gateway.reporting import render_rows

    t = shell.t
    first, last = (f"{day:%d.%m.%Y}" for day in days)
    title = t(table.report.title)
    if table.report.of == "tickets":
        shell.say(t("{title}: tickets that were created from {first} to {last}.", title=title, first=first, last=last))
    else:
        shell.say(t("{title}: sessions that began from {first} to {last}.", title=title, first=first, last=last))
    if not table.rows:
        shell.say(t("There were none."))
        return
    heads = (t(HEADS[table.by]), *(t(METRICS[name].title) for name in table.report.metrics))
    *rows, total = render_rows(table)
    shell.table(heads, (*((row[0] or "—", *row[1:]) for row in rows), (t("All"), *total[1:])))
