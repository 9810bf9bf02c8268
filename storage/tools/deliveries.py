"""How a message of the history was delivered, and by which other ways its client can be reached."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import bindparam, func, literal_column, select

from core.delivery import Delivery, DeliveryState
from storage.asked import Asked
from storage.codec import decode_conversation, decode_marks
from storage.rows import FAILED, REFUSED, SENT, UNKNOWN, WAITING, Row
from storage.tables import conversations, message_marks, messages, outbox

STATES: dict[int, DeliveryState] = {
    WAITING: "waiting",
    SENT: "sent",
    FAILED: "failed",
    UNKNOWN: "unknown",
    REFUSED: "refused",
}
# What stands in the history where no row of the outbox is known: the bot's messages, and those of before.
SHOWN: dict[str, DeliveryState] = {"pending": "waiting", "sent": "sent", "failed": "failed", "refused": "refused"}
_one: Any = literal_column("1")
_zero: Any = literal_column("0")

SAID = (
    select(
        messages.c.seq,
        messages.c.author,
        messages.c.operator,
        messages.c.at,
        messages.c.state,
        messages.c.reason,
        messages.c.message_id,
        messages.c.edited,
        message_marks.c.marks,
    )
    .outerjoin(
        message_marks,
        (message_marks.c.conversation == messages.c.conversation) & (message_marks.c.seq == messages.c.seq),
    )
    .where(messages.c.conversation == bindparam("home"), messages.c.seq == bindparam("place"))
)
# The words of the partial index `ix_outbox_ours`.
ROW = (
    select(outbox.c.id, outbox.c.state, outbox.c.reason, outbox.c.attempts, outbox.c.settled_at)
    .where(
        outbox.c.conversation == bindparam("home"),
        outbox.c.seq == bindparam("place"),
        outbox.c.guarded == _zero,
        outbox.c.kind == literal_column("'send'"),
    )
    .order_by(outbox.c.id.desc())
    .limit(_one)
    .offset(_zero)
)
CHANGES = select(func.count().label("n")).where(
    outbox.c.target == bindparam("target"), outbox.c.state == _zero, outbox.c.target > _zero
)
OF_CLIENT = (
    select(conversations.c.id, conversations.c.channel, conversations.c.last_at, conversations.c.state)
    .where(conversations.c.client == bindparam("client"))
    .order_by(conversations.c.last_at.desc(), conversations.c.id)
)


def find_delivery(reads: Asked, conversation: int, seq: int) -> Delivery | None:
    """How the message at a place fares; None for a place that has none, or one of the client's."""
    said = reads.one(SAID, home=conversation, place=seq)
    if said is None or said["state"] == "received":
        return None
    row = reads.one(ROW, home=conversation, place=seq)
    return _delivery(said, row, bool(row is not None and reads.value(CHANGES, target=row["id"])))


def _delivery(said: Row, row: Row | None, changing: bool) -> Delivery:
    found = row or {"id": 0, "attempts": 0, "settled_at": None, "reason": "", "state": None}
    return Delivery(
        seq=said["seq"],
        row=found["id"],
        author=said["author"],
        operator=said["operator"],
        state=SHOWN.get(said["state"], "sent") if row is None else STATES[row["state"]],
        reason=said["reason"] or found["reason"],
        at=said["at"],
        settled_at=found["settled_at"] or 0.0,
        attempts=found["attempts"],
        message_id=said["message_id"],
        edited=said["edited"],
        removed=said["marks"] is not None and bool(decode_marks.decode(said["marks"]).removed),
        changing=changing,
    )


class Way(msgspec.Struct, frozen=True):
    """A conversation of the same client. `last_at` is when they last wrote there, 0 when they never did."""

    conversation: int
    channel: str
    reachable: bool
    last_at: float


def ways_of(reads: Asked, client: int) -> list[Way]:
    """Every conversation of a client, the one they used last first."""
    rows = reads.all(OF_CLIENT, client=client)
    return [
        Way(it["id"], it["channel"], decode_conversation.decode(it["state"]).reachable, it["last_at"]) for it in rows
    ]
