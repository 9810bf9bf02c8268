"""The tree of an expression: small frozen values, so that checks can walk it and the evaluator can compile it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from core.findings import Position

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


@dataclass(frozen=True, slots=True)
class Node:
    """What every part of a tree knows: where it begins."""

    at: Position

    def parts(self) -> tuple[Node, ...]:
        """The nodes directly below, from left to right."""
        return ()


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A text, a number, `true`, `false` or `none`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """`client.phone` is the path `("client", "phone")`."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class List(Node):
    """`[1, 2]` or `(1, 2)`."""

    items: tuple[Node, ...]

    def parts(self) -> tuple[Node, ...]:
        return self.items


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`not item`."""

    item: Node

    def parts(self) -> tuple[Node, ...]:
        return (self.item,)


@dataclass(frozen=True, slots=True)
class Pair(Node):
    """What the nodes with two sides share."""

    left: Node
    right: Node

    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class And(Pair):
    """`left and right`."""


@dataclass(frozen=True, slots=True)
class Or(Pair):
    """`left or right`."""


@dataclass(frozen=True, slots=True)
class Add(Pair):
    """`left + right`."""


@dataclass(frozen=True, slots=True)
class Sub(Pair):
    """`left - right`."""


@dataclass(frozen=True, slots=True)
class Compare(Pair):
    """`left op right`."""

    op: Operator


@dataclass(frozen=True, slots=True)
class Cond(Node):
    """`yes if test else no`."""

    test: Node
    yes: Node
    no: Node

    def parts(self) -> tuple[Node, ...]:
        return (self.test, self.yes, self.no)


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`arg | name(params)`. Parameters are constants."""

    name: str
    arg: Node
    params: tuple[Any, ...] = ()

    def parts(self) -> tuple[Node, ...]:
        return (self.arg,)


ORDER: frozenset[str] = frozenset({"<", "<=", ">", ">="})


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, from left to right."""
    yield node
    for part in node.parts():
        yield from walk(part)
