"""Who was called by notes, in SQL: only what one may still see is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, func, literal_column, or_, select, update

from core.access import Sight
from storage.asked import Asked
from storage.rows import Row
from storage.tables import clients, notes
from storage.tools.schema import mentions
from storage.work.schema import sessions
from storage.work.sessions import SEEN, sight_values

_zero: Any = literal_column("0")
_mine = mentions.c.user_id == bindparam("user")
_seen = (sessions.c.conversation == mentions.c.conversation) & (sessions.c.current == literal_column("1")) & SEEN
# The note that calls was written in the same moment, by the same hand.
_note = (
    select(func.max(notes.c.id))
    .where(
        notes.c.conversation == mentions.c.conversation,
        notes.c.at == mentions.c.at,
        notes.c.author == mentions.c.author,
        notes.c.text == mentions.c.text,
    )
    .correlate(mentions)
    .scalar_subquery()
    .label("note")
)
LIST = (
    select(
        mentions.c.id,
        mentions.c.conversation,
        mentions.c.at,
        mentions.c.author,
        mentions.c.read_at,
        sessions.c.channel,
        sessions.c.line,
        mentions.c.text,
        sessions.c.client,
        clients.c.card,
        _note,
    )
    .select_from(mentions)
    .join(sessions, _seen)
    .outerjoin(clients, clients.c.id == sessions.c.client)
    .where(
        _mine,
        mentions.c.id < bindparam("before"),
        or_(bindparam("all", type_=Integer) == literal_column("1"), mentions.c.read_at == _zero),
    )
    .order_by(mentions.c.id.desc())
    .limit(bindparam("n"))
    .offset(_zero)
)
UNREAD = (
    select(func.count().label("n"))
    .select_from(mentions)
    .join(sessions, _seen)
    .where(_mine, mentions.c.read_at == _zero)
)
READ = (
    update(mentions)
    .where(_mine, mentions.c.id >= bindparam("from"), mentions.c.id <= bindparam("up_to"), mentions.c.read_at == _zero)
    .values(read_at=bindparam("now"))
    .returning(mentions.c.id)
)


def list_mentions(
    reads: Asked, sight: Sight, user: int, before: int, unread: bool, limit: int
) -> tuple[list[Row], int]:
    """The newest first, and how many of all are unread."""
    values = sight_values(sight)
    found = reads.all(LIST, user=user, before=before, n=limit, all=int(not unread), **values)
    return found, int(reads.value(UNREAD, user=user, **values))


def read_mentions(writes: Asked, user: int, up_to: int, now: float, only: bool = False) -> int:
    """Mark one and those before it as read, or `only` it; how many were not."""
    values = {"user": user, "up_to": up_to, "from": up_to if only else 0, "now": now}
    return len(list(writes.run(READ, **values)))
