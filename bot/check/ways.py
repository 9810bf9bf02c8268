"""L150 a path without an end, L151 a step no path reaches, L152 a loop in which nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator

from bot.actions.goto import Goto
from bot.check.graph import OFF, Graph, reachable
from bot.check.places import value_at
from bot.model import Action, Broken
from core.findings import Finding
from core.locale import n_


def check_ways(graph: Graph) -> Iterator[Finding]:
    """The three findings of one flow."""
    found = reachable(graph)
    broken = any(isinstance(state.action, Broken) for state in graph.states)
    if OFF in found and graph.flow.steps:
        last = graph.flow.steps[-1]
        yield Finding(
            at=last.at,
            code="L150",
            what=n_("a path runs off the end of the flow"),
            mend=n_("finish it with `end`, `fail` or `goto`"),
            length=len(last.word),
        )
    if not broken:
        yield from _unreached(graph, found)
    yield from _loops(graph, found)


def _unreached(graph: Graph, found: set[int]) -> Iterator[Finding]:
    """The first step of each stretch that nothing leads to; what is inside such a step is not told again."""
    hidden: set[int] = set()
    alive = {id(graph.states[index].action) for index in found}
    for block in reversed(graph.blocks):  # outer blocks were placed last
        before = True
        for action in block:
            reached = id(action) in alive
            if not reached:
                if before and id(action) not in hidden:
                    yield Finding(
                        at=action.at,
                        code="L151",
                        what=n_("nothing leads to this step"),
                        mend=n_("remove it, or go to it with `goto`"),
                        length=len(action.word),
                    )
                hidden.update(_inner(action))
            before = reached


def _inner(action: Action) -> Iterator[int]:
    for _, block in action.blocks():
        for inner in block:
            yield id(inner)
            yield from _inner(inner)


def _loops(graph: Graph, found: set[int]) -> Iterator[Finding]:
    """Every `goto` on a circle of states none of which waits for a person."""
    for index in sorted(found):
        action = graph.states[index].action
        if isinstance(action, Goto) and _spins(graph, index):
            yield Finding(
                at=value_at(action, "goto"),
                code="L152",
                what=n_("from here the flow comes back without asking anything: it would never stop"),
                mend=n_("ask something on the way, or end the flow"),
                length=len(action.target),
                values={},
            )


def _spins(graph: Graph, start: int) -> bool:
    seen: set[int] = set()
    todo = [move.target for move in graph.states[start].moves]
    while todo:
        index = todo.pop()
        if index == start:
            return True
        if index not in seen and not graph.states[index].waits:
            seen.add(index)
            todo += [move.target for move in graph.states[index].moves]
    return False
