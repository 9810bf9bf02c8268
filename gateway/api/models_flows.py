"""What the routes of flows take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from gateway.api.models import Given, Model
from gateway.api.models_conversations import ClientShort
from gateway.api.models_reports import Day, Key

Measure = Literal[
    "entered",
    "answered",
    "wrong",
    "too_many",
    "silent",
    "back",
    "cancelled",
    "digressed",
    "handed",
    "errors",
    "started",
    "ended",
]
Level = Literal["error", "warning"]


class PeriodQuery(Given):
    """Which days, and where."""

    first: Day = Field(default="", alias="from")
    """The first day, `2026-03-01`, in the time zone of the deployment; left out: 30 days before the last one."""
    last: Day = Field(default="", alias="to")
    """The last day, included; left out: today."""
    channel: Key = ""
    """Only what happened in this channel."""


class ThereQuery(PeriodQuery):
    """Behind which number."""

    measure: Measure = "entered"
    step: Key = ""
    """At which step; of `ended` with which outcome. Left out: in the whole flow."""
    limit: int = Field(default=50, ge=1, le=200, strict=False)
    """How many at most, the latest first."""


class UncaughtQuery(PeriodQuery):
    """Which messages, and how many."""

    limit: int = Field(default=100, ge=1, le=500, strict=False)
    """How many at most, the most frequent first."""


class SourceQuery(Given):
    """Which edition."""

    edition: Key = ""
    """Its hash, or `folder` for the files as they stand on the machine that answers; left out: the one that serves."""


# --- editions --------------------------------------------------------------------------------------------------------


class UrgentView(Model):
    """Who ended the versions before at once, and why."""

    by: str
    why: str


class EditionView(Model):
    """All flows as they were published at one time."""

    id: str
    published_at: datetime | None
    current: bool
    flows: int
    changed: list[str]
    """Flows whose version is not that of the edition before."""
    runs: int
    """Live runs of versions that this edition brought."""
    urgent: UrgentView | None


class EditionList(Model):
    """What is published, the edition that serves first."""

    items: list[EditionView]
    serving: str
    """The edition that the process serves that answers."""
    behind: str
    """The current edition, while this process cannot serve it."""
    edited: bool
    """Whether the folder of this machine holds other flows than those that serve."""
    problems: list[str]
    """What kept the folder from going live when it was last tried."""


# --- flows -----------------------------------------------------------------------------------------------------------


class TriggerView(Model):
    """What starts a flow."""

    kind: str
    texts: list[str]


class LiveView(Model):
    """A version of a flow with runs, or the one that serves."""

    version: str
    current: bool
    runs: int
    published_at: datetime | None
    """When it went live; unknown when its edition is not kept any more."""


class FlowRow(Model):
    """A flow of the edition that serves, with the numbers of a period."""

    id: str
    title: str
    about: str
    entry: Literal["", "welcome", "fallback", "operator"]
    """What the bot uses it for."""
    triggers: list[TriggerView]
    version: str
    published_at: datetime | None
    """When this version went live."""
    runs: int
    """Live runs now, of all versions."""
    older_runs: int
    """Live runs of older versions among them."""
    started: int
    ended: int
    finished: int
    """Of those that ended how many came to an end of the flow: not cancelled, not failed, not broken off."""


class FlowList(Model):
    """All flows that serve."""

    items: list[FlowRow]
    channels: list[str]
    """Channels whose numbers one may ask for."""
    first: str
    last: str


class StepNumbers(Model):
    """How often what happened at a step."""

    entered: int
    answered: int
    wrong: int
    too_many: int
    silent: int
    back: int
    cancelled: int
    digressed: int
    handed: int
    errors: int
    lost: int | None
    """Of a question: entered, or come back to, and not answered."""


class NodeView(Model):
    """A box of the diagram."""

    number: int
    kind: str
    name: str
    """The name that the step was given."""
    label: str
    text: str
    """What the client is asked or told there, whole."""
    step: str
    """What facts call it; empty for steps that are not counted."""
    line: int
    """Its place in the file."""
    flow: str
    """The flow that it calls."""
    numbers: StepNumbers | None
    ended: int | None
    """Of an end: runs that ended so."""


class EdgeView(Model):
    """An arrow of the diagram."""

    source: int
    target: int
    label: str


class ElsewhereView(Model):
    """A step that is on no diagram: of a policy, which answers everywhere, or of an older version."""

    step: str
    kind: str
    """Empty for a step that the version that serves does not have."""
    numbers: StepNumbers


class OutcomeView(Model):
    """How runs ended."""

    outcome: str
    times: int
    finished: bool


class FlowView(FlowRow):
    """One flow: its diagram with the numbers of a period."""

    edition: str
    takes: list[str]
    gives: list[str]
    live: list[LiveView]
    nodes: list[NodeView]
    edges: list[EdgeView]
    elsewhere: list[ElsewhereView]
    outcomes: list[OutcomeView]
    channels: list[str]
    first: str
    last: str


class ThereView(Model):
    """A session behind a number."""

    conversation: int
    session: int
    client: ClientShort
    channel: str
    at: datetime | None
    """When it happened last."""
    times: int


class ThereList(Model):
    """Sessions behind a number, those that one may see."""

    items: list[ThereView]
    more: bool
    """Whether there are others, that are not told or may not be seen."""


class PhraseView(Model):
    """A message that no flow caught."""

    text: str
    times: int
    people: int
    """In how many conversations."""
    last_at: datetime | None
    trigger: Literal["words", "exact"]
    """The kind of trigger that can catch it."""
    quoted: str
    """The text as it stands in YAML between brackets."""
    line: str
    """A line of `triggers:` that catches it."""


class PhraseList(Model):
    """What nobody caught in a period."""

    items: list[PhraseView]
    first: str
    last: str


# --- YAML ------------------------------------------------------------------------------------------------------------


class FindingView(Model):
    """A finding of the check in this file."""

    line: int
    column: int
    length: int
    """How many characters it is about, 0 when that is not known."""
    code: str
    level: Level
    message: str
    hint: str
    """How to mend it."""
    instead: str
    """The text that would mend it."""


class SourceView(Model):
    """A file of an edition with what the check says of it."""

    file: str
    text: str
    edition: str
    current: bool
    findings: list[FindingView]
    elsewhere: int
    """Findings in other files of the edition."""
