"""What became of the order to show a ticket to its outer desk: on its way, refused, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, select

from storage.asked import Asked
from storage.codec import decode_dict
from storage.rows import Row
from storage.tables import outbox

_zero: ColumnElement[int] = literal_column("0")
_shown = [outbox.c[name] for name in ("id", "state", "attempts", "reason", "not_before", "created_at", "payload")]
_of_home = and_(outbox.c.conversation == bindparam("home"), outbox.c.kind == literal_column("'ticket'"))
# Both by small partial indexes: what has been taken over there is in neither, and is most of the table.
UNDER_WAY = select(*_shown).where(outbox.c.state == _zero, outbox.c.lane == _zero, _of_home).order_by(outbox.c.id)
REFUSED = (
    select(*_shown)
    .where(outbox.c.state.in_([literal_column("2"), literal_column("3")]), _of_home)
    .order_by(outbox.c.id)
)


def last_push(reads: Asked, ticket: Row, entries: Iterable[Mapping[str, Any]]) -> Row | None:
    """The row that is on its way, or the one that was refused after the last order; None when there is neither."""
    ordered = max((float(it["at"]) for it in entries if it["what"] in ("created", "pushed")), default=0.0)
    waiting = _of(reads.all(UNDER_WAY, home=ticket["conversation"]), ticket["number"])
    refused = _of(reads.all(REFUSED, home=ticket["conversation"]), ticket["number"])
    late = [row for row in refused if row["created_at"] >= ordered]
    return waiting[-1] if waiting else late[-1] if late else None


def _of(rows: Iterable[Row], number: int) -> list[Row]:
    return [row for row in rows if decode_dict.decode(row["payload"]).get("number") == number]
