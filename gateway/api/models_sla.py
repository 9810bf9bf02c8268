"""What the API says of hours and promises."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api.models import Given, Id, Model
from gateway.api.models_conversations import Deadline


class SlaQuery(Given):
    """Which session of the conversation."""

    session: Annotated[int, Field(ge=0, le=2**53, strict=False)] = 0
    """Its number; 0: the last one."""


class Entry(Model):
    """A stretch of a clock's time; the next one begins where it ends."""

    since: datetime
    until: datetime
    cause: Literal["counted", "client", "hold", "hours"]
    """What became of it: it counted; the client had the word; the session was put aside; the line was closed."""
    seconds: float


class Spent(Model):
    """Seconds by what became of them."""

    counted: float = 0.0
    client: float = 0.0
    hold: float = 0.0
    hours: float = 0.0


class Moved(Model):
    """A deadline that was calculated anew."""

    at: datetime
    why: Literal["hours", "priority", "line"]
    was: datetime | None
    due: datetime | None
    text: str
    """In the reader's language."""


class ClockView(Model):
    """One promise and its ledger: when as much has counted as was promised, it is due."""

    promise: Literal["first_reply", "next_reply", "resolve"]
    line: str
    """Who promised it."""
    target: float
    """Seconds of working time."""
    outcome: Literal["open", "met", "missed", "passed", "ended"]
    """`passed`: it went to another line in time; `ended`: it was no more owed."""
    opened_at: datetime
    stopped_at: datetime | None
    due: datetime | None
    """None while the clock stands."""
    late: bool
    left: float
    """Seconds of working time until the promise is broken; 0 when it is."""
    spent: Spent
    text: str
    """What was promised, in the reader's language."""
    ledger: str
    """In the reader's language: `counted 12 m · waiting for the client 40 m · outside hours 8 h`."""
    entries: list[Entry]
    changes: list[Moved]


class SlaView(Model):
    """The promises of a session, those that are open first."""

    conversation: Id
    session: int
    line: str
    now: datetime
    due: Deadline | None
    """The one that lists show."""
    clocks: list[ClockView]


class RiskQuery(Given):
    """Which lines."""

    line: Annotated[str, StringConstraints(max_length=32, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """Only this one."""
    limit: int = Field(default=100, ge=1, le=500, strict=False)


class Risk(Model):
    """A session whose promise is about to be broken, or is."""

    conversation: Id
    session: int
    epoch: int
    line: str
    operator: str
    """Who has it: `user:7`; empty in the queue."""
    status: str
    priority: int
    due: Deadline


class Risks(Model):
    """The most urgent first. `late` and `soon` are how many there are in all, of what may be seen."""

    items: list[Risk]
    late: int
    soon: int


class OpenSpan(Model):
    """Working time of a weekday, 1 is Monday."""

    day: int
    opens: str
    closes: str


class LineHours(Model):
    """When a line works."""

    line: str
    title: str
    timezone: str
    now: datetime
    open: bool
    opens_at: datetime | None
    """The next opening while it is closed; none when there is none in a year, or while it is open."""
    closes_at: datetime | None
    """While it is open; none when it never closes."""
    week: list[OpenSpan]
    holidays: list[date]
    """Days off from today on."""
