"""What admins are told of channels, webhooks and the house itself, and what they may ask of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api.models import Given, Id, Model, Page
from gateway.watch.fares import State
from gateway.watch.words import Cause

StepState = Literal["ok", "failed", "skipped"]
ChatName = Annotated[str, StringConstraints(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ChannelTrouble(Model):
    """What keeps messages from coming (`in`) or going (`out`)."""

    way: Literal["in", "out"]
    cause: Cause
    words: str
    """The platform's own."""
    since: datetime
    until: datetime | None
    """When sending is tried again."""
    process: str


class ChannelError(Model):
    """Messages that did not go out, with one reason."""

    reason: str
    cause: Cause
    times: int
    at: datetime | None
    """The last one."""
    unsure: bool
    """Nobody knows whether they came through."""


class ChannelServer(Model):
    """A process that serves a channel."""

    process: str
    hears: bool
    """It takes what the messenger delivers."""
    polls: bool
    """It is the one that asks the messenger."""
    sends: bool
    """It is the one that sends."""


class ChannelView(Model):
    """A channel as it fares now, whichever process serves it."""

    name: str
    kind: str
    account: str
    mode: str
    line: str
    state: State
    """`off`: its token is empty. `waiting`: the messenger's limits hold it up. `absent`: no process serves it."""
    hook: str
    """Where the messenger calls us; empty for channels that are asked, or have none."""
    troubles: list[ChannelTrouble]
    heard_at: datetime | None
    sent_at: datetime | None
    waiting: int
    """Messages that are to be sent."""
    waiting_since: datetime | None
    failed: int
    """Messages of the last day that did not go out."""
    errors: list[ChannelError]
    """Of the last day, the most frequent first."""
    servers: list[ChannelServer]


class Channels(Model):
    """All channels of the configuration."""

    items: list[ChannelView]
    at: datetime
    """What ages are counted from."""


class ChannelTest(Given):
    """How to try a channel out."""

    chat: ChatName = ""
    """A chat to write a test message into, by the messenger's own name for it; empty: nobody is written to."""


class ChannelStep(Model):
    """One step of a test. `says` is what was found, `mend` what to do about it."""

    id: str
    title: str
    status: StepState
    says: str
    mend: str
    seconds: float


class ChannelTested(Model):
    """What came of a test."""

    passed: bool
    steps: list[ChannelStep]


class ArrivalsPage(Page):
    """Which arrivals."""

    only: Literal["all", "refused"] = "all"


class ArrivalView(Model):
    """What came to a channel's webhook: `times` deliveries with one end, within a few seconds."""

    id: Id
    at: datetime
    verdict: str
    refused: bool
    status: int
    times: int
    seconds: float
    """How long one took."""
    slowest: float


class Arrivals(Model):
    """A page of what came to a channel's webhook, the newest first."""

    items: list[ArrivalView]
    next: str | None


# --- outgoing webhooks -----------------------------------------------------------------------------------------------

HookState = Literal["works", "waits", "stopped", "off", "unused", "gone"]


class HookView(Model):
    """An outgoing webhook and how it fares."""

    name: str
    host: str
    """Of its address: the rest may hold a secret."""
    events: list[str]
    lines: list[str]
    state: HookState
    """`waits`: it failed, and is tried again. `unused`: nothing was ever to be told. `gone`: it is not configured any more."""
    why: str
    """Of one that is stopped: `failing` for too long, or the other side said that it is `gone`."""
    error: str
    cursor: int
    """The number of the last event that was taken."""
    behind: int
    """Changes that came since."""
    attempts: int
    failing_since: datetime | None
    next_at: datetime | None
    changed_at: datetime | None
    process: str
    """Which process delivers."""


class Hooks(Model):
    """All outgoing webhooks, and the numbers that can be sent again."""

    items: list[HookView]
    oldest: int
    last: int
    at: datetime


class AttemptsPage(Page):
    """Which attempts."""

    only: Literal["all", "failed"] = "all"


class HookAttempt(Model):
    """An attempt to deliver an event."""

    id: Id
    seq: int
    type: str
    attempt: int
    status: int
    """Of the answer; 0: there was none."""
    error: str
    at: datetime
    seconds: float


class HookAttempts(Model):
    """A page of attempts, the newest first."""

    items: list[HookAttempt]
    next: str | None


class HookReplay(Given):
    """From where on events are sent again: a number, or a moment."""

    seq: Annotated[int, Field(ge=1, le=2**53)] | None = None
    at: Annotated[datetime, Field(strict=False)] | None = None


class HookMoved(Model):
    """Events behind this number are sent from now on."""

    name: str
    after: int


# --- the house -------------------------------------------------------------------------------------------------------


class ProcessView(Model):
    """A process of the deployment. `alive`: heard of within the last minute."""

    name: str
    roles: list[str]
    version: str
    edition: str
    """The id of the flows that it serves."""
    alive: bool
    started_at: datetime
    seen_at: datetime


class StoreView(Model):
    """The database: what waits in it, and how large it is."""

    kind: str
    healthy: bool
    bytes: int | None
    free: int | None
    """Of the disk; absent where it is another machine's."""
    inbox: int
    inbox_age: float
    outbox: int
    outbox_age: float
    timers: int
    queued: int
    quarantine: int
    dead: int


class FilesView(Model):
    """The place of files."""

    kind: str
    count: int
    bytes: int
    free: int | None


class SystemView(Model):
    """The house itself."""

    version: str
    edition: str
    processes: list[ProcessView]
    store: StoreView
    files: FilesView
    at: datetime
