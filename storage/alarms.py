"""Rules of timers: a due one becomes an event of its conversation in the transaction that closes it."""

from __future__ import annotations

from core.events import TimerFired
from storage.codec import decode_dict
from storage.ledger import Ledger
from storage.rows import Row


def fire_due(ledger: Ledger, now: float, limit: int) -> int:
    """Fire up to `limit` due timers; how many were found."""
    due = ledger.rows.due_timers(now, limit)
    for row in due:
        _fire(ledger, row)
    return len(due)


def _fire(ledger: Ledger, row: Row) -> None:
    ledger.rows.stop_timer(row["conversation"], row["key"])
    event = TimerFired(row["key"], decode_dict.decode(row["data"]))
    # The same timer fires again when it is set again: the inbox's own number makes the key new.
    ledger.put_event(row["conversation"], event, f"timer:{row['key']}:{ledger.numbers.peek('inbox')}")
