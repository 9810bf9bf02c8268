"""What deeds in a conversation take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from gateway.api.models import Epoch, Given, Id, LineName, Model, PlainAct, Said

Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]
FileId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
FileIds = Annotated[list[FileId], Field(max_length=10)]
Packet = Annotated[dict[Label, Said], Field(max_length=50)]
People = Annotated[list[Id], Field(max_length=20)]


class ReplyAct(Given):
    """Words and files for the client."""

    epoch: Epoch
    text: Said = ""
    files: FileIds = Field(default_factory=list)
    """Ids that `POST /files` gave, or of files of this conversation."""
    canned: Id | None = None
    """The canned reply that it was made of; without `text` it is filled in here, with its files."""
    draft: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """The version of the draft that is sent by this: it ends, unless it was written since."""
    quote: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """The place of the message that this one answers."""


class AssignAct(PlainAct):
    """A session for somebody; `text` says why."""

    person: Id


class TransferAct(PlainAct):
    """A session for another line, or for somebody of it; `text` is what they read first."""

    line: LineName
    person: Id | None = None
    packet: Packet = Field(default_factory=dict)
    """Label → text, over what is filled in already."""
    urgent: bool = False
    """Send it although something is missing; the receiver sees that."""


class HoldAct(PlainAct):
    """Put a session aside."""

    until: AwareDatetime | None = Field(default=None, strict=False)
    """When it comes back by itself; left out: when somebody, or the client, brings it back."""


class LoanAct(Given):
    """Let the bot ask."""

    epoch: Epoch
    flow: Name
    """The id of the flow."""


class CloseAct(PlainAct):
    """The end; `text` is said to the client in place of the usual words."""

    category: Annotated[str, StringConstraints(max_length=200)] = ""
    """One of the line's, where it has some."""


class PriorityAct(Given):
    """How urgent it is."""

    epoch: Epoch
    priority: Literal["low", "normal", "high", "urgent", "critical"]


class FieldAct(Given):
    """A collected field put right."""

    epoch: Epoch
    label: Label
    text: Said


class WhisperAct(Given):
    """Words for the colleagues."""

    text: Said
    mention: People = Field(default_factory=list)
    """Whom it calls, beside those whose `@name` stands in the text. They must see the conversation."""
    draft: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """The version of the note's draft, which ends."""


class To(Given):
    """Where a transfer would go."""

    to: LineName


class PacketField(Model):
    """One thing that a transfer must bring."""

    label: str
    text: str
    """What is known of it already; empty when nothing is."""


class TransferForm(Model):
    """What a transfer to a line must bring, filled in as far as it is known."""

    line: str
    title: str
    open: bool
    """A closed line takes nothing."""
    fields: list[PacketField]
    missing: list[str]


class LoanFlow(Model):
    """A flow whose questions the bot can ask for a person."""

    id: str
    title: str
    about: str
    asks: list[str]
    """The labels of its fields."""


class LoanFlows(Model):
    """All of them."""

    items: list[LoanFlow]


class Uploaded(Model):
    """A file of ours."""

    id: str
    name: str
    mime: str
    size: int
