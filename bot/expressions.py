"""Expressions of flows: `заказ.дней_с_доставки > 14`. Jinja's syntax, our whitelist, compiled once at publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.evaluate import Run, build_run
from bot.jinja import parse_tree
from bot.nodes import (
    ORDER,
    Add,
    And,
    Compare,
    Cond,
    Const,
    Filter,
    List,
    Name,
    Node,
    Not,
    Or,
    Pair,
    Sub,
    walk,
)
from bot.refused import Locate, Refused, locate_from
from core.findings import Finding, Position

__all__ = [
    "Add",
    "And",
    "Compare",
    "Cond",
    "Const",
    "Expression",
    "Filter",
    "List",
    "Name",
    "Node",
    "Not",
    "Or",
    "Pair",
    "Sub",
    "Use",
    "narrows",
    "parse_expression",
    "uses_of",
    "walk",
]

Path = tuple[str, ...]
Report = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Use:
    """One reading of a name. `accepts_empty`: an empty value does no harm here, or a test on the way excludes it."""

    path: Path
    at: Position
    accepts_empty: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. `tree` is for the checks; `run` is the tree compiled."""

    source: str
    at: Position
    tree: Node
    uses: tuple[Use, ...]
    run: Run = field(compare=False, repr=False)

    def value(self, names: Mapping[str, Any], errors: list[str]) -> Any:
        """The value; never raises on any values of names. What was wrong is appended to `errors`."""
        return self.run(names, errors)

    def truth(self, names: Mapping[str, Any], errors: list[str]) -> bool:
        """Whether it holds: empty, zero and `false` do not."""
        return bool(self.run(names, errors))

    def narrows(self, truth: bool = True) -> frozenset[Path]:
        """The names that are surely not empty when the expression is true (or false)."""
        return narrows(self.tree, truth)


def parse_expression(source: str, at: Position, report: Report, locate: Locate | None = None) -> Expression | None:
    """The expression, or None after an L160 finding. `locate` maps offsets of the source to places of the file."""
    try:
        tree = parse_tree(source, locate or locate_from(at))
    except Refused as refused:
        report(refused.finding(locate or locate_from(at)))
        return None
    return build_expression(source, at, tree)


def build_expression(source: str, at: Position, tree: Node, accepts_empty: bool = True) -> Expression:
    """A tree made ready to run. `accepts_empty`: the place where the whole stands does not mind an empty value."""
    return Expression(source, at, tree, tuple(uses_of(tree, accepts_empty)), build_run(tree))


def narrows(node: Node, truth: bool = True) -> frozenset[Path]:
    """The names that are surely not empty when the node is true (or false)."""
    if isinstance(node, Name):
        return frozenset({node.path}) if truth else frozenset()
    if isinstance(node, Not):
        return narrows(node.item, not truth)
    if isinstance(node, And | Or):
        both = isinstance(node, And) == truth
        left, right = narrows(node.left, truth), narrows(node.right, truth)
        return left | right if both else left & right
    return _narrowed_by_comparison(node) if truth and isinstance(node, Compare) else frozenset()


def _narrowed_by_comparison(node: Compare) -> frozenset[Path]:
    """`x > 1` and `x == "a"` are false of an empty x; so is `x in [...]`."""
    if node.op in ORDER:
        return _paths(node.left) | _paths(node.right)
    if node.op == "==" and isinstance(node.right, Const) and node.right.value not in (None, ""):
        return _paths(node.left)
    return _paths(node.right) if node.op == "in" else frozenset()


def _paths(node: Node) -> frozenset[Path]:
    return frozenset({node.path}) if isinstance(node, Name) else frozenset()


def uses_of(node: Node, accepts_empty: bool = False, known: frozenset[Path] = frozenset()) -> Iterator[Use]:
    """Every reading of a name below a node, in the order written. `known` are names already tested on the way."""
    if isinstance(node, Name):
        sure = any(path[: len(node.path)] == node.path for path in known)
        yield Use(node.path, node.at, accepts_empty or sure)
    elif isinstance(node, And | Or):
        yield from uses_of(node.left, True, known)
        yield from uses_of(node.right, accepts_empty, known | narrows(node.left, isinstance(node, And)))
    elif isinstance(node, Cond):
        yield from uses_of(node.yes, accepts_empty, known | narrows(node.test))
        yield from uses_of(node.test, True, known)
        yield from uses_of(node.no, accepts_empty, known | narrows(node.test, False))
    else:
        inner = _inner_accepts(node)
        for part in node.parts():
            yield from uses_of(part, inner, known)


def _inner_accepts(node: Node) -> bool:
    """Whether an empty part is fine: for `not`, `==`, `in` and `default`; not for `<`, sums and other filters."""
    if isinstance(node, Compare):
        return node.op not in ORDER
    return isinstance(node, Not) or (isinstance(node, Filter) and node.name == "default")
