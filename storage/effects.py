"""Effects as rows: one writer per kind of effect, found by its type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.conversation import Conversation
from core.effects import (
    Call,
    Change,
    CreateTicket,
    Effect,
    FetchFile,
    Forward,
    Note,
    Queue,
    Recall,
    Record,
    Resend,
    Send,
    StartTimer,
    StopTimer,
    Unqueue,
    UpdateClient,
)
from core.normal import normal
from core.outbox import OutboxRow, RowKind
from core.ports import StoredFile
from storage import shape
from storage.codec import EMPTY_DICT, decode_strings, encode
from storage.joining.cards import write_card
from storage.joining.rules import note_write
from storage.ledger import Ledger
from storage.rows import SENT, WAITING, Row
from storage.tickets.opening import open_ticket
from storage.tools.changing import write_change, write_note, write_recall, write_resend


@dataclass
class Writing:
    """The effects of the turns of one conversation being written. `seq` is the history's last place."""

    ledger: Ledger
    conversation: Conversation
    now: float
    seq: int
    epoch: int = 0
    handed: list[OutboxRow] = field(default_factory=list)
    last_send: int = 0
    timers: list[StartTimer | StopTimer] = field(default_factory=list)
    _lane_taken: bool | None = None

    def turn(self, effects: tuple[Effect, ...], epoch: int) -> None:
        """Write the effects of one event. Timers last: they may wait for the delivery of the turn's last message."""
        self.epoch, self.last_send = epoch, 0
        self.timers.clear()
        for effect in effects:
            _WRITERS[type(effect)](self, effect)
        for timer in self.timers:
            _write_timer(self, timer)

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def remote(self, kind: RowKind, slot: str = "", encoded: bytes | None = None, **more: Any) -> OutboxRow:
        """A new outbox row, handed out at once unless its lane is taken. `encoded` is its message as stored."""
        ledger, home = self.ledger, self.conversation
        id = ledger.numbers.take("outbox")
        row = OutboxRow(
            id=id,
            conversation=home.id,
            kind=kind,
            channel=home.channel,
            account=home.account,
            chat=home.chat,
            key=ledger.key(id),
            epoch=self.epoch,
            created_at=self.now,
            **more,
        )
        free = kind not in shape.LANE or self._take_lane()
        ledger.rows.insert("outbox", shape.outbox_table_row(row, slot, encoded))
        if free:
            row.fresh = True
            ledger.offer(row, self.now, self.handed)
        elif self.handed:
            self._follow()
        return row

    def _follow(self) -> None:
        """The lane goes on behind what was handed out."""
        for row in self.handed:
            row.followed = row.followed or row.kind in shape.LANE

    def _take_lane(self) -> bool:
        if self._lane_taken is None:
            self._lane_taken = self.ledger.rows.head(self.conversation.id) is not None
        free = not self._lane_taken
        self._lane_taken = True
        return free


# --- messages --------------------------------------------------------------------------------------------------------


def _write_send(writing: Writing, effect: Send) -> None:
    writing.last_send = (effect.slot and effect.replace and _replace(writing, effect)) or _send(writing, effect)


def _send(writing: Writing, effect: Send) -> int:
    seq, message = writing.next_seq(), encode(effect.message)
    guarded = effect.author == "bot"
    row = writing.remote("send", effect.slot, message, seq=seq, message=effect.message, guarded=guarded)
    writing.ledger.rows.insert(
        "messages",
        shape.message_row(
            writing.conversation.id,
            seq,
            effect.author,
            writing.now,
            message=message,
            state="pending",
            operator=effect.operator,
        ),
    )
    return row.id


def _replace(writing: Writing, effect: Send) -> int:
    """Change the slot's newest message. 0 when there is none to change: it was never sent, or failed for good."""
    rows = writing.ledger.rows
    newest = rows.newest_in_slot(writing.conversation.id, effect.slot)
    target = _root(writing, newest) if newest is not None else None
    if newest is None or target is None:
        return 0
    message = encode(effect.message)
    rows.edit_message(writing.conversation.id, newest["seq"], message)
    if newest["state"] == WAITING and not writing.ledger.leases.held(newest["id"], writing.now):
        rows.rewrite(newest["id"], message, writing.epoch, int(effect.author == "bot"))
        return int(newest["id"])
    return _edit(writing, effect, target, message)


def _root(writing: Writing, newest: Row) -> Row | None:
    """The message that stands in the chat, or will."""
    root = writing.ledger.rows.outbox_row(newest["target"] or newest["id"])
    return root if root is not None and root["state"] in {WAITING, SENT} else None


def _edit(writing: Writing, effect: Send, target: Row, message: bytes) -> int:
    row = writing.remote(
        "edit",
        effect.slot,
        message,
        seq=target["seq"],
        message=effect.message,
        guarded=effect.author == "bot",
        target=target["id"],
        target_ids=decode_strings.decode(target["platform_ids"]),
    )
    return row.id


# --- timers ----------------------------------------------------------------------------------------------------------


def _keep_timer(writing: Writing, effect: StartTimer | StopTimer) -> None:
    writing.timers.append(effect)


def _write_timer(writing: Writing, effect: StartTimer | StopTimer) -> None:
    rows, home = writing.ledger.rows, writing.conversation.id
    if isinstance(effect, StopTimer):
        rows.stop_timer(home, effect.key)
        return
    after = writing.last_send if effect.from_delivery else 0
    rows.set_timer(
        {
            "conversation": home,
            "key": effect.key,
            "due": None if after else writing.now + effect.seconds,
            "after": after,
            "seconds": effect.seconds,
            "data": encode(effect.data) if effect.data else EMPTY_DICT,
        }
    )


# --- tickets and remote work -----------------------------------------------------------------------------------------


def _write_call(writing: Writing, effect: Call) -> None:
    payload = {"key": effect.key, "service": effect.service, "call": effect.call, "params": effect.params}
    writing.remote("call", payload=payload)


def _write_ticket(writing: Writing, effect: CreateTicket) -> None:
    opened = open_ticket(writing.ledger, writing.conversation, effect, writing.now)
    if opened and effect.desk in writing.ledger.outer_desks:
        writing.remote("ticket", payload={"number": effect.number, "key": effect.key, "wait": effect.wait})


def _write_fetch(writing: Writing, effect: FetchFile) -> None:
    """The row of a file, and the order to bring its bytes; a note says that there are none to be had."""
    it = effect.attachment
    home = writing.conversation
    file = StoredFile(it.file, home.id, it.name, it.mime, it.size, it.kind, home.channel, it.ref, error=it.note)
    writing.ledger.rows.add_file(shape.file_row(file, writing.now))
    if not it.note:
        writing.remote("fetch", payload={"file": it.file, "ref": it.ref})


# --- the client, the queue, reports ----------------------------------------------------------------------------------


def _write_client(writing: Writing, effect: UpdateClient) -> None:
    rows, home = writing.ledger.rows, writing.conversation
    card = rows.card(home.client, own=True)
    note_write(writing.ledger, card, home.id, effect, writing.now)
    rows.save_card(home.client, write_card(card, effect))


def _write_queue(writing: Writing, effect: Queue) -> None:
    writing.ledger.rows.enqueue(
        {
            "conversation": writing.conversation.id,
            "line": effect.line,
            "priority": effect.priority,
            "deadline": effect.deadline,
            "note": effect.note,
            "since": writing.now,
        }
    )


def _write_unqueue(writing: Writing, effect: Unqueue) -> None:
    writing.ledger.rows.unqueue(writing.conversation.id)


def _write_forward(writing: Writing, effect: Forward) -> None:
    writing.ledger.put_event(effect.conversation, effect.event, effect.key)


def _write_record(writing: Writing, effect: Record) -> None:
    rows = writing.ledger.rows
    rows.insert(
        "records",
        {
            "conversation": writing.conversation.id,
            "at": writing.now,
            "kind": effect.kind,
            "data": encode(effect.data) if effect.data else EMPTY_DICT,
            "session": effect.data.get("session", 0),
        },
    )
    text = normal(str(effect.data.get("text", ""))) if effect.kind == "uncaught" else ""
    if text:
        rows.count_uncaught(text, writing.now)


# `ToLine`, `AnswerBot` and `Hand` are answered before they come here; a KeyError is the mistake of whoever let one pass.
_WRITERS: dict[type[Effect], Callable[[Writing, Any], None]] = {
    Send: _write_send,
    StartTimer: _keep_timer,
    StopTimer: _keep_timer,
    Call: _write_call,
    CreateTicket: _write_ticket,
    UpdateClient: _write_client,
    Queue: _write_queue,
    Unqueue: _write_unqueue,
    Note: write_note,
    Change: write_change,
    Recall: write_recall,
    Resend: write_resend,
    FetchFile: _write_fetch,
    Forward: _write_forward,
    Record: _write_record,
}
