"""Who was called by notes, in SQL: only what one may still see is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, func, literal_column, or_, select, update

from core.access import Sight
from storage.asked import Asked
from storage.rows import Row
from storage.tools.schema import mentions
from storage.work.schema import sessions
from storage.work.sessions import SEEN, sight_values

_zero: Any = literal_column("0")
_mine = mentions.c.user_id == bindparam("user")
_seen = (sessions.c.conversation == mentions.c.conversation) & (sessions.c.current == literal_column("1")) & SEEN
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
    )
    .select_from(mentions)
    .join(sessions, _seen)
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
    .where(_mine, mentions.c.id <= bindparam("up_to"), mentions.c.read_at == _zero)
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


def read_mentions(writes: Asked, user: int, up_to: int, now: float) -> int:
    """Mark as read; how many were not."""
    return len(list(writes.run(READ, user=user, up_to=up_to, now=now)))
