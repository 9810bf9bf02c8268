"""What lists of sessions and pages of talks take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.api.models import Given, Id, Model

Filter = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Place = Annotated[int, Field(ge=0, le=2**53, strict=False)]
Cursor = Annotated[str, StringConstraints(max_length=4000)]


class ListQuery(Given):
    """Which sessions. Filters that are left out or empty filter nothing."""

    view: Literal["mine", "queue", "assigned", "waiting", "held", "bot", "all"] = "all"
    """Those one has; those in the queue; those that a person is to answer; waiting for the client; put aside; where the bot is in
    the middle of something; all."""
    sort: Literal["due", "last"] = "last"
    """By the nearest deadline, or what was said last first."""
    line: Filter = ""
    channel: Filter = ""
    operator: Filter = ""
    """`user:7`, or `me`."""
    status: Literal["", "bot", "queued", "assigned", "waiting", "held", "closed"] = ""
    category: Filter = ""
    q: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """Part of the client's name, phone or address."""
    limit: int = Field(default=50, ge=1, le=200, strict=False)
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""
    """`next` of the page before."""


class Colleague(Model):
    """Somebody at work, or a colleague in the messenger itself."""

    id: str
    """`user:7`, or what the messenger calls them."""
    title: str


class ClientShort(Model):
    """A client in a row."""

    id: int
    name: str
    tier: str


class Deadline(Model):
    """The nearest promise to the client."""

    at: datetime | None
    """None while the clock stands."""
    kind: str
    """`first_reply`, `next_reply`, `resolve`."""
    state: str
    """`fine`, `soon`, `late`, `paused`."""
    left: float
    """Seconds until then, negative behind it; of working time while the clock stands."""


class LastSaid(Model):
    """The last message, cut short."""

    author: Literal["client", "bot", "operator", "notice"]
    operator: Colleague | None
    text: str
    attachments: int
    at: datetime


class ListRow(Model):
    """A session in a list."""

    conversation: Id
    session: int
    channel: str
    kind: str
    """Of the channel: `telegram`, `web`, …"""
    client: ClientShort
    line: str
    line_title: str
    operator: Colleague | None
    status: str
    owner: str
    epoch: int
    priority: int
    """Higher is more urgent; 0 is ordinary."""
    category: str
    last: LastSaid | None
    last_at: datetime
    unread: int
    """Messages of the client that one has not read; 100 stands for more."""
    due: Deadline | None
    cause: str
    """Why it waits, by name; empty when it does not wait, or nobody has looked yet."""
    looking: list[Colleague]
    """Who has it open right now. A hint: seconds old."""
    continues: int
    """The number of the session that this one goes on with, 0 for none."""
    opened_at: datetime
    queued_at: datetime | None


class ListPage(Model):
    """A page of sessions."""

    items: list[ListRow]
    next: str | None


class Counts(Model):
    """How many sessions each view has."""

    mine: int
    queue: int
    waiting: int
    held: int
    bot: int
    all: int


class FlowQuestion(Model):
    """A question of a flow."""

    label: str
    state: Literal["done", "now", "ahead"]
    """`ahead`: it may come; which questions come depends on the answers."""


class FlowPosition(Model):
    """Where the dialogue with the bot stands."""

    flow: str
    title: str
    step: str
    question: str
    """What the bot has asked and the client has not answered; empty when nothing is asked."""
    suspended: str
    """The title of the flow that this one interrupted; empty when there is none."""
    steps: list[FlowQuestion]
    """The questions of the flow, in the order of its file."""


class TransferView(Model):
    """The transfer that brought a session, until somebody accepts it."""

    line: str
    line_title: str
    """Where it came from."""
    by: Colleague
    at: datetime
    missing: list[str]
    """What it should have brought, and did not."""
    mine: bool
    """Whether the caller sent it themselves."""


class LoanView(Model):
    """What the bot asks for the person who has the session."""

    flow: str
    title: str
    at: datetime


class FieldView(Model):
    """What was collected of the client's matter."""

    label: str
    text: str
    type: str
    private: bool
    by: Colleague | None
    """Who put it right; none: the bot collected it."""


class SessionView(Model):
    """A session of a talk."""

    number: int
    status: str
    line: str
    line_title: str
    operator: Colleague | None
    category: str
    rating: int
    continues: int
    opened_at: datetime
    closed_at: datetime | None


class ConversationView(Model):
    """A talk as it stands."""

    conversation: Id
    session: int
    channel: str
    kind: str
    reachable: bool
    """Whether the client can be written to there."""
    client: ClientShort
    status: str
    owner: str
    epoch: int
    line: str
    line_title: str
    operator: Colleague | None
    priority: int
    category: str
    rating: int
    note: str
    """With what it came to the line."""
    packet: dict[str, str]
    """What a transfer brought."""
    transfer: TransferView | None
    loan: LoanView | None
    held_until: datetime | None
    """When a session that was put aside comes back by itself."""
    due: Deadline | None
    cause: str
    looking: list[Colleague]
    flow: FlowPosition | None
    fields: list[FieldView]
    acts: list[str]
    """What the caller may do now: names of the deeds under this path."""
    sessions: list[SessionView]
    """All sessions of the talk, the newest last."""
    seq: int
    """The place of the last message."""
    read: int
    """The place up to which the caller has read."""
    opened_at: datetime
    queued_at: datetime | None
    assigned_at: datetime | None
    first_reply_at: datetime | None
    closed_at: datetime | None


# --- messages --------------------------------------------------------------------------------------------------------


class MessagesQuery(Given):
    """Which part of a talk: before a place, or behind one; without either, the end."""

    before: Place = 0
    after: Place = 0
    limit: int = Field(default=50, ge=1, le=200, strict=False)


class FileView(Model):
    """A file of a message."""

    id: str
    kind: str
    name: str
    mime: str
    size: int
    duration: float
    url: str
    """Opens for an hour without anything else; empty while there are no bytes."""
    small: str
    """A small picture of a picture, as long; empty for anything else."""
    note: str
    """Why there are none."""


class MarkView(Model):
    """Formatting of `text[start:end]`, in code points."""

    kind: str
    start: int
    end: int
    url: str


class QuoteView(Model):
    """The message that this one answers."""

    seq: int
    """Its place; 0 when we do not have it."""
    text: str


class EarlierText(Model):
    """What a message was before an edit."""

    until: datetime
    text: str


class Bubble(Model):
    """A message of the talk."""

    type: Literal["message"] = "message"
    conversation: Id
    seq: int
    author: Literal["client", "bot", "operator", "notice"]
    operator: Colleague | None
    at: datetime
    what: str
    """`message`, `press`, `opened` and the like: what the client did; empty for what we said."""
    text: str
    marks: list[MarkView]
    buttons: list[list[str]]
    files: list[FileView]
    contact: dict[str, Any] | None
    location: dict[str, Any] | None
    quote: QuoteView | None
    edited: int
    earlier: list[EarlierText]
    reactions: list[str]
    removed_at: datetime | None
    state: str
    """`received` for a client's; of ours `pending`, `sent`, `failed`, `unknown`, `refused`."""
    reason: str
    """The messenger's words for it."""


class NoteView(Model):
    """A private note. It never leaves the house."""

    type: Literal["note"] = "note"
    conversation: Id
    id: int
    author: Colleague
    at: datetime
    text: str


class SessionBegins(Model):
    """Here a session begins."""

    type: Literal["session"] = "session"
    conversation: Id
    session: SessionView


Item = Annotated[Bubble | NoteView | SessionBegins, Field(discriminator="type")]


class Messages(Model):
    """A page of a talk, the oldest first."""

    items: list[Item]
    before: int | None
    """Ask with this for what was before; none at the beginning."""
    after: int | None
    """Ask with this for what came later; none at the end."""


class ReadMark(Given):
    """How far one has read. A mark never moves back."""

    seq: Annotated[int, Field(ge=0, le=2**53)]


class ReadDone(Model):
    """The mark as it is now."""

    conversation: Id
    seq: int


class HistoryQuery(Given):
    """Which part of the history."""

    limit: int = Field(default=50, ge=1, le=200, strict=False)
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""


class Move(Model):
    """A move of a session."""

    at: datetime
    session: int
    move: str
    was: str
    now: str
    who: Colleague
    """A person, or `client`, `flow`, `bot`, `clock`."""
    why: str
    line: str
    epoch: int


class History(Model):
    """Moves, the newest first."""

    items: list[Move]
    next: str | None
