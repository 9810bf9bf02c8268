"""What happens to messages that are in the history already: edits, reactions, removals, further parts of an album."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from core.events import Edited, Inbound, Message, Reacted, Removed
from core.ports import Earlier, Pending
from storage.codec import Marks, Part, decode_event, decode_marks, encode
from storage.effects import Writing
from storage.ledger import Ledger
from storage.rows import Row

# So many messages back a change is looked for; platforms forbid to edit after two days.
LOOK_BACK = 2_000
MOST_EARLIER = 50  # texts that one message keeps; of more the first and the newest stay
ALBUM_BACK = 40  # messages between the parts of one album, at most

Later = Edited | Reacted | Removed


# --- before the turn -------------------------------------------------------------------------------------------------


def settle_edit(ledger: Ledger, home: int, inbound: Inbound) -> Inbound | None:
    """The edit with the text that stood there before; None when nothing changes that people see.

    Messengers tell of changes to a message that are none for people: a preview of a link, a counter under it.
    """
    edited = inbound.event
    if not isinstance(edited, Edited):
        return inbound
    conversation = ledger.rows.conversation(home)
    row = _find(ledger, home, edited.external_id, conversation.seq) if conversation is not None else None
    said = None if row is None else _said(row)
    if row is None or said is None:
        return inbound
    text, attachments = _of_part(_marks(row), said, edited.external_id)
    if text == edited.text and _same(edited, attachments):
        return None
    same = edited.attachments if not _same(edited, attachments) else None
    return msgspec.structs.replace(inbound, event=msgspec.structs.replace(edited, was=text, attachments=same))


def _same(edited: Edited, attachments: tuple[Any, ...]) -> bool:
    if edited.attachments is None:
        return True
    return [_place(one.ref) for one in edited.attachments] == [_place(one.ref) for one in attachments]


def _place(ref: str) -> str:
    """What stays of a file's name: platforms sign addresses anew and give them from other machines."""
    return urlsplit(ref).path if ref.startswith(("https://", "http://")) else ref


# --- in the turn -----------------------------------------------------------------------------------------------------


def write_later(writing: Writing, pending: Pending) -> int:
    """Write a change into the message it is about. The place of a message of its own when that one is not known: an edit
    is what a client says, and is not lost; 0 otherwise."""
    event = pending.event
    if not isinstance(event, Later):
        return 0
    name = event.external_id if isinstance(event, Edited) else event.message_id
    home = writing.conversation.id
    row = _find(writing.ledger, home, name, writing.seq)
    if row is None:
        return writing.next_seq() if isinstance(event, Edited) else 0
    at = pending.sent_at.timestamp()
    if isinstance(event, Edited):
        _edit(writing, row, event, at)
    else:
        marks = _marks(row)
        if isinstance(event, Reacted):
            marks.reactions = event.emojis
        else:
            marks.removed = at
        writing.ledger.rows.save_marks(home, row["seq"], encode(marks))
    return 0


def _edit(writing: Writing, row: Row, edited: Edited, at: float) -> None:
    said, marks = _said(row), _marks(row)
    if said is None:
        return
    text, attachments = _of_part(marks, said, edited.external_id)
    fresh = attachments if edited.attachments is None else edited.attachments
    if text == edited.text and fresh == attachments:
        return
    now = _with_part(marks, said, edited.external_id, edited.text, fresh)
    kept = (*marks.earlier, Earlier(at, said.text, (said.attachments or ()) if edited.attachments is not None else ()))
    marks.earlier = kept if len(kept) <= MOST_EARLIER else (kept[0], *kept[2:])
    rows, home = writing.ledger.rows, writing.conversation.id
    rows.change_message(home, row["seq"], encode(now))
    rows.save_marks(home, row["seq"], encode(marks))


def join_album(writing: Writing, message: Message, message_id: str) -> int:
    """Put a further part of an album into the message that its first part has become; its place, 0 for the first part."""
    if not message.album:
        return 0
    rows, home = writing.ledger.rows, writing.conversation.id
    for row in reversed(rows.messages_after(home, max(0, writing.seq - ALBUM_BACK), ALBUM_BACK)):
        said = _said(row)
        if isinstance(said, Message) and said.album == message.album:
            _join(writing, row, said, message, message_id)
            return int(row["seq"])
    return 0


def _join(writing: Writing, row: Row, whole: Message, message: Message, message_id: str) -> None:
    marks = _marks(row)
    first = Part(row["message_id"], whole.part, whole.text, len(whole.attachments))
    parts = marks.parts or (first,)
    if any(part.message_id == message_id for part in parts):
        return
    files = _files(parts, whole)
    fresh = Part(message_id, message.part, message.text, len(message.attachments))
    marks.parts = tuple(sorted((*parts, fresh), key=lambda part: part.place))
    files[message_id] = message.attachments
    _save_whole(writing, row, _whole(marks.parts, files, whole), marks)
    writing.ledger.rows.name_message(writing.conversation.id, message_id, row["seq"])


def _save_whole(writing: Writing, row: Row, whole: Message, marks: Marks) -> None:
    rows, home = writing.ledger.rows, writing.conversation.id
    rows.change_message(home, row["seq"], encode(whole))
    rows.save_marks(home, row["seq"], encode(marks))


# --- parts of an album -----------------------------------------------------------------------------------------------


def _files(parts: tuple[Part, ...], whole: Message | Edited) -> dict[str, tuple[Any, ...]]:
    """The attachments of each part."""
    found, at = {}, 0
    attachments = whole.attachments or ()
    for part in parts:
        found[part.message_id] = attachments[at : at + part.files]
        at += part.files
    return found


def _whole(parts: tuple[Part, ...], files: dict[str, tuple[Any, ...]], whole: Message) -> Message:
    return msgspec.structs.replace(
        whole,
        text="\n".join(part.text for part in parts if part.text),
        attachments=tuple(one for part in parts for one in files[part.message_id]),
    )


def _of_part(marks: Marks, said: Message | Edited, message_id: str) -> tuple[str, tuple[Any, ...]]:
    """Text and attachments of the part that the platform calls so; of the whole message when it has no parts."""
    for part in marks.parts:
        if part.message_id == message_id:
            return part.text, _files(marks.parts, said)[message_id]
    return said.text, said.attachments or ()


def _with_part(
    marks: Marks, said: Message | Edited, message_id: str, text: str, attachments: tuple[Any, ...]
) -> Message | Edited:
    """The message with another text and attachments, of one of its parts if it has some."""
    if not marks.parts or not isinstance(said, Message):
        return msgspec.structs.replace(said, text=text, attachments=attachments)
    files = _files(marks.parts, said) | {message_id: attachments}
    marks.parts = tuple(
        Part(message_id, part.place, text, len(attachments)) if part.message_id == message_id else part
        for part in marks.parts
    )
    return _whole(marks.parts, files, said)


def _find(ledger: Ledger, home: int, message_id: str, newest: int) -> Row | None:
    seq = ledger.rows.message_named(home, message_id, max(0, newest - LOOK_BACK)) if message_id else None
    return None if seq is None else ledger.rows.message(home, seq)


def _said(row: Row) -> Message | Edited | None:
    """What the client said there; None for our own messages and for presses."""
    event = decode_event.decode(row["event"]) if row["event"] is not None else None
    return event if isinstance(event, Message | Edited) else None


def _marks(row: Row) -> Marks:
    return decode_marks.decode(row["marks"]) if row["marks"] is not None else Marks()
