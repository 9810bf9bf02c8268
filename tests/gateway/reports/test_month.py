"""A month of history: every number of `frontline report` and of the API is what a second, naive computation finds."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from gateway.cli import execute
from gateway.reporting import Reports, read_period
from handoff.metrics import REPORTS
from handoff.metrics_tables import BYS, Cell, Question
from storage.ledger import Ledger
from storage.migrate import migrate_postgres
from storage.postgres.store import PostgresStore
from storage.sqlite import SQLiteStore
from storage.work.units import Based, Units
from tests.gateway.reports.month import Month, make_month
from tests.gateway.reports.naive import MOSCOW, Naive, exact_mean, middle, tenth
from tests.postgres import cluster

CONVERSATIONS = 1_500  # about two thousand sessions
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
PERIOD = read_period(FIRST, LAST, MOSCOW)
CONFIG = """\
http: {port: 0}
storage: {url: "sqlite:///month.db", files: files, cache: cache}
timezone: Europe/Moscow
language: en
channels: {telegram: {kind: telegram, token: "", line: support}}
lines:
  support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}
  billing: {title: Расчёты, hours: {mon-fri: "09:00-18:00"}, closed: {ticket: general}, busy: {ticket: general}}
desks: {general: {title: Обращения}}
"""
Store = SQLiteStore | PostgresStore


@pytest.fixture(scope="module")
def month() -> Month:
    return make_month(CONVERSATIONS)


@pytest.fixture(scope="module")
def naive(month: Month) -> Naive:
    return Naive(month.records, month.messages, *PERIOD)


async def fill(store: Store, month: Month) -> None:
    """Write the rows as turns write them."""
    units = Units(cast(Based, store))

    def write(ledger: Ledger) -> None:
        for table, rows in (("records", month.records), ("messages", month.messages)):
            for row in rows:
                ledger.rows.insert(table, row)

    await units.write(write)


@pytest.fixture(scope="module")
def folder(month: Month, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment over SQLite that has the month behind it."""
    made = tmp_path_factory.mktemp("month")
    (made / "config.yaml").write_text(CONFIG, "utf-8")

    async def work() -> None:
        store = SQLiteStore(made / "month.db", lambda: PERIOD[1])
        await store.open()
        await fill(store, month)
        await store.close()

    asyncio.run(work())
    return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def cells(
    request: pytest.FixtureRequest, month: Month, folder: Path
) -> Iterator[Callable[..., dict[str, dict[str, Cell]]]]:
    """The answers of a store: report and what it is split by → key → number → cell."""

    def answers(store: Store) -> dict[tuple[str, str], dict[str, dict[str, Cell]]]:
        async def work() -> dict[tuple[str, str], dict[str, dict[str, Cell]]]:
            await store.open()
            if isinstance(store, PostgresStore):
                await fill(store, month)
            found: dict[tuple[str, str], dict[str, dict[str, Cell]]] = {}
            for name, by in [(name, by) for name in REPORTS for by in BYS if by in ("line", "day")]:
                asked = Question(REPORTS[name], by, ZoneInfo("Europe/Moscow"))
                table = await Reports(Units(cast(Based, store))).table(asked, *PERIOD)
                rows = (*table.rows, table.total)
                found[name, by] = {row.key: dict(zip(table.report.metrics, row.cells, strict=True)) for row in rows}
            await store.close()
            return found

        return asyncio.run(work())

    if request.param == "sqlite":
        made = answers(SQLiteStore(folder / "month.db", lambda: PERIOD[1]))
        yield lambda name, by="line": made[name, by]
        return
    with cluster() as server:
        url = server.url(server.create())
        migrate_postgres(url)
        found = answers(PostgresStore(url, clock=lambda: PERIOD[1], own_clock=True))
        yield lambda name, by="line": found[name, by]


Cells = Callable[..., dict[str, dict[str, Cell]]]
LINES = ("support", "billing", "")


def of(numbers: list[tuple[str, float]], line: str) -> list[float]:
    return [value for where, value in numbers if line in ("", where)]


def test_it_is_a_month_worth_counting(naive: Naive) -> None:
    """Of everything there is enough that a mistake would show."""
    assert len(naive.sessions) > 1_500
    for numbers in (naive.first_reply(), naive.next_reply(), naive.resolution(), naive.rating(), naive.transfers()):
        assert len(numbers) > 100
    assert sum(value for _, value in naive.returned()) > 5
    assert sum(value for _, value in naive.abandoned()) > 100
    assert 0 < exact_mean(of(naive.sla("first_reply"), "")) < 1
    assert all(naive.spent(status) > 0 for status in ("bot", "queued", "assigned", "waiting", "held"))


@pytest.mark.parametrize("line", LINES)
def test_volume_agrees(cells: Cells, naive: Naive, line: str) -> None:
    row = cells("volume")[line]
    assert row["sessions"].value == sum(of(naive.opened(), line))
    assert row["clients"].value == len(set(of(naive.clients(), line)))
    for author in ("client", "bot", "operator"):
        assert row[f"{author}_messages"].value == sum(of(naive.messages(author), line)) > 0


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    ("report", "metric"),
    [
        *(("overview", it) for it in ("contained", "abandoned", "rating", "sla_first_reply", "sla_resolve")),
        ("service", "sla_next_reply"),
        ("transfers", "returned"),
    ],
)
def test_shares_and_means_agree(cells: Cells, naive: Naive, line: str, report: str, metric: str) -> None:
    counted = naive.sla(metric.removeprefix("sla_")) if metric.startswith("sla_") else getattr(naive, metric)()
    values = of(counted, line)
    cell = cells(report)[line][metric]
    assert (cell.count, cell.value) == (len(values), exact_mean(values) if values else None)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    ("report", "metric"), [("overview", "to_people"), ("service", "closed"), ("transfers", "transfers")]
)
def test_counts_agree(cells: Cells, naive: Naive, line: str, report: str, metric: str) -> None:
    assert cells(report)[line][metric].value == sum(of(getattr(naive, metric)(), line)) > 0


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("metric", ["queue_time", "first_reply", "next_reply", "resolution"])
def test_durations_agree(cells: Cells, naive: Naive, line: str, metric: str) -> None:
    values = of(getattr(naive, metric)(), line)
    cell = cells("service" if metric == "resolution" else "waiting")[line][metric]
    assert (cell.count, cell.median, cell.p90) == (len(values), middle(values), tenth(values))
    assert cell.value == pytest.approx(exact_mean(values), rel=1e-12)


def test_whose_time_it_was_agrees(cells: Cells, naive: Naive) -> None:
    total = cells("time")[""]
    for whose, status in (
        ("bot", "bot"),
        ("queue", "queued"),
        ("operator", "assigned"),
        ("client", "waiting"),
        ("held", "held"),
    ):
        assert total[f"time_{whose}"].total == pytest.approx(naive.spent(status), rel=1e-12)


def test_days_agree(cells: Cells, naive: Naive) -> None:
    rows = cells("volume", "day")
    found = {key: row["sessions"].value for key, row in rows.items() if key}
    assert found == naive.by_day()
    assert len(found) == 31


def test_rows_add_up(cells: Cells) -> None:
    """What is counted once counts in one row; what is shared out is shared out whole."""
    for by in ("line", "day"):
        rows = cells("overview", by)
        for metric in ("sessions", "to_people", "queue_time", "first_reply", "resolution"):
            assert sum(row[metric].count for key, row in rows.items() if key) == rows[""][metric].count


# --- the command -----------------------------------------------------------------------------------------------------


def report(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = execute(["--config", str(folder / "config.yaml"), "report", *words])
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out


PERIOD_WORDS = ("--from", "2026-03-01", "--to", "2026-03-31")


def test_the_command_prints_the_same_as_csv(folder: Path, naive: Naive, capsys: pytest.CaptureFixture[str]) -> None:
    said = report(folder, capsys, "overview", *PERIOD_WORDS, "--format", "csv")
    rows = {(row["key"], row["metric"]): row for row in csv.DictReader(io.StringIO(said))}
    assert int(rows["", "sessions"]["value"]) == len(naive.sessions)
    assert float(rows["support", "first_reply"]["p90"]) == tenth(of(naive.first_reply(), "support"))
    assert float(rows["billing", "abandoned"]["value"]) == exact_mean(of(naive.abandoned(), "billing"))


def test_the_command_prints_the_same_for_scripts(
    folder: Path, naive: Naive, capsys: pytest.CaptureFixture[str]
) -> None:
    said = json.loads(report(folder, capsys, "waiting", *PERIOD_WORDS, "--by", "line", "--format", "json"))
    assert (said["report"], said["from"], said["to"]) == ("waiting", "2026-03-01", "2026-03-31")
    assert said["total"]["queue_time"]["count"] == len(naive.queue_time())


def test_the_command_prints_a_table(folder: Path, naive: Naive, capsys: pytest.CaptureFixture[str]) -> None:
    lines = report(folder, capsys, *PERIOD_WORDS).splitlines()
    assert lines[0] == "Overview: sessions that began from 01.03.2026 to 31.03.2026."
    assert [line.split("\t")[0] for line in lines[1:]] == ["billing", "support", "All"]
    assert lines[-1].split("\t")[1] == str(len(naive.sessions))


def test_one_line_of_it_is_the_row_of_that_line(folder: Path, naive: Naive, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(report(folder, capsys, "waiting", *PERIOD_WORDS, "--line", "billing", "--format", "json"))
    assert said["total"]["queue_time"]["count"] == len(of(naive.queue_time(), "billing"))


def test_a_month_without_sessions_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There were none." in report(folder, capsys, "--from", "2020-01-01", "--to", "2020-01-31")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-03-31", "--to", "2026-03-01"), "The first day is after the last one"),
        (("--from", "1990-01-01"), "too far apart"),
        (("--line", "sales"), "There is no line «sales»"),
        (("--channel", "icq"), "There is no channel «icq»"),
        (("--from", "31.03.2026"), "31.03.2026"),
        (("everything",), "everything"),
    ],
)
def test_a_question_that_cannot_be_answered(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert execute(["--config", str(folder / "config.yaml"), "--lang", "en", "report", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_last_day_is_included_to_its_end() -> None:
    since, until = read_period(FIRST, FIRST, MOSCOW)
    assert (until - since, datetime.fromtimestamp(since, MOSCOW).hour) == (86_400.0, 0)
