"""Patterns: RE2 with letters of every alphabet, no slow text, every mistake with its reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.patterns import parse_pattern
from core.findings import Finding
from tests.bot.leaves.make import AT, here, pattern


@pytest.mark.parametrize(
    ("source", "text", "value"),
    [
        (r"(?:ORD-)?(\d{6,8})", " ORD-123456 ", "123456"),
        (r"(?:ORD-)?(\d{6,8})", "ord-12345678", "12345678"),
        (r"(?:ORD-)?(\d{6,8})", "ORD-123456.", None),
        (r"^\d{3}$", "123", "123"),
        (r"[а-я]+", "ЁЖИК", "ЁЖИК"),
        (r"ёж", "еж", "еж"),
        (r"\w+", "привет_42", "привет_42"),
        (r"[\w-]+", "кто-то", "кто-то"),
        (r"\W+", "?!", "?!"),
        (r"\bда\b", "да", "да"),
        (r"а б", "А\u00a0Б", "А\u00a0Б"),
        (r"а\u00a0б".replace("\\u00a0", "\u00a0"), "а б", "а б"),
        (r"(а)(б)", "аб", "аб"),
        (r"(а)?б", "б", "б"),
        (r"🙂(\d)", "🙂7", "7"),
        (r"\Qa.b\E", "a.b", "a.b"),
        (r"\p{Lu}\x{430}", "Aа", "Aа"),
        (r"[]а]+", "а]", "а]"),
        (r"[^]а]+", "бв", "бв"),
        ("", "", ""),
        (r"а", "\ud800", None),
    ],
)
def test_whole(source: str, text: str, value: str | None) -> None:
    assert pattern(source).whole(text) == value


@pytest.mark.parametrize(
    ("source", "text", "groups"),
    [
        (r"заказ\s+(?P<номер>\d{6,8})", "Мой 🙂 ЗАКАЗ\u00a01234567!", {"номер": "1234567"}),
        (r"заказ\s+(?P<номер>\d{6,8})", "заказ", None),
        (r"(?P<а>x)|(?P<б>Y)", "y", {"б": "y"}),
        (r"\bкот\b", "кот", {}),
        (r"\bкот\b", "а кот, б", {}),
        (r"\bкот\b", "скот", None),
        (r"\bкот", "котик", {}),
        (r"кот\b", "скот", {}),
        (r"кот\b", "котик", None),
        (r"кот\\b", r"кот\b", {}),
        ("ещё", "ЕЩЕ раз", {}),
        ("(?P<имя>.+)", "Пётр", {"имя": "Пётр"}),
    ],
)
def test_search(source: str, text: str, groups: dict[str, str] | None) -> None:
    assert pattern(source).search(text) == groups


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        (r"(?:ORD-)?(\d{6,8})", "🙂 ORD-123456, 7654321 и 89991234567", [("123456", 2, 12), ("7654321", 14, 21)]),
        (r"\d{6}", "123456 123457", [("123456", 0, 6), ("123457", 7, 13)]),
        (r"^\d{6}$", "код 123456.", [("123456", 4, 10)]),
        (r"^\d\$", "1$", [("1$", 0, 2)]),
        (r"\d{6}", "а123456 123456б 1234567", []),
        (r"\d*", "abc", []),
        (r"\bкот\b", "кот и кот", [("кот", 0, 3), ("кот", 6, 9)]),
        (r"ё+", "Ё", [("Ё", 0, 1)]),
    ],
)
def test_find(source: str, text: str, found: list[tuple[str, int, int]]) -> None:
    assert pattern(source).find(text) == found


def test_groups() -> None:
    assert pattern(r"(?P<а>x)(y)(?P<б>z)").groups == ("а", "б")


@pytest.mark.parametrize(
    ("source", "column", "said"),
    [
        ("(?=a)", 1, "looking ahead"),
        ("(?<!a)b", 1, ""),
        (r"a\bb", 2, r"\b inside"),
        (r"[\b]", 2, r"\b inside"),
        (r"a\B", 2, r"\B inside"),
        (r"[\W]", 2, r"\W in square brackets"),
        (r"(a)\1", 4, "back references"),
        ("(a", 1, "a round bracket is not closed"),
        ("a)", 1, "a round bracket is closed that was not opened"),
        ("[a", 1, "a square bracket is not closed"),
        ("*a", 1, "nothing stands before the repetition"),
        ("a{2000}", 2, "a repetition is too long"),
        ("(?P<1 а>x)", 1, "name of a group"),
        ("(?P<а>x)(?P<а>y)", 5, "two groups have one name"),
        ("((((a{99}){99}){99}){99})", 6, ""),
        ("\\", 1, "lone backslash"),
        ("(?z)", 1, "cannot be used"),
        ("a**", 2, "written wrongly"),
    ],
)
def test_refused(source: str, column: int, said: str) -> None:
    found: list[Finding] = []
    assert parse_pattern(source, AT, found.append, here) is None
    assert [finding.code for finding in found] == ["L165"]
    assert said in found[0].message("en")
    assert found[0].at.column == column


def test_the_finding_does_not_show_brackets_of_ours() -> None:
    found: list[Finding] = []
    parse_pattern("(a", AT, found.append)
    assert found[0].message("en").endswith(": (a")
    assert found[0].at == AT


HOSTILE = [
    (r"(a+)+$", "a" * 4095 + "!"),
    (r"(a|aa)+$", "a" * 4095 + "!"),
    (r"(.*a){20}", "a" * 4096),
    (r"^(\w+\s?)*$", "слово " * 682 + "!"),
    (r"(?:ORD-)?(\d{6,8})", "1" * 4096),
    (r"\b(\d+-?)+\b", "1-" * 2048),
]


@pytest.mark.parametrize(("source", "text"), HOSTILE)
def test_no_text_is_slow(source: str, text: str) -> None:
    made = pattern(source)
    begun = time.perf_counter()
    made.whole(text), made.search(text), made.find(text)
    assert time.perf_counter() - begun < 1.0


@given(st.text(max_size=30), st.text(max_size=60))
def test_any_pattern_and_any_text(source: str, text: str) -> None:
    found: list[Finding] = []
    made = parse_pattern(source, AT, found.append, here)
    assert (made is None) == (len(found) == 1)
    if made is not None:
        for value, start, end in made.find(text):
            assert 0 <= start < end <= len(text)
            assert value in text[start:end]
        made.whole(text), made.search(text)
