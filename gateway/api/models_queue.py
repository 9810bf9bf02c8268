"""What the API says of presence, queues and lines."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from core.presence import Said, State
from gateway.api.models import Given, Id, Model, Page
from handoff.routing import Cause, Skip, Strategy

# --- presence ----------------------------------------------------------------------------------------------------------


class PresenceChange(Given):
    """Whether one is there. Whoever is `offline` or away for longer than the grace gives their sessions back."""

    state: Said


class TakenOff(Given):
    """Somebody is given nothing for now. Nobody is put to work by others: only they know that they are there."""

    state: Literal["busy", "break", "offline"]


class CapacityChange(Given):
    """A limit of one's own, besides those of the lines."""

    max_sessions: Annotated[int, Field(ge=0, le=1000)]
    """Weighted sessions in work at most; 0: as many as the lines allow."""
    today: bool = False
    """Only until the end of the day, in the time zone of the deployment."""


class PresenceView(Model):
    """Somebody's presence and load."""

    user: Id
    state: State
    """What counts: `away` when nothing was heard for longer than the grace."""
    said: Said
    """What they set."""
    since: datetime | None
    seen_at: datetime | None
    load: float
    """Weighted sessions in work; those that wait for the client or are on hold do not count."""
    max_sessions: float
    """What the load may be, 0 for any: their own limit, else the smallest of their lines."""
    sessions: int
    """All that they have."""
    own_limit: int
    """The limit that was set for them in person and holds now, 0 for none."""
    grace: float
    """Seconds of silence after which one counts as away."""


# --- the queue ----------------------------------------------------------------------------------------------------------


class QueuePage(Page):
    """Which part of the queues. They move: a further page begins at a place, not behind a session."""

    line: Annotated[str, StringConstraints(max_length=32, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """Only this line's."""


class CandidateView(Model):
    """Somebody of the line."""

    operator: str
    title: str
    skip: Skip | Literal[""]
    """Why they are not given the session; empty: they could be."""


class QueuedView(Model):
    """A session that waits."""

    conversation: Id
    session: int
    epoch: int
    line: str
    channel: str
    client: Id
    position: int
    """In the queue of its line, from 1."""
    cause: Cause
    """The one cause of its waiting. `assigning`: somebody is being given it at this moment."""
    queued_at: datetime | None
    waited: float
    """Seconds since then."""
    due: datetime | None
    priority: int
    """Higher is more urgent, 0 is ordinary."""
    weight: float
    note: str
    candidates: list[CandidateView]


class QueueList(Model):
    """Sessions in the order in which they are given out."""

    items: list[QueuedView]
    next: str | None


# --- lines --------------------------------------------------------------------------------------------------------------


class Range(Model):
    """Minutes, as measured."""

    low: int
    high: int


class LineNumbers(Model):
    """A line now."""

    waiting: int
    oldest: float | None
    """Seconds that the one who waits longest has waited."""
    p80: float | None
    """Of ten clients who wait, eight have waited no longer than so many seconds."""
    overdue: int
    """How many of them should have been answered by now."""
    causes: dict[str, int]
    """Cause → how many wait for it."""
    in_work: int
    """Sessions that people have."""
    load: float
    """Those in work, weighted."""
    bot_share: float | None
    """The part of the sessions that began within a day in the line's channels which no person ever had."""
    expected: Range | None
    """What waiting clients are told: how long others waited lately; none with too little history."""


class OnLine(Model):
    """Somebody with a role in a line."""

    user: Id
    name: str
    title: str
    role: Literal["operator", "supervisor"]
    state: State
    since: datetime | None
    load: float
    max_sessions: float
    """0: any."""
    sessions: int
    own_limit: int
    """Set for them in person, 0 for none."""
    own_limit_until: datetime | None
    """When it ends by itself."""


class LineView(Model):
    """A line."""

    id: str
    title: str
    open: bool
    opens_at: datetime | None
    route: Strategy
    max_sessions: float
    limit: float
    categories: list[str]
    """One of them must be named when a session is closed, where there are some."""
    numbers: LineNumbers | None
    """For those who may see numbers of the line."""
    people: list[OnLine] | None
    """For those who work in the line."""


class LineList(Model):
    """All lines of the deployment."""

    items: list[LineView]
    now: datetime
    """The server's clock."""


# --- decisions ----------------------------------------------------------------------------------------------------------


class SkippedView(Model):
    """Somebody who was passed over."""

    operator: str
    why: str


class RoutingView(Model):
    """What routing decided on a session, and why."""

    id: Id
    at: datetime
    session: int
    epoch: int
    line: str
    strategy: str
    operator: str
    """Who got it; empty when it had to wait."""
    reason: str
    """`sticky` or the strategy; for one that had to wait the cause."""
    outcome: str
    """`done`, `waits`, or why it did not come about: `refused: epoch`."""
    skipped: list[SkippedView]


class RoutingList(Model):
    """The newest first."""

    items: list[RoutingView]
    next: str | None
