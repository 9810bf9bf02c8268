"""What people ask of tickets: lists, one of them with all that belongs to it, possible duplicates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from core.access import Sight
from core.normal import normal
from storage.asked import Asked
from storage.codec import decode_dict
from storage.queries import TICKET_ENTRIES
from storage.rows import Row
from storage.tables import clients, conversations, tickets
from storage.tickets.pushes import last_push
from storage.tickets.schema import ticket_notes, ticket_sessions
from storage.tickets.seen import TICKET_SEEN
from storage.tickets.similar import LIKE, likeness
from storage.tickets.statements import JOINED
from storage.work.schema import sessions
from storage.work.sessions import sight_values

Sort = Literal["deadline", "updated"]
RECENT = 30 * 86_400.0  # seconds: how old a possible duplicate may be
CANDIDATES = 200  # of one client that are looked at
SUGGESTED = 5

_zero: ColumnElement[int] = literal_column("0")
_one: ColumnElement[int] = literal_column("1")
_nothing: ColumnElement[str] = literal_column("''")
_never: ColumnElement[float] = literal_column("1e18")


class TicketQuery(msgspec.Struct, frozen=True):
    """A page of tickets. `after` is the key and the number of the last ticket of the page before."""

    sort: Sort = "deadline"
    limit: int = 50
    desk: str = ""
    group: str = ""
    status: str = ""
    assignee: str = ""
    client: int = 0
    line: str = ""
    q: str = ""
    session: tuple[int, int] | None = None  # conversation and number
    joined: bool = False  # with those that were joined to another
    nobodys: bool = False  # given to nobody
    late_at: float = 0.0  # open ones whose deadline has passed by this moment; 0: all
    after: tuple[float, int] | None = None


# --- lists -----------------------------------------------------------------------------------------------------------

_GROUPS = {
    "open": and_(tickets.c.done == _zero, tickets.c.waiting == _zero),
    "waiting": and_(tickets.c.done == _zero, tickets.c.waiting == _one),
    "done": tickets.c.done == _one,
}
_key: BindParameter[float] = bindparam("key", type_=Float())
_keys: dict[str, ColumnElement[float]] = {
    "deadline": case((and_(tickets.c.done == _zero, tickets.c.deadline > _zero), tickets.c.deadline), else_=_never),
    "updated": tickets.c.updated_at,
}
_linked_to = exists(
    select(_one)
    .select_from(ticket_sessions)
    .where(
        ticket_sessions.c.ticket == tickets.c.number,
        ticket_sessions.c.conversation == bindparam("conversation"),
        ticket_sessions.c.session == bindparam("session"),
    )
)
# A ticket with what its client is called, and in which channel it began.
_told = tickets.outerjoin(clients, clients.c.id == tickets.c.client).outerjoin(
    conversations, conversations.c.id == tickets.c.conversation
)
_FACED = (tickets, clients.c.card, conversations.c.channel)
_said = func.replace(tickets.c.words, bindparam("q"), _nothing) != tickets.c.words
_PLAIN = ("desk", "status", "assignee", "client", "line")
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    **{name: tickets.c[name] == bindparam(name) for name in _PLAIN},
    **_GROUPS,
    "q": _said,
    "number": or_(_said, tickets.c.number == bindparam("number")),
    "session": _linked_to,
    "whole": tickets.c.master == _zero,
    "nobodys": tickets.c.assignee == _nothing,
    # The clock of one that waits for its client stands.
    "late": and_(_GROUPS["open"], tickets.c.deadline > _zero, tickets.c.deadline <= bindparam("late_at")),
}


def list_tickets(reads: Asked, sight: Sight, query: TicketQuery) -> list[Row]:
    """Rows with their sort key as `sort_key`, the client's `card` and the `channel`; one more than `limit` when there is a
    further page."""
    conditions, values = _asked(sight, query)
    values |= {"n": query.limit + 1}
    values["key"], values["last"] = query.after or (0.0, 0)
    return reads.all(_listing(conditions, query.sort, query.after is not None), **values)


def count_tickets(reads: Asked, sight: Sight, query: TicketQuery) -> list[Row]:
    """How many there are (`n`) by `desk`, `status`, `done` and `waiting`."""
    conditions, values = _asked(sight, query)
    return reads.all(_counting(conditions), **values)


def _asked(sight: Sight, query: TicketQuery) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the conditions, and the values of all that they take."""
    asked = {name: getattr(query, name) for name in _PLAIN if getattr(query, name)}
    number = query.q.strip().removeprefix("№").strip()
    conditions = [
        *asked,
        *((query.group,) if query.group else ()),
        *(("session",) if query.session else ()),
        *(("nobodys",) if query.nobodys else ()),
        *(("late",) if query.late_at else ()),
        *(() if query.joined or query.q or query.session else ("whole",)),
    ]
    values: dict[str, Any] = {**asked, **sight_values(sight), "q": normal(query.q), "late_at": query.late_at}
    if query.q:
        conditions.append("number" if number.isascii() and number.isdecimal() and len(number) < 16 else "q")
        values["number"] = int(number) if conditions[-1] == "number" else 0
    values["conversation"], values["session"] = query.session or (0, 0)
    return tuple(conditions), values


_KIND = (tickets.c.desk, tickets.c.status, tickets.c.done, tickets.c.waiting)


@cache
def _counting(conditions: tuple[str, ...]) -> Select[Any]:
    found = select(*_KIND, func.count().label("n")).where(TICKET_SEEN, *(_CONDITIONS[name] for name in conditions))
    return found.group_by(*_KIND).order_by(*_KIND)


@cache
def _listing(conditions: tuple[str, ...], sort: Sort, onward: bool) -> Select[Any]:
    """The statement for these filters, made once for each set of them."""
    key, number = _keys[sort], tickets.c.number
    found = select(*_FACED, key.label("sort_key")).select_from(_told)
    found = found.where(TICKET_SEEN, *(_CONDITIONS[name] for name in conditions))
    last: BindParameter[int] = bindparam("last")
    if sort == "deadline":
        behind = or_(key > _key, and_(key == _key, number > last))
        found = found.order_by(key, number)
    else:
        behind = or_(key < _key, and_(key == _key, number < last))
        found = found.order_by(key.desc(), number.desc())
    return (found.where(behind) if onward else found).limit(bindparam("n")).offset(_zero)


# --- one ticket ------------------------------------------------------------------------------------------------------

SEEN_TICKET = select(*_FACED).select_from(_told).where(tickets.c.number == bindparam("number"), TICKET_SEEN)
IS_SEEN = select(tickets.c.number).where(tickets.c.number == bindparam("number"), TICKET_SEEN)
NOTES = (
    select(ticket_notes.c.id, ticket_notes.c.at, ticket_notes.c.author, ticket_notes.c.text)
    .where(ticket_notes.c.ticket == bindparam("number"))
    .order_by(ticket_notes.c.id)
)
LINKS = (
    select(
        ticket_sessions.c.conversation,
        ticket_sessions.c.session,
        ticket_sessions.c.at,
        sessions.c.channel,
        sessions.c.line,
        sessions.c.status,
    )
    .select_from(ticket_sessions)
    .join(
        sessions,
        and_(sessions.c.conversation == ticket_sessions.c.conversation, sessions.c.number == ticket_sessions.c.session),
        isouter=True,
    )
    .where(ticket_sessions.c.ticket == bindparam("number"))
    .order_by(ticket_sessions.c.at, ticket_sessions.c.conversation, ticket_sessions.c.session)
)
RECENT_OF_CLIENT = (
    select(tickets)
    .where(
        tickets.c.client == bindparam("client"),
        tickets.c.created_at >= bindparam("since"),
        tickets.c.number != bindparam("number"),
        tickets.c.master == _zero,
        TICKET_SEEN,
    )
    .order_by(tickets.c.number.desc())
    .limit(literal_column(str(CANDIDATES)))
    .offset(_zero)
)


class TicketPage(msgspec.Struct):
    """A ticket with all that people see of it. `master` is the one it was joined to, where that may be seen; `joined` are those
    joined to it, `likely` possible duplicates: (row, 0 to 1). `push` is the last order to its outer desk."""

    row: Row
    entries: list[dict[str, Any]]
    notes: list[Row]
    links: list[Row]
    joined: list[Row]
    likely: list[tuple[Row, float]]
    master: Row | None = None
    push: Row | None = None


def seen_ticket(reads: Asked, sight: Sight, number: int) -> Row | None:
    """The ticket, if it may be seen."""
    return reads.one(SEEN_TICKET, number=number, **sight_values(sight))


def seen_tickets(reads: Asked, sight: Sight, numbers: Iterable[int]) -> set[int]:
    """Those of the tickets that may be seen."""
    values = sight_values(sight)
    return {number for number in numbers if reads.value(IS_SEEN, number=number, **values) is not None}


def ticket_page(reads: Asked, sight: Sight, number: int, now: float) -> TicketPage | None:
    """All of a ticket that may be seen."""
    row = seen_ticket(reads, sight, number)
    if row is None:
        return None
    joined = reads.all(JOINED, master=number)
    entries = [decode_dict.decode(entry) for (entry,) in reads.run(TICKET_ENTRIES, number=number)]
    for one in joined:  # what clients of joined tickets say is read here
        stored = (decode_dict.decode(entry) for (entry,) in reads.run(TICKET_ENTRIES, number=one["number"]))
        entries += [{**entry, "of": one["number"]} for entry in stored if entry.get("comment")]
    entries.sort(key=lambda entry: float(entry["at"]))
    likely = [] if row["master"] else likely_duplicates(reads, sight, row["client"], row["words"], now, number)
    page = TicketPage(row, entries, reads.all(NOTES, number=number), reads.all(LINKS, number=number), joined, likely)
    page.master = seen_ticket(reads, sight, row["master"]) if row["master"] else None
    page.push = last_push(reads, row, page.entries)
    return page


def likely_duplicates(
    reads: Asked, sight: Sight, client: int, words: str, now: float, number: int = 0
) -> list[tuple[Row, float]]:
    """Recent tickets of the client that read alike, in whatever channel; the likeliest first."""
    values = {"client": client, "since": now - RECENT, "number": number, **sight_values(sight)}
    found = [(row, likeness(words, row["words"])) for row in reads.all(RECENT_OF_CLIENT, **values)]
    alike = [(row, score) for row, score in found if score >= LIKE]
    return sorted(alike, key=lambda it: (-it[1], -it[0]["number"]))[:SUGGESTED]
