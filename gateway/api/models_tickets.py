"""What routes of tickets take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from gateway.api.models import Given, Id, Model
from gateway.api.models_deeds import FileIds, Label

Filter = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Short = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Long = Annotated[str, StringConstraints(max_length=8000)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Fields = Annotated[dict[Label, Long], Field(max_length=100)]
Person = Annotated[int, Field(ge=0, le=2**53)]
Group = Literal["open", "waiting", "done"]
DeskName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


# --- desks -----------------------------------------------------------------------------------------------------------


class StatusView(Model):
    """A status of a desk."""

    word: str
    title: str
    means: Group


class DeskView(Model):
    """A desk: what its tickets need, may be about, and go through."""

    desk: str
    title: str
    outer: bool
    needs: list[str]
    categories: list[str]
    statuses: list[StatusView]


class Desks(Model):
    """All desks."""

    items: list[DeskView]


# --- lists -----------------------------------------------------------------------------------------------------------


class TicketFilters(Given):
    """Which tickets. Filters that are left out or empty filter nothing."""

    desk: Filter = ""
    group: Literal["", "open", "waiting", "done"] = ""
    status: Filter = ""
    assignee: Filter = ""
    """`user:7`, `me`, or `nobody`."""
    overdue: bool = Field(default=False, strict=False)
    """Only open ones whose deadline has passed; the clock of one that waits for its client stands."""
    client: int = Field(default=0, ge=0, le=2**53, strict=False)
    line: Filter = ""
    conversation: int = Field(default=0, ge=0, le=2**53, strict=False)
    """With `session`: the tickets of that session."""
    session: int = Field(default=0, ge=0, le=2**53, strict=False)
    q: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """A number, or part of the title, the text or a field that is not private; finds joined tickets, too."""


class TicketsQuery(TicketFilters):
    """Which tickets, in which order, and how many of them."""

    sort: Literal["deadline", "updated"] = "deadline"
    """The nearest deadline first and what is solved last, or what changed last first."""
    limit: int = Field(default=50, ge=1, le=200, strict=False)
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""


class TicketItem(Model):
    """A ticket in a list."""

    number: Id
    desk: str
    title: str
    status: str
    status_title: str
    means: Group
    priority: str
    category: str
    assignee: str
    assignee_title: str = ""
    """What others read, where it is an account."""
    line: str
    client: Id
    client_name: str = ""
    """Of lists and of the ticket that was asked for."""
    channel: str = ""
    """In which it began; of lists and of the ticket that was asked for."""
    kind: str = ""
    """Of the channel."""
    conversation: Id
    master: int
    """The ticket that this one was joined to, whose state counts; 0: none."""
    rating: int
    version: int
    created_at: datetime
    updated_at: datetime
    deadline: datetime | None
    solved_at: datetime | None


class TicketList(Model):
    """A page of tickets."""

    items: list[TicketItem]
    next: str | None


class TicketCount(Model):
    """How many tickets a status of a desk has."""

    desk: str
    status: str
    status_title: str
    means: Group
    count: int


class TicketCounts(Model):
    """The tickets that filters let through, by desk and status."""

    items: list[TicketCount]


# --- one ticket ------------------------------------------------------------------------------------------------------


class TicketComment(Model):
    """What was said to the client, or by them."""

    at: datetime
    by: str
    by_title: str = ""
    """What others read, where it is an account."""
    text: str
    ticket: Id
    """The ticket it was written in: this one, or one that was joined to it."""


class TicketNote(Model):
    """For people alone."""

    id: Id
    at: datetime
    by: str
    by_title: str = ""
    """What others read, where it is an account."""
    text: str


class TicketEntry(Model):
    """A line of the history: what happened, who did it, the new values."""

    at: datetime
    what: str
    by: str
    by_title: str = ""
    """What others read, where it is an account."""
    data: dict[str, Any]


class TicketLink(Model):
    """A session that the ticket belongs to."""

    conversation: Id
    session: Id
    channel: str
    line: str
    status: str


class TicketFile(Model):
    """A file of the ticket."""

    id: str
    name: str
    mime: str
    size: int
    url: str
    """Opens for an hour without anything else; empty while there are no bytes."""
    small: str
    """A small picture of a picture, as long; empty for anything else."""
    error: str


class Likely(Model):
    """A possible duplicate."""

    number: Id
    title: str
    status_title: str
    means: Group
    likeness: float
    """From 0 to 1."""


class LedgerPart(Model):
    """A stretch of a ticket's time; the next one begins where it ends."""

    since: datetime
    until: datetime
    cause: Literal["counted", "client", "done", "hours"]
    """What became of it: it counted; it waited for the client; it was solved; the line was closed."""
    seconds: float


class LedgerSums(Model):
    """Seconds by what became of them."""

    counted: float = 0.0
    client: float = 0.0
    done: float = 0.0
    hours: float = 0.0


class DeadlineMove(Model):
    """A deadline that was set, by hand, by the desk's promise or because the ticket had stood."""

    at: datetime
    by: str
    by_title: str = ""
    was: datetime | None
    due: datetime | None
    stood: float
    """Seconds for which it had waited for the client or been solved; 0: it was moved by hand."""


class TicketLedger(Model):
    """Why the deadline is what it is."""

    promised: float
    """Seconds of working time that the desk promises; 0: nothing."""
    line: str
    """Whose hours count; empty: day and night."""
    due: datetime | None
    """None where nothing is promised."""
    late: bool
    left: float | None
    """Seconds of working time until then; None without a deadline, while it waits and when it is solved."""
    spent: LedgerSums
    entries: list[LedgerPart]
    moves: list[DeadlineMove]


class PushState(Model):
    """The way of a ticket to its outer desk."""

    state: Literal["waiting", "refused", "taken"]
    attempts: int = 0
    reason: str = ""
    next_at: datetime | None = None
    """The next attempt, while it waits."""


class TicketPerson(Model):
    """Somebody who may be given a ticket."""

    user: Id
    title: str


class TicketPeople(Model):
    """People who work in the ticket's line, and those who work everywhere."""

    items: list[TicketPerson]


class TicketPageView(TicketItem):
    """A ticket with all that belongs to it."""

    text: str
    fields: dict[str, str]
    private: list[str]
    """Labels of the fields that must not be shown to everybody who looks over the shoulder."""
    author: str
    author_title: str = ""
    outer: bool
    outer_number: str
    outer_link: str
    files: list[TicketFile]
    comments: list[TicketComment]
    notes: list[TicketNote]
    history: list[TicketEntry]
    sessions: list[TicketLink]
    master_ticket: TicketItem | None = None
    """The ticket that this one was joined to, where it may be seen."""
    joined: list[TicketItem]
    likely: list[Likely]
    ledger: TicketLedger | None = None
    push: PushState | None = None
    """Of a ticket of an outer desk."""


class TicketDone(Model):
    """A ticket after a deed."""

    number: Id
    version: int
    status: str
    means: Group
    likely: list[Likely] = Field(default_factory=list)
    """Possible duplicates of a new ticket."""


# --- deeds -----------------------------------------------------------------------------------------------------------


class DraftQuery(Given):
    """For which desk."""

    desk: DeskName
    about: Annotated[str, StringConstraints(max_length=1000)] = ""
    """What is written so far: what may be the same matter is looked for with it."""


class DraftField(Model):
    """A field of a new ticket, with what is known."""

    label: str
    text: str
    needed: bool


class TicketDraft(Model):
    """A ticket that could be created, filled in with what the bot collected and the card holds."""

    desk: str
    title: str
    text: str
    fields: list[DraftField]
    missing: list[str]
    categories: list[str]
    likely: list[Likely]


class NewTicket(Given):
    """A ticket out of a conversation."""

    desk: DeskName
    title: Title
    text: Long = ""
    fields: Fields = Field(default_factory=dict)
    """Label → text, over what is known already."""
    files: FileIds = Field(default_factory=list)
    """Of this conversation, or ids that `POST /files` gave."""
    priority: Short = ""
    category: Short = ""
    assignee: Person = 0
    deadline: AwareDatetime | None = Field(default=None, strict=False)
    """Left out: what the desk promises."""
    tell: bool = True
    """Whether the client is told the number."""


class TicketEdit(Given):
    """What shall be different. What is left out stays."""

    version: Annotated[int, Field(ge=1, le=2**53)]
    """The one that was seen; a ticket that has changed since is not changed."""
    status: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    title: Title | None = None
    priority: Short | None = None
    category: Short | None = None
    assignee: Person | None = None
    """The number of an account; 0: nobody."""
    deadline: AwareDatetime | None = Field(default=None, strict=False)
    """`null`: none."""
    fields: Fields = Field(default_factory=dict)
    files: FileIds = Field(default_factory=list)
    """Files that are added."""
    comment: Annotated[str, StringConstraints(max_length=4000)] = ""
    """Goes to the client together with the new status."""


class TicketWords(Given):
    """A comment that the client gets, or a note that nobody but people reads."""

    text: Words


class SessionOf(Given):
    """A session."""

    conversation: Id
    session: Id


class Duplicate(Given):
    """A duplicate of the ticket in the path."""

    number: Id


class NoWords(Given):
    """Nothing besides."""
