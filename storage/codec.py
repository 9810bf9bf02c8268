"""Values of the product as bytes of a blob, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from core.conversation import Conversation
from core.effects import Effect
from core.events import Event
from core.messages import Outgoing
from core.ports import Earlier
from core.turn import Trace


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """What became of an event, for replay."""

    epoch: int = 0
    effects: tuple[Effect, ...] = ()
    trace: tuple[Trace, ...] = ()


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A part of an album: what the platform calls it, its place, its text, how many attachments it brought."""

    message_id: str
    place: int
    text: str
    files: int


class Marks(msgspec.Struct, omit_defaults=True):
    """What came to a message of the history later; `parts` of an album, in order."""

    earlier: tuple[Earlier, ...] = ()
    reactions: tuple[str, ...] = ()
    removed: float = 0.0
    parts: tuple[Part, ...] = ()


encode = msgspec.json.Encoder().encode

decode_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
decode_message = msgspec.json.Decoder(Outgoing)
decode_conversation = msgspec.json.Decoder(Conversation)
decode_outcome = msgspec.json.Decoder(Outcome)
decode_marks = msgspec.json.Decoder(Marks)
decode_dict = msgspec.json.Decoder(dict[str, Any])
decode_strings = msgspec.json.Decoder(tuple[str, ...])

EMPTY_DICT = b"{}"
EMPTY_LIST = b"[]"
