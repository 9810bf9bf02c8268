"""What a row of a list shows: the session with its client, the last word, and how much of it somebody has not read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, literal_column, select

from storage.accounts.schema import users
from storage.asked import Asked
from storage.cards.schema import read_marks
from storage.routing.schema import waits
from storage.rows import Row
from storage.tables import clients, conversations, messages
from storage.work.schema import sessions

T = TypeVar("T")

CHUNK = 25  # rows that one question fetches; what is not needed of them asks for number 0, which nothing has
MOST_UNREAD = 100  # more are not counted
_p = bindparam
ONE: ColumnElement[Any] = literal_column("1")
ZERO: ColumnElement[Any] = literal_column("0")
_ids: list[BindParameter[Any]] = [_p(f"id{n}") for n in range(CHUNK)]


def _statement() -> Select[Any]:
    each, said = messages.alias("each"), messages.alias("said")
    newest = (
        select(func.max(each.c.seq))
        .where(each.c.conversation == sessions.c.conversation)
        .correlate(sessions)
        .scalar_subquery()
    )
    fresh = (
        select(said.c.seq)
        .where(
            said.c.conversation == sessions.c.conversation,
            said.c.seq > func.coalesce(read_marks.c.seq, ZERO),
            said.c.author == literal_column("'client'"),
        )
        .limit(literal_column(str(MOST_UNREAD)))
        .offset(ZERO)
        .correlate(sessions, read_marks)
        .subquery()
    )
    unread = select(func.count()).select_from(fresh).scalar_subquery()
    marked = and_(read_marks.c.conversation == sessions.c.conversation, read_marks.c.user_id == _p("user_id"))
    last = and_(messages.c.conversation == sessions.c.conversation, messages.c.seq == newest)
    waiting = and_(waits.c.conversation == sessions.c.conversation, waits.c.epoch == sessions.c.epoch)
    return (
        select(
            *sessions.columns,
            clients.c.card,
            conversations.c.last_at.label("spoke_at"),
            unread.label("unread"),
            waits.c.cause,
            *(
                messages.c[name].label(f"said_{name}")
                for name in ("seq", "author", "operator", "at", "event", "message")
            ),
        )
        .select_from(
            sessions.join(conversations, conversations.c.id == sessions.c.conversation)
            .outerjoin(clients, clients.c.id == sessions.c.client)
            .outerjoin(read_marks, marked)
            .outerjoin(messages, last)
            .outerjoin(waits, waiting)
        )
        .where(sessions.c.current == ONE, sessions.c.conversation.in_(_ids))
    )


DETAILS = _statement()
TITLES = select(users.c.id, users.c.title).where(users.c.id.in_(_ids))


def details(reads: Asked, ids: Sequence[int], user: int) -> dict[int, Row]:
    """Conversation → its current session with `card`, `unread`, `spoke_at` and the last message as `said_…`."""
    found = by_chunks(ids, lambda values: reads.all(DETAILS, user_id=user, **values), 0)
    return {row["conversation"]: row for row in found}


def titles(reads: Asked, ids: Sequence[int]) -> dict[int, str]:
    """Account → what others read."""
    return {row["id"]: row["title"] for row in by_chunks(ids, lambda values: reads.all(TITLES, **values), 0)}


def by_chunks(ids: Sequence[T], ask: Callable[[dict[str, T]], list[Row]], nobody: T) -> list[Row]:
    """The rows of any number of ids, so many to a question; `nobody` is an id that nothing has."""
    wanted = list(dict.fromkeys(ids))
    rows: list[Row] = []
    for begin in range(0, len(wanted), CHUNK):
        part = wanted[begin : begin + CHUNK]
        rows += ask({f"id{n}": part[n] if n < len(part) else nobody for n in range(CHUNK)})
    return rows
