"""Remote work as rows: what is to be sent or called, and what became of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.messages import Outgoing

RowKind = Literal["send", "edit", "delete", "call", "ticket", "fetch"]
Verdict = Literal["sent", "retry", "unreachable", "rejected", "unknown", "refused"]


class OutboxRow(msgspec.Struct, omit_defaults=True):
    """One remote effect. `key` is born with the row and never changes: the platform's idempotency key comes from it.

    Sends of one conversation leave in the order of `id`, one after another; `call`, `ticket` and `fetch` rows go side by side.
    `guarded` rows (the bot's own) are refused when the conversation's epoch has grown past `epoch`. `payload` by kind:
    send, edit → `message`; call → {key, service, call, params}; ticket → {number}; fetch → {file, ref}.
    """

    id: int
    conversation: int
    kind: RowKind
    channel: str
    account: str
    chat: str
    key: str
    epoch: int = 0
    guarded: bool = False
    seq: int = 0  # place in the conversation's history (send and edit)
    message: Outgoing | None = None
    payload: dict[str, Any] = {}
    target: int = 0  # edit and delete: the outbox row they change
    target_ids: tuple[str, ...] = ()  # … and what the platform calls it, known at lease time
    attempts: int = 0
    created_at: float = 0.0  # seconds since the epoch, UTC
    sent_parts: tuple[str, ...] = ()  # platform ids of the parts that are already out (a long text is several)
    fresh: bool = False  # handed out by the turn that wrote it; a stored row never is
    followed: bool = False  # … which wrote more for its lane


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the platform made of a row. `after` (seconds) goes with `retry`; `scope` says whom a 429 is about."""

    verdict: Verdict
    platform_ids: tuple[str, ...] = ()
    reason: str = ""
    after: float = 0.0
    scope: Literal["chat", "account"] = "chat"
    migrate_to: str = ""


class Settled(msgspec.Struct, frozen=True):
    """A row with its verdict, to be written down."""

    row: OutboxRow
    sent: Sent
