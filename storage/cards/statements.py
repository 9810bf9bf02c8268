"""What is asked of the tables of cards, in SQL. Constants stand in the text, values are parameters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert  # ON CONFLICT reads the same in SQLite

from storage.cards.schema import client_edits, client_notes, client_tags, read_marks
from storage.tables import joins, messages
from storage.work.schema import sessions

ZERO: ColumnElement[Any] = literal_column("0")
ONE: ColumnElement[Any] = literal_column("1")
_p = bindparam

# --- what joins need -------------------------------------------------------------------------------------------------

DROP_TAGS = delete(client_tags).where(client_tags.c.client == _p("client"))
ADD_TAG = upsert(client_tags).values(tag=_p("tag"), client=_p("client")).on_conflict_do_nothing()
GIVE_SESSIONS = update(sessions).where(sessions.c.conversation == _p("home")).values(client=_p("client"))
GIVE_NOTES = (
    update(client_notes)
    .where(client_notes.c.client == _p("was"), client_notes.c.conversation == _p("home"))
    .values(client=_p("client"))
)
GIVE_EDITS = (
    update(client_edits)
    .where(client_edits.c.client == _p("was"), client_edits.c.conversation == _p("home"))
    .values(client=_p("client"))
)
SESSIONS_OF = (
    select(sessions.c.conversation, sessions.c.channel, sessions.c.line, sessions.c.operator)
    .where(sessions.c.client == _p("client"), sessions.c.current == ONE)
    .order_by(sessions.c.conversation)
)

# --- notes, edits, marks ---------------------------------------------------------------------------------------------

PARTS_OF = select(joins.c.gone).where(joins.c.kept == _p("client"), joins.c.state == literal_column("'done'"))
ADD_NOTE = insert(client_notes).values({name: _p(name) for name in ("client", "conversation", "at", "author", "text")})
ADD_EDIT = insert(client_edits).values(
    {name: _p(name) for name in ("client", "conversation", "at", "author", "name", "was", "now", "reason")}
)
NOTES_OF = (
    select(client_notes)
    .where(client_notes.c.client == _p("client"), client_notes.c.id < _p("before"))
    .order_by(client_notes.c.id.desc())
    .limit(_p("n"))
    .offset(ZERO)
)
EDITS_OF = (
    select(client_edits)
    .where(client_edits.c.client == _p("client"), client_edits.c.id < _p("before"))
    .order_by(client_edits.c.id.desc())
    .limit(_p("n"))
    .offset(ZERO)
)
_marked = upsert(read_marks).values({name: _p(name) for name in ("user_id", "conversation", "seq", "at")})
# A mark only moves on: two windows of one person may tell in any order.
MARK_READ = _marked.on_conflict_do_update(
    index_elements=["user_id", "conversation"],
    set_={"seq": _marked.excluded.seq, "at": _marked.excluded.at},
    where=read_marks.c.seq < _marked.excluded.seq,
)
READ_MARK = select(read_marks.c.seq).where(
    read_marks.c.user_id == _p("user_id"), read_marks.c.conversation == _p("conversation")
)
NEWEST = select(func.max(messages.c.seq)).where(messages.c.conversation == _p("conversation"))
