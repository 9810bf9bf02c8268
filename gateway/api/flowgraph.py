"""A flow as the pages show it: its diagram with the numbers of each step, the steps of no diagram, how runs ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.graph import Box, draw
from gateway.api.models_flows import EdgeView, ElsewhereView, NodeView, OutcomeView, StepNumbers, TriggerView
from gateway.flownumbers import Tally

if TYPE_CHECKING:
    from bot.compile import CompiledFlow
    from bot.model import Library, Trigger

QUESTIONS = ("ask", "choose", "confirm")
COUNTED = (*QUESTIONS, "request", "ticket", "handoff")
# What a trigger says of itself, by the name of its value.
SAID = ("label", "phrases", "pattern", "name", "payload", "event")


class FlowGraph:
    """One flow of one version with what was counted."""

    def __init__(self, compiled: CompiledFlow, library: Library, language: str, tally: Tally) -> None:
        self._compiled, self._tally = compiled, tally
        self._drawn = draw(compiled.flow, library, language, apart=True)
        self._outcomes = tally.outcomes(compiled.id)
        self._shown: set[str] = set()

    def nodes(self) -> list[NodeView]:
        return [self._node(box) for box in self._drawn.boxes.values()]

    def edges(self) -> list[EdgeView]:
        return [EdgeView(source=source, target=target, label=label) for source, target, label in self._drawn.arrows]

    def elsewhere(self) -> list[ElsewhereView]:
        """Steps of which something is known and that are no box. To be asked for after `nodes`."""
        kinds = {node.step: node.action.word for node in self._compiled.nodes.values()}
        steps = [step for step in self._tally.steps(self._compiled.id) if step not in self._shown]
        return [
            ElsewhereView(step=step, kind=kinds.get(step, ""), numbers=self._numbers({step}, kinds.get(step, "")))
            for step in steps
        ]

    def outcomes(self, broken: frozenset[str]) -> list[OutcomeView]:
        return [OutcomeView(outcome=it, times=times, finished=it not in broken) for it, times in self._outcomes.items()]

    def _node(self, box: Box) -> NodeView:
        action = box.action
        names = self._names(box)
        self._shown |= names
        counted = action.word in COUNTED or any(self._tally.of(kind, self._compiled.id, names) for kind in ("error",))
        return NodeView(
            number=box.number,
            kind=action.word,
            name=action.step,
            label=box.label,
            text=box.text,
            step=self._step(box) if counted else "",
            line=action.at.line,
            flow=getattr(action, "flow", "") if action.word == "call" else "",
            numbers=self._numbers(names, action.word) if counted else None,
            ended=self._outcomes.get(getattr(action, "outcome", ""), 0) if action.word in ("end", "fail") else None,
        )

    def _names(self, box: Box) -> set[str]:
        """What facts call the states of a box: the name of the step, or of the state."""
        found: set[str] = set()
        for node in self._compiled.nodes.values():
            if node.action is box.action and (not box.field or (node.field and node.field.name == box.field)):
                found |= {node.step, node.id}
        return found

    def _step(self, box: Box) -> str:
        mine = [
            node
            for node in self._compiled.nodes.values()
            if node.action is box.action and (not box.field or (node.field and node.field.name == box.field))
        ]
        return mine[0].step if mine else ""

    def _numbers(self, steps: set[str], kind: str) -> StepNumbers:
        def of(fact: str) -> int:
            return self._tally.of(fact, self._compiled.id, steps)

        entered, answered, back = of("step_entered"), of("answered"), of("back")
        return StepNumbers(
            entered=entered,
            answered=answered,
            wrong=of("wrong"),
            too_many=of("too_many"),
            silent=of("silent"),
            back=back,
            cancelled=of("cancelled"),
            digressed=of("digressed"),
            handed=of("handed"),
            errors=of("error"),
            lost=max(0, entered + back - answered) if kind in QUESTIONS else None,
        )


def trigger_view(trigger: Trigger) -> TriggerView:
    """What starts a flow, as its author wrote it."""
    said = next((getattr(trigger, name) for name in SAID if hasattr(trigger, name)), "")
    texts = said if isinstance(said, tuple) else (getattr(said, "source", said),)
    return TriggerView(kind=trigger.word, texts=[str(it) for it in texts])
