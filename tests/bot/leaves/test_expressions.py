"""Expressions: what is allowed, what it means, and that nothing makes it raise."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.expressions import (
    And,
    Compare,
    Cond,
    Const,
    Expression,
    Filter,
    List,
    Name,
    narrows,
    parse_expression,
    walk,
)
from core.findings import Finding
from tests.bot.leaves.make import AT, expression, here

NAMES: dict[str, Any] = {
    "заказ": {"номер": "A-17", "дней": 15, "сумма": 1500.5, "срок": "2025-03-20", "пусто": None},
    "тема": "Брак",
    "да": True,
    "нет": False,
    "ноль": 0,
    "пусто": "",
    "список": ["a", "b"],
    "today": "2025-03-05",
    "день": date(2025, 3, 5),
    "миг": datetime(2025, 3, 5, 9, 7, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("заказ.дней > 14", True),
        ("заказ.дней >= 15 and заказ.дней <= 15", True),
        ("1 < заказ.дней < 10", False),
        ("10 < заказ.дней < 20", True),
        ("заказ.сумма < 2000", True),
        ("not пусто", True),
        ("not заказ", False),
        ('тема == "Брак"', True),
        ('тема != "Брак"', False),
        ('"да" if тема == "Брак" else "нет"', "да"),
        ('"да" if ноль else "нет"', "нет"),
        ("тема in ['Брак', 'Другое']", True),
        ("тема not in ('Другое',)", True),
        ('"ра" in тема', True),
        ("1 in тема", False),
        ('"a" in список', True),
        ('"номер" in заказ', True),
        ('"x" in пусто', False),
        ("нет_такого in список", False),
        ("да and тема", "Брак"),
        ("нет or тема", "Брак"),
        ("заказ.дней + 1 - 2", 14),
        ("0.1 + 0.2", 0.3),
        ('"№ " + заказ.дней', "№ 15"),
        ("заказ.сумма + ' ₽'", "1500,5 ₽"),
        ("тема + пусто", "Брак"),
        ("today + 3", "2025-03-08"),
        ("день - 5", "2025-02-28"),
        ("заказ.срок - today", 15),
        ("список + ['c']", ["a", "b", "c"]),
        ("заказ.срок > today", True),
        ("день < заказ.срок", True),
        ("день == today", True),
        ("миг == today", False),
        ("тема == нет_такого", False),
        ("пусто == нет_такого", True),
        ("заказ.пусто == none", True),
        ("да == 1", False),
        ("заказ.нет.нет == none", True),
        ("тема.часть == none", True),
        ('пусто | default("нет")', "нет"),
        ('тема | default("нет")', "Брак"),
        ('нет | default("x")', False),
        ("тема | upper", "БРАК"),
        ("тема | lower", "брак"),
        ("список | join", "a, b"),
        ('список | join(" и ")', "a и b"),
        ("тема | join", "Брак"),
        ("список | length", 2),
        ("заказ.дней | plural('день', 'дня', 'дней')", "15 дней"),
        ("заказ.сумма | money", "1\u00a0500,50\u00a0₽"),
        ("заказ.срок | date", "20 марта"),
        ('"2024-03-05" | date', "5 марта 2024"),
        ('"9:05" | time', "09:05"),
        ("миг | time", "09:07"),
        ('"2025-03-05T23:10:00+03:00" | time', "23:10"),
        ("-5 + 1", -4),
        ("true and not false", True),
    ],
)
def test_value(source: str, value: Any) -> None:
    errors: list[str] = []
    assert expression(source).value(NAMES, errors) == value
    assert errors == []


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("пусто > 1", False, "empty value: пусто"),
        ("нет_такого <= заказ.дней", False, "empty value: нет_такого, заказ.дней"),
        ("тема > 5", False, "cannot compare str with int"),
        ("заказ > 5", False, "cannot compare dict with int"),
        ("нет_такого + 1", None, "a sum met an empty value"),
        ("нет_такого + тема", None, "a sum met an empty value"),
        ("да + список", None, "cannot add bool and list"),
        ("тема - 1", None, "cannot add"),
        ("today + 999999999", None, "cannot add"),
        ("тема | money", "Брак", "filter money does not fit str"),
        ("тема | date", "Брак", "filter date does not fit str"),
        ('"2025-02-31" | date', "2025-02-31", "filter date"),
        ("тема | time", "Брак", "filter time does not fit str"),
        ('"не время совсем" | time', "не время совсем", "filter time"),
        ("да | plural('a', 'b')", True, "filter plural does not fit bool"),
        ("заказ.дней | length", 15, "filter length does not fit int"),
        ("нет_такого | length", 0, "length met an empty value: нет_такого"),
        ("1 in заказ.дней", False, "«in» cannot look into int"),
    ],
)
def test_a_mistake_in_data_is_an_error_entry_and_no_exception(source: str, value: Any, said: str) -> None:
    errors: list[str] = []
    assert expression(source).value(NAMES, errors) == value
    assert len(errors) == 1
    assert said in errors[0]


def test_english_reader() -> None:
    names = {**NAMES, "_language": "en"}
    for source, value in [
        ("заказ.сумма | money", "1,500.50\u00a0₽"),
        ("заказ.срок | date", "March 20"),
        ('"2024-03-05" | date', "March 5, 2024"),
        ("заказ.дней | plural('day', 'days')", "15 days"),
        ("заказ.сумма + ' RUB'", "1500.5 RUB"),
    ]:
        assert expression(source).value(names, []) == value


def test_filters_of_nothing_are_nothing() -> None:
    errors: list[str] = []
    for name in ("date", "time", "money", "lower", "upper", "join"):
        assert expression(f"нет_такого | {name}").value(NAMES, errors) is None
    assert errors == []


@pytest.mark.parametrize(
    ("source", "column", "said"),
    [
        ("f(x)", 2, "calls are not allowed"),
        ("x[0]", 2, "square brackets"),
        ("x.0", 2, "square brackets"),
        ("a * 2", 1, "only + and -"),
        ("a ~ b", 1, "write + to put"),
        ("x is defined", 3, "«if name»"),
        ("a if b", 1, "needs «else»"),
        ("{'a': 1}", 1, "maps are not allowed"),
        ("a = 1", 3, "equality is written =="),
        ("a b", 3, "near «b»"),
        ("(((", 3, "near «(»"),
        ("", 1, "written wrongly"),
        ("a # b", 3, "near «# b»"),
        ("'открыта", 1, "near «'открыта»"),
        ("x }} y", 3, "near «}} y»"),
        ("а + _x", 5, "names do not begin with «_»: «_x»"),
        ("client._x", 1, "«_x»"),
        ("'a'.b", 4, "a dot may follow a name only"),
        ("x | dat", 5, "there is no filter «dat»"),
        ("x | date(1)", 5, "wrong parameters"),
        ("x | default", 5, "wrong parameters"),
        ("x | join(1)", 5, "wrong parameters"),
        ("x | plural('a')", 5, "needs the forms"),
        ("x | plural('a', 2)", 5, "needs the forms"),
        ("x | default(y)", 13, "not names"),
        ("x | join(sep='a')", 5, "is written wrongly"),
        ("-x", 1, "a minus stands before a number only"),
        ("x | default(-'a')", 13, "a minus stands"),
        ("a +", 3, "near «+»"),
        ("(" * 300, 1, "nested too deeply"),
        ("+".join("a" * 201), 1, "at most 200 parts"),
        ("1" * 5000, 1, "written wrongly near «111111111111»"),
        ("a + " * 3000 + "a", 1, "too long"),
    ],
)
def test_refused(source: str, column: int, said: str) -> None:
    found: list[Finding] = []
    assert parse_expression(source, AT, found.append, here) is None
    assert [finding.code for finding in found] == ["L160"]
    assert said in found[0].message("en")
    assert abs(found[0].at.column - column) <= 1


def test_refusal_suggests_the_likely_filter() -> None:
    found: list[Finding] = []
    parse_expression("x | moeny", AT, found.append)
    assert found[0].instead == "money"
    assert found[0].length == 5
    assert found[0].at == AT


def test_two_hundred_nodes_are_allowed() -> None:
    assert sum(1 for _ in walk(expression("+".join("a" * 100)).tree)) == 199


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("заказ.дней > 14", [("заказ.дней", 1, False)]),
        ("not заказ", [("заказ", 5, True)]),
        ("x == 1 or y", [("x", 1, True), ("y", 11, True)]),
        ("заказ and заказ.дней > 14", [("заказ", 1, True), ("заказ.дней", 11, False)]),
        ("x and x > 1", [("x", 1, True), ("x", 7, True)]),
        ("x > 1 and x < 5", [("x", 1, False), ("x", 11, True)]),
        ("not x or x > 1", [("x", 5, True), ("x", 10, True)]),
        ("x.y and x > 1", [("x.y", 1, True), ("x", 9, True)]),
        ("x + 1 if x else 0", [("x", 1, True), ("x", 10, True)]),
        ("0 if not x else x - 1", [("x", 10, True), ("x", 17, True)]),
        ("x | default(1)", [("x", 1, True)]),
        ("x | upper", [("x", 1, False)]),
        ("x in [y, 1]", [("x", 1, True), ("y", 7, False)]),
    ],
)
def test_uses(source: str, uses: list[tuple[str, int, bool]]) -> None:
    found = [(".".join(use.path), use.at.column, use.accepts_empty) for use in expression(source).uses]
    assert found == uses


@pytest.mark.parametrize(
    ("source", "when_true", "when_false"),
    [
        ("x", {"x"}, set()),
        ("not x", set(), {"x"}),
        ("x and y", {"x", "y"}, set()),
        ("x or y", set(), set()),
        ("not x or not y", set(), {"x", "y"}),
        ("x and z or y and z", {"z"}, set()),
        ("x > 1", {"x"}, set()),
        ("x > y", {"x", "y"}, set()),
        ('x == "a"', {"x"}, set()),
        ('x == ""', set(), set()),
        ("x == y", set(), set()),
        ("'a' in x", {"x"}, set()),
        ("x != 1", set(), set()),
        ("x + 1", set(), set()),
    ],
)
def test_narrowing(source: str, when_true: set[str], when_false: set[str]) -> None:
    made = expression(source)
    assert {".".join(path) for path in made.narrows(True)} == when_true
    assert {".".join(path) for path in narrows(made.tree, False)} == when_false


def test_tree_is_for_walking() -> None:
    tree = expression("a.b if c in [1] and d > 2 else (e | upper)").tree
    assert isinstance(tree, Cond)
    kinds = [type(node) for node in walk(tree)]
    assert kinds == [Cond, And, Compare, Name, List, Const, Compare, Name, Const, Name, Filter, Name]


def test_truth_is_a_bool() -> None:
    assert expression("тема").truth(NAMES, []) is True
    assert expression("пусто").truth(NAMES, []) is False


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
SOURCES = [
    "a < b", "a + b", "a - b", "a == b", "a in b", "a not in b", "a and b or c", "a if b else c", "not a", "a.x.y",
    "a | date", "a | time", "a | money", "a | plural('a','b','c')", "a | lower", "a | join", "a | length",
    "a | default(1)", "[a, b] | join('-')", "a + b | upper",
]  # fmt: skip


@given(st.sampled_from([expression(source) for source in SOURCES]), VALUES, VALUES, VALUES)
def test_no_value_makes_an_expression_raise(made: Expression, a: Any, b: Any, c: Any) -> None:
    names = {"a": a, "b": b, "c": c, "today": "2025-03-05"}
    first, second = list[str](), list[str]()
    assert repr(made.value(names, first)) == repr(made.value(names, second))
    assert first == second
    assert isinstance(made.truth(names, []), bool)


@given(st.text(alphabet="abя_ .+-*/|()[]{}<>=!~'\"%#,0123 \n\\", max_size=40) | st.text(max_size=40))
def test_any_source_is_an_expression_or_one_finding(source: str) -> None:
    found: list[Finding] = []
    made = parse_expression(source, AT, found.append, here)
    assert (made is None) == (len(found) == 1)
    if made is None:
        assert found[0].message("en")
        assert found[0].message("ru")
    else:
        made.value({}, [])
