"""What a process writes down of itself, all at once: its beat, its channels, what came to its doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal_column, select, update

from storage.asked import Asked
from storage.ledger import Ledger
from storage.rows import Row
from storage.watch.schema import arrivals, channel_states, hook_attempts, processes
from storage.work.units import asked

KEPT = 200  # arrivals of a channel: so many that were taken, and so many that were refused
KEPT_ATTEMPTS = 200  # of a webhook
FORGET_SECONDS = 3600.0  # after which a process that says nothing is forgotten
_zero: Any = literal_column("0")


def _values(table: Any, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    return {it.name: bindparam(f"v_{it.name}") for it in table.columns if it.name not in keys}


BEAT = (
    update(processes).where(processes.c.name == bindparam("n")).values(**_values(processes)).returning(processes.c.name)
)
JOIN = insert(processes).values(**_values(processes))
LEAVE = delete(processes).where(processes.c.name == bindparam("n"))
GONE = delete(processes).where(processes.c.beat_at < bindparam("before"))
LAST = select(
    func.max(channel_states.c.heard_at).label("heard"), func.max(channel_states.c.sent_at).label("sent")
).where(channel_states.c.channel == bindparam("channel"))
_state = (channel_states.c.channel == bindparam("c"), channel_states.c.process == bindparam("p"))
STATE = update(channel_states).where(*_state).values(**_values(channel_states)).returning(channel_states.c.channel)
NEW_STATE = insert(channel_states).values(**_values(channel_states))
# A process that writes has the times of those before it: their rows may go.
OLD_STATES = delete(channel_states).where(
    channel_states.c.channel == bindparam("c"),
    channel_states.c.process != bindparam("p"),
    channel_states.c.process.notin_(select(processes.c.name)),
)
ARRIVED = insert(arrivals).values(**_values(arrivals, ("id",)))
_kind = (arrivals.c.channel == bindparam("c"), arrivals.c.refused == bindparam("r"))
_last_kept = (select(arrivals.c.id).where(*_kind).order_by(arrivals.c.id.desc()).limit(literal_column("1"))).offset(
    literal_column(str(KEPT))
)
TRIM = delete(arrivals).where(*_kind, arrivals.c.id <= _last_kept.scalar_subquery())
TRIED = insert(hook_attempts).values(**_values(hook_attempts, ("id",)))
_of_hook = hook_attempts.c.hook == bindparam("h")
_last_try = (
    select(hook_attempts.c.id).where(_of_hook).order_by(hook_attempts.c.id.desc()).limit(literal_column("1"))
).offset(literal_column(str(KEPT_ATTEMPTS)))
TRIM_TRIES = delete(hook_attempts).where(_of_hook, hook_attempts.c.id <= _last_try.scalar_subquery())


@dataclass
class Report:
    """What one process has to say: its own row, its channels' and arrivals, as rows of the tables."""

    process: Row
    channels: list[Row] = field(default_factory=list)
    arrivals: list[Row] = field(default_factory=list)


def _given(row: Row) -> Row:
    return {f"v_{name}": value for name, value in row.items()}


def write_report(ledger: Ledger, report: Report) -> None:
    """One unit. What processes said that have been silent for an hour is forgotten."""
    rows = asked(ledger)
    mine = report.process["name"]
    rows.run(GONE, before=report.process["beat_at"] - FORGET_SECONDS)
    if not list(rows.run(BEAT, n=mine, **_given(report.process))):
        rows.run(JOIN, **_given(report.process))
    for state in report.channels:
        _write_state(rows, state)
    for arrival in report.arrivals:
        rows.run(ARRIVED, **_given(arrival))
    for channel, refused in sorted({(it["channel"], it["refused"]) for it in report.arrivals}):
        rows.run(TRIM, c=channel, r=refused)


def _write_state(rows: Asked, state: Row) -> None:
    channel, process = state["channel"], state["process"]
    last = rows.one(LAST, channel=channel) or {}
    newest = {
        "heard_at": max(state["heard_at"], last.get("heard") or 0.0),
        "sent_at": max(state["sent_at"], last.get("sent") or 0.0),
    }
    if not list(rows.run(STATE, c=channel, p=process, **_given({**state, **newest}))):
        rows.run(NEW_STATE, **_given({**state, **newest}))
    rows.run(OLD_STATES, c=channel, p=process)


def leave(ledger: Ledger, process: str) -> None:
    """The process ends: nobody need wait to see that."""
    asked(ledger).run(LEAVE, n=process)


def write_attempt(ledger: Ledger, attempt: Row) -> None:
    """An attempt to deliver, beside what became of the webhook."""
    rows = asked(ledger)
    rows.run(TRIED, **_given(attempt))
    rows.run(TRIM_TRIES, h=attempt["hook"])
