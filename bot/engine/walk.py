"""A walk: one step through the machines of a conversation. Actions act through it, and it keeps what came of it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bot.engine.names import Names
from bot.engine.picking import pick
from bot.fields import kind_of
from bot.heard import Heard
from bot.rules import RULES, ticket_text
from core.conversation import Conversation, Frame, Run
from core.effects import CreateTicket, Effect, Record, Send, UpdateClient
from core.events import CallDone, Event
from core.locale import texts
from core.machine import Illegal
from core.messages import Button, Outgoing
from core.rich import Rich, join
from core.turn import Facts, Trace

if TYPE_CHECKING:
    from bot.book import Book
    from bot.compile import CompiledFlow, Node
    from bot.expressions import Expression
    from bot.model import Field
    from bot.templates import Template

STATES_PER_MESSAGE = 100
ENTRIES_PER_RUN = 10
SNAPSHOTS = 20
DEPTH = 20
REMEMBERED = 500  # characters of the starting message that called flows may still pick from

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


class Walk:
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
        self.mute = conversation.session.owner != "bot"
        self.effects: list[Effect] = []
        self.trace: list[Trace] = []
        self.outcomes: list[tuple[str, str]] = []
        self.source: Event | None = None
        self.event = ""
        self.event_data: dict[str, Any] = {}
        self.message_text: str = ""
        self.lead: list[Rich] = []
        self.tail: list[Rich] = []
        self.asked = False
        self.said = False
        self.overflowed = False
        self.entered = 0
        self.tickets = 0

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

    def title(self, run: Run) -> str:
        """What people call the run: the title of its first flow."""
        flow = self.book.versions.get((run.frames[0].flow, run.frames[0].version))
        return flow.title if flow is not None else run.frames[0].flow

    def with_operator(self) -> bool:
        """Whether the run is inside the operator flow, or a line's own rule, where policies must not recurse."""
        operator = self.book.bot.operator
        return any(f.flow == operator or f.flow.startswith(RULES) for f in self.run.frames)

    # --- moving -----------------------------------------------------------------------------------------------------

    def go(self, event: str) -> None:
        """Leave the state by this event, once the action is done."""
        self.event = event

    def rest(self) -> None:
        """Stay in the state and wait without a question: for people."""
        self.event = ""
        self.run.question = {}

    def advance(self) -> None:
        """Fire events until the run waits or is over."""
        while self.event and self.talk.run is not None:
            event, self.event = self.event, ""
            frame = self.frame
            try:
                state = self.flow.machine.fire(frame.state, event)
            except Illegal:
                self.break_off(f"no edge {event} from {frame.state}")
                continue
            self.trace.append(Trace("edge", {"flow": frame.flow, "from": frame.state, "event": event, "state": state}))
            self.enter(state)

    def enter(self, state: str) -> None:
        """Stand in the state, count it, and let its action act."""
        self.entered += 1
        if self.entered > STATES_PER_MESSAGE:
            self.overflow()
            return
        frame = self.frame
        frame.state = state
        frame.attempts = 0
        node = self.node
        visits = self.run.frames[0].visits
        times = visits[node.key] = visits.get(node.key, 0) + 1
        if node.counted and times - self.frame_base(node.key) > ENTRIES_PER_RUN:
            self.note("loop", step=node.step)
            self.too_many()
            return
        node.action.enter(self)

    def frame_base(self, key: str) -> int:
        return int(self.run.frames[0].memory.get("forgiven", {}).get(key, 0))

    def forgive(self, state: str) -> None:
        """Count the entries of the state anew."""
        root = self.run.frames[0]
        key = self.flow.nodes[state].key
        root.memory["forgiven"] = {**root.memory.get("forgiven", {}), key: root.visits.get(key, 0)}

    def visit(self) -> int:
        """Which entry of the state in this run it is, from 1."""
        return self.run.frames[0].visits.get(self.node.key, 0)

    def too_many(self) -> None:
        """Too many wrong answers, or entries: the field's or the policy's answer."""
        self.stack("again", self.frame.state)
        self.record("too_many", flow=self.frame.flow, step=self.node.step)
        self.go("too_many")

    def stack(self, name: str, state: str) -> None:
        memory = self.frame.memory
        memory[name] = [*memory.get(name, ()), state]

    def unstack(self, name: str) -> str:
        memory = self.frame.memory
        stack = list(memory.get(name, ()))
        state = str(stack.pop()) if stack else ""
        memory[name] = stack
        return state

    def overflow(self) -> None:
        """The flow runs in circles: people, once; then the run is over."""
        self.error("more than 100 steps for one message")
        if self.overflowed or self.with_operator() or self.book.bot.operator not in self.book.flows:
            self.break_off("endless")
            return
        self.overflowed = True
        self.entered = 0
        operator = self.book.flows[self.book.bot.operator]
        self.run.frames[1:] = []
        self.run.frames[0] = Frame(operator.id, operator.version, "", values=self.run.frames[0].values)
        self.forget_back()
        self.enter(operator.start)

    # --- calls, ends ------------------------------------------------------------------------------------------------

    def push(self, flow_id: str, values: dict[str, Any]) -> None:
        """Call a flow of the same bundle and begin it."""
        called = self.flow.family.get(flow_id)
        if called is None or len(self.run.frames) >= DEPTH:
            self.break_off(f"cannot call {flow_id}")
            return
        frame = Frame(called.id, called.version, "", values=build_inputs(called, values))
        begun_with = self.run.frames[0].memory.get("heard", "")
        self.run.frames.append(frame)
        self.note("call", flow=flow_id)
        if begun_with and called.picked:
            pick(self, called, frame, Heard(begun_with), called.picked)
        self.enter(called.start)

    def leave_frame(self) -> Frame:
        """The called flow is over; what it collected stays known to the run, label → text, for people and tickets."""
        child = self.run.frames.pop()
        flow, memory = self.flow_of(child), self.run.frames[0].memory
        known = {
            field.label: ticket_text(self, field, child.values[field.name])
            for field in flow.flow.fields.values()
            if child.values.get(field.name) is not None
        }
        memory["collected"] = {**memory.get("collected", {}), **child.memory.get("given", {}), **known}
        return child

    def remember_heard(self, text: str) -> None:
        """Own words that led somewhere: the flows called from here on may pick answers out of them."""
        memory = self.run.frames[0].memory
        said = f"{memory.get('heard', '')}\n{text}".strip()
        if len(said) <= REMEMBERED:
            memory["heard"] = said

    def end(self, outcome: str) -> None:
        """The flow ends well: back to its caller with what it gives; inside a policy block the whole run ends."""
        if len(self.run.frames) == 1 or self.node.policy:
            self.close(outcome)
            return
        child = self.leave_frame()
        parent = self.frame
        for name in self.flow_of(child).flow.gives:
            parent.values[name] = child.values.get(name)
        self.outcomes.append((child.flow, outcome))
        self.note("return", flow=child.flow, outcome=outcome)
        self.go("next")

    def fail(self, outcome: str) -> None:
        """The flow fails: to the nearest caller that answers failures, else `policy.failed` of the run's first flow."""
        while len(self.run.frames) > 1 and not self.node.policy:
            child = self.leave_frame()
            self.outcomes.append((child.flow, outcome))
            self.note("failed", flow=child.flow, outcome=outcome)
            if any(event == "failed" for event, _ in self.node.action.blocks()):
                self.go("failed")
                return
        if self.node.policy or self.flow.machine.target(self.frame.state, "failed") is None:
            self.close(outcome, failed=True)
            return
        self.frame.memory["outcome"] = outcome
        self.go("failed")

    def policy_failed(self) -> None:
        """A remote action failed: its own block, or the policy's, then the step after it."""
        if not any(event == "failed" for event, _ in self.node.action.blocks()):
            self.stack("onward", self.frame.state)
        self.go("failed")

    def refused(self, answer: str, line: str) -> None:
        """A line is closed or busy: the action's own block, else the line's rule, else an honest word."""
        rule = f"{RULES}{line}/{answer}"
        if self.flow.machine.target(self.frame.state, answer) is not None:
            self.go(answer)
        elif rule in self.flow.family and not any(f.flow.startswith(RULES) for f in self.run.frames):
            self.push(rule, {})
        else:
            self.say(Rich(self.t("Nobody can answer right now. Please write again in working hours.")))
            self.close(self.t("nobody answered"), failed=True)

    def close(self, outcome: str, failed: bool = False) -> None:
        """The run is over."""
        run = self.run
        flow = run.frames[0].flow
        self.record("run_ended", flow=flow, outcome=outcome, run=run.number)
        self.note("end", flow=flow, outcome=outcome)
        self.outcomes.append((flow, outcome))
        self.event = ""
        self.talk.run = None
        if failed and not self.said:
            self.say(Rich(self.t("Something went wrong on our side. Write again, or ask for an operator.")))

    def break_off(self, why: str) -> None:
        """A state the engine cannot go on from: an error for the admin, an honest word and a person for the client."""
        self.error(why)
        self.said = False
        self.close(self.t("broken off"), failed=True)

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
        self.client = {**self.client, **values}
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

    # --- mending: `confirm` has sent the run back to one question ----------------------------------------------------

    def is_mending(self) -> bool:
        return "mending" in self.frame.memory

    def mends(self, name: str) -> bool:
        return bool(self.frame.memory.get("mending") == name)

    def start_mending(self, name: str) -> None:
        self.frame.memory["mending"] = name

    def mended(self, name: str) -> None:
        """The answer is there: what follows is skipped where it is known."""
        if self.mends(name):
            self.frame.memory["mending"] = ""

    def stop_mending(self) -> None:
        self.frame.memory.pop("mending", None)

    def done_before(self, inputs: dict[str, Any]) -> bool:
        """Whether the state has already done its work with the same inputs."""
        return bool(self.frame.memory.get("done", {}).get(self.frame.state) == inputs)

    def done_now(self, inputs: dict[str, Any]) -> None:
        memory = self.frame.memory
        memory["done"] = {**memory.get("done", {}), self.frame.state: inputs}

    def keep_choice(self, n: int) -> None:
        memory = self.frame.memory
        memory["chosen"] = {**memory.get("chosen", {}), self.frame.state: n}

    def kept_choice(self) -> int | None:
        n = self.frame.memory.get("chosen", {}).get(self.frame.state)
        return int(n) if n is not None else None

    # --- remote calls -----------------------------------------------------------------------------------------------

    def next_ticket(self) -> int:
        """The number reserved for the next ticket of this turn."""
        self.tickets += 1
        return self.facts.ticket_number + self.tickets - 1

    def create_ticket(
        self,
        desk: str,
        title: str,
        text: str,
        fields: dict[str, str],
        files: tuple[str, ...] = (),
        priority: str = "",
        private: tuple[str, ...] = (),
    ) -> tuple[str, bool]:
        """Order a ticket, never twice: the key is run, state and visit. Gives the key, and whether to wait for it."""
        number = self.next_ticket()
        info = self.book.deployment.desks.get(desk)
        outer = info is not None and info.outer
        key = f"{self.conversation.id}:{self.run.number}:{self.node.key}:{self.visit()}"
        self.forget_back()
        self.effects.append(CreateTicket(key, number, desk, title, text, fields, files, priority, private, outer))
        self.record("step_entered", flow=self.frame.flow, step=self.node.step)
        self.note("ticket", number=number, desk=desk)
        return key, outer

    def wait_for_call(self, key: str = "") -> str:
        """Wait for the result of a remote call; without a key of its own it gets one that was never used."""
        key = key or f"{self.conversation.id}:{self.run.number}:c{self.serial('calls')}"
        self.run.pending = key
        self.rest()
        return key

    def resume_call(self) -> bool:
        """Back at a state with a remote call: take the result that came meanwhile, or go on waiting."""
        raw = self.frame.memory.pop("result", None)
        if raw is not None:
            self.run.pending = ""
            self.node.action.done(self, msgspec.convert(raw, CallDone))
            return True
        return bool(self.run.pending)

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

    def error(self, what: str) -> None:
        run = self.talk.run
        place = {"flow": run.frames[-1].flow, "step": run.frames[-1].state} if run is not None else {}
        self.effects.append(Record("error", {**place, "error": what}))
        self.trace.append(Trace("error", {**place, "error": what}))

    def errors(self, errors: list[str]) -> None:
        for what in errors:
            self.error(what)


def mark_rows(rows: Rows, prefix: str, labels: list[str]) -> Rows:
    """Rows with tokens `prefix.n`; links keep their address. `labels` is filled in the order of n."""
    marked = []
    for row in rows:
        buttons = []
        for button in row:
            if button.url:
                buttons.append(button)
                continue
            buttons.append(msgspec.structs.replace(button, token=f"{prefix}.{len(labels)}"))
            labels.append(button.label)
        marked.append(tuple(buttons))
    return tuple(marked)


def build_inputs(flow: CompiledFlow, given: dict[str, Any]) -> dict[str, Any]:
    """The values a flow begins with: what it takes, defaults filled; other names are not let in."""
    return {
        name: given.get(name) if given.get(name) is not None else take.default for name, take in flow.flow.takes.items()
    }
