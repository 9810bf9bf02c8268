"""What became of an event that was put into a conversation's inbox: asked for by its key."""

from __future__ import annotations

from sqlalchemy import bindparam, literal_column, select

from core.ports import Done
from storage import shape
from storage.asked import Asked
from storage.rows import DEAD, PENDING
from storage.tables import inbox

OF_KEY = select(inbox).where(
    inbox.c.channel == literal_column("''"),
    inbox.c.account == bindparam("account"),
    inbox.c.external_id == bindparam("key"),
)


class EventFailed(Exception):
    """The event was set aside: its step failed each time."""


def outcome(reads: Asked, conversation: int, key: str) -> Done | None:
    """The processed event, None while it waits. Raises LookupError when there is no such event, `EventFailed`."""
    row = reads.one(OF_KEY, account=str(conversation), key=key)
    if row is None:
        raise LookupError(f"conversation {conversation} has no event {key}")
    if row["state"] == DEAD:
        raise EventFailed(row["error"])
    return None if row["state"] == PENDING else shape.processed_event(row)
