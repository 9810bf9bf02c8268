"""Calls between flows: who calls whom, calls in a circle, and whether a call hands over what the other flow takes."""

from __future__ import annotations

from collections.abc import Iterator

from bot.actions.call import Call
from bot.check.places import key_at, value_at
from bot.check.walk import actions, own_actions
from bot.model import Flow, Library, Policy
from bot.shapes import PERHAPS, suggest
from core.deployment import Deployment
from core.findings import Finding, Position
from core.locale import n_

Edge = tuple[str, Position, int]  # called flow, place of its name, length


def call_edges(library: Library) -> dict[str, list[Edge]]:
    """What each flow may run, policy included; inside the operator flow and what it calls there is no policy."""
    base = library.bot.policy
    plain = {name: list(_own_edges(flow, base)) for name, flow in library.flows.items()}
    spared = reached(library.bot.operator, {name: {edge[0] for edge in edges} for name, edges in plain.items()})
    return {
        name: edges if name in spared else [*edges, *_policy_edges(library.flows[name], library)]
        for name, edges in plain.items()
    }


def call_graph(library: Library) -> dict[str, set[str]]:
    """Flow → flows it may run, policy included."""
    return {name: {edge[0] for edge in edges} for name, edges in call_edges(library).items()}


def operator_flows(library: Library) -> set[str]:
    """The operator flow and all that it calls: policy blocks do not run there."""
    plain = {name: {edge[0] for edge in _own_edges(flow, library.bot.policy)} for name, flow in library.flows.items()}
    return reached(library.bot.operator, plain)


def reached(name: str, graph: dict[str, set[str]]) -> set[str]:
    """The name and all that can be reached from it."""
    found = {name}
    todo = [name]
    while todo:
        for each in graph.get(todo.pop(), ()):
            if each not in found:
                found.add(each)
                todo.append(each)
    return found


def _own_edges(flow: Flow, base: Policy) -> Iterator[Edge]:
    blocks = [flow.steps, *(f.too_many for f in flow.fields.values() if f.too_many is not None)]
    for block in blocks:
        for action in actions(block):
            if isinstance(action, Call):
                yield action.flow, value_at(action, "call"), len(action.flow)


def _policy_edges(flow: Flow, library: Library) -> Iterator[Edge]:
    policy = flow.policy
    for block in (policy.too_many, policy.failed):
        for action in actions(block or ()):
            if isinstance(action, Call):
                yield action.flow, value_at(action, "call"), len(action.flow)
    for rule in policy.silence:
        if rule.call:
            yield rule.call, rule.at, len(rule.call)
    if policy.too_many is None:
        yield library.bot.operator, flow.at, 1


def check_circles(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """L190: a flow that comes back to itself would never end. Every call of the circle is shown."""
    edges = call_edges(library)
    graph = {name: {edge[0] for edge in out} for name, out in edges.items()}
    for name, out in edges.items():
        for target, at, length in out:
            if name in reached(target, graph):
                yield Finding(
                    at=at,
                    code="L190",
                    what=n_("flows call each other in a circle: {circle}"),
                    mend=n_("end the flow, or go on with `goto`"),
                    values={"circle": " → ".join(_circle(name, target, graph))},
                    length=length,
                )


def _circle(name: str, target: str, graph: dict[str, set[str]]) -> list[str]:
    """The shortest way from `name` over `target` back to `name`."""
    ways = {target: [name, target]}
    todo = [target]
    while name not in ways:
        current = todo.pop(0)
        for each in sorted(graph.get(current, ())):
            if each not in ways:
                ways[each] = [*ways[current], each]
                todo.append(each)
    return ways[name] if target != name else [name, name]


def check_inputs(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """L110, L111: `with` of a call against `takes` of the flow."""
    for flow in library.flows.values():
        for action in own_actions(flow, library.bot.policy):
            if isinstance(action, Call) and action.flow in library.flows:
                yield from _check_call(action, library.flows[action.flow])


def _check_call(action: Call, called: Flow) -> Iterator[Finding]:
    for name in action.inputs:
        if name not in called.takes:
            close = suggest(name, called.takes)
            yield Finding(
                at=key_at(action, "with", name),
                code="L110",
                what=n_("the flow «{flow}» does not take «{name}»"),
                mend=PERHAPS if close else "",
                values={"flow": called.id, "name": name, "close": close},
                length=len(name),
                instead=close,
            )
    for name, taken in called.takes.items():
        if name not in action.inputs and not taken.optional and taken.default is None:
            yield Finding(
                at=key_at(action, "with"),
                code="L111",
                what=n_("the flow «{flow}» needs «{name}»"),
                mend=n_("add it to `with`"),
                values={"flow": called.id, "name": name},
                length=4,
            )
