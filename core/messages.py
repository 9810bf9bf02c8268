"""Messages: what a client sent to us and what we send to a client, free of any messenger's habits."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.rich import Rich

AttachmentKind = Literal["photo", "file", "voice", "video", "audio", "sticker"]


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a message. `file` is our id (row of `files`); `ref` is what the channel calls it (Telegram file_id).

    `duration` is in seconds, of what is heard or watched. `note` says to people why there is no file.
    """

    kind: AttachmentKind
    file: str = ""
    ref: str = ""
    name: str = ""
    mime: str = ""
    size: int = 0
    duration: float = 0.0
    note: str = ""


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact card. `own` is true only when the messenger says that it is the sender's own phone."""

    phone: str
    name: str = ""
    own: bool = False


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place: WGS 84 degrees, and an address when the messenger gives one."""

    latitude: float
    longitude: float
    address: str = ""


class Quote(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message that another one answers: what the platform calls it, and its text as it was then."""

    message_id: str
    text: str = ""


class Sender(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who wrote, in the channel's words. `id` is unique within channel and account."""

    id: str
    name: str = ""
    username: str = ""
    language: str = ""


class Button(msgspec.Struct, frozen=True, omit_defaults=True):
    """A button under a message: pressing returns `token` (≤ 20 bytes), opens `url`, or asks for a contact or location."""

    label: str
    token: str = ""
    url: str = ""
    ask: Literal["", "contact", "location"] = ""


class Outgoing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message to a client. `rows` are rows of buttons; channels that lack buttons number them in the text.

    `files` are our file ids; `per_channel` replaces the text by channel kind; `quote` is the message that this one answers.
    """

    body: Rich
    rows: tuple[tuple[Button, ...], ...] = ()
    files: tuple[str, ...] = ()
    per_channel: dict[str, Rich] = {}
    quote: Quote | None = None
