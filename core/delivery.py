"""How a message of ours fares on its way to the client, as people see it."""

from __future__ import annotations

from typing import Literal

import msgspec

# waiting: not out yet · sent: the platform has it · failed: it will not come · unknown: nobody knows whether it came ·
# refused: we did not send it ourselves.
DeliveryState = Literal["waiting", "sent", "failed", "unknown", "refused"]


class Able(msgspec.Struct, frozen=True):
    """What a channel lets us do with a message that is out, and for how many seconds (0: without end)."""

    edit: bool = False
    delete: bool = False
    edit_seconds: float = 0.0
    delete_seconds: float = 0.0


class Delivery(msgspec.Struct, frozen=True):
    """A message at the place `seq` of a history. `row` is its newest row of the outbox, 0 where none is known.

    `changing`: an edit or a recall of it is on its way. `removed`: it was taken back. Times are seconds since the epoch.
    """

    seq: int
    row: int
    author: str
    operator: str
    state: DeliveryState
    reason: str = ""
    at: float = 0.0
    settled_at: float = 0.0
    attempts: int = 0
    message_id: str = ""
    edited: int = 0
    removed: bool = False
    changing: bool = False
