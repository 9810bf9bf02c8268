"""What people ask about channels, webhooks and the house itself. Everything is bounded: a page that is open costs little."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, literal_column, or_, select, union_all

from storage.asked import Asked
from storage.rows import Row
from storage.tables import files, leases, outbox
from storage.watch.schema import arrivals, channel_states, hook_attempts, processes

FAILED_ROWS = 2_000  # the newest rows that failed, of all channels
_zero: Any = literal_column("0")
_one: Any = literal_column("1")

PROCESSES = select(processes).order_by(processes.c.name)
STATES = select(channel_states)
HELD = select(leases).where(leases.c.owner != literal_column("''"))
_waiting = (outbox.c.channel, outbox.c.created_at)
_both = union_all(
    select(*_waiting).where(outbox.c.state == _zero, outbox.c.lane == _one),
    select(*_waiting).where(outbox.c.state == _zero, outbox.c.lane == _zero),
).subquery()
WAITING = select(_both.c.channel, func.count().label("count"), func.min(_both.c.created_at).label("since")).group_by(
    _both.c.channel
)
_failed = (
    select(outbox.c.id, outbox.c.channel, outbox.c.kind, outbox.c.state, outbox.c.settled_at, outbox.c.reason)
    .where(outbox.c.state.in_([literal_column("2"), literal_column("3")]))
    .order_by(outbox.c.id.desc())
    .limit(bindparam("n"))
    .offset(_zero)
)
FAILED = _failed
ARRIVALS = (
    select(arrivals)
    .where(
        arrivals.c.channel == bindparam("channel"),
        or_(bindparam("every") == _one, arrivals.c.refused == _one),
        arrivals.c.id < bindparam("before"),
    )
    .order_by(arrivals.c.id.desc())
    .limit(bindparam("n"))
    .offset(_zero)
)
ATTEMPTS = (
    select(hook_attempts)
    .where(
        hook_attempts.c.hook == bindparam("hook"),
        or_(bindparam("every") == _one, hook_attempts.c.error != literal_column("''")),
        hook_attempts.c.id < bindparam("before"),
    )
    .order_by(hook_attempts.c.id.desc())
    .limit(bindparam("n"))
    .offset(_zero)
)
FILES = select(func.count().label("count"), func.coalesce(func.sum(files.c.size), _zero).label("bytes")).where(
    files.c.sha256 != literal_column("''")
)


def living(reads: Asked, now: float, silent: float) -> list[Row]:
    """The processes that have been heard of within so many seconds."""
    return [row for row in reads.all(PROCESSES) if row["beat_at"] >= now - silent]


def all_processes(reads: Asked) -> list[Row]:
    """Those that run, and those that were heard of within the last hour."""
    return reads.all(PROCESSES)


def channel_rows(reads: Asked) -> list[Row]:
    """Every channel as each process knows it."""
    return reads.all(STATES)


def held_leases(reads: Asked) -> dict[str, str]:
    """Which process has which lease (`poll:<channel>`, `send:<channel>`, `hook:<name>`), as far as any was ever taken."""
    return {row["name"]: row["owner"] for row in reads.all(HELD)}


def waiting(reads: Asked) -> dict[str, Row]:
    """By channel: rows of the outbox that wait (`count`), and since when the oldest does (`since`)."""
    return {row["channel"]: row for row in reads.all(WAITING)}


def failed(reads: Asked) -> list[Row]:
    """The newest rows of the outbox that failed, or of which nobody knows whether they came through."""
    return reads.all(FAILED, n=FAILED_ROWS)


def arrivals_of(reads: Asked, channel: str, refused: bool, before: int, limit: int) -> list[Row]:
    """What came to a channel's webhook, the newest first; only what was refused, if so wanted."""
    return reads.all(ARRIVALS, channel=channel, every=int(not refused), before=before, n=limit)


def attempts_of(reads: Asked, hook: str, failed: bool, before: int, limit: int) -> list[Row]:
    """Attempts to deliver an outgoing webhook, the newest first; only those that failed, if so wanted."""
    return reads.all(ATTEMPTS, hook=hook, every=int(not failed), before=before, n=limit)


def stored_files(reads: Asked) -> Row:
    """How many files there are (`count`), and how many bytes."""
    return reads.one(FILES) or {"count": 0, "bytes": 0}
