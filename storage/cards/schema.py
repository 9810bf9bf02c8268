"""The tables of what people keep about clients. A join of two clients moves none of their rows (decision 0036)."""

from __future__ import annotations

from sqlalchemy import Index, Table

from storage.columns import blob_column as _blob
from storage.columns import identity as _id
from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time

# How far somebody has read a conversation: the last place they have seen.
read_marks = Table(
    "read_marks",
    metadata,
    _number("user_id", key=True),
    _number("conversation", key=True),
    _number("seq"),
    _time("at"),
    sqlite_with_rowid=False,
)

# The tags that stand on a card, for those who look for clients by them; the truth is the card.
client_tags = Table(
    "client_tags",
    metadata,
    _text("tag", key=True),
    _number("client", key=True),
    Index("ix_client_tags_client", "client"),
    sqlite_with_rowid=False,
)

# Notes about a client, for colleagues only. `client` is whom it was written about, `conversation` where from (0: nowhere).
client_notes = Table(
    "client_notes",
    metadata,
    _id(),
    _number("client"),
    _number("conversation"),
    _time("at"),
    _text("author"),
    _text("text"),
    Index("ix_client_notes_client", "client"),
)

# What people changed on a card, name by name: `was` and `now` are JSON.
client_edits = Table(
    "client_edits",
    metadata,
    _id(),
    _number("client"),
    _number("conversation"),
    _time("at"),
    _text("author"),
    _text("name"),
    _blob("was"),
    _blob("now"),
    _text("reason"),
    Index("ix_client_edits_client", "client"),
)

CARDS: tuple[Table, ...] = (read_marks, client_tags, client_notes, client_edits)
