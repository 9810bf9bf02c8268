"""Which steps and branches of the flows no test has visited."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.compile import CompiledFlow, Node
from bot.rules import RULES
from core.findings import Position
from core.turn import Trace

Visit = tuple[str, str, str]  # flow, state, the event that left it; an empty event: it was entered


@dataclass(frozen=True, slots=True, order=True)
class Unvisited:
    """A step, or with `event` a branch of it, that no test has visited."""

    at: Position
    flow: str
    step: str
    event: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the flows the tests have visited: steps and branches together."""

    visited: int
    whole: int
    missed: tuple[Unvisited, ...]

    @property
    def share(self) -> float:
        """From 0 to 1; flows without steps are covered."""
        return self.visited / self.whole if self.whole else 1.0


def visits_of(trace: Iterable[Trace], starts: dict[str, str]) -> Iterator[Visit]:
    """What a step's trace says was visited. `starts`: flow → its first state."""
    for entry in trace:
        if entry.kind == "edge":
            data = entry.data
            yield data["flow"], data["from"], data["event"]
            yield data["flow"], data["state"], ""
        elif entry.kind in ("start", "call"):
            flow = entry.data["flow"]
            yield flow, starts.get(flow, ""), ""


def measure(flows: Collection[CompiledFlow], visits: Collection[Visit]) -> Coverage:
    """The steps and branches of the flows against what was visited. Policy blocks and lines' rules do not count."""
    seen = set(visits)
    whole = 0
    missed: list[Unvisited] = []
    for flow in flows:
        if flow.id.startswith(RULES):
            continue
        for node, event in places(flow):
            whole += 1
            if (flow.id, node.id, event) not in seen:
                missed.append(Unvisited(node.action.at, flow.id, node.step, event))
    return Coverage(whole - len(missed), whole, tuple(sorted(missed)))


def places(flow: CompiledFlow) -> Iterator[tuple[Node, str]]:
    """Every step, and every way out of a step that has several."""
    for node in flow.nodes.values():
        if node.policy:
            continue
        yield node, ""
        ways = {event for event, _ in node.action.blocks()}
        if ways:
            ways.update(node.action.onward())
            yield from ((node, event) for event in sorted(ways) if flow.machine.target(node.id, event) is not None)
