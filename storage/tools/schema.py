"""The tables of working tools: canned replies, drafts, mentions."""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

from storage.columns import blob_column as _blob
from storage.columns import identity as _id
from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time

# Canned replies. `scope` is `own` (of the account `owner`), `line` (of `line`) or `all`; what does not apply is 0 or empty.
# `place` orders them by hand, `uses` counts how often one was sent.
replies = Table(
    "replies",
    metadata,
    _id(),
    _text("scope"),
    _number("owner"),
    _text("line"),
    _text("shortcut"),
    _text("title"),
    _text("text"),
    _blob("files"),
    _number("place"),
    _number("uses"),
    _time("used_at"),
    _time("changed_at"),
    _text("changed_by"),
    UniqueConstraint("scope", "owner", "line", "shortcut"),
)

# What somebody has begun to write in a conversation: `kind` is `reply` or `note`. `version` only grows, also over the end
# of one draft and the beginning of the next.
drafts = Table(
    "drafts",
    metadata,
    _number("user_id", key=True),
    _number("conversation", key=True),
    _text("kind", key=True),
    _text("text"),
    _blob("files"),
    _number("version"),
    _time("at"),
    Index("ix_drafts_conversation", "conversation"),
    sqlite_with_rowid=False,
)

# Who was called into a conversation by a note, with its words: they stay in the house as the note does. `read_at` 0: not yet.
mentions = Table(
    "mentions",
    metadata,
    _id(),
    _number("user_id"),
    _number("conversation"),
    _time("at"),
    _text("author"),
    _text("text"),
    _time("read_at"),
    Index("ix_mentions_user_id", "user_id", "id"),
)

TOOLS: tuple[Table, ...] = (replies, drafts, mentions)
