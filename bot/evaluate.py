"""Expression trees compiled to closures once, at publish: a simple comparison costs well under a microsecond."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from bot.dates import ISO_DATE, as_date
from bot.nodes import ORDER, Add, And, Compare, Cond, Const, Filter, List, Name, Node, Not, Or, Sub
from bot.show import FILTERS, is_empty, is_number, language_of, shown

Run = Callable[[Mapping[str, Any], list[str]], Any]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def build_run(node: Node) -> Run:
    """A function of (names, errors) that gives the value of the tree."""
    return BUILDERS[type(node)](node)


def _const(node: Const) -> Run:
    value = node.value
    return lambda names, errors: value


def _name(node: Name) -> Run:
    root, *rest = node.path
    if not rest:
        return lambda names, errors: names.get(root)

    def path(names: Mapping[str, Any], errors: list[str]) -> Any:
        value = names.get(root)
        for part in rest:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    return path


def _list(node: List) -> Run:
    runs = [build_run(item) for item in node.items]
    return lambda names, errors: [run(names, errors) for run in runs]


def _not(node: Not) -> Run:
    item = build_run(node.item)
    return lambda names, errors: not item(names, errors)


def _and(node: And) -> Run:
    left, right = build_run(node.left), build_run(node.right)
    return lambda names, errors: left(names, errors) and right(names, errors)


def _or(node: Or) -> Run:
    left, right = build_run(node.left), build_run(node.right)
    return lambda names, errors: left(names, errors) or right(names, errors)


def _cond(node: Cond) -> Run:
    test, yes, no = build_run(node.test), build_run(node.yes), build_run(node.no)
    return lambda names, errors: yes(names, errors) if test(names, errors) else no(names, errors)


def _compare(node: Compare) -> Run:
    left, right = build_run(node.left), build_run(node.right)
    if node.op in ORDER:
        return _order(node, left, right)
    if node.op == "in":
        return lambda names, errors: _inside(left(names, errors), right(names, errors), errors)
    if node.op == "not in":
        return lambda names, errors: not _inside(left(names, errors), right(names, errors), errors)
    same = _same(left, right)
    return same if node.op == "==" else lambda names, errors: not same(names, errors)


def _same(left: Run, right: Run) -> Run:
    """Equality; two empty values are equal whatever kind of nothing they are, and `true` is not 1."""

    def same(names: Mapping[str, Any], errors: list[str]) -> bool:
        a, b = left(names, errors), right(names, errors)
        if a == b:
            return isinstance(a, bool) == isinstance(b, bool)
        return (is_empty(a) and is_empty(b)) or _same_moment(a, b)

    return same


def _same_moment(a: Any, b: Any) -> bool:
    """A date object equals the ISO text of the same date."""
    if isinstance(a, date) == isinstance(b, date):
        return False
    return as_date(a) is not None and as_date(a) == as_date(b) and (len(str(a)) == len(str(b)))


def _order(node: Compare, left: Run, right: Run) -> Run:
    compare = OPERATORS[node.op]

    def order(names: Mapping[str, Any], errors: list[str]) -> bool:
        a, b = left(names, errors), right(names, errors)
        if type(a) is int and type(b) is int:
            return compare(a, b)
        if is_empty(a) or is_empty(b):
            errors.append(f"«{node.op}» met an empty value: {spell(node)}")
            return False
        try:
            return compare(a, b)
        except TypeError:
            return _order_dates(a, b, compare, node, errors)

    return order


def _order_dates(a: Any, b: Any, compare: Callable[[Any, Any], bool], node: Compare, errors: list[str]) -> bool:
    """Dates compare with ISO texts and moments by day; anything else cannot be compared."""
    first, second = as_date(a), as_date(b)
    if first is not None and second is not None:
        return compare(first, second)
    errors.append(f"«{node.op}» cannot compare {type(a).__name__} with {type(b).__name__}: {spell(node)}")
    return False


def _inside(item: Any, whole: Any, errors: list[str]) -> bool:
    if is_empty(whole) or item is None:
        return False
    if isinstance(whole, str):
        return isinstance(item, str) and item in whole
    if isinstance(whole, (list, tuple, Mapping)):
        return any(item == one for one in whole)
    errors.append(f"«in» cannot look into {type(whole).__name__}")
    return False


def _add(node: Add) -> Run:
    return _sum(node, _plus)


def _sub(node: Sub) -> Run:
    return _sum(node, _minus)


def _sum(node: Add | Sub, act: Callable[[Any, Any, str], Any]) -> Run:
    left, right = build_run(node.left), build_run(node.right)

    def total(names: Mapping[str, Any], errors: list[str]) -> Any:
        a, b = left(names, errors), right(names, errors)
        if is_empty(a) or is_empty(b):
            if isinstance(node, Add) and isinstance(a, str) and isinstance(b, str):
                return a + b
            errors.append(f"a sum met an empty value: {spell(node)}")
            return None
        value = act(a, b, language_of(names))
        if value is None:
            errors.append(f"cannot add {type(a).__name__} and {type(b).__name__}: {spell(node)}")
        return value

    return total


def _plus(a: Any, b: Any, language: str) -> Any:
    if is_number(a) and is_number(b):
        return _even(a + b)
    if is_number(b) and _is_day(a):
        return _moved(a, b)
    if isinstance(a, str) or isinstance(b, str):
        return shown(a, language) + shown(b, language)
    return [*a, *b] if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) else None


def _minus(a: Any, b: Any, language: str) -> Any:
    if is_number(a) and is_number(b):
        return _even(a - b)
    if is_number(b) and _is_day(a):
        return _moved(a, -b)
    first, second = as_date(a), as_date(b)
    return (first - second).days if first is not None and second is not None else None


def _even(number: float) -> float:
    """Sums of money do not end in 0.30000000000000004."""
    return round(number, 10) if isinstance(number, float) else number


def _is_day(value: Any) -> bool:
    if isinstance(value, str):
        return ISO_DATE.fullmatch(value) is not None and as_date(value) is not None
    return isinstance(value, date) and not isinstance(value, datetime)


def _moved(day: Any, days: float) -> str | None:
    """A date some days later, as an ISO text; None when the calendar ends before."""
    start = as_date(day)
    try:
        return (start + timedelta(days=int(days))).isoformat() if start is not None else None
    except OverflowError:
        return None


def _filter(node: Filter) -> Run:
    arg = build_run(node.arg)
    if node.name == "default":
        other = node.params[0] if node.params else ""
        return lambda names, errors: other if is_empty(value := arg(names, errors)) else value
    act, params = FILTERS[node.name], node.params

    def filtered(names: Mapping[str, Any], errors: list[str]) -> Any:
        value = arg(names, errors)
        if not is_empty(value):
            return act(value, params, names, errors)
        if node.name != "length":
            return None
        errors.append(f"length met an empty value: {spell(node)}")
        return 0

    return filtered


def spell(node: Node) -> str:
    """The names of a tree, for the log: values of clients are never in it."""
    if isinstance(node, Name):
        return ".".join(node.path)
    return ", ".join(filter(None, (spell(part) for part in node.parts())))


BUILDERS: dict[type[Node], Callable[[Any], Run]] = {
    Const: _const,
    Name: _name,
    List: _list,
    Not: _not,
    And: _and,
    Or: _or,
    Cond: _cond,
    Compare: _compare,
    Add: _add,
    Sub: _sub,
    Filter: _filter,
}
