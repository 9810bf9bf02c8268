"""Pieces: messages that the client or the messenger sent apart are one answer. They wait in the session for a timer."""

from __future__ import annotations

import msgspec

from bot.actions.ask import Ask
from bot.engine.runs import encode_event
from bot.engine.walk import Walk
from core.effects import StartTimer, StopTimer
from core.events import Message

KEY = "pieces"
ALBUM_SECONDS = 1.0
MOST = 50  # pieces kept; later ones are joined without waiting


def pause_for(walk: Walk, message: Message) -> float:
    """How long to wait for more, 0 when the message stands alone."""
    if message.album:
        return ALBUM_SECONDS
    if walk.talk.run is None or walk.run.pending or not walk.run.question or walk.talk.asking:
        return 0.0
    node = walk.node
    if isinstance(node.action, Ask) and node.field is not None and node.field.type == "text" and message.text:
        return walk.flow.policy.pause if node.field.pattern is None and not message.command else 0.0
    return 0.0


def hold_piece(walk: Walk, message: Message, seconds: float) -> None:
    """Keep the piece and wait (anew) for the next."""
    kept = walk.talk.memory.get("pieces", [])
    walk.talk.memory["pieces"] = [*kept, encode_event(message)]
    walk.note("piece", count=len(kept) + 1)
    walk.effects.append(StartTimer(KEY, seconds))


def kept_pieces(walk: Walk) -> list[Message]:
    return [msgspec.convert(raw, Message) for raw in walk.talk.memory.get("pieces", ())]


def belongs(pieces: list[Message], message: Message) -> bool:
    """Whether a message goes with the pieces kept: the same album, or text after text."""
    return len(pieces) < MOST and pieces[-1].album == message.album


def take_pieces(walk: Walk) -> Message | None:
    """All pieces as one message; they are kept no more."""
    pieces = sorted(kept_pieces(walk), key=lambda piece: piece.part)  # deliveries may come reordered
    if not pieces:
        return None
    del walk.talk.memory["pieces"]
    walk.effects.append(StopTimer(KEY))
    return Message(
        text="\n".join(piece.text for piece in pieces if piece.text),
        attachments=tuple(attachment for piece in pieces for attachment in piece.attachments),
        contact=next((piece.contact for piece in pieces if piece.contact), None),
        location=next((piece.location for piece in pieces if piece.location), None),
        quote=next((piece.quote for piece in pieces if piece.quote), None),
    )
