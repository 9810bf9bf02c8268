"""The audit, looked through: who, what, about whom, when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Float, Text, and_, bindparam, literal_column, or_, select

from core.access import Sight
from core.accounts import Audited
from storage.accounts.chain import audited
from storage.accounts.schema import audit
from storage.asked import Asked

_empty: ColumnElement[str] = literal_column("''")
_by, _action, _object = (bindparam(name, type_=Text) for name in ("by", "action", "object"))
_tokens = audit.c.by.like(bindparam("tokens", type_=Text), escape="\\")
FOUND = (
    select(audit)
    .where(
        audit.c.id < bindparam("before"),
        or_(_by == _empty, audit.c.by == _by, _tokens),
        or_(_action == _empty, audit.c.action == _action),
        or_(_object == _empty, audit.c.object == _object),
        and_(audit.c.at >= bindparam("since", type_=Float), audit.c.at < bindparam("until", type_=Float)),
    )
    .order_by(audit.c.id.desc())
    .limit(bindparam("n"))
    .offset(literal_column("0"))
)


@dataclass(frozen=True)
class AuditQuery:
    """What is looked for; what is empty does not matter. `by` finds a person's tokens, too. Times are seconds since 1970."""

    by: str = ""
    action: str = ""
    object: str = ""
    since: float = 0.0
    until: float = 1e12


def find_audited(reads: Asked, sight: Sight, wanted: AuditQuery, before: int, limit: int) -> list[Audited]:
    """The newest first, before a row."""
    if not sight.everything:
        return []
    escaped = wanted.by.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = reads.all(
        FOUND,
        before=before,
        by=wanted.by,
        tokens=f"{escaped}/token:%",
        action=wanted.action,
        object=wanted.object,
        since=wanted.since,
        until=wanted.until,
        n=limit,
    )
    return [audited(row) for row in rows]
