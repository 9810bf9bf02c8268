"""Whoever watches a client hears that the card has changed: a line of the feed for each conversation of theirs."""

from __future__ import annotations

from typing import Any

from storage.codec import encode
from storage.ledger import Ledger
from storage.work.projecting import write_feed


def tell_client(ledger: Ledger, client: int, now: float, data: dict[str, Any]) -> None:
    """Lines of the kind `client`. `data` says what changed, never a value."""
    for row in ledger.rows.sessions_of(client):
        line = {"at": now, "kind": "client", "client": client, "person": "", "data": encode(data)}
        write_feed(ledger, line | row)
