"""The protocol as types: what an integrator sends, what we send, what either answers. The published schema is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from adapters.api.capabilities import EVENTS
from core.messages import AttachmentKind

TEXT = 32_768  # code points of a text that comes in
KINDS = frozenset(get_args(AttachmentKind))
CONTROLS = "^[^\\u0000-\\u001f\\u007f]*$"

Id = Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema={"pattern": CONTROLS})]
Ref = Annotated[str, Meta(max_length=200, extra_json_schema={"pattern": CONTROLS})]
Line = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=TEXT)]
Url = Annotated[str, Meta(max_length=2048, extra_json_schema={"format": "uri", "pattern": CONTROLS})]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, with its zone")]
Phone = Annotated[str, Meta(min_length=3, max_length=40)]
Emoji = Annotated[str, Meta(min_length=1, max_length=64)]
Size = Annotated[int, Meta(ge=0)]

# --- from the integrator ---------------------------------------------------------------------------------------------


class Sender(Struct, frozen=True, omit_defaults=True):
    """The client. `id` is the client's own in your messenger; `language` is a BCP 47 tag."""

    id: Id
    name: Line = ""
    username: Line = ""
    language: Line = ""


class Attachment(Struct, frozen=True, omit_defaults=True):
    """One file of a message: `file` is the id that `POST …/files` answered, or `url` is where we fetch it.

    `size` is in bytes, `duration` in seconds.
    """

    kind: AttachmentKind = "file"
    file: Ref = ""
    url: Url = ""
    name: Line = ""
    mime: Line = ""
    size: Size = 0
    duration: Annotated[float, Meta(ge=0)] = 0.0


class Contact(Struct, frozen=True, omit_defaults=True):
    """A contact card. `own` says that your messenger has proved it to be the sender's own phone."""

    phone: Phone
    name: Line = ""
    own: bool = False


class Location(Struct, frozen=True, omit_defaults=True):
    """A place: degrees of WGS 84, and an address when you know one."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    address: Annotated[str, Meta(max_length=500)] = ""


class Quote(Struct, frozen=True, omit_defaults=True):
    """The message that this one answers: its id in your messenger, and its text when you have it."""

    message_id: Id
    text: Text = ""


class Happened(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What all events have. `chat` names the conversation; events of one chat are taken in the order in which they come.

    `id` tells repeats apart: the same `id` again changes nothing. Without one, `webhook-id` and the place in the batch
    stand in.
    """

    chat: Id
    id: Ref = ""
    at: Moment | None = None
    sender: Sender | None = None


class Message(Happened, frozen=True, kw_only=True, tag="message"):
    """A client's message: text, files, a contact, a place, or several of them. `album` joins parts that came apart;
    `command` is `/status`, read from the text when it is left out."""

    message_id: Ref = ""
    text: Text = ""
    attachments: Annotated[tuple[Attachment, ...], Meta(max_length=20)] = ()
    contact: Contact | None = None
    location: Location | None = None
    quote: Quote | None = None
    album: Ref = ""
    command: Annotated[str, Meta(pattern="^(/[A-Za-z0-9_]{1,32})?$")] = ""


class Press(Happened, frozen=True, kw_only=True, tag="press"):
    """A client pressed a button of ours: its `token`, and the label that stood on it."""

    token: Annotated[str, Meta(min_length=1, max_length=64, extra_json_schema={"pattern": CONTROLS})]
    label: Line = ""
    message_id: Ref = ""


class Opened(Happened, frozen=True, kw_only=True, tag="opened"):
    """A client opened the chat, perhaps by a deep link: `link` is what followed the bot's address."""

    link: Line = ""


class Edited(Happened, frozen=True, kw_only=True, tag="edited"):
    """A client changed the text of an earlier message."""

    message_id: Id
    text: Text = ""


class Reacted(Happened, frozen=True, kw_only=True, tag="reacted"):
    """The marks a client has on a message now; none when they were taken away."""

    message_id: Id
    emojis: Annotated[tuple[Emoji, ...], Meta(max_length=20)] = ()


class Reachability(Happened, frozen=True, kw_only=True, tag="reachability"):
    """A client blocked the bot, or let it write again."""

    reachable: bool


class ColleagueReply(Happened, frozen=True, kw_only=True, tag="colleague_reply"):
    """A colleague of ours answered in your messenger itself: the client has it already, the bot falls silent."""

    operator: Id
    message_id: Ref = ""
    text: Text = ""
    attachments: Annotated[tuple[Attachment, ...], Meta(max_length=20)] = ()


class Seen(Happened, frozen=True, kw_only=True, tag="seen"):
    """A client has seen our messages up to this one. Counted, not kept."""

    message_id: Id


Event = Message | Press | Opened | Edited | Reacted | Reachability | ColleagueReply | Seen


class Batch(Struct, frozen=True):
    """Several events in one delivery."""

    events: Annotated[tuple[Event, ...], Meta(min_length=1, max_length=EVENTS)]


# --- what we answer --------------------------------------------------------------------------------------------------


class Note(Struct, frozen=True, omit_defaults=True):
    """A place in the body (`pointer`, RFC 6901) and what is the matter there."""

    pointer: str
    detail: str


class Accepted(Struct, frozen=True):
    """Everything is on our disk. `duplicates` were known, `ignored` leave no trace (`seen`); `warnings` need a look."""

    accepted: Size
    duplicates: Size = 0
    ignored: Size = 0
    warnings: tuple[Note, ...] = ()


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457. `errors` name each refused event; the others of the delivery are kept: do not send it again unchanged."""

    title: str
    status: int
    detail: str = ""
    errors: tuple[Note, ...] = ()
    accepted: Size = 0
    duplicates: Size = 0
    ignored: Size = 0


class Kept(Struct, frozen=True):
    """An uploaded file: `file` goes into an attachment."""

    file: str
    name: str
    mime: str
    size: Size
    sha256: str


# --- from us ---------------------------------------------------------------------------------------------------------


class Mark(Struct, frozen=True, omit_defaults=True):
    """Formatting of `text[start:end]`, counted in Unicode code points."""

    kind: Literal["bold", "italic", "code", "link"]
    start: Size
    end: Size
    url: str = ""


class Button(Struct, frozen=True, omit_defaults=True):
    """A button: pressing gives `token` back (`press`), opens `url`, or asks for the client's `contact` or `location`."""

    label: str
    token: Annotated[str, Meta(max_length=64)] = ""
    url: str = ""
    ask: Literal["", "contact", "location"] = ""


class File(Struct, frozen=True, omit_defaults=True):
    """A file for the client. `url` needs no other secret and ends after a day: fetch it at once. `size` is in bytes."""

    id: str
    url: str
    name: str = ""
    mime: str = ""
    size: Size = 0
    kind: AttachmentKind = "file"


class Wanted(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What all calls have. `key` is the idempotency key, the same as in `webhook-id`."""

    key: str


class Send(Wanted, frozen=True, kw_only=True, tag="send"):
    """Show a message to the client. Answer its id in your messenger."""

    chat: str
    text: str = ""
    marks: tuple[Mark, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    files: tuple[File, ...] = ()
    quote: Quote | None = None


class Edit(Wanted, frozen=True, kw_only=True, tag="edit"):
    """Replace text, marks and buttons of a message of ours."""

    chat: str
    message_id: str
    text: str = ""
    marks: tuple[Mark, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()


class Delete(Wanted, frozen=True, kw_only=True, tag="delete"):
    """Take a message of ours away."""

    chat: str
    message_id: str


class Typing(Wanted, frozen=True, kw_only=True, tag="typing"):
    """Show for a few seconds that an answer is being written. Never repeated."""

    chat: str


class Command(Struct, frozen=True):
    """A command of the bot: its name without the slash, and what it does."""

    name: str
    description: str


class Menu(Wanted, frozen=True, kw_only=True, tag="menu"):
    """The commands of the bot, for your menu: these and no others."""

    commands: tuple[Command, ...]


Call = Send | Edit | Delete | Typing | Menu

# --- what the integrator answers -------------------------------------------------------------------------------------


class Taken(Struct, frozen=True, omit_defaults=True):
    """The message is shown, or will be. `message_id` is its id in your messenger."""

    message_id: Id
    status: Line = ""


class Refusal(Struct, frozen=True, omit_defaults=True):
    """Why not. `code` is for us, `title` and `detail` for people; `scope` says whom a 429 is about."""

    code: Literal["", "already", "unreachable", "message_not_found", "unsupported"] = ""
    title: str = ""
    detail: str = ""
    message_id: Line = ""
    scope: Literal["account", "chat"] = "account"


FROM_INTEGRATOR = (Message, Press, Opened, Edited, Reacted, Reachability, ColleagueReply, Seen)
TO_INTEGRATOR = (Send, Edit, Delete, Typing, Menu)
