"""Reading the feed behind a number, with what rights changed meanwhile and what lists show of its conversations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal_column, select

from storage.accounts.schema import audit
from storage.asked import Asked
from storage.feed.numbering import LAST
from storage.rows import Row
from storage.tables import conversations, inbox, messages, outbox
from storage.work.schema import feed, sessions

PAGE = 200  # rows of one look
AT_ONCE = 32  # conversations of one question
NAMES = [f"c{n}" for n in range(AT_ONCE)]
DEEDS = 500  # rows of the audit in one look; of more, everybody is looked at again

NEWS = (
    select(feed)
    .where(feed.c.seq > bindparam("after"))
    .order_by(feed.c.seq)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)
FIRST = select(func.min(feed.c.seq)).where(feed.c.seq > literal_column("0"))
FROM = select(func.min(feed.c.seq)).where(feed.c.seq > literal_column("0"), feed.c.at >= bindparam("at"))
WRITTEN = select(
    select(func.max(inbox.c.id)).scalar_subquery().label("inbox"),
    select(func.max(outbox.c.id)).scalar_subquery().label("outbox"),
)
HEAD = select(func.max(audit.c.id))
SINCE = select(audit.c.id, audit.c.object).where(audit.c.id > bindparam("head")).order_by(audit.c.id)
SINCE = SINCE.limit(bindparam("limit")).offset(literal_column("0"))
CURRENT: Select[Any] = select(sessions).where(
    sessions.c.conversation.in_([bindparam(name) for name in NAMES]), sessions.c.current == literal_column("1")
)
_earlier = messages.alias("earlier")
_last = select(func.max(_earlier.c.seq)).where(_earlier.c.conversation == conversations.c.id).scalar_subquery()
SAID: Select[Any] = (
    select(messages)
    .select_from(conversations)
    .join(messages, and_(messages.c.conversation == conversations.c.id, messages.c.seq == _last))
    .where(conversations.c.id.in_([bindparam(name) for name in NAMES]))
)


@dataclass(frozen=True)
class Bounds:
    """The numbers that the feed has now: `oldest` is 0 while it is empty, `last` the last one that was ever given."""

    oldest: int
    last: int

    def reach(self, after: int) -> bool:
        """Whether everything behind a number is still here, and the number is one of this feed."""
        return after == self.last or (self.oldest > 0 and self.oldest - 1 <= after < self.last)


@dataclass
class News:
    """Rows of the feed, and whose rights changed since the audit's row `head`: ids of users, `None` for everybody."""

    rows: list[Row]
    head: int
    users: set[int] | None = field(default_factory=set)
    tokens: set[int] = field(default_factory=set)


def bounds(reads: Asked) -> Bounds:
    """Both ends of the feed."""
    return Bounds(int(reads.value(FIRST) or 0), int(reads.value(LAST) or 0))


def first_since(reads: Asked, at: float) -> int:
    """The first number at or after a moment; behind the last one when there is none."""
    found = reads.value(FROM, at=at)
    return int(found) if found is not None else int(reads.value(LAST) or 0) + 1


def written(reads: Asked) -> int:
    """A number that grows with everything that clients write and are sent."""
    row = reads.one(WRITTEN)
    return sum(int(it or 0) for it in row.values()) if row is not None else 0


def audit_head(reads: Asked) -> int:
    """The last row of the audit."""
    return int(reads.value(HEAD) or 0)


def news(reads: Asked, after: int, head: int, limit: int = PAGE) -> News:
    """What came behind a number. The rows are read first, so that the rights are those of a later moment."""
    rows = reads.all(NEWS, after=after, limit=limit) if limit else []
    found = News(rows, head)
    for row in reads.all(SINCE, head=head, limit=DEEDS):
        found.head = max(found.head, row["id"])
        kind, _, id = str(row["object"]).partition(":")
        if kind == "user" and id.isdecimal() and found.users is not None:
            found.users.add(int(id))
        elif kind == "token" and id.isdecimal():
            found.tokens.add(int(id))
    if found.head - head >= DEEDS:
        found.users = None
    return found


def current_rows(reads: Asked, conversations: Iterable[int]) -> dict[int, Row]:
    """The last session of each conversation with the last message in it (`said`), as they are now."""
    wanted = sorted({id for id in conversations if id})
    found: dict[int, Row] = {}
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        values = dict(zip(NAMES, part + [-1] * (AT_ONCE - len(part)), strict=True))
        for row in reads.all(CURRENT, **values):
            found[row["conversation"]] = row
        for row in reads.all(SAID, **values):
            if row["conversation"] in found:
                found[row["conversation"]]["said"] = row
    return found
