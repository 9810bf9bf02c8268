"""Messages: what a client sent to us and what we send to a client, free of any messenger's habits."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.rich import Rich

AttachmentKind = Literal["photo", "file", "voice", "video", "audio", "sticker"]


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a message. `file` is our id (row of `files`); `ref` is what the channel calls it (Telegram file_id)."""

    kind: AttachmentKind
    file: str = ""
    ref: str = ""
    name: str = ""
    mime: str = ""
    size: int = 0


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

    `files` are our file ids; `per_channel` replaces the text by channel kind.
    """

    body: Rich
    rows: tuple[tuple[Button, ...], ...] = ()
    files: tuple[str, ...] = ()
    per_channel: dict[str, Rich] = {}
