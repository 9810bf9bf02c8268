"""A flow as a graph of moves: what each step adds to what is known, and where it may go on. Policies are part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.actions.ask import Ask
from bot.actions.branch import If
from bot.actions.call import Call
from bot.actions.choose import Choose
from bot.actions.confirm import Confirm
from bot.actions.end import End
from bot.actions.fail import Fail
from bot.actions.goto import Goto
from bot.actions.handoff import Handoff
from bot.actions.request import Request
from bot.actions.set import Set
from bot.actions.ticket import Ticket
from bot.check.walk import Words, action_words, field_words
from bot.expressions import Expression, Path
from bot.model import Action, Block, Broken, Field, Flow, Library
from core.deployment import Deployment

Known = frozenset[Path]
NOTHING: Known = frozenset()
OFF = 0  # the state behind the last step


@dataclass(slots=True)
class Move:
    """An edge: where to, and what is known behind it besides what was."""

    target: int
    adds: Known = NOTHING
    drops: Known = NOTHING


@dataclass(slots=True)
class State:
    """One question, test or action. `words` are what is said or computed here; `test` ones may be empty."""

    action: Action | None
    words: tuple[Words, ...] = ()
    moves: list[Move] = field(default_factory=list)
    waits: bool = False  # a person is asked: a loop through it does not spin
    policy: bool = False
    broken: bool = False


class Graph:
    """All states of a flow. `blocks` are its blocks in its own file, inner ones first."""

    def __init__(
        self, flow: Flow, library: Library, deployment: Deployment, spared: bool, asking: frozenset[str]
    ) -> None:
        self.flow = flow
        self.library = library
        self.deployment = deployment
        self.spared = spared  # the operator flow and what it calls: no policy there
        self.asking = asking  # flows that ask something, whatever way they go
        self.states = [State(None)]
        self.steps: dict[str, int] = {}
        self.gotos: list[tuple[int, str]] = []
        self.blocks: list[Block] = []
        self.policy = False
        self.start = self.block(flow.steps, OFF)
        for index, target in self.gotos:
            if target in self.steps:
                self.states[index].moves.append(Move(self.steps[target]))

    def block(self, block: Block, after: int) -> int:
        """Place a block that goes on at `after`; the state where it begins."""
        for action in reversed(block):
            after = self.place(action, after)
            if action.step and not self.policy:
                self.steps[action.step] = after  # the first of that name: blocks are placed from their end
        if not self.policy:
            self.blocks.append(block)
        return after

    def inherited(self, block: Block | None, after: int) -> int | None:
        """Place a copy of a policy block; None where policies do not run."""
        if block is None or self.spared or self.policy:
            return None
        self.policy = True
        start = self.block(block, after)
        self.policy = False
        return start

    def add(self, action: Action, words: Iterable[Words] = (), waits: bool = False) -> int:
        self.states.append(State(action, tuple(words), [], waits, self.policy))
        return len(self.states) - 1

    def move(self, source: int, target: int | None, adds: Iterable[Path] = (), drops: Iterable[Path] = ()) -> None:
        if target is not None:
            self.states[source].moves.append(Move(target, frozenset(adds), frozenset(drops)))

    def place(self, action: Action, after: int) -> int:
        placer = PLACERS.get(type(action))
        if placer is not None:
            return placer(self, action, after)
        index = self.add(action, action_words(action))
        self.move(index, after)
        return index

    def silence(self) -> Iterator[Words]:
        """What may be said while a question waits."""
        if not self.spared:
            yield from (rule.say for rule in self.flow.policy.silence if rule.say is not None)

    def asked(self, action: Action, words: Iterable[Words], too_many: Block | None, own: bool) -> int:
        """A question, with what follows too many wrong answers."""
        index = self.add(action, (*words, *self.silence()), waits=True)
        if own and too_many is not None:
            self.move(index, self.block(too_many, index))
        else:
            self.move(index, self.inherited(self.flow.policy.too_many, index))
        return index


def _ask(graph: Graph, action: Ask, after: int) -> int:
    for name in reversed(action.fields):
        asked = graph.flow.fields.get(name)
        if asked is not None:
            after = _ask_one(graph, action, asked, after)
    return after


def _ask_one(graph: Graph, action: Ask, asked: Field, after: int) -> int:
    words = (words for words, _ in field_words(asked))
    index = graph.asked(action, words, asked.too_many, asked.too_many is not None)
    adds: list[Path] = [] if asked.optional else [(asked.name,)]
    if asked.keep and not asked.optional:
        adds.append(tuple(asked.keep.split(".")))
    graph.move(index, after, adds)
    return index


def _confirm(graph: Graph, action: Confirm, after: int) -> int:
    index = graph.asked(action, (), None, False)
    graph.move(index, after)
    return index


def _choose(graph: Graph, action: Choose, after: int) -> int:
    index = graph.asked(action, (action.question,), None, False)
    for option in action.options:
        adds = option.condition.narrows() if option.condition else NOTHING
        graph.move(index, after if option.then is None else graph.block(option.then, after), adds)
    return index


def _if(graph: Graph, action: If, after: int) -> int:
    otherwise = after if action.otherwise is None else graph.block(action.otherwise, after)
    for test, block in reversed(action.arms):
        index = graph.add(action)
        graph.move(index, graph.block(block, after), test.narrows(True))
        graph.move(index, otherwise, test.narrows(False))
        otherwise = index
    return otherwise


def _goto(graph: Graph, action: Goto, after: int) -> int:
    index = graph.add(action)
    graph.gotos.append((index, action.target))
    return index


def _stop(graph: Graph, action: End | Fail, after: int) -> int:
    return graph.add(action)


def _set(graph: Graph, action: Set, after: int) -> int:
    index = graph.add(action, action_words(action))
    paths = {tuple(name.split(".")): value for name, value in action.values.items()}
    empty = [path for path, value in paths.items() if not value.source.strip()]
    graph.move(index, after, [path for path in paths if path not in empty], empty)
    return index


def _call(graph: Graph, action: Call, after: int) -> int:
    called = graph.library.flows.get(action.flow)
    index = graph.add(action, action_words(action), waits=action.flow in graph.asking)
    graph.states[index].broken = called is None or gives_unread(called)
    graph.move(index, after, [(name,) for name in called.gives] if called else ())
    if action.failed is not None:
        graph.move(index, graph.block(action.failed, after))
    return index


def gives_unread(flow: Flow) -> bool:
    """Whether a flow says that it gives something, and it could not be read what."""
    return not flow.gives and flow.node is not None and "gives" in flow.node.items


def _request(graph: Graph, action: Request, after: int) -> int:
    index = graph.add(action, action_words(action))
    graph.move(index, after, [(action.save,)] if action.save else ())
    if action.missing is not None:
        graph.move(index, graph.block(action.missing, after))
    graph.move(index, _failed(graph, action.failed, after))
    return index


def _ticket(graph: Graph, action: Ticket, after: int) -> int:
    index = graph.add(action, action_words(action))
    graph.move(index, after, [(action.save,)] if action.save else ())
    desk = graph.deployment.desks.get(action.desk)
    if action.failed is not None or desk is None or desk.outer:
        graph.move(index, _failed(graph, action.failed, after))
    return index


def _failed(graph: Graph, own: Block | None, after: int) -> int | None:
    return graph.inherited(graph.flow.policy.failed, after) if own is None else graph.block(own, after)


def _handoff(graph: Graph, action: Handoff, after: int) -> int:
    index = graph.add(action, action_words(action), waits=True)
    graph.move(index, after)
    for _, block in action.blocks():
        graph.move(index, graph.block(block, after))
    return index


def _broken(graph: Graph, action: Broken, after: int) -> int:
    index = graph.add(action)
    graph.states[index].broken = True
    graph.move(index, after if after != OFF else None)
    return index


PLACERS: dict[type[Action], Callable[[Graph, Any, int], int]] = {
    Ask: _ask,
    Confirm: _confirm,
    Choose: _choose,
    If: _if,
    Goto: _goto,
    End: _stop,
    Fail: _stop,
    Set: _set,
    Call: _call,
    Request: _request,
    Ticket: _ticket,
    Handoff: _handoff,
    Broken: _broken,
}


def reachable(graph: Graph) -> set[int]:
    """States that some way from the start leads to."""
    found = {graph.start}
    todo = [graph.start]
    while todo:
        for move in graph.states[todo.pop()].moves:
            if move.target not in found:
                found.add(move.target)
                todo.append(move.target)
    return found


def settle(graph: Graph, begin: Known) -> dict[int, Known | None]:
    """What is surely known when each reachable state begins: the least over all ways. None: anything may be known."""
    known: dict[int, Known | None] = {graph.start: begin}
    todo = [graph.start]
    while todo:
        index = todo.pop()
        state = graph.states[index]
        here = None if state.broken else known[index]
        for move in state.moves:
            there = None if here is None else (here - move.drops) | move.adds
            if move.target not in known:
                known[move.target] = there
            else:
                before = known[move.target]
                merged = there if before is None else before if there is None else before & there
                if merged == before:
                    continue
                known[move.target] = merged
            todo.append(move.target)
    return known


def conditions(action: Action) -> Iterator[Expression]:
    """The tests of an action: empty values do no harm in them."""
    if isinstance(action, If):
        yield from (test for test, _ in action.arms)
    elif isinstance(action, Choose):
        yield from (option.condition for option in action.options if option.condition is not None)
