"""Rules of the inbox: accepted once, processed in order, tried again, set aside when it fails too often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.conversation import Conversation
from core.events import ColleagueReply, Edited, Inbound, Message, Opened, Poisoned, Press, Readdressed
from core.ports import Cursor, Decide, Done, Pending, Receipt, Work
from storage import shape
from storage.cards.card import card_columns
from storage.changes import join_album, settle_edit, write_later
from storage.codec import Outcome, encode
from storage.effects import Writing
from storage.lanes import move_chat
from storage.ledger import Ledger
from storage.rows import DEAD, PROCESSED, Row
from storage.work.projecting import project

ATTEMPTS = 5  # a step may fail so often, then its event is dead
PAUSE = 0.2  # seconds before the second attempt, doubled with each
BATCH = 20  # events of one conversation per turn
PLACES = 100  # of processed events per turn, more than a batch has
LOOK_AHEAD = 200  # pending events that are looked at to put a batch in order

_SAID = (Message, Press, Opened, ColleagueReply)


# --- accepting -------------------------------------------------------------------------------------------------------


def accept(
    ledger: Ledger, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
) -> list[Receipt]:
    """Put events into the inbox with the poller's cursor, and process those of idle conversations on the spot."""
    receipts = [_accept_one(ledger, inbound, decide) for inbound in inbounds]
    if cursor is not None:
        ledger.rows.set_cursor(cursor.channel, cursor.value, cursor.epoch)
    return receipts


def _accept_one(ledger: Ledger, inbound: Inbound, decide: Decide | None) -> Receipt:
    rows = ledger.rows
    known = rows.seen(inbound.channel, inbound.account, inbound.external_id)
    if known is not None:
        return Receipt(known, duplicate=True)
    now = ledger.clock()
    old = rows.conversation_of(inbound.channel, inbound.account, inbound.chat)
    if isinstance(inbound.event, Readdressed):  # also told by refusals: whoever is second changes nothing
        if old is not None:
            move_chat(ledger, old, inbound.event.chat)
        return Receipt(old or 0, duplicate=old is None, processed=True)
    home = old or _meet(ledger, inbound, now)
    changed = settle_edit(ledger, home, inbound) if isinstance(inbound.event, Edited) else inbound
    if changed is None:
        return Receipt(home, duplicate=True)
    inbound = changed
    row = shape.inbound_row(ledger.numbers.take("inbox"), home, inbound, now)
    if decide is None or rows.has_pending(home):
        rows.insert("inbox", row)
        ledger.unit.woke = True
        return Receipt(home)
    pending = Pending(row["id"], inbound.event, shape.moment(now), inbound.sent_at, 0, inbound.message_id)
    return _process(ledger, home, [pending], decide, now, row)


def _meet(ledger: Ledger, inbound: Inbound, now: float) -> int:
    """A first contact: a new conversation, and a new client unless this sender is known from another chat."""
    sender = inbound.sender_id or inbound.chat
    client = ledger.rows.client_of(inbound.channel, inbound.account, sender) or _greet(ledger, inbound, sender, now)
    id = ledger.numbers.take("conversation")
    new = Conversation(id=id, channel=inbound.channel, account=inbound.account, chat=inbound.chat, client=client)
    ledger.rows.insert(
        "conversations",
        {
            "id": id,
            "channel": inbound.channel,
            "account": inbound.account,
            "chat": inbound.chat,
            "client": client,
            "version": 0,
            "epoch": 0,
            "live": 0,
            "last_at": 0.0,
            "created_at": now,
            "state": encode(new),
        },
    )
    return id


def _greet(ledger: Ledger, inbound: Inbound, sender: str, now: float) -> int:
    client = ledger.numbers.take("client")
    card = _card(client, inbound)
    ledger.rows.insert("clients", {"id": client, "created_at": now, **card_columns(card)})
    ledger.rows.insert(
        "identities",
        {
            "channel": inbound.channel,
            "account": inbound.account,
            "sender": sender,
            "client": client,
            "proof": "messenger",
            "created_at": now,
        },
    )
    return client


def _card(client: int, inbound: Inbound) -> dict[str, Any]:
    return {
        "id": client,
        "name": inbound.sender_name,
        "username": inbound.sender_username,
        "language": inbound.sender_language,
        "channel": inbound.channel,
        "verified": [],
    }


# --- processing ------------------------------------------------------------------------------------------------------


def take_turn(ledger: Ledger, home: int, decide: Decide, one: bool = False) -> Receipt | None:
    """Process what is pending in a conversation. None when nothing is.

    With `one` only the first event, whose attempt `note_attempt` has counted.
    """
    stored = _in_order(ledger, home)
    if not stored:
        return None
    pending = [shape.pending_event(row) for row in stored[: 1 if one else BATCH]]
    if one:
        pending[0].attempts -= 1  # this one was counted beforehand
    return _process(ledger, home, pending, decide, ledger.clock(), None)


def note_attempt(ledger: Ledger, home: int) -> int | None:
    """Count an attempt at the first pending event before it is made, so that one which kills the process is counted.

    One that was tried too often is set aside, and the next one's turn comes. The id of the event, None without any.
    """
    stored = _in_order(ledger, home)
    if not stored:
        return None
    row = stored[0]
    if row["attempts"] >= ATTEMPTS:
        _bury(ledger, home, row, "the process stopped while this event was processed")
        return note_attempt(ledger, home)
    ledger.rows.delay_event(row["id"], row["attempts"] + 1, 0.0, row["error"])
    return int(row["id"])


def _in_order(ledger: Ledger, home: int) -> list[Row]:
    return sorted(ledger.rows.pending(home, LOOK_AHEAD), key=shape.sending_order)


def _process(
    ledger: Ledger, home: int, pending: list[Pending], decide: Decide, now: float, fresh: Row | None
) -> Receipt:
    """Decide and write down. `fresh` is the inbox row of an event that is not stored yet."""
    rows = ledger.rows
    conversation = rows.conversation(home)
    if conversation is None:
        raise LookupError(f"conversation {home} is gone")
    seq, version, before = conversation.seq, conversation.version, conversation.session
    work = Work(conversation, rows.card(conversation.client), pending, ledger.numbers.peek("ticket"))
    result = decide(work)
    writing = Writing(ledger, result.conversation, now, seq)
    receipt = Receipt(home, outbox=writing.handed)
    first = (version + 1) * PLACES
    said = [_write_done(writing, done, place, fresh) for place, done in enumerate(result.done, first)]
    if result.failed is not None:
        _write_failure(writing, result.failed, result.error, fresh)
    elif fresh is not None and not result.done:
        rows.insert("inbox", fresh)
        ledger.unit.woke = True
    result.conversation.seq, result.conversation.version = writing.seq, version + 1
    rows.save_conversation(result.conversation, version, now if any(said) else 0.0)
    project(ledger, before, result.conversation, result.done, now)
    receipt.processed, receipt.seq = bool(result.done), max(said, default=0)
    return receipt


def _write_done(writing: Writing, done: Done, place: int, fresh: Row | None) -> int:
    """Close an event and write its effects; the place of the client's message in the history, 0 for other events."""
    seq = _write_said(writing, done.pending, None if fresh is None else fresh["event"])
    writing.turn(done.effects, done.epoch)
    outcome = encode(Outcome(done.epoch, done.effects, done.trace))
    if fresh is None:
        writing.ledger.rows.finish_event(done.pending.id, PROCESSED, place, done.facts, outcome, "")
    else:
        closed = {"state": PROCESSED, "place": place, "facts": done.facts, "outcome": outcome}
        writing.ledger.rows.insert("inbox", fresh | closed)
    return seq


def _write_said(writing: Writing, pending: Pending, event: bytes | None = None) -> int:
    """A client's word, or a colleague's that is out already, becomes a message of the history; `event` is the event
    encoded, if it is at hand."""
    said = pending.event
    joined = join_album(writing, said, pending.message_id) if isinstance(said, Message) else 0
    if joined:
        return joined
    seq = writing.next_seq() if isinstance(said, _SAID) else write_later(writing, pending)
    if not seq:
        return 0
    if getattr(said, "attachments", None):
        event = None  # they have our file ids by now
    row = shape.message_row(
        writing.conversation.id,
        seq,
        "client",
        pending.at.timestamp(),
        event=event or encode(said),
        message_id=pending.message_id,
    )
    if isinstance(said, ColleagueReply):
        row |= {"author": "operator", "operator": said.operator, "state": "sent"}
    writing.ledger.rows.insert("messages", row)
    return seq


# --- failures --------------------------------------------------------------------------------------------------------


def _write_failure(writing: Writing, failed: Pending, error: str, fresh: Row | None) -> None:
    """One attempt more; after the last one the event is set aside and people are told."""
    ledger = writing.ledger
    if fresh is not None:
        ledger.rows.insert("inbox", fresh)
    attempts = failed.attempts + 1
    ledger.unit.woke = True
    if attempts >= ATTEMPTS:
        _set_aside(writing, failed, error)
        return
    ledger.rows.delay_event(failed.id, attempts, writing.now + PAUSE * 2 ** (attempts - 1), error)


def _set_aside(writing: Writing, failed: Pending, error: str) -> None:
    _write_said(writing, failed)
    writing.ledger.rows.finish_event(failed.id, DEAD, 0, b"", b"", error)
    _tell(writing.ledger, writing.conversation.id, failed, error)


def _bury(ledger: Ledger, home: int, row: Row, error: str) -> None:
    """Set an event aside outside of a turn."""
    conversation = ledger.rows.conversation(home)
    if conversation is None:
        raise LookupError(f"conversation {home} is gone")
    version, now = conversation.version, ledger.clock()
    writing = Writing(ledger, conversation, now, conversation.seq)
    _set_aside(writing, shape.pending_event(row), error)
    conversation.seq, conversation.version = writing.seq, version + 1
    ledger.rows.save_conversation(conversation, version, 0.0)


def _tell(ledger: Ledger, home: int, failed: Pending, error: str) -> None:
    if not isinstance(failed.event, Poisoned):
        ledger.put_event(home, Poisoned(failed.id, error), f"poisoned:{failed.id}")
