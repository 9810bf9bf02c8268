"""What the API takes and gives of canned replies, drafts and mentions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api.models import Given, Id, LineName, Model, Page, Said, Text
from gateway.api.models_conversations import ClientShort, Colleague
from gateway.api.models_deeds import FileId

Shortcut = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[^\x00-\x20\x7f/]+$")]
Template = Annotated[str, StringConstraints(min_length=1, max_length=8000)]
Files = Annotated[list[FileId], Field(max_length=10)]
Place = Annotated[int, Field(ge=0, le=100_000)]
Kind = Literal["reply", "note"]
Version = Annotated[int, Field(ge=0, le=2**53)]

# --- canned replies --------------------------------------------------------------------------------------------------


class RepliesAsked(Given):
    """Which canned replies are wanted."""

    conversation: Annotated[int, Field(ge=1, le=2**53, strict=False)] | None = None
    """Only those that fit there: one's own, its line's and the house's."""
    q: Annotated[str, StringConstraints(max_length=100)] = ""
    """The beginning of a shortcut, or words of title and text."""


class CannedReply(Model):
    """A canned reply."""

    id: Id
    scope: Literal["own", "line", "all"]
    line: str
    """Of the scope `line`."""
    shortcut: str
    title: str
    text: str
    """With variables in double braces."""
    files: list[str]
    place: int
    uses: int
    used_at: datetime | None
    changed_at: datetime
    may_change: bool


class CannedReplies(Model):
    """Canned replies in the order in which they are offered."""

    items: list[CannedReply]


class NewReply(Given):
    """A canned reply to be kept."""

    scope: Literal["own", "line", "all"]
    line: LineName | None = None
    """Needed for the scope `line`."""
    shortcut: Shortcut
    title: Text
    text: Template
    """`{{ client.name }}`, `{{ operator.title }}`, `{{ line.title }}`, `{{ ticket.number }}` and collected fields by their
    label are filled in; `{{ name | default("…") }}` says what stands there without a value."""
    files: Annotated[list[FileId], Field(default_factory=list, max_length=10)]
    """Ids that `POST /files` gave."""
    place: Place = 0


class ReplyChange(Given):
    """What is left out stays."""

    shortcut: Shortcut | None = None
    title: Text | None = None
    text: Template | None = None
    files: Files | None = None
    place: Place | None = None


class RenderedReply(Model):
    """A canned reply, filled in for a conversation."""

    reply: Id
    text: str
    """What has no value stands in braces."""
    files: list[str]
    unfilled: list[str]
    """With any of these it cannot be sent."""


# --- drafts ----------------------------------------------------------------------------------------------------------


class DraftAsked(Given):
    """Which draft."""

    kind: Kind = "reply"


class DraftDropped(Given):
    """Which draft is of no use any more."""

    kind: Kind = "reply"
    version: Annotated[int, Field(ge=0, le=2**53, strict=False)]
    """As it was seen; one that was written since stays."""


class NewDraft(Given):
    """What one has written so far."""

    kind: Kind = "reply"
    version: Version = 0
    """The version that was seen; 0 where there was none."""
    text: Said
    files: Annotated[list[FileId], Field(default_factory=list, max_length=10)]


class DraftView(Model):
    """A draft as it is kept."""

    conversation: Id
    kind: Kind
    version: int
    """0: there is none."""
    text: str
    files: list[str]
    at: datetime | None


# --- mentions --------------------------------------------------------------------------------------------------------


class MentionsAsked(Page):
    """Which mentions."""

    unread: Annotated[bool, Field(strict=False)] = False
    """Only those that were not read yet."""


class MentionView(Model):
    """A note that calls one."""

    id: Id
    conversation: Id
    channel: str
    line: str
    at: datetime
    author: Colleague
    client: ClientShort
    note: int
    """The id of the note in its talk."""
    text: str
    """The whole note."""
    read_at: datetime | None


class Mentions(Model):
    """A page of mentions, the newest first."""

    items: list[MentionView]
    unread: int
    """Of all pages."""
    next: str | None


class ReadUpTo(Given):
    """What was read."""

    up_to: Id
    """This mention, and those before it."""
    only: bool = False
    """This one alone: those before it stay as they are."""


class ReadDone(Model):
    """How many were unread."""

    read: int
