"""The tables of sessions and of the feed of changes."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, text

from storage.columns import blob_column as _blob
from storage.columns import identity as _id
from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


# Every session there was, as lists and reports ask for it. The truth is `conversations.state`; this follows it in the
# same transaction. `current` is 1 for the last session of its conversation. `priority` is a number, higher is more urgent;
# `due` the nearest promise (0: none); `state` the whole `core.conversation.Session`. `last_at` is when something was said or
# done last in a session of people, `order_due` the promise that lists are ordered by (`NEVER` where there is none).
NEVER = 9e12
sessions = Table(
    "sessions",
    metadata,
    _number("conversation", key=True),
    _number("number", key=True),
    _number("current"),
    _number("client"),
    _text("channel"),
    _text("status"),
    _text("owner"),
    _text("line"),
    _text("operator"),
    _number("epoch"),
    _number("priority"),
    _time("opened_at"),
    _time("queued_at"),
    _time("assigned_at"),
    _time("first_reply_at"),
    _time("moved_at"),
    _time("closed_at"),
    _time("due"),
    _text("category"),
    _number("rating"),
    _blob("state"),
    Column("last_at", Float(53), nullable=False, server_default=text("0")),
    Column("order_due", Float(53), nullable=False, server_default=text("0")),
    _partial("ix_sessions_work", "line", "status", "due", where="current = 1"),
    _partial("ix_sessions_operator", "operator", "status", where="current = 1 AND operator <> ''"),
    _partial("ix_sessions_owner", "owner", "moved_at", where="current = 1"),
    # With the columns of their own condition: SQLite counts by an index alone when all that is asked for is in it.
    _partial("ix_sessions_list_status", "line", "status", "order_due", "conversation", "current", where="current = 1"),
    _partial("ix_sessions_list_status_last", "line", "status", "last_at", "conversation", where="current = 1"),
    _partial("ix_sessions_category", "category", "last_at", "conversation", where="current = 1 AND category <> ''"),
    _partial("ix_sessions_list_last", "line", "last_at", "conversation", where="current = 1"),
    _partial("ix_sessions_list_due", "line", "order_due", "conversation", where="current = 1"),
    _partial(
        "ix_sessions_bot_last",
        *("channel", "last_at", "conversation", "line", "current"),
        where="current = 1 AND line = ''",
    ),
    _partial("ix_sessions_bot_due", "channel", "order_due", "conversation", where="current = 1 AND line = ''"),
    Index("ix_sessions_client", "client"),
    Index("ix_sessions_opened_at", "opened_at"),
    sqlite_with_rowid=False,
)

# What changed for people, in the order of commits: `seq` is given after the commit (0: not yet), so whoever has read up to
# a number has missed nothing. `kind` says what changed, `data` what of it; `person` is whom alone it concerns (`user:7`).
feed = Table(
    "feed",
    metadata,
    _id(),
    _number("seq"),
    _time("at"),
    _text("kind"),
    _number("conversation"),
    _number("client"),
    _text("channel"),
    _text("line"),
    _text("operator"),
    _text("person"),
    _blob("data"),
    _partial("ix_feed_new", "id", where="seq = 0"),
    Index("ix_feed_seq", "seq"),
)

WORK: tuple[Table, ...] = (sessions, feed)
