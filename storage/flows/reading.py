"""The event log as the pages of flows read it. Facts of the bot have no index: a period is found by its place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, or_, select

from storage.accounts.tables import packed
from storage.asked import Asked
from storage.lists.details import CHUNK, by_chunks
from storage.tables import clients, conversations, records
from storage.work.schema import sessions
from storage.work.sessions import everything, listed

# The log is written in the order of time, but for clocks of several processes that differ: by less than this many seconds.
APART = 3600.0
STEPS = ("step_entered", "answered", "wrong", "too_many", "silent", "back", "cancelled", "digressed", "handed", "error")
RUNS = ("run_started", "run_ended")

_p = bindparam
ONE: ColumnElement[Any] = literal_column("1")
ZERO: ColumnElement[Any] = literal_column("0")
_kinds = records.c.kind.in_([literal_column(f"'{kind}'") for kind in (*STEPS, *RUNS)])
_channel = select(conversations.c.id).where(listed("channels", conversations.c.channel))
# What the bot does belongs to the line of the channel where it does it.
_seen: ColumnElement[bool] = or_(everything, records.c.conversation.in_(_channel))
_period = (
    records.c.id >= _p("first"),
    records.c.id <= _p("last"),
    records.c.at >= _p("since"),
    records.c.at < _p("until"),
)
_ids = records.c.data.in_([_p(f"id{n}") for n in range(CHUNK)])

LAST = select(func.max(records.c.id))
AT = (
    select(records.c.id, records.c.at)
    .where(records.c.id >= _p("the_id"))
    .order_by(records.c.id)
    .limit(ONE)
    .offset(ZERO)
)
_times: ColumnElement[int] = func.count()
COUNTED: Select[Any] = (
    select(records.c.kind, records.c.data, _times.label("times"))
    .where(*_period, _kinds, _seen)
    .group_by(records.c.kind, records.c.data)
)
UNCAUGHT: Select[Any] = (
    select(
        records.c.data,
        _times.label("times"),
        func.count(records.c.conversation.distinct()).label("people"),
        func.max(records.c.at).label("last_at"),
    )
    .where(*_period, records.c.kind == literal_column("'uncaught'"), _seen)
    .group_by(records.c.data)
    .order_by(_times.desc(), func.max(records.c.at).desc(), records.c.data)
    .limit(_p("n"))
    .offset(ZERO)
)
FACTS: Select[Any] = select(records.c.data).where(*_period, records.c.kind == _p("kind"), _seen).distinct()
THERE: Select[Any] = (
    select(records.c.conversation, func.max(records.c.at).label("at"), _times.label("times"))
    .where(*_period, records.c.kind == _p("kind"), _ids, _seen)
    .group_by(records.c.conversation)
)
# The session of a conversation that was on at a moment, and who it is with.
SESSION_AT = (
    select(sessions.c.number, sessions.c.client, sessions.c.channel, clients.c.card)
    .select_from(sessions.outerjoin(clients, clients.c.id == sessions.c.client))
    .where(sessions.c.conversation == _p("conversation"), sessions.c.opened_at <= _p("moment"))
    .order_by(sessions.c.number.desc())
    .limit(ONE)
    .offset(ZERO)
)


class Period(NamedTuple):
    """From `since` to `until` (seconds), and between which places of the log."""

    since: float
    until: float
    first: int
    last: int


class Counted(NamedTuple):
    """How often one and the same was recorded. `data` is the fact as it is stored."""

    kind: str
    data: bytes
    times: int


class Phrase(NamedTuple):
    """A message that nobody caught: the fact, how often, in how many conversations, when last (seconds)."""

    data: bytes
    times: int
    people: int
    last_at: float


class There(NamedTuple):
    """A session in which something happened: when last (seconds), how often. `card` is that of its client."""

    conversation: int
    session: int
    client: int
    card: bytes | None
    channel: str
    at: float
    times: int


def find_period(reads: Asked, since: float, until: float, within: Period | None = None) -> Period:
    """Where the facts of a period stand in the log, found by halves: a few dozen looks at single rows. `within` is a longer
    period whose places are known."""
    low, high = (within.first, within.last) if within is not None else (1, int(reads.value(LAST) or 0))
    first = _first_from(reads, since - APART, low, high)
    return Period(since, until, first, min(_first_from(reads, until + APART, first, high), high))


def _first_from(reads: Asked, moment: float, low: int, last: int) -> int:
    """The id of the first fact from `low` on that was not before a moment; one beyond the last when there is none."""
    high = max(low, last + 1)
    while low < high:
        middle = (low + high) // 2
        row = reads.one(AT, the_id=middle)
        if row is None or row["at"] >= moment:
            high = middle
        else:
            low = int(row["id"]) + 1
    return low


def count_facts(reads: Asked, period: Period, channels: Sequence[str] | None) -> list[Counted]:
    """What happened in runs of flows, equal facts together; only in these channels, in all without."""
    return [Counted(row[0], bytes(row[1]), row[2]) for row in reads.run(COUNTED, **_values(period, channels))]


def find_uncaught(reads: Asked, period: Period, channels: Sequence[str] | None, limit: int) -> list[Phrase]:
    """What no flow caught, the most frequent first."""
    rows = reads.run(UNCAUGHT, n=limit, **_values(period, channels))
    return [Phrase(bytes(row[0]), row[1], row[2], row[3]) for row in rows]


def find_facts(reads: Asked, period: Period, channels: Sequence[str] | None, kind: str) -> list[bytes]:
    """All different facts of a kind, as they are stored."""
    return [bytes(row[0]) for row in reads.run(FACTS, kind=kind, **_values(period, channels))]


def find_there(
    reads: Asked, period: Period, channels: Sequence[str] | None, kind: str, facts: Sequence[bytes], limit: int
) -> list[There]:
    """Sessions in which one of these facts was recorded, the latest first; one for each conversation."""
    values = _values(period, channels)
    rows = by_chunks(facts, lambda ids: reads.all(THERE, kind=kind, **ids, **values), b"")
    latest: dict[int, tuple[float, int]] = {}
    for row in rows:
        at, times = latest.get(row["conversation"], (0.0, 0))
        latest[row["conversation"]] = (max(at, row["at"]), times + row["times"])
    newest = sorted(latest.items(), key=lambda it: (-it[1][0], it[0]))[:limit]
    return [it for home, (at, times) in newest if (it := _there(reads, home, at, times)) is not None]


def _there(reads: Asked, conversation: int, at: float, times: int) -> There | None:
    row = reads.one(SESSION_AT, conversation=conversation, moment=at)
    if row is None:
        return None
    return There(conversation, row["number"], row["client"], row["card"], row["channel"], at, times)


def _values(period: Period, channels: Sequence[str] | None) -> dict[str, Any]:
    return {**period._asdict(), "everything": int(channels is None), "channels": packed(channels or ())}
