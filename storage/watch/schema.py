"""Tables of what processes say of themselves: who runs, how channels fare, what came to the doors, what webhooks were sent."""

from __future__ import annotations

from sqlalchemy import Index, Table

from storage.columns import identity as _id
from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time

# A process, as long as it lives: `roles` parted by spaces, `edition` is that of the flows it serves.
processes = Table(
    "processes",
    metadata,
    _text("name", key=True),
    _text("roles"),
    _text("version"),
    _text("edition"),
    _time("started_at"),
    _time("beat_at"),
    sqlite_with_rowid=False,
)

# A channel as one process knows it. `in_trouble` and `out_trouble` are what keeps messages from coming and going, in the
# platform's words, empty while all is well; `*_since` when that began; `out_until` when sending is tried again. `heard_at`
# and `sent_at` (0: never) are of all processes before it, too.
channel_states = Table(
    "channel_states",
    metadata,
    _text("channel", key=True),
    _text("process", key=True),
    _text("in_trouble"),
    _time("in_since"),
    _text("out_trouble"),
    _time("out_since"),
    _time("out_until"),
    _time("heard_at"),
    _time("sent_at"),
    sqlite_with_rowid=False,
)

# What came to the webhook of a channel, `times` with one end within a few seconds. `seconds` is how long all of them took.
arrivals = Table(
    "arrivals",
    metadata,
    _id(),
    _text("channel"),
    _number("refused"),
    _text("verdict"),
    _number("status"),
    _number("times"),
    _time("at"),
    _time("seconds"),
    _time("slowest"),
    Index("ix_arrivals_channel", "channel", "refused", "id"),
)

# Attempts to deliver an event (`seq` of the feed) to an outgoing webhook. `status` 0: there was no answer.
hook_attempts = Table(
    "hook_attempts",
    metadata,
    _id(),
    _text("hook"),
    _number("seq"),
    _text("type"),
    _number("attempt"),
    _number("status"),
    _text("error"),
    _time("at"),
    _time("seconds"),
    Index("ix_hook_attempts_hook", "hook", "id"),
)

WATCH: tuple[Table, ...] = (processes, channel_states, arrivals, hook_attempts)
