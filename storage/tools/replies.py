"""Canned replies in SQL: who sees which, and who wrote what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from core.access import Sight
from storage.accounts.tables import SEPARATOR, packed
from storage.asked import Asked
from storage.rows import Row
from storage.tools.schema import replies

MOST = 2000  # of one answer: those of a person, their lines and the house
_newline: ColumnElement[str] = literal_column(f"'{SEPARATOR}'")
_nothing: ColumnElement[str] = literal_column("''")
_lines: BindParameter[str] = bindparam("lines")
SEEN = or_(
    replies.c.scope == literal_column("'all'"),
    and_(replies.c.scope == literal_column("'own'"), replies.c.owner == bindparam("viewer")),
    and_(
        replies.c.scope == literal_column("'line'"),
        or_(
            bindparam("everything", type_=Integer) == literal_column("1"),
            func.replace(_lines, _newline + replies.c.line + _newline, _nothing) != _lines,
        ),
    ),
)
_columns = [column.name for column in replies.columns if column.name != "id"]

LIST = (
    select(replies)
    .where(SEEN)
    .order_by(replies.c.place, replies.c.id)
    .limit(bindparam("n"))
    .offset(literal_column("0"))
)
ONE = select(replies).where(replies.c.id == bindparam("the_id"), SEEN)
ADD = insert(replies).values({name: bindparam(name) for name in _columns}).returning(replies.c.id)
SAME = select(replies.c.id).where(
    *(replies.c[name] == bindparam(name) for name in ("scope", "owner", "line", "shortcut"))
)
CHANGE = (
    update(replies)
    .where(replies.c.id == bindparam("the_id"))
    .values({name: bindparam(name) for name in _columns if name not in ("uses", "used_at")})
)
USED = (
    update(replies)
    .where(replies.c.id == bindparam("the_id"))
    .values(uses=replies.c.uses + literal_column("1"), used_at=bindparam("now"))
)
DROP: Executable = delete(replies).where(replies.c.id == bindparam("the_id"))


class ShortcutTaken(Exception):
    """Another reply of the same scope has this shortcut."""


def _seen(sight: Sight, user: int) -> dict[str, Any]:
    return {"everything": int(sight.everything), "viewer": user, "lines": packed(sight.lines)}


def list_replies(reads: Asked, sight: Sight, user: int) -> list[Row]:
    """All that somebody may use: their own, those of `sight`'s lines, the house's; by their place."""
    return reads.all(LIST, n=MOST, **_seen(sight, user))


def find_reply(reads: Asked, sight: Sight, user: int, id: int) -> Row | None:
    return reads.one(ONE, the_id=id, **_seen(sight, user))


def add_reply(writes: Asked, row: Row) -> int:
    """The id of a new reply. Raises `ShortcutTaken`."""
    _require_free(writes, row, 0)
    return int(next(iter(list(writes.run(ADD, **row))))[0])


def change_reply(writes: Asked, id: int, row: Row) -> None:
    """Raises `ShortcutTaken`."""
    _require_free(writes, row, id)
    list(writes.run(CHANGE, the_id=id, **row))


def _require_free(writes: Asked, row: Row, id: int) -> None:
    names = ("scope", "owner", "line", "shortcut")
    known = writes.value(SAME, **{name: row[name] for name in names})
    if known is not None and known != id:
        raise ShortcutTaken


def drop_reply(writes: Asked, id: int) -> None:
    list(writes.run(DROP, the_id=id))


def count_use(writes: Asked, id: int, now: float) -> None:
    list(writes.run(USED, the_id=id, now=now))
