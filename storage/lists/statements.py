"""Statements of lists of sessions: one for each kind of source, order and set of filters, made once and kept.

A list is merged from sources that one index answers each, in order: the lines that somebody may see, the talks of the bot in
their channels, what they have in person.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, tuple_

from storage.tables import clients, conversations
from storage.work.schema import sessions
from storage.work.sessions import SEEN

Source = Literal["line", "channel", "own", "live", "found", "person", "category"]
Sort = Literal["last", "due"]
FILTERS = ("line", "channel", "operator", "status", "category")

ONE: ColumnElement[Any] = literal_column("1")
ZERO: ColumnElement[Any] = literal_column("0")
NOTHING: ColumnElement[str] = literal_column("''")
_p = bindparam
_current = sessions.c.current == ONE
_talk = sessions.join(conversations, conversations.c.id == sessions.c.conversation)
_STATUSES = {
    "queue": sessions.c.status == literal_column("'queued'"),
    "waiting": sessions.c.status == literal_column("'waiting'"),
    "assigned": sessions.c.status == literal_column("'assigned'"),
    "held": sessions.c.status == literal_column("'held'"),
    "mine": sessions.c.operator == _p("viewer"),
    "bot": sessions.c.status == literal_column("'bot'"),
}
_FEW = frozenset({"own", "person", "found"})
_SOURCES: dict[Source, tuple[ColumnElement[bool], ...]] = {
    "line": (sessions.c.line == _p("the_line"),),
    "channel": (sessions.c.line == NOTHING, sessions.c.channel == _p("the_channel")),
    "own": (sessions.c.operator == _p("viewer"), sessions.c.operator != NOTHING),
    "live": (conversations.c.live == ONE,),
    "person": (sessions.c.operator == _p("only_operator"), sessions.c.operator != NOTHING),
    "category": (sessions.c.category == _p("only_category"), sessions.c.category != NOTHING),
    "found": (sessions.c.client.in_(select(clients.c.id).where(clients.c.words.like(_p("like"), escape="!"))),),
}


@cache
def listing(source: Source, view: str, sort: Sort, filters: frozenset[str], after: bool) -> Select[Any]:
    """Rows of `conversation`, `number` and `place` (what the list is ordered by), with the filter of what may be seen.

    Parameters: those of `sight_values`, `n`, the source's own, `only_<filter>`, and `place` and `conversation` of the row
    behind which the page begins, with `after`.
    """
    place = _place(source, sort)
    found = select(sessions.c.conversation, sessions.c.number, place.label("place")).where(_current, SEEN)
    found = found.where(*_SOURCES[source], *([_STATUSES[view]] if view in _STATUSES else []))
    found = found.where(*(sessions.c[name] == _p(f"only_{name}") for name in sorted(filters)))
    if source == "live":
        found = found.select_from(_talk)
    order = (place, sessions.c.conversation)
    if after:
        here, there = tuple_(*order), tuple_(_p("place", type_=place.type), _p("conversation", type_=order[1].type))
        found = found.where(here > there if sort == "due" else here < there)
    found = found.order_by(*(it if sort == "due" else it.desc() for it in order))
    return found.limit(_p("n")).offset(ZERO)


def _place(source: Source, sort: Sort) -> ColumnElement[float]:
    if sort == "due":
        place: ColumnElement[float] = sessions.c.order_due
    else:
        place = conversations.c.last_at if source == "live" else sessions.c.last_at
    # A sum is in no index: few rows are found first and sorted then, not all rows walked through in order.
    return place + ZERO if source in _FEW else place


# Which lines and channels there are, by leaps over the index: each question is one step.
NEXT_LINE = select(func.min(sessions.c.line)).where(_current, sessions.c.line > _p("after"))
NEXT_CHANNEL = select(func.min(sessions.c.channel)).where(
    _current, sessions.c.line == NOTHING, sessions.c.channel > _p("after")
)

# --- counts: by an index alone; the line, the channel or the person is the filter of what may be seen -----------------

OF_LINE = (
    select(sessions.c.status, func.count().label("n"))
    .where(_current, sessions.c.line == _p("the_line"))
    .group_by(sessions.c.status)
)
# In the order of the index, so that nothing is sorted.
OF_ALL = select(sessions.c.status, func.count().label("n")).where(_current).group_by(sessions.c.line, sessions.c.status)
OF_CHANNEL = select(func.count()).where(_current, sessions.c.line == NOTHING, sessions.c.channel == _p("the_channel"))
OF_PERSON = select(sessions.c.line, sessions.c.status).where(
    _current, sessions.c.operator == _p("viewer"), sessions.c.operator != NOTHING
)
LIVE = select(func.count()).select_from(_talk).where(_current, SEEN, *_SOURCES["live"], _STATUSES["bot"])
