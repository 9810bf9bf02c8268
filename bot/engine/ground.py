"""The ground a step stands on: the state it may change, what it says and tells, the values it sees. Moves nothing."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bot.engine.codes import MATCH, SERVICE
from bot.engine.names import Names
from bot.engine.picking import pick
from bot.fields import kind_of
from bot.heard import Heard
from bot.rules import RULES, ticket_text
from core.conversation import Conversation, Frame, Run
from core.effects import Call, Effect, Record, Send, UpdateClient
from core.events import Event
from core.locale import texts
from core.messages import Button, Outgoing
from core.rich import Rich, join
from core.turn import Facts, Trace

if TYPE_CHECKING:
    from bot.book import Book
    from bot.compile import CompiledFlow, Node
    from bot.expressions import Expression
    from bot.model import Field
    from bot.templates import Template

SNAPSHOTS = 20

# In the talk's memory: the runs that are put aside while the bot asks something for a person; fields that no run has, label →
# text; fields that people wrote, label → who and what.
LENT, COLLECTED, EDITED = "lent", "collected", "edited"

Rows = tuple[tuple[Button, ...], ...]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Frame]).decode


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message was no answer. `strict`: the state can tell an answer from other talk, so a digression may follow."""

    strict: bool
    text: Rich | None = None
    own: bool = False  # the text belongs to a check of the author's: nothing is more exact


def copy_run(run: Run) -> Run:
    """A run that may be changed. Values inside the maps are never changed in place, so one level is enough."""
    run = copy(run)
    run.frames = [copy_frame(frame) for frame in run.frames]
    run.snapshots = list(run.snapshots)
    return run


def copy_frame(frame: Frame) -> Frame:
    frame = copy(frame)
    frame.values = dict(frame.values)
    frame.visits = dict(frame.visits)
    frame.asked = dict(frame.asked)
    frame.memory = dict(frame.memory)
    return frame


class Ground:
    """One step. Holds copies of what may change; `event` is the machine event to fire next, empty at rest."""

    __slots__ = (
        "asked",
        "book",
        "client",
        "conversation",
        "effects",
        "entered",
        "event",
        "event_data",
        "facts",
        "kept",
        "lead",
        "message_text",
        "mute",
        "now",
        "outcomes",
        "overflowed",
        "said",
        "source",
        "t",
        "tail",
        "talk",
        "tickets",
        "trace",
    )

    def __init__(self, book: Book, conversation: Conversation, now: datetime, facts: Facts) -> None:
        self.book: Book = book
        self.now: datetime = now
        self.facts: Facts = facts
        self.t = texts(book.language)
        self.conversation = copy(conversation)
        self.talk = self.conversation.talk = copy(conversation.talk)
        self.talk.memory = dict(self.talk.memory)
        if self.talk.run is not None:
            self.talk.run = copy_run(self.talk.run)
        self.client: dict[str, Any] = facts.client
        self.mute = conversation.session.owner != "bot" and LENT not in self.talk.memory
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.outcomes: list[tuple[str, str]] = []
        self.source: Event | None = None
        self.event = ""
        self.event_data: dict[str, Any] = {}
        self.message_text: str = ""
        self.lead: list[Rich] = []
        self.tail: list[Rich] = []
        self.kept: list[dict[str, Any]] = []
        self.asked = False
        self.said = False
        self.overflowed = False
        self.entered = 0
        self.tickets = 0

    @property
    def peoples(self) -> bool:
        """Whether people have the session, also while they lend the bot the word."""
        return self.conversation.session.owner != "bot"

    # --- where the run stands ---------------------------------------------------------------------------------------

    @property
    def run(self) -> Run:
        return self.talk.run  # type: ignore[return-value]  # hot: who asks knows that a run is on

    @property
    def frame(self) -> Frame:
        return self.talk.run.frames[-1]  # type: ignore[union-attr]

    @property
    def flow(self) -> CompiledFlow:
        frame = self.talk.run.frames[-1]  # type: ignore[union-attr]
        return self.book.versions[frame.flow, frame.version]

    @property
    def node(self) -> Node:
        frame = self.talk.run.frames[-1]  # type: ignore[union-attr]
        return self.book.versions[frame.flow, frame.version].nodes[frame.state]

    def flow_of(self, frame: Frame) -> CompiledFlow:
        return self.book.versions[frame.flow, frame.version]

    def head(self, run: Run) -> Frame:
        """The frame people call the run by: its first flow, or the one that was chosen in the welcome or the fallback."""
        lobbies = (self.book.bot.welcome, self.book.bot.fallback)
        return next((frame for frame in run.frames if frame.flow not in lobbies), run.frames[0])

    def title(self, run: Run) -> str:
        """What people call the run."""
        head = self.head(run)
        flow = self.book.versions.get((head.flow, head.version))
        return flow.title if flow is not None else head.flow

    def with_operator(self) -> bool:
        """Whether the run is inside the operator flow, or a line's own rule, where policies must not recurse."""
        operator = self.book.bot.operator
        return any(f.flow == operator or f.flow.startswith(RULES) for f in self.run.frames)

    # --- saying -----------------------------------------------------------------------------------------------------

    def say(
        self,
        body: Rich,
        rows: Rows = (),
        files: tuple[str, ...] = (),
        per_channel: dict[str, Rich] | None = None,
        notice: bool = False,
    ) -> None:
        """Send a message. The bot is silent while people own the session; notices are not."""
        if self.mute and not notice:
            return
        if not body.text and not files:
            return
        self.said = True
        message = Outgoing(body, rows, files, per_channel or {})
        self.effects.append(Send(message, "notice" if notice else "bot"))

    def ask(self, body: Rich, rows: Rows = ()) -> None:
        """Send a question of the current state with its buttons, and wait for the answer."""
        run, key = self.run, self.node.key
        labels: list[str] = []
        marked = mark_rows(rows, f"{run.number}.{key}", labels)
        self.frame.memory["labels"] = labels
        serial = self.serial("questions")
        run.question = {"id": serial, "state": key, "text": body.text}
        self.asked = True
        self.event = ""
        if self.lead or self.tail:
            body = join([*self.lead, body, *self.tail])
            self.lead, self.tail = [], []
        self.say(body, marked)

    def ask_own(self, kind: str, body: Rich, labels: list[str], **data: Any) -> None:
        """A question of the engine's own; its buttons live in a namespace apart: run 0."""
        serial = self.serial("questions")
        rows = mark_rows(tuple((Button(label),) for label in labels), f"0.{serial}", [])
        self.talk.asking = {"kind": kind, "id": serial, "labels": labels, **data}
        self.event = ""
        self.say(body, rows)

    def serial(self, name: str) -> int:
        """A number never given before in this conversation."""
        number = self.talk.memory[name] = int(self.talk.memory.get(name, 0)) + 1
        return number

    # --- values and texts -------------------------------------------------------------------------------------------

    def names(self) -> Names:
        run = self.talk.run
        return Names(run.frames[-1].values if run is not None else {}, self)

    def rich(self, template: Template, names: Names | None = None) -> Rich:
        errors: list[str] = []
        body = template.render(self.names() if names is None else names, errors)
        self.errors(errors)
        return body

    def text(self, template: Template) -> str:
        errors: list[str] = []
        text = template.text(self.names(), errors)
        self.errors(errors)
        return text

    def value(self, template: Template) -> Any:
        errors: list[str] = []
        value = template.value(self.names(), errors)
        self.errors(errors)
        return value

    def truth(self, expression: Expression, names: Names | None = None) -> bool:
        errors: list[str] = []
        truth = expression.truth(self.names() if names is None else names, errors)
        self.errors(errors)
        return truth

    def write_client(self, values: dict[str, Any], verified: tuple[str, ...] = ()) -> None:
        """Write the client's card; the rest of the step sees it too."""
        before = self.client
        self.client = {**self.client, **values}
        phone = values.get("phone") if "phone" in verified else None
        if phone and not ("phone" in before.get("verified", ()) and before.get("phone") == phone):
            self.effects.append(Call("", SERVICE, MATCH, {"phone": phone}))  # who else has proved it?
        if verified:
            self.client["verified"] = sorted({*self.client.get("verified", ()), *verified})
        self.effects.append(UpdateClient(values, verified))

    def summary(self) -> str:
        """What was collected so far, label: value, for the people who take over. Private values are theirs to see."""
        known: dict[str, str] = {}
        for run in (self.talk.suspended, self.talk.run):
            if run is not None:
                known.update(self.collected(run))
        return "\n".join(f"{label}: {text}" for label, text in known.items())

    def collected(self, run: Run) -> dict[str, str]:
        """Label → text of all that the run's flows collected, those that are over included; the latest wins."""
        known: dict[str, str] = dict(run.frames[0].memory.get("collected", {}))
        for frame in run.frames:
            flow = self.book.versions.get((frame.flow, frame.version))
            for field in flow.flow.fields.values() if flow is not None and not flow.id.startswith(RULES) else ():
                if frame.values.get(field.name) is not None:
                    known[field.label] = ticket_text(self, field, frame.values[field.name])
        return known

    def show(self, field: Field, value: Any) -> str:
        """A value as its field shows it."""
        return kind_of(field).show(field, value, self.t)

    def broken_rule(self, field: Field, value: Any) -> Rich | None:
        """What to say when the value breaks a rule of the field's author, None when it keeps all."""
        names = self.names()
        names["value"] = value
        for rule in field.check:
            if not self.truth(rule.must, names):
                return self.rich(rule.otherwise, names)
        return None

    def refuse(self, strict: bool, text: str = "") -> Refusal:
        return Refusal(strict, Rich(text) if text else None)

    def refuse_own(self, text: Rich) -> Refusal:
        """The answer was one, but broke a rule of the author's: their words are said, and no digression follows."""
        return Refusal(False, text, own=True)

    def keep(self, name: str, value: Any, verified: bool) -> None:
        """Write an answer on the client's card; a typed one never replaces one that the messenger proved."""
        if not verified and name in self.client.get("verified", ()) and self.client.get(name):
            return
        if self.client.get(name) != value or verified:
            self.write_client({name: value}, (name,) if verified else ())

    def pick(self, heard: Heard, names: tuple[str, ...]) -> None:
        """Answers to the neighbours of the question, picked out of its answer."""
        flow, frame = self.flow, self.frame
        if len(names) > 1 and flow.picked:
            pick(self, flow, frame, heard, [flow.flow.fields[name] for name in names], heard.text.strip())

    def files(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The file ids that fields hold."""
        values = self.frame.values
        return tuple(str(id) for name in names for id in values.get(name) or ())

    def first_entry(self) -> bool:
        """Whether the run is in its first pass of this step."""
        first = self.flow.nodes[self.node.first]
        return self.run.frames[0].visits.get(first.key, 0) <= 1

    # --- back -------------------------------------------------------------------------------------------------------

    def answered(self) -> None:
        """The question has its answer: keep a snapshot for «назад» before anything changes."""
        run = self.run
        if len(run.snapshots) >= SNAPSHOTS:
            del run.snapshots[0]
        run.snapshots.append(_encode(run.frames))
        run.question = {}
        self.record("answered", flow=self.frame.flow, step=self.node.step)

    def forget_back(self) -> None:
        """What was done cannot be undone: no way back from here."""
        self.run.snapshots = []

    def restore(self, place: int) -> None:
        """Stand again where the snapshot was taken; later answers are forgotten."""
        run = self.run
        run.frames = _decode(run.snapshots[place])
        run.snapshots = run.snapshots[:place]
        run.question = {}
        run.frames[-1].attempts = 0

    def snapshot(self, place: int) -> list[Frame]:
        return _decode(self.run.snapshots[place])

    # --- telling why ------------------------------------------------------------------------------------------------

    def note(self, kind: str, **data: Any) -> None:
        self.trace.append(Trace(kind, data))

    def record(self, kind: str, **data: Any) -> None:
        self.effects.append(Record(kind, data))

    def place(self, run: Run) -> dict[str, str]:
        """The flow and the step where a run stands, as facts name them."""
        frame = run.frames[-1]
        flow = self.book.versions.get((frame.flow, frame.version))
        node = flow.nodes.get(frame.state) if flow is not None else None
        return {"flow": frame.flow, "step": node.step if node is not None else frame.state}

    def error(self, what: str) -> None:
        run = self.talk.run
        place = self.place(run) if run is not None else {}
        self.effects.append(Record("error", {**place, "error": what}))
        self.trace.append(Trace("error", {**place, "error": what}))

    def errors(self, errors: list[str]) -> None:
        for what in errors:
            self.error(what)


def mark_rows(rows: Rows, prefix: str, labels: list[str]) -> Rows:
    """Rows with tokens `prefix.n`. `labels` is filled in the order of n."""
    marked = []
    for row in rows:
        buttons = []
        for button in row:
            buttons.append(msgspec.structs.replace(button, token=f"{prefix}.{len(labels)}"))
            labels.append(button.label)
        marked.append(tuple(buttons))
    return tuple(marked)
