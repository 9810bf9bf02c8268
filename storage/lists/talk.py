"""Pages of one talk: messages with what came to them later, notes between them, where sessions begin, who moved them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, literal_column, select

from core.ports import StoredFile
from storage import queries as q
from storage import shape
from storage.asked import Asked
from storage.cards.statements import READ_MARK
from storage.codec import decode_conversation, decode_dict
from storage.lists.details import CHUNK, by_chunks
from storage.rows import Row
from storage.tables import files, message_marks, messages, notes, records
from storage.work.schema import sessions

MOST_NOTES = 500  # on one page
EVER = 1e300  # later than anything
_p = bindparam
ZERO: ColumnElement[Any] = literal_column("0")
_whole = messages.outerjoin(
    message_marks, and_(message_marks.c.conversation == messages.c.conversation, message_marks.c.seq == messages.c.seq)
)


def _limited(statement: Select[Any]) -> Select[Any]:
    return statement.limit(_p("n")).offset(ZERO)


BEFORE = _limited(
    select(messages, message_marks.c.marks)
    .select_from(_whole)
    .where(messages.c.conversation == _p("conversation"), messages.c.seq < _p("before"))
    .order_by(messages.c.seq.desc())
)
_here = messages.c.conversation == _p("conversation")
AT = (
    select(messages.c.at)
    .where(_here, messages.c.seq <= _p("seq"))
    .order_by(messages.c.seq.desc())
    .limit(literal_column("1"))
    .offset(ZERO)
)
BEHIND = select(messages.c.seq).where(_here, messages.c.seq >= _p("seq")).limit(literal_column("1")).offset(ZERO)
NOTES_WITHIN = _limited(
    select(notes)
    .where(notes.c.conversation == _p("conversation"), notes.c.at >= _p("since"), notes.c.at < _p("until"))
    .order_by(notes.c.id)
)
NOTES_BEFORE = _limited(
    select(notes)
    .where(notes.c.conversation == _p("conversation"), notes.c.id < _p("before"))
    .order_by(notes.c.id.desc())
)
SESSIONS = select(sessions).where(sessions.c.conversation == _p("conversation")).order_by(sessions.c.number)
MOVES = _limited(
    select(records)
    .where(
        records.c.conversation == _p("conversation"),
        records.c.session > ZERO,
        records.c.kind == literal_column("'session_moved'"),
        records.c.id < _p("before"),
    )
    .order_by(records.c.id.desc())
)
FILES = select(files).where(files.c.id.in_([_p(f"id{n}") for n in range(CHUNK)]))


@dataclass(frozen=True)
class Page:
    """`messages` in order; `notes` and `sessions` that belong between them. `older` and `newer`: whether there are more."""

    messages: list[Row]
    notes: list[Row]
    sessions: list[Row]
    older: bool
    newer: bool


def read_page(reads: Asked, conversation: int, before: int, after: int, limit: int) -> Page:
    """Messages behind the place `after`, else those before the place `before` (0: the newest)."""
    if after:
        found = reads.all(q.HISTORY, conversation=conversation, after=after, n=limit + 1)
        rows, older, newer = found[:limit], True, len(found) > limit
        since = reads.value(AT, conversation=conversation, seq=after)
    else:
        found = reads.all(BEFORE, conversation=conversation, before=before or 2**53, n=limit + 1)
        rows, older = found[:limit][::-1], len(found) > limit
        newer = bool(before and reads.value(BEHIND, conversation=conversation, seq=before))
        since = found[limit]["at"] if older else None
    if after and not rows:
        return Page([], [], [], older, newer)
    return _with_rest(reads, conversation, Page(rows, [], [], older, newer), -EVER if since is None else since)


def read_message(reads: Asked, conversation: int, seq: int) -> Row | None:
    """The message at a place, None when there is none."""
    found = reads.all(BEFORE, conversation=conversation, before=seq + 1, n=1)
    return found[0] if found and found[0]["seq"] == seq else None


def _with_rest(reads: Asked, conversation: int, page: Page, since: float) -> Page:
    """What stands before a message of the page: a note before the first that came later, a session before its own first
    one. What stands before none is at the end. `since` is the time of the message before the page."""
    until = page.messages[-1]["at"] if page.newer else EVER
    written = reads.all(NOTES_WITHIN, conversation=conversation, n=MOST_NOTES, since=since, until=until)
    begun = [it for it in reads.all(SESSIONS, conversation=conversation) if since < it["opened_at"] <= until]
    return replace(page, notes=written, sessions=begun)


def merged(page: Page) -> list[tuple[str, Row]]:
    """All of a page in the order in which it happened: (`message` | `note` | `session`, row)."""
    everything = [("session", it, it["opened_at"]) for it in page.sessions]
    everything += [("note", it, it["at"]) for it in page.notes]
    found: list[tuple[str, Row]] = []
    for row in page.messages:
        due = [it for it in everything if it[2] <= row["at"] and it[0] == "session"]
        due += [it for it in everything if it[2] < row["at"] and it[0] == "note"]
        found += [(kind, it) for kind, it, _ in sorted(due, key=lambda it: it[2])]
        everything = [it for it in everything if it not in due]
        found.append(("message", row))
    found += [(kind, it) for kind, it, _ in sorted(everything, key=lambda it: it[2])]
    return _begin_sessions(found)


def _begin_sessions(found: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
    """A session begins with the message that opened it, which may have waited for its turn: before what the client said
    just before it, as far back as the session before goes."""
    ended = 0.0
    for place, (kind, session) in enumerate(found):
        if kind != "session":
            continue
        begin = place
        while begin and _opened(found[begin - 1], ended):
            begin -= 1
        found.insert(begin, found.pop(place))
        ended = session["closed_at"] or math.inf
    return found


def _opened(item: tuple[str, Row], ended: float) -> bool:
    kind, row = item
    return kind == "message" and row["author"] == "client" and row["at"] > ended


# --- the head of a talk ----------------------------------------------------------------------------------------------


def read_mark(reads: Asked, user: int, conversation: int) -> int:
    """The place up to which somebody has read, 0 for nothing."""
    return int(reads.value(READ_MARK, user_id=user, conversation=conversation) or 0)


def read_moves(reads: Asked, conversation: int, before: int, limit: int) -> list[Row]:
    """Moves of the talk's sessions, the newest first: `id`, `at`, `data`."""
    found = reads.all(MOVES, conversation=conversation, before=before or 2**53, n=limit)
    return [{"id": row["id"], "at": row["at"], "data": decode_dict.decode(row["data"])} for row in found]


def read_state(reads: Asked, conversation: int) -> Any:
    """The `core.conversation.Conversation`, None when there is none."""
    state = reads.value(q.CONVERSATION, the_id=conversation)
    return None if state is None else decode_conversation.decode(state)


def files_of(reads: Asked, ids: Sequence[str]) -> dict[str, StoredFile]:
    """Those that are there, by id."""
    rows = by_chunks(ids, lambda values: reads.all(FILES, **values), "")
    return {row["id"]: shape.stored_file(row) for row in rows}
