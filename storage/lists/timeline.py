"""One stream over all talks of a client: each keeps its order, the newest comes first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, literal_column, select

from core.access import Sight
from storage.asked import Asked
from storage.lists.talk import BEFORE, NOTES_BEFORE
from storage.rows import Row
from storage.work.schema import sessions
from storage.work.sessions import SEEN, sight_values

_p = bindparam
ONE: ColumnElement[Any] = literal_column("1")
END = 2**53
Kind = Literal["message", "note", "session"]

SEEN_OF = (
    select(sessions.c.conversation, sessions.c.channel, sessions.c.status, sessions.c.line)
    .where(sessions.c.client == _p("client"), sessions.c.current == ONE, SEEN)
    .order_by(sessions.c.conversation)
)
TALKS = select(sessions.c.conversation).where(sessions.c.client == _p("client"), sessions.c.current == ONE)
BEGUN_BEFORE = (
    select(sessions)
    .where(sessions.c.conversation == _p("conversation"), sessions.c.number < _p("before"))
    .order_by(sessions.c.number.desc())
    .limit(_p("n"))
    .offset(literal_column("0"))
)


@dataclass(frozen=True)
class Reached:
    """How far back a talk has been read: the next messages, notes and sessions are below these numbers."""

    message: int = END
    note: int = END
    session: int = END


@dataclass(frozen=True)
class Stretch:
    """`items` the newest first: (kind, conversation, row). `reached` is where the next stretch begins, None at the end.
    `hidden`: talks of the client that are not for whoever asks."""

    items: list[tuple[Kind, int, Row]]
    reached: dict[int, Reached] | None
    hidden: int


def seen_talks(reads: Asked, sight: Sight, client: int) -> list[Row]:
    """The talks of a client that may be seen: `conversation`, `channel`, `status`, `line`."""
    return reads.all(SEEN_OF, client=client, **sight_values(sight))


def read_timeline(
    reads: Asked, sight: Sight, client: int, reached: Mapping[int, Reached], limit: int
) -> Stretch | None:
    """The next `limit` things in the talks of a client that may be seen; None when none may."""
    homes = [row["conversation"] for row in seen_talks(reads, sight, client)]
    if not homes:
        return None
    hidden = len(reads.column(TALKS, client=client)) - len(homes)
    streams = [_stream(reads, home, kind, reached.get(home, Reached()), limit) for home in homes for kind in _READ]
    items = [it for it, _ in zip(heapq.merge(*streams, key=_newest_first), range(limit + 1), strict=False)]
    page = [(kind, home, row) for _, kind, home, row in items[:limit]]
    now = {home: reached.get(home, Reached()) for home in homes}
    for kind, home, row in page:
        now[home] = _move(now[home], kind, row)
    return Stretch(page, now if len(items) > limit else None, hidden)


Item = tuple[float, Kind, int, Row]
# Kind → statement, the column that numbers it, the column of its time; at one moment the first are shown above the last.
_READ: dict[Kind, tuple[Any, str, str]] = {
    "note": (NOTES_BEFORE, "id", "at"),
    "message": (BEFORE, "seq", "at"),
    "session": (BEGUN_BEFORE, "number", "opened_at"),
}
_RANK = {kind: n for n, kind in enumerate(_READ)}


def _newest_first(item: Item) -> tuple[float, int]:
    return -item[0], _RANK[item[1]]


def _stream(reads: Asked, home: int, kind: Kind, reached: Reached, limit: int) -> Iterator[Item]:
    """Times that run backwards, whatever clocks did: something is never newer than what came after it."""
    statement, _, at = _READ[kind]
    latest = float("inf")
    for row in reads.all(statement, conversation=home, before=getattr(reached, kind), n=limit + 1):
        latest = min(latest, row[at])
        yield latest, kind, home, row


def _move(reached: Reached, kind: Kind, row: Row) -> Reached:
    number = row[_READ[kind][1]]
    values = {"message": reached.message, "note": reached.note, "session": reached.session} | {kind: number}
    return Reached(**values)
