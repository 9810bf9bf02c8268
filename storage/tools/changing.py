"""Notes with whom they call; words of operators changed, taken back or sent again, as rows; and what a refusal undoes.

Everything is looked at once more here, in the transaction: a message may have settled since somebody decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from core.effects import Change, Note, Recall, Resend
from core.messages import Outgoing
from core.outbox import OutboxRow
from core.ports import Earlier
from core.rich import plain
from storage.codec import EMPTY_LIST, Marks, decode_marks, decode_message, decode_strings, encode
from storage.ledger import Ledger
from storage.rows import FAILED, REFUSED, SENT, UNKNOWN, WAITING, Row
from storage.work.projecting import tell

if TYPE_CHECKING:
    from storage.effects import Writing

TAKEN_BACK = "taken back before it was sent"


def write_note(writing: Writing, effect: Note) -> None:
    """A note in its own table; who is called by it has a row of their own, and hears of it alone."""
    rows, home = writing.ledger.rows, writing.conversation
    about = {"conversation": home.id, "at": writing.now, "author": effect.author, "text": effect.text}
    rows.insert("notes", about)
    for person in dict.fromkeys(effect.to):
        rows.insert("mentions", {**about, "user_id": int(person.removeprefix("user:")), "read_at": 0.0})
        tell(writing.ledger, home, "mention", writing.now, {"author": effect.author}, person)


# --- another text ----------------------------------------------------------------------------------------------------


def write_change(writing: Writing, effect: Change) -> None:
    """The history has the new text at once; the client gets it by an edit, or with the message itself if it still waits."""
    rows, home = writing.ledger.rows, writing.conversation.id
    root, said = _standing(writing, effect.row, effect.seq), rows.message(home, effect.seq)
    if root is None or said is None or said["message"] is None:
        return
    was, marks = decode_message.decode(said["message"]), _marks(said)
    if marks.removed:
        return
    now = msgspec.structs.replace(was, body=plain(effect.text), per_channel={})
    message = encode(now)
    rows.edit_message(home, effect.seq, message)
    marks.earlier = (*marks.earlier, Earlier(writing.now, was.body.text))
    rows.save_marks(home, effect.seq, encode(marks))
    if _is_free(writing, root):
        rows.rewrite(root["id"], message, writing.epoch, 0)
    else:
        undo = {"was": msgspec.to_builtins(was)}
        writing.remote("edit", "", message, seq=effect.seq, message=now, payload=undo, **_target(root))


# --- away ------------------------------------------------------------------------------------------------------------


def write_recall(writing: Writing, effect: Recall) -> None:
    """What still waits is never sent; what stands in the chat is taken away by a row of its own."""
    rows, home = writing.ledger.rows, writing.conversation.id
    root, said = _standing(writing, effect.row, effect.seq), rows.message(home, effect.seq)
    if root is None or said is None:
        return
    marks = _marks(said)
    if marks.removed:
        return
    marks.removed = writing.now
    rows.save_marks(home, effect.seq, encode(marks))
    if _is_free(writing, root):
        rows.settle_row(root["id"], home, REFUSED, EMPTY_LIST, TAKEN_BACK, writing.now)
        rows.settle_message(home, effect.seq, "refused", TAKEN_BACK, "")
        rows.arm_timers(home, root["id"], writing.now)
        refuse_changes(writing.ledger, home, root["id"], writing.now)
    else:
        writing.remote("delete", seq=effect.seq, payload={"recall": True}, **_target(root))


# --- once more -------------------------------------------------------------------------------------------------------


def write_resend(writing: Writing, effect: Resend) -> None:
    """A row with a key of its own for a message that failed for good. Parts that are out already are not sent again."""
    rows, home = writing.ledger.rows, writing.conversation.id
    failed, said = rows.outbox_row(effect.row), rows.message(home, effect.seq)
    if failed is None or said is None or failed["state"] not in {FAILED, UNKNOWN} or said["state"] != "failed":
        return
    if (failed["conversation"], failed["seq"]) != (home, effect.seq) or _marks(said).removed:
        return
    message: Outgoing = decode_message.decode(said["message"])
    parts = decode_strings.decode(failed["sent_parts"])
    row = writing.remote("send", "", said["message"], seq=effect.seq, message=message, sent_parts=parts)
    if parts:
        rows.advance_row(row.id, failed["sent_parts"])
    rows.settle_message(home, effect.seq, "pending", "", "")
    writing.last_send = row.id


# --- when the platform refuses ---------------------------------------------------------------------------------------


def undo_change(ledger: Ledger, row: OutboxRow, reason: str) -> None:
    """An edit or a recall failed: the history says what the client still sees, and why."""
    if not row.payload:
        return
    said = ledger.rows.message(row.conversation, row.seq)
    if said is None:
        return
    marks = _marks(said)
    if "was" in row.payload:
        ledger.rows.edit_message(row.conversation, row.seq, encode(msgspec.convert(row.payload["was"], Outgoing)))
        marks.earlier = marks.earlier[:-1]
    else:
        marks.removed = 0.0
    ledger.rows.save_marks(row.conversation, row.seq, encode(marks))
    ledger.rows.settle_message(row.conversation, row.seq, said["state"], reason, said["message_id"])


def refuse_changes(ledger: Ledger, home: int, target: int, now: float) -> None:
    """Nothing stands in the chat that could be changed."""
    for id in ledger.rows.waiting_edits(target):
        ledger.rows.settle_row(id, home, REFUSED, EMPTY_LIST, "what it changes was not sent", now)
        ledger.rows.arm_timers(home, id, now)


# --- what they share -------------------------------------------------------------------------------------------------


def _standing(writing: Writing, id: int, seq: int) -> Row | None:
    """The outbox row of a message that stands in the chat, or will."""
    root = writing.ledger.rows.outbox_row(id)
    if root is None or (root["conversation"], root["seq"], root["kind"]) != (writing.conversation.id, seq, "send"):
        return None
    return root if root["state"] in {WAITING, SENT} else None


def _is_free(writing: Writing, root: Row) -> bool:
    """Whether no sender has begun, or may hold the row in its hands for the next try."""
    waits = root["state"] == WAITING and not root["attempts"] and root["sent_parts"] == EMPTY_LIST
    return waits and not writing.ledger.leases.held(root["id"], writing.now)


def _target(root: Row) -> dict[str, Any]:
    return {"target": root["id"], "target_ids": decode_strings.decode(root["platform_ids"])}


def _marks(said: Row) -> Marks:
    return decode_marks.decode(said["marks"]) if said["marks"] is not None else Marks()
