"""Rules of the outbox: one send of a conversation after another, verdicts written down once, failures made visible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from core.events import DeliveryFailed
from core.outbox import OutboxRow, Sent, Settled, Verdict
from core.ports import Receipt
from storage.codec import EMPTY_LIST, encode
from storage.ledger import Ledger
from storage.rows import FAILED, REFUSED, SENT, UNKNOWN
from storage.shape import LANE
from storage.tickets.telling import tell_again, tell_elsewhere
from storage.tools.changing import refuse_changes, undo_change


def hand_out(ledger: Ledger, candidates: Iterable[int], now: float, limit: int) -> list[OutboxRow]:
    """Lease up to `limit` of the candidates: those that are free and, in a lane, the first."""
    handed = (_hand_head(ledger, id, now) for id in candidates)
    return list(islice((row for row in handed if row is not None), limit))


def _hand_head(ledger: Ledger, id: int, now: float) -> OutboxRow | None:
    stored = ledger.rows.outbox_row(id)
    if stored is None or (stored["lane"] and ledger.rows.head(stored["conversation"]) != id):
        return None
    return ledger.hand_stored(id, now)


def mark(ledger: Ledger, settled: Sequence[Settled]) -> list[Receipt]:
    """Write verdicts down; the receipts hold the next row of each lane that became free."""
    receipts = [_mark_one(ledger, it.row, it.sent) for it in settled]
    return [receipt for receipt in receipts if receipt is not None]


def _mark_one(ledger: Ledger, row: OutboxRow, sent: Sent) -> Receipt | None:
    now = ledger.clock()
    if sent.migrate_to:
        move_chat(ledger, row.conversation, sent.migrate_to)
    freed = _VERDICTS[sent.verdict](ledger, row, sent, now)
    ledger.unit.freed.append(row.id)
    return _next(ledger, row, now) if freed else None


def _next(ledger: Ledger, row: OutboxRow, now: float) -> Receipt | None:
    head = ledger.rows.head(row.conversation) if row.kind in LANE else None
    following = ledger.hand_stored(head, now) if head is not None else None
    return Receipt(row.conversation, outbox=[following]) if following is not None else None


def move_chat(ledger: Ledger, home: int, chat: str) -> None:
    """The platform gave the chat another id (a group that became a supergroup): the conversation and what waits go there."""
    rows = ledger.rows
    conversation = rows.conversation(home)
    rows.readdress(home, chat)
    if conversation is not None and rows.conversation_of(conversation.channel, conversation.account, chat) is None:
        rows.move_conversation(conversation, chat)


def progress(ledger: Ledger, row: OutboxRow) -> None:
    """Parts of the row are out; its sender is alive and keeps it."""
    ledger.rows.advance_row(row.id, encode(row.sent_parts))
    ledger.hand(row, ledger.clock())


# --- verdicts --------------------------------------------------------------------------------------------------------


def _settle(ledger: Ledger, row: OutboxRow, sent: Sent, now: float, state: int, shown: str) -> bool:
    """Close the row; False when it was closed before. Timers that waited for it start to run."""
    ids = encode(sent.platform_ids) if sent.platform_ids else EMPTY_LIST
    if not ledger.rows.settle_row(row.id, row.conversation, state, ids, sent.reason, now):
        return False
    if row.kind == "send":
        message_id = sent.platform_ids[0] if sent.platform_ids else ""
        ledger.rows.settle_message(row.conversation, row.seq, shown, sent.reason, message_id)
        for part in filter(None, sent.platform_ids[1:]):
            ledger.rows.name_message(row.conversation, part, row.seq)
    if row.kind in LANE:
        ledger.rows.arm_timers(row.conversation, row.id, now)
    return True


def _sent(ledger: Ledger, row: OutboxRow, sent: Sent, now: float) -> bool:
    return _settle(ledger, row, sent, now, SENT, "sent")


def _retry(ledger: Ledger, row: OutboxRow, sent: Sent, now: float) -> bool:
    """The lane stays blocked: what follows would overtake."""
    ledger.rows.delay_row(row.id, row.attempts + 1, now + sent.after, f"{sent.scope}: {sent.reason}")
    if row.sent_parts:
        ledger.rows.advance_row(row.id, encode(row.sent_parts))
    return False


def _refused(ledger: Ledger, row: OutboxRow, sent: Sent, now: float) -> bool:
    freed = _settle(ledger, row, sent, now, REFUSED, "refused")
    if freed:
        refuse_changes(ledger, row.conversation, row.id, now)
        tell_again(ledger, row)
    return freed


def _failed(ledger: Ledger, row: OutboxRow, sent: Sent, now: float) -> bool:
    freed = _settle(ledger, row, sent, now, UNKNOWN if sent.verdict == "unknown" else FAILED, "failed")
    if freed and row.kind in {"edit", "delete"}:
        undo_change(ledger, row, sent.reason)
    if freed and row.kind in LANE:
        event = DeliveryFailed(row.seq, sent.verdict, sent.reason)
        ledger.put_event(row.conversation, event, f"failed:{row.key}")
        refuse_changes(ledger, row.conversation, row.id, now)
    return freed


def _unreachable(ledger: Ledger, row: OutboxRow, sent: Sent, now: float) -> bool:
    freed = _failed(ledger, row, sent, now)
    conversation = ledger.rows.conversation(row.conversation) if freed and row.kind in LANE else None
    if conversation is not None and conversation.reachable:
        version = conversation.version
        conversation.reachable, conversation.version = False, version + 1
        ledger.rows.save_conversation(conversation, version, 0.0)
    if freed and row.kind in LANE:
        tell_elsewhere(ledger, row, sent.reason)
    return freed


_VERDICTS: dict[Verdict, Callable[[Ledger, OutboxRow, Sent, float], bool]] = {
    "sent": _sent,
    "retry": _retry,
    "unreachable": _unreachable,
    "rejected": _failed,
    "unknown": _failed,
    "refused": _refused,
}
