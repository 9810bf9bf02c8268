"""A flow becomes a state machine: one state per question or action, only legal moves, policies included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from bot.actions.ask import Ask
from bot.actions.call import Call
from bot.actions.confirm import Confirm
from bot.actions.end import End
from bot.actions.fail import Fail
from bot.actions.goto import Goto
from bot.hubs import Again, ChannelLine, Off, Onward, PolicyHub, SilenceHub
from bot.model import Action, Block, Field, Flow, Library, Policy
from core.deployment import Deployment
from core.machine import Edge, Machine

# What tells two actions of one word apart: a name in the action, else a hash of its text. Never their places.
DETAILS: dict[str, Callable[[Any], str]] = {
    "call": lambda action: action.flow,
    "request": lambda action: action.call,
    "ticket": lambda action: action.desk,
    "handoff": lambda action: action.line,
    "goto": lambda action: action.target,
    "end": lambda action: action.outcome,
    "fail": lambda action: action.outcome,
    "say": lambda action: _hashed(action.text.source),
    "continue": lambda action: _hashed(action.text.source),
    "choose": lambda action: _hashed(action.question.source),
    "if": lambda action: _hashed(action.arms[0][0].source),
    "set": lambda action: "+".join(action.values),
    "confirm": lambda action: "+".join(action.fields),
}
KEYS = 999_983  # bases of state keys: two flows of one run share theirs almost never
QUICK = frozenset({"say", "if", "set", "end", "fail", "goto"})
PICKED_TYPES = frozenset({"phone", "email", "inn"})
AGAIN, ONWARD, TOO_MANY, FAILED, SILENCE = "!again", "!onward", "!too_many", "!failed", "!silence"


@dataclass(frozen=True, slots=True)
class Node:
    """A state of a compiled flow. `key` names it in button tokens and counters, unlike any state of another flow."""

    id: str
    index: int
    key: str
    action: Action
    field: Field | None = None
    step: str = ""  # what reports call it
    first: str = ""  # the state in which its step begins
    policy: bool = False  # inside a policy block: `end` ends the whole run
    counted: bool = False  # may be entered at most ten times in a run
    mends: tuple[tuple[str, str], ...] = ()  # confirm: (field, state that asks for it), in the order of `pick<n>`


@dataclass(slots=True, eq=False)
class CompiledFlow:
    """A flow of one version, ready to run. `family` are the flows of its own bundle: calls stay in the version."""

    id: str
    version: str
    flow: Flow
    machine: Machine
    nodes: dict[str, Node]
    start: str
    quick: bool
    picked: tuple[Field, ...]  # fields that are found inside messages
    labels: dict[str, Field]
    family: dict[str, CompiledFlow] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.flow.title

    @property
    def policy(self) -> Policy:
        return self.flow.policy


@dataclass(slots=True)
class _Draft:
    """A state in the making."""

    id: str
    action: Action
    step: str
    policy: bool
    field: Field | None = None
    first: str = ""


@dataclass(slots=True)
class _Item:
    """An action with its states and its nested blocks, before it is known what follows."""

    action: Action
    drafts: list[_Draft]
    blocks: list[tuple[str, list[_Item]]]

    @property
    def entry(self) -> str:
        return self.drafts[0].id


class _Plan:
    """Collects states in the order of the file, then edges."""

    def __init__(self, flow: Flow, library: Library) -> None:
        self.flow = flow
        self.library = library
        self.drafts: list[_Draft] = []
        self.edges: list[Edge] = []
        self.steps: dict[str, str] = {}
        self.taken: dict[str, int] = {}
        self.gotos: list[tuple[str, str]] = []
        self.owners: list[tuple[str, str]] = []  # remote actions and what follows each

    def name(self, wanted: str) -> str:
        """A free id: short, and the same as long as the steps before it with the same words are the same."""
        n = self.taken[wanted] = self.taken.get(wanted, 0) + 1
        return wanted if n == 1 else f"{wanted}#{n}"

    def place(self, block: Block, prefix: str, policy: bool) -> list[_Item]:
        return [self.place_action(action, prefix, policy) for action in block]

    def place_action(self, action: Action, prefix: str, policy: bool) -> _Item:
        drafts = list(self.draft(action, prefix, policy))
        self.drafts += drafts
        if action.step:
            self.steps.setdefault(action.step, drafts[0].id)
        blocks = [(event, self.place(block, prefix, policy)) for event, block in action.blocks()]
        for draft in drafts:
            if draft.field is not None and draft.field.too_many is not None:
                blocks.append((f"too_many {draft.id}", self.place(draft.field.too_many, prefix, policy)))
        return _Item(action, drafts, blocks)

    def draft(self, action: Action, prefix: str, policy: bool) -> Iterator[_Draft]:
        details = action.fields if isinstance(action, Ask) else (detail_of(action),)
        first = ""
        for detail in details:
            id = self.name(f"{prefix}{action.word}.{detail}" if detail else f"{prefix}{action.word}")
            first = first or id
            asked = self.flow.fields[detail] if isinstance(action, Ask) else None
            yield _Draft(id, action, action.step or id, policy, asked, first)

    def link(self, items: list[_Item], after: str) -> str:
        """Draw the edges of a block whose end goes on at `after`; the state where it begins."""
        for item in reversed(items):
            self.link_item(item, after)
            after = item.entry
        return after

    def link_item(self, item: _Item, after: str) -> None:
        last = item.drafts[-1]
        for draft, following in zip(item.drafts, item.drafts[1:], strict=False):
            self.edges.append(("next", draft.id, following.id))
        if isinstance(item.action, Goto):
            self.gotos.append((last.id, item.action.target))
            return
        answered = set()
        for event, block in item.blocks:
            word, _, owner = event.partition(" ")
            self.edges.append((word, owner or last.id, self.link(block, AGAIN if owner else after)))
            answered.add(event)
        self.edges += [(event, last.id, after) for event in item.action.onward() if event not in answered]
        for draft in item.drafts:
            self.link_policies(draft, after, answered)

    def link_policies(self, draft: _Draft, after: str, answered: set[str]) -> None:
        for event in draft.action.policies():
            if event in answered or f"{event} {draft.id}" in answered:
                continue
            if event == "failed":
                self.owners.append((draft.id, after))
                self.edges.append((event, draft.id, "!line.onward" if draft.policy else FAILED))
            elif event == "too_many":
                self.edges.append((event, draft.id, "!line.again" if draft.policy else TOO_MANY))
            elif event == "timeout" and self.stages():
                self.edges.append((event, draft.id, SILENCE))

    def stages(self) -> list[int]:
        """The stages of silence that move the run: `end` and `call`."""
        return [n for n, stage in enumerate(self.flow.policy.silence) if stage.say is None]

    def hub(self, id: str, action: Action) -> None:
        self.drafts.append(_Draft(id, action, id, True, None, id))

    def place_policies(self) -> None:
        at, policy = self.flow.at, self.flow.policy
        operator: Block = (Call(at=at, flow=self.library.bot.operator),)
        for id, block, back in ((TOO_MANY, policy.too_many, AGAIN), (FAILED, policy.failed, ONWARD)):
            self.hub(id, PolicyHub(at=at))
            items = self.place(operator if block is None else block, f"{id}/", True)
            self.edges.append(("yes", id, self.link(items, back)))
            self.edges.append(("no", id, f"!line.{back[1:]}"))
        self.place_silence()
        for back in (AGAIN, ONWARD):
            self.hub(f"!line.{back[1:]}", ChannelLine(at=at))
            self.edges.append(("next", f"!line.{back[1:]}", back))

    def place_silence(self) -> None:
        if not self.stages():
            return
        self.hub(SILENCE, SilenceHub(at=self.flow.at))
        self.edges.append(("no", SILENCE, "!line.again"))
        for n in self.stages():
            stage = self.flow.policy.silence[n]
            act: Action = End(at=stage.at, outcome=stage.end) if stage.end else Call(at=stage.at, flow=stage.call)
            items = self.place((act,), f"{SILENCE}{n}/", True)
            self.edges.append((f"pick{n}", SILENCE, self.link(items, AGAIN)))

    def questions(self) -> list[str]:
        """States that may be asked again: questions, and targets of `goto` (the loops of a flow)."""
        targets = {self.steps[target] for _, target in self.gotos if target in self.steps}
        return [d.id for d in self.drafts if "too_many" in set(d.action.policies()) or d.id in targets]

    def finish(self) -> list[str]:
        """Joins, gotos, the limit of loops; gives the counted states."""
        self.place_policies()
        self.edges += [("next", id, self.steps[target]) for id, target in self.gotos if target in self.steps]
        counted = self.questions()
        self.limit_loops(counted)
        again = {id: n for n, id in enumerate(counted)}
        onward = {id: n for n, (id, _) in enumerate(self.owners)}
        self.hub(AGAIN, Again(at=self.flow.at, picks=again))
        self.hub(ONWARD, Onward(at=self.flow.at, picks=onward))
        self.hub("!end", Off(at=self.flow.at))
        self.edges += [(f"pick{n}", AGAIN, id) for id, n in again.items()]
        self.edges += [(f"pick{onward[id]}", ONWARD, after) for id, after in self.owners]
        self.fail_at_root()
        return counted

    def limit_loops(self, counted: list[str]) -> None:
        has = {source for event, source, _ in self.edges if event == "too_many"}
        policy = {d.id: d.policy for d in self.drafts}
        self.edges += [("too_many", id, "!line.again" if policy[id] else TOO_MANY) for id in counted if id not in has]

    def fail_at_root(self) -> None:
        """A failure that leaves the run's first flow runs `policy.failed` too."""
        self.edges += [("failed", d.id, FAILED) for d in self.drafts if isinstance(d.action, Fail) and not d.policy]


def compile_flow(flow: Flow, library: Library, deployment: Deployment, version: str) -> CompiledFlow:
    """The flow as a machine. The flow is one that the checks passed: names that do not exist are not looked for."""
    plan = _Plan(flow, library)
    items = plan.place(flow.steps, "", False)
    start = plan.link(items, "!end")
    counted = set(plan.finish())
    nodes = build_nodes(flow, plan.drafts, counted)
    plan.edges += [(f"pick{n}", node.id, state) for node in nodes.values() for n, (_, state) in enumerate(node.mends)]
    return CompiledFlow(
        id=flow.id,
        version=version,
        flow=flow,
        machine=Machine(nodes, dict.fromkeys(plan.edges)),
        nodes=nodes,
        start=start,
        quick=is_quick(flow, library, set()),
        picked=tuple(f for f in flow.fields.values() if f.pattern is not None or f.type in PICKED_TYPES),
        labels={f.label: f for f in flow.fields.values()},
    )


def build_nodes(flow: Flow, drafts: list[_Draft], counted: set[str]) -> dict[str, Node]:
    """States by id, in order. The key is a number of at most 9 digits: tokens hold at most 20 bytes."""
    base = crc32(flow.id.encode()) % KEYS
    asks: dict[str, list[str]] = {}
    for draft in drafts:
        if draft.field is not None:
            asks.setdefault(draft.field.name, []).append(draft.id)
    return {
        d.id: Node(
            id=d.id,
            index=n,
            key=str(base * 1000 + n),
            action=d.action,
            field=d.field,
            step=d.step,
            first=d.first,
            policy=d.policy,
            counted=d.id in counted,
            mends=tuple(_mends(d.action, asks)),
        )
        for n, d in enumerate(drafts)
    }


def _mends(action: Action, asks: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    if isinstance(action, Confirm):
        for name in action.fields:
            for state in asks.get(name, ()):
                yield name, state


def detail_of(action: Action) -> str:
    detail = DETAILS.get(action.word)
    return action.step or (detail(action) if detail is not None else "")


def _hashed(text: str) -> str:
    return f"{crc32(text.encode('utf-8', 'replace')) & 0xFFFF:04x}"


def is_quick(flow: Flow, library: Library, seen: set[str]) -> bool:
    """Whether a flow only answers, calls included: it may interrupt without asking."""
    seen.add(flow.id)
    return all(_is_quick_action(action, library, seen) for action in flow.steps)


def _is_quick_action(action: Action, library: Library, seen: set[str]) -> bool:
    if isinstance(action, Call):
        called = library.flows.get(action.flow)
        if called is None or (called.id not in seen and not is_quick(called, library, seen)):
            return False
    elif action.word not in QUICK:
        return False
    return all(_is_quick_action(a, library, seen) for _, block in action.blocks() for a in block)
