"""Sessions as the API asks for them, each question with the filter of what somebody may see inside its SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, and_, bindparam, func, literal_column, or_, select

from core.access import Sight
from core.accounts import operator_id
from storage.accounts.tables import SEPARATOR, packed
from storage.asked import Asked
from storage.rows import Row
from storage.work.schema import sessions

_everything = bindparam("everything", type_=Integer) == literal_column("1")


_nothing: ColumnElement[str] = literal_column("''")
_newline: ColumnElement[str] = literal_column(f"'{SEPARATOR}'")


def _listed(name: str, column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a column is one of the words that `storage.accounts.tables.packed` made one text of."""
    words: BindParameter[str] = bindparam(name)
    return and_(column != _nothing, func.replace(words, _newline + column + _newline, _nothing) != words)


everything, listed = _everything, _listed  # for filters of other tables

# Everything, a line of one's own, what one has in person, or what the bot has in a channel of one's line.
SEEN = or_(
    _everything,
    _listed("lines", sessions.c.line),
    sessions.c.operator == bindparam("viewer"),
    and_(sessions.c.line == _nothing, _listed("channels", sessions.c.channel)),
)

CURRENT: Select[Any] = select(sessions).where(
    sessions.c.conversation == bindparam("conversation"), sessions.c.current == literal_column("1"), SEEN
)

OF_NUMBER = select(sessions.c.number).where(
    sessions.c.conversation == bindparam("conversation"), sessions.c.number == bindparam("number"), SEEN
)


def sight_values(sight: Sight) -> dict[str, Any]:
    """The parameters of `SEEN`."""
    return {
        "everything": int(sight.everything),
        "lines": packed(sight.lines),
        "channels": packed(sight.channels),
        "viewer": operator_id(sight.user) if sight.user else "-",
    }


def current_session(reads: Asked, sight: Sight, conversation: int) -> Row | None:
    """The session of a conversation that is under way, or was last; None when there is none that may be seen."""
    return reads.one(CURRENT, conversation=conversation, **sight_values(sight))


def seen_sessions(reads: Asked, sight: Sight, wanted: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the sessions (conversation, number) that may be seen."""
    values = sight_values(sight)
    return {
        (home, number)
        for home, number in wanted
        if reads.value(OF_NUMBER, conversation=home, number=number, **values) is not None
    }
