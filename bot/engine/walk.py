"""A walk: one step through the machines of a conversation. Actions act through it, and it keeps what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.engine.ground import LENT, Ground, Refusal, Rows, copy_frame, copy_run
from bot.engine.picking import pick
from bot.heard import Heard
from bot.rules import RULES, ticket_text
from core.conversation import Frame
from core.effects import CreateTicket
from core.events import CallDone
from core.machine import Illegal
from core.rich import Rich
from core.turn import Trace

if TYPE_CHECKING:
    from bot.compile import CompiledFlow

__all__ = ["Refusal", "Rows", "Walk", "copy_frame", "copy_run"]

STATES_PER_MESSAGE = 100
ENTRIES_PER_RUN = 10
DEPTH = 20  # flows that call one another
REMEMBERED = 500  # characters of the starting message that called flows may still pick from


class Walk(Ground):
    """One step's way: fires events, enters states, calls and ends flows."""

    __slots__ = ()

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
        frame = Frame(
            called.id, called.version, "", values={**build_inputs(called, values), **self.kept_for(called.id)}
        )
        begun_with = self.run.frames[0].memory.get("heard", "")
        self.run.frames.append(frame)
        self.note("call", flow=flow_id)
        if begun_with and called.picked:
            pick(self, called, frame, Heard(begun_with), called.picked)
        self.enter(called.start)

    def kept_for(self, flow_id: str) -> dict[str, Any]:
        """The answers that a called flow had when its version went, once."""
        memory = self.run.frames[0].memory
        kept = dict(memory.get("kept", {}))
        values: dict[str, Any] = kept.pop(flow_id, {})
        if values:
            memory["kept"] = kept
        return values

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
        if LENT in self.talk.memory:
            brought = {"outcome": outcome, "fields": self.collected(run)}
            self.talk.memory[LENT] = {**self.talk.memory[LENT], **brought}
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
        line: str = "",
    ) -> tuple[str, bool]:
        """Order a ticket, never twice: the key is run, state and visit. Gives the key, and whether to wait for it.

        `line` is the one that could not serve, where it is not the session's.
        """
        number = self.next_ticket()
        info = self.book.deployment.desks.get(desk)
        outer = info is not None and info.outer
        key = f"{self.conversation.id}:{self.run.number}:{self.node.key}:{self.visit()}"
        self.forget_back()
        made = CreateTicket(key, number, desk, title, text, fields, files, priority, private, outer, line=line)
        self.effects.append(made)
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


def build_inputs(flow: CompiledFlow, given: dict[str, Any]) -> dict[str, Any]:
    """The values a flow begins with: what it takes, defaults filled; other names are not let in."""
    return {
        name: given.get(name) if given.get(name) is not None else take.default for name, take in flow.flow.takes.items()
    }
