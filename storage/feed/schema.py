"""The table of outgoing webhooks: how far each has been given the feed."""

from __future__ import annotations

from sqlalchemy import Table

from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time

# `cursor` is the number of the last event that was taken. `failing_since` is when the first attempt failed after it (0: none
# did), `attempts` how many have, `next_at` when the next one is due; `stopped` is why nothing is sent any more, or empty.
hooks = Table(
    "hooks",
    metadata,
    _text("name", key=True),
    _number("cursor"),
    _time("failing_since"),
    _number("attempts"),
    _time("next_at"),
    _text("error"),
    _text("stopped"),
    _time("changed_at"),
    sqlite_with_rowid=False,
)

FEED: tuple[Table, ...] = (hooks,)
