"""The tables of presence and routing."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, text

from storage.columns import blob_column as _blob
from storage.columns import identity as _id
from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time

# Whether people are there (`core.presence.Presence`). One who never said so has no row. `away` is 1 from the moment that
# the grace after the last sign of life was over; `capacity` the person's own limit (0: none),
# which holds until `capacity_until` (0: until it is changed).
presence = Table(
    "presence",
    metadata,
    _number("user_id", key=True),
    _text("state"),
    _time("since"),
    _time("seen_at"),
    _number("away"),
    _number("capacity"),
    Column("capacity_until", Float(53), nullable=False, server_default=text("0")),
)

# A session came to an operator (`got`), or went from them (`left`). `why` is the act or the timer that did it, `waited` the
# seconds in the queue before. Written with the turn that did it.
assignments = Table(
    "assignments",
    metadata,
    _id(),
    _time("at"),
    _text("what"),
    _text("why"),
    _text("line"),
    _text("operator"),
    _number("conversation"),
    _number("session"),
    _number("epoch"),
    _time("waited"),
    Index("ix_assignments_conversation", "conversation", "at"),
    Index("ix_assignments_operator", "operator", "what", "at"),
    Index(
        "ix_assignments_line", "line", "at", sqlite_where=text("what = 'got'"), postgresql_where=text("what = 'got'")
    ),
)

# What routing decided: an operator, or the cause of waiting as `reason`, and who was skipped and why. `outcome` is empty
# until the assignment is done (`done`) or refused.
routings = Table(
    "routings",
    metadata,
    _id(),
    _time("at"),
    _text("key"),
    _number("conversation"),
    _number("session"),
    _number("epoch"),
    _text("line"),
    _text("strategy"),
    _text("operator"),
    _text("reason"),
    _text("outcome"),
    _blob("skipped"),
    Index("ix_routings_conversation", "conversation", "id"),
    Index("ix_routings_key", "key"),
)

# Why a session waits now, as routing saw it last. Valid for its epoch only.
waits = Table(
    "waits",
    metadata,
    _number("conversation", key=True),
    _number("epoch"),
    _text("cause"),
    _time("at"),
)

ROUTING: tuple[Table, ...] = (presence, assignments, routings, waits)
