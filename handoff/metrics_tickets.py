"""The life of a ticket from its history, and what it gives to each number of the reports. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.accounts import operator_id
from core.tickets import phases, stands_since
from handoff.metrics_counting import Measure

PERSON = operator_id(0).removesuffix("0")
DESK = "desk"


@dataclass(frozen=True)
class TicketLife:
    """A ticket with its history, the oldest entry first. Moments in seconds since the epoch, 0 for none; `now` is when it is
    looked at. `master` is the ticket that it was joined to."""

    number: int
    conversation: int
    channel: str
    desk: str
    category: str
    client: int
    line: str
    operator: str
    opened_at: float
    solved_at: float
    deadline: float
    rating: int
    master: int
    now: float
    entries: Sequence[Mapping[str, Any]]


def _whole(life: TicketLife, value: float) -> Measure:
    """A measure of the ticket as a whole: for its line and whoever has it."""
    return Measure(value, life.opened_at, life.line, life.operator)


def count_ticket(life: TicketLife) -> Iterator[Measure]:
    yield _whole(life, 1.0)


def solved(life: TicketLife) -> Iterator[Measure]:
    if life.solved_at and not life.master:
        yield Measure(1.0, life.solved_at, life.line, life.operator)


def first_answer(life: TicketLife) -> Iterator[Measure]:
    for entry in () if life.master else life.entries:
        by = str(entry.get("by", ""))
        if entry.get("comment") and entry.get("told") and (by.startswith(PERSON) or by == DESK):
            at = float(entry["at"])
            yield Measure(at - life.opened_at, at, life.line, by if by != DESK else "")
            return


def resolution(life: TicketLife) -> Iterator[Measure]:
    if life.solved_at and not life.master:
        yield Measure(life.solved_at - life.opened_at, life.solved_at, life.line, life.operator)


def reopened(life: TicketLife) -> Iterator[Measure]:
    """1 for a ticket that was solved and went on, 0 for one that was solved and stayed so."""
    groups = [means for _, means in phases(life.entries)]
    if "done" in groups and not life.master:
        yield _whole(life, float(groups[-1] != "done" or groups.count("done") > 1))


def overdue(life: TicketLife) -> Iterator[Measure]:
    """1 for a ticket that was open when its deadline passed, 0 for one that was not, of those that have a deadline."""
    if life.deadline and not life.master:
        until = stands_since(life.entries) or life.now
        yield _whole(life, float(until > life.deadline))


def ratings(life: TicketLife) -> Iterator[Measure]:
    if life.rating and not life.master:
        yield _whole(life, float(life.rating))
