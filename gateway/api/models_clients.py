"""What the client card takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.api.models import Given, Id, Model, Said
from gateway.api.models_conversations import ClientShort, Colleague, Cursor, Filter, Item, SessionView

Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Value = Annotated[str, StringConstraints(max_length=2000)]
Values = Annotated[dict[Word, Value | None], Field(max_length=100)]
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ClientsQuery(Given):
    """Which clients. Filters that are left out or empty filter nothing."""

    q: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """Part of the name, phone or address."""
    tag: Filter = ""
    tier: Filter = ""
    limit: int = Field(default=50, ge=1, le=200, strict=False)
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""


class ClientRow(Model):
    """A client in a list."""

    id: Id
    name: str
    phone: str
    email: str
    tier: str
    tags: list[str]
    created_at: datetime


class ClientsPage(Model):
    """A page of clients, the newest first."""

    items: list[ClientRow]
    next: str | None


class ContactView(Model):
    """A way to reach the client outside of the channels."""

    kind: Literal["phone", "email"]
    value: str
    proof: Literal["messenger", "typed"]
    """Whether the messenger proved that it is theirs."""


class CardField(Model):
    """What is known of the client."""

    name: str
    label: str
    type: str
    """Of the flows' field that keeps it; empty when no flow does any more."""
    value: Any
    text: str
    """The value as people read it."""
    editable: bool
    """What the messenger proved, and what only flows can make (files), is not changed by hand."""


class IdentityView(Model):
    """The client in a channel."""

    channel: str
    kind: str
    sender: str
    """What the messenger calls them."""
    proof: str
    since: datetime


class TalkView(Model):
    """A talk of the client that one may see."""

    conversation: Id
    session: int
    channel: str
    kind: str
    status: str
    line: str
    line_title: str
    operator: Colleague | None
    reachable: bool
    last_at: datetime | None
    """When the client wrote there last."""


class TicketShort(Model):
    """A ticket of the client."""

    number: Id
    desk: str
    title: str
    status: str
    done: bool
    created_at: datetime
    updated_at: datetime


class ClientSession(SessionView):
    """A session of the client, in one of the talks."""

    conversation: Id
    channel: str


class ClientNote(Model):
    """A note about the client, for colleagues only."""

    id: Id
    at: datetime
    author: Colleague
    conversation: int
    """From which talk it was written; 0 for none."""
    text: str


class EditView(Model):
    """What somebody changed on the card."""

    id: Id
    at: datetime
    author: Colleague
    name: str
    was: Any
    now: Any
    reason: str


class ClientView(Model):
    """The card of a client."""

    id: Id
    version: str
    """Of the card as it is: a change says which it has seen."""
    name: str
    username: str
    language: str
    tier: str
    tags: list[str]
    contacts: list[ContactView]
    fields: list[CardField]
    identities: list[IdentityView]
    talks: list[TalkView]
    hidden: int
    """Talks of the client that one may not see."""
    tickets: list[TicketShort]
    sessions: list[ClientSession]
    """The newest first, at most a hundred; ratings stand there."""
    rating: float | None
    """The mean of those ratings; none without any."""
    notes: list[ClientNote]
    edits: list[EditView]
    parts: list[int]
    """Clients that became part of this one and can be taken out again."""
    created_at: datetime


class ClientChange(Given):
    """What is left out stays. An empty text takes a value away, `null` of `fields` too."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    name: Line | None = None
    tier: Filter | None = None
    tags: Annotated[list[Word], Field(max_length=50)] | None = None
    """All tags that the card shall have."""
    fields: Values = Field(default_factory=dict)
    """Name → text, read as the client's own answer would be."""
    reason: Line = ""
    conversation: Annotated[int, Field(ge=0, le=2**53)] = 0
    """From which talk: if two clients turn out to be two after all, the change stays with whose talk it was."""


class NewClientNote(Given):
    """Words for the colleagues."""

    text: Annotated[Said, StringConstraints(min_length=1)]
    conversation: Annotated[int, Field(ge=0, le=2**53)] = 0


class NotesQuery(Given):
    """Which notes, or edits."""

    limit: int = Field(default=50, ge=1, le=200, strict=False)
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""


class ClientNotes(Model):
    """Notes, the newest first."""

    items: list[ClientNote]
    next: str | None


class Edits(Model):
    """Edits, the newest first."""

    items: list[EditView]
    next: str | None


class TimelineQuery(Given):
    """Which part of the stream."""

    limit: int = Field(default=50, ge=1, le=200, strict=False)
    before: Cursor = ""
    """`next` of the part that came later; left out: the end."""


class Timeline(Model):
    """All talks of a client in one stream, the oldest first."""

    items: list[Item]
    next: str | None
    """Ask with this for what was before; none at the beginning."""
    hidden: int
    """Talks of the client that one may not see."""


# --- two that are one ------------------------------------------------------------------------------------------------


class JoinAsked(Given):
    """Two clients are one person; somebody says so and why."""

    other: Id
    reason: Annotated[Line, StringConstraints(min_length=3)]


class JoinWith(Given):
    """With whom."""

    other: int = Field(ge=1, le=2**53, strict=False)


class JoinPreview(Model):
    """The card that a join would make: `gone` would become part of `kept`. What a messenger has proved beats what was typed, then
    the client who wrote last beats the other, and nothing beats something."""

    kept: Id
    gone: Id
    name: str
    tier: str
    tags: list[str]
    contacts: list[ContactView]
    fields: list[CardField]


class JoinView(Model):
    """Two clients that became one: `gone` became part of `kept`."""

    id: Id
    at: datetime
    how: str
    """`hand`: somebody said so; `code`, `phone`: it was proved."""
    by: Colleague | None
    reason: str
    state: str
    kept: int
    gone: int
    undone_at: datetime | None
    undone_by: Colleague | None


class Joins(Model):
    """Joins of a client, the newest first."""

    items: list[JoinView]


class SuggestionView(Model):
    """A client that may be the same person."""

    client: ClientShort
    why: str
    """The same `phone`, `email` or `name`; `several`, `names`: a phone was proved and something spoke against it; `undone`:
    they were one before."""


class Suggestions(Model):
    """Clients that may be the same person."""

    items: list[SuggestionView]
