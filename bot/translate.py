"""The whitelist: Jinja's nodes turned into ours, one by one; everything else is refused with the way to write it."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn

from jinja2 import nodes as j

from bot.nodes import Add, And, Compare, Cond, Const, Filter, List, Name, Node, Not, Operator, Or, Sub
from bot.refused import LIMIT, TOO_LONG, TOO_LONG_MEND, Locate, Refused
from core.findings import Position
from core.locale import n_

FILTER_PARAMS = {"plural": (2, 3), "default": (1, 1), "join": (0, 1)}
FILTER_NAMES = ("date", "time", "money", "plural", "lower", "upper", "default", "join", "length")
OPERATORS: dict[str, Operator] = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip


class Translator:
    """Turns Jinja's nodes into ours, counting them; what is not on the whitelist is `Refused`."""

    def __init__(self, source: str, locate: Locate) -> None:
        self.source, self.locate, self.count = source, locate, 0

    def node(self, node: j.Node) -> Node:
        """Our node. Raises `Refused`."""
        self.tick(node)
        translate = TRANSLATE.get(type(node))
        if translate is None:
            self.refuse(node)
        return translate(self, node)

    def tick(self, node: j.Node) -> None:
        self.count += 1
        if self.count > LIMIT:
            raise Refused(node.lineno, TOO_LONG, TOO_LONG_MEND, limit=LIMIT)

    def refuse(self, node: j.Node) -> NoReturn:
        what, mend = REFUSALS.get(type(node), (n_("this is not allowed in expressions"), ""))
        raise Refused(
            node.lineno,
            what,
            mend or n_("allowed are names, texts, numbers, comparisons, and, or, not, +, - and filters"),
        )

    def at(self, node: j.Node) -> Position:
        return self.locate(node.lineno)


def _const(tr: Translator, node: Any) -> Node:
    return Const(tr.at(node), node.value)


def _negative(tr: Translator, node: Any) -> Node:
    if isinstance(node.node, j.Const) and isinstance(node.node.value, (int, float)):
        return Const(tr.at(node), -node.node.value)
    raise Refused(node.lineno, n_("a minus stands before a number only"), n_("write 0 - name"))


def _name(tr: Translator, node: Any) -> Node:
    path: list[str] = []
    inner = node
    while isinstance(inner, j.Getattr):
        path.append(inner.attr)
        inner = inner.node
    if not isinstance(inner, j.Name):
        raise Refused(node.lineno, n_("a dot may follow a name only"), n_("write name.part"))
    path.append(inner.name)
    for part in path:
        if part.startswith("_"):
            raise Refused(
                inner.lineno, n_("names do not begin with «_»: «{name}»"), "", len(part), part.lstrip("_"), name=part
            )
    return Name(tr.at(inner), tuple(reversed(path)))


def _list(tr: Translator, node: Any) -> Node:
    return List(tr.at(node), tuple(tr.node(item) for item in node.items))


def _not(tr: Translator, node: Any) -> Node:
    return Not(tr.at(node), tr.node(node.node))


def _pair(kind: Callable[[Position, Node, Node], Node]) -> Callable[[Translator, Any], Node]:
    def translate(tr: Translator, node: Any) -> Node:
        left, right = tr.node(node.left), tr.node(node.right)
        return kind(left.at, left, right)

    return translate


def _compare(tr: Translator, node: Any) -> Node:
    """`1 < x < 5` is `1 < x and x < 5`."""
    left = tr.node(node.expr)
    whole: Node | None = None
    for operand in node.ops:
        right = tr.node(operand.expr)
        one = Compare(left.at, left, right, OPERATORS[operand.op])
        whole = one if whole is None else And(whole.at, whole, one)
        left = right
    assert whole is not None
    return whole


def _cond(tr: Translator, node: Any) -> Node:
    if node.expr2 is None:
        raise Refused(node.lineno, n_("«if» inside an expression needs «else»"), n_("write a if b else c"))
    yes, test, no = tr.node(node.expr1), tr.node(node.test), tr.node(node.expr2)
    return Cond(yes.at, test, yes, no)


def _filter(tr: Translator, node: Any) -> Node:
    if node.name not in FILTER_NAMES:
        close = get_close_matches(node.name, FILTER_NAMES, 1, 0.6)
        raise Refused(
            node.lineno,
            n_("there is no filter «{name}»"),
            n_("the filters are {filters}"),
            len(node.name),
            close[0] if close else "",
            name=node.name,
            filters=", ".join(FILTER_NAMES),
        )
    if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Refused(node.lineno, n_("the filter «{name}» is written wrongly"), name=node.name)
    arg = tr.node(node.node)
    params = tuple(_param(tr, param) for param in node.args)
    _check_params(node, params)
    return Filter(arg.at, node.name, arg, params)


def _param(tr: Translator, node: j.Node) -> Any:
    param = tr.node(node)
    if not isinstance(param, Const):
        raise Refused(node.lineno, n_("a filter takes texts and numbers only, not names"))
    return param.value


def _check_params(node: Any, params: tuple[Any, ...]) -> None:
    low, high = FILTER_PARAMS.get(node.name, (0, 0))
    if node.name == "plural" and (not low <= len(params) <= high or not all(isinstance(p, str) for p in params)):
        raise Refused(
            node.lineno,
            n_("the filter «plural» needs the forms of the word"),
            n_('write plural("день", "дня", "дней")'),
        )
    if not low <= len(params) <= high or (node.name == "join" and not all(isinstance(p, str) for p in params)):
        raise Refused(
            node.lineno,
            n_("the filter «{name}» has wrong parameters"),
            n_('write | date, | join(", "), | default("нет")'),
            name=node.name,
        )


TRANSLATE: dict[type[j.Node], Callable[[Translator, Any], Node]] = {
    j.Const: _const,
    j.Neg: _negative,
    j.Name: _name,
    j.Getattr: _name,
    j.List: _list,
    j.Tuple: _list,
    j.Not: _not,
    j.And: _pair(And),
    j.Or: _pair(Or),
    j.Add: _pair(Add),
    j.Sub: _pair(Sub),
    j.Compare: _compare,
    j.CondExpr: _cond,
    j.Filter: _filter,
}

_ONLY_SUMS = (
    n_("only + and - are allowed, no other arithmetic"),
    n_("let the service or the table do the calculation"),
)
REFUSALS: dict[type[j.Node], tuple[str, str]] = {
    j.Call: (n_("calls are not allowed in expressions"), n_("use a filter: name | date")),
    j.Getitem: (n_("square brackets after a name are not allowed"), n_("write name.part")),
    j.Concat: (n_("«~» is not allowed"), n_("write + to put texts together")),
    j.Test: (n_("«is» is not allowed"), n_("write «if name» or «if not name»")),
    j.Dict: (n_("maps are not allowed in expressions"), ""),
    j.Mul: _ONLY_SUMS,
    j.Div: _ONLY_SUMS,
    j.FloorDiv: _ONLY_SUMS,
    j.Mod: _ONLY_SUMS,
    j.Pow: _ONLY_SUMS,
    j.Pos: _ONLY_SUMS,
}
