"""What the routes of reports take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api.models import Given, Id, Model, Page

Day = Annotated[str, StringConstraints(max_length=10, pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Key = Annotated[str, StringConstraints(max_length=200)]
By = Literal["", "day", "week", "month", "hour", "weekhour", "line", "channel", "operator", "category", "desk"]


class ReportQuery(Given):
    """Which sessions, and how the report is split."""

    first: Day = Field(default="", alias="from")
    """The first day, `2026-03-01`, in the time zone of the deployment; left out: 30 days before the last one."""
    last: Day = Field(default="", alias="to")
    """The last day, included; left out: today."""
    by: By = ""
    """One row for each; left out: what the report is usually split by. `weekhour` is `1-09`: Mondays from nine to ten; `desk` is
    for tickets alone."""
    line: Key = ""
    """Only what happened on this line."""
    channel: Key = ""
    """Only sessions of this channel."""
    operator: Key = ""
    """Only what this person had a part in: `user:7`."""


class BehindQuery(ReportQuery, Page):
    """Which number of the report, and which part of the sessions behind it."""

    metric: Key = "sessions"
    """The name of the number."""
    key: Key | None = None
    """Of which row; left out: of all."""


class MetricView(Model):
    """A number of a report."""

    name: str
    title: str
    unit: Literal["count", "different", "share", "mean", "seconds"]
    """What `value` is: a sum, the number of different ones, a share from 0 to 1, a mean, or the mean of seconds."""
    about: str
    """Its definition."""


class ReportView(Model):
    """A report that one may ask for."""

    name: str
    title: str
    by: str
    """What it is usually split by."""
    bys: list[str]
    """What it may be split by."""
    of: Literal["sessions", "tickets"]
    """What began in the period."""
    metrics: list[MetricView]


class ReportList(Model):
    """All reports."""

    items: list[ReportView]
    today: str
    """The day it is in the zone of the deployment, `2026-03-01`: days of reports are of that zone, wherever the reader is."""


class CellView(Model):
    """A number. A duration has a median, the 90th percentile (nearest rank) and a total beside its mean."""

    metric: str
    count: int
    """Of how many values it was made."""
    value: float | None
    """None where there is nothing to divide."""
    median: float | None
    p90: float | None
    total: float | None


class RowView(Model):
    """A row: what it is for, and its numbers."""

    key: str
    title: str = ""
    """What people read for the key of a line, a desk or a person; empty: the key itself."""
    cells: list[CellView]


class TableView(Model):
    """A report of sessions that began in a period."""

    name: str
    by: str
    first: str
    """The first day."""
    last: str
    """The last day."""
    rows: list[RowView]
    total: RowView


class BehindView(Model):
    """A session or a ticket behind a number."""

    conversation: Id
    session: int
    """0: it is a ticket."""
    ticket: int = 0
    """0: it is a session."""
    value: float
    """What it gives to the number."""
    at: datetime | None = None
    """When it began."""
    client_name: str = ""
    channel: str = ""
    line: str = ""
    title: str = ""
    """Of a ticket."""


class BehindPage(Model):
    """A page of what is behind a number, in the order in which it began."""

    items: list[BehindView]
    next: str | None
    count: int
    """How many there are on all pages: those that the caller may open."""
