"""How far each outgoing webhook has been given the feed, and how it fares."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, literal_column, select, update

from storage.asked import Asked
from storage.feed.numbering import LAST
from storage.feed.schema import hooks
from storage.ledger import Ledger
from storage.rows import Row
from storage.work.units import asked

_named = hooks.c.name == bindparam("hook")
ALL = select(hooks).order_by(hooks.c.name)
ONE = select(hooks).where(_named)
_zero: ColumnElement[int] = literal_column("0")
_nothing: ColumnElement[str] = literal_column("''")
_well: dict[str, Any] = {"failing_since": _zero, "attempts": _zero, "next_at": _zero, "error": _nothing}
ADD = insert(hooks).values(
    name=bindparam("hook"), cursor=bindparam("at"), stopped=_nothing, changed_at=bindparam("now"), **_well
)
# Compared and set: somebody may have moved the cursor by a replay meanwhile, and then that counts.
_as_it_was = (_named, hooks.c.cursor == bindparam("was"))
TAKEN = (
    update(hooks)
    .values(cursor=bindparam("to"), changed_at=bindparam("now"), **_well)
    .where(*_as_it_was)
    .returning(hooks.c.name)
)
FAILED = (
    update(hooks)
    .values(
        failing_since=bindparam("since"),
        attempts=bindparam("times"),
        next_at=bindparam("again"),
        error=bindparam("why"),
        stopped=bindparam("stop"),
        changed_at=bindparam("now"),
    )
    .where(*_as_it_was)
    .returning(hooks.c.name)
)
MOVED = (
    update(hooks)
    .values(cursor=bindparam("to"), stopped=_nothing, changed_at=bindparam("now"), **_well)
    .where(_named)
    .returning(hooks.c.name)
)


def all_hooks(reads: Asked) -> list[Row]:
    """Every webhook that was ever begun, by name."""
    return reads.all(ALL)


def hook(reads: Asked, name: str) -> Row | None:
    """One webhook, None before its beginning."""
    return reads.one(ONE, hook=name)


def begin_hook(ledger: Ledger, name: str, now: float) -> Row:
    """The webhook, begun at the end of the feed when it is new: it is sent what happens from now on."""
    rows = asked(ledger)
    found = rows.one(ONE, hook=name)
    if found is None:
        rows.run(ADD, hook=name, at=int(rows.value(LAST) or 0), now=now)
        found = rows.one(ONE, hook=name)
    assert found is not None
    return found


def take(ledger: Ledger, name: str, was: int, to: int, now: float) -> bool:
    """Everything up to a number was taken. False when the cursor is not where it was."""
    return bool(list(asked(ledger).run(TAKEN, hook=name, was=was, to=to, now=now)))


def fail(ledger: Ledger, before: Row, again: float, why: str, stop: str, now: float) -> bool:
    """An attempt failed; the next one comes at `again`, or never when `stop` says why not. False as for `take`."""
    since, times = before["failing_since"] or now, before["attempts"] + 1
    values = {"since": since, "times": times, "again": again, "why": why, "stop": stop, "now": now}
    return bool(list(asked(ledger).run(FAILED, hook=before["name"], was=before["cursor"], **values)))


def move_hook(ledger: Ledger, name: str, to: int, now: float) -> bool:
    """Begin again behind a number, with a clean slate. False when there is no such webhook."""
    return bool(list(asked(ledger).run(MOVED, hook=name, to=to, now=now)))
