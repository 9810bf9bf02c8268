"""Why the deadline of a ticket is what it is: what of its time counted, what did not, and who moved the deadline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from core.tickets import phases
from handoff.hours import Hours, split

# counted: somebody had to work on it · client: it waited for the client · done: it was solved · hours: the line was closed
Cause = Literal["counted", "client", "done", "hours"]
CAUSES: tuple[Cause, ...] = ("counted", "client", "done", "hours")


class Stretch(NamedTuple):
    """A part of a ticket's time and what became of it. Moments in seconds since the epoch, UTC."""

    since: float
    until: float
    cause: Cause

    @property
    def seconds(self) -> float:
        return self.until - self.since


class Moved(NamedTuple):
    """A deadline that was set. `was` and `due` are 0 for none; `stood` (seconds) where it moved because the ticket had stood."""

    at: float
    by: str
    was: float
    due: float
    stood: float


def stretches(entries: Iterable[Mapping[str, Any]], hours: Hours | None, now: float) -> list[Stretch]:
    """A ticket's time from its birth to now, without a gap; the last one ends when it was solved. No hours: day and night."""
    found = phases(entries)
    ends = [at for at, _ in found[1:]] + ([now] if found and found[-1][1] != "done" else [])
    parts: list[Stretch] = []
    for (since, means), until in zip(found, ends, strict=False):
        if until <= since:
            continue
        if means != "open":
            parts.append(Stretch(since, until, "client" if means == "waiting" else "done"))
        else:
            parts += _working(since, until, hours)
    return parts


def _working(since: float, until: float, hours: Hours | None) -> Iterator[Stretch]:
    if hours is None:
        yield Stretch(since, until, "counted")
        return
    for start, end, open_ in split(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC), hours):
        yield Stretch(start.timestamp(), end.timestamp(), "counted" if open_ else "hours")


def sums(parts: Iterable[Stretch]) -> dict[Cause, float]:
    """Seconds by what became of them; only causes that there were, in the order of `CAUSES`."""
    found: dict[Cause, float] = {}
    for part in parts:
        found[part.cause] = found.get(part.cause, 0.0) + part.seconds
    return {cause: found[cause] for cause in CAUSES if cause in found}


def moves(entries: Iterable[Mapping[str, Any]]) -> list[Moved]:
    """Who set or moved the deadline, the oldest first. Tickets of before this was written down begin with none."""
    found: list[Moved] = []
    was = 0.0
    for entry in entries:
        if "deadline" not in entry:
            continue
        due = float(entry["deadline"])
        found.append(Moved(float(entry["at"]), str(entry.get("by", "")), was, due, float(entry.get("stood", 0.0))))
        was = due
    return found
