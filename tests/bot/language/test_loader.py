"""Nodes know their places; only a small, safe YAML is read; nothing makes the loader raise or stall."""

from __future__ import annotations

import pytest
import yaml

from bot.loader import Mapping, Node, Scalar, Sequence, load, resolve
from bot.places import locator
from core.findings import Finding


def root(text: str) -> Mapping:
    found: list[Finding] = []
    node = load(text, "flows/x.yaml", found.append)
    assert not found
    assert isinstance(node, Mapping)
    return node


def codes(text: str) -> list[str]:
    found: list[Finding] = []
    load(text, "flows/x.yaml", found.append)
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("7", 7),
        ("-7", -7),
        ("1.50", 1.5),
        ("", None),
        ("null", None),
        ("on", "on"),
        ("yes", "yes"),
        ("10:00", "10:00"),
        ("0123", "0123"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("2025-03-05", "2025-03-05"),
        (".5", ".5"),
        ("True", "True"),
        ("9" * 30, "9" * 30),
        ("<<", "<<"),
        ("NaN", "NaN"),
    ],
)
def test_words_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_quoted_words_are_texts() -> None:
    node = root("a: 'true'\nb: \"7\"\n")
    assert [child.value for _, child in node.items.values() if isinstance(child, Scalar)] == ["true", "7"]


def test_every_key_and_value_knows_its_place() -> None:
    node = root("ключ:\n  - один\n  - {два: 'три'}\n")
    key, items = node.items["ключ"]
    assert (key.line, key.column) == (1, 1)
    assert isinstance(items, Sequence)
    assert [(item.line, item.column) for item in items.items] == [(2, 5), (3, 5)]
    inner = items.items[1]
    assert isinstance(inner, Mapping)
    assert (inner.key("два").column, inner.items["два"][1].column) == (6, 11)
    assert inner.key("нет") is inner


def test_libyaml_reads_a_question_mark_inside_brackets() -> None:
    options = root("a: [Номер?, x]").get("a")
    assert isinstance(options, Sequence)
    assert [item.text for item in options.items if isinstance(item, Scalar)] == ["Номер?", "x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {b: &x 1}\nc: *x\n", ["Y103", "Y103"]),
        ("a: !!python/object:os.system x", ["Y104"]),
        ("a: 1\na: 2", ["Y102"]),
        ("", []),
        ("# nothing", []),
        ("a: 1\n---\nb: 2", ["Y101"]),
        ("%TAG ! x\n---\n!a b", ["Y104"]),
        ("a: \x01", ["Y101"]),
        ("a: \udcff", ["Y101"]),
        ("\ufeffa: 1", []),
        ("a: 'x", ["Y101"]),
        ("- - -\n - x\n  - y", ["Y101"]),
        ("a: @x", ["Y101"]),
        ("a:\n\t- b", ["Y101"]),
        ('a: "\\q"', ["Y101"]),
        ("a: 1\n...\nb", ["Y101"]),
        ("%YAML 3.0\n---\na: 1", ["Y101"]),
    ],
)
def test_only_a_small_yaml_is_read(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


BOMBS = {
    "billion laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)),
    "itself": "a: &a [*a]",
    "merge": "a: &a {b: 1}\nc: {<<: *a}",
    "deep flow": "[" * 200_000,
    "deep maps": "{a: " * 50_000,
    "deep blocks": "".join("  " * n + "- a:\n" for n in range(300)),
    "dashes": "- " * 100_000 + "x",
    "question marks": "? " * 100_000,
    "many anchors": "".join(f"k{n}: &a{n} 1\n" for n in range(10_000)),
    "many aliases": "[" + "*a, " * 60_000 + "]",
    "same keys": "a: 1\n" * 50_000,
    "long word": "a: " + "x" * 250_000,
    "long quote": "a: '" + "x\n" * 120_000,
    "colons": "a:" * 100_000,
    "too large": "# " + "ж" * 200_000,
    "quotes": "'" * 100_001,
    "escapes": '"' + "\\u0000" * 40_000 + '"',
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_findings(name: str) -> None:
    found: list[Finding] = []
    load(BOMBS[name], "flows/x.yaml", found.append)
    assert len(found) <= 50
    assert name in ("long word", "escapes") or found
    assert all(finding.code.startswith("Y1") for finding in found)


def test_missing_libyaml_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert codes("a: 1") == ["Y100"]


@pytest.mark.parametrize(
    ("text", "needle", "place"),
    [
        ("a: {{ x }}".replace("{{ x }}", "до x"), "x", (1, 7)),
        ("a: 'до x'", "x", (1, 8)),
        ("a: 'д''о x'", "x", (1, 10)),
        ('a: "д\\"о\\nи x"', "x", (1, 13)),
        ('a: "\\u0434о x"', "x", (1, 13)),
        ("a: |\n  до\n\n    и x\n", "x", (4, 7)),
        ("a: >\n  до\n  и x\n", "x", (3, 5)),
        ("a: >-\n  до\n\n  и\n  x\n", "x", (5, 3)),
        ("a: до\n  и\n   x\n", "x", (3, 4)),
        ("a: 'до\n\n  и x'\n", "x", (3, 5)),
        ('a: "до \\\n  x"\n', "x", (2, 3)),
    ],
)
def test_places_inside_values(text: str, needle: str, place: tuple[int, int]) -> None:
    node: Node | None = root(text).get("a")
    assert isinstance(node, Scalar)
    at = locator(node, text.split("\n"))(node.text.index(needle))
    assert (at.line, at.column) == place


def test_place_behind_the_end_is_the_beginning() -> None:
    text = "a: >\n  до\n"
    node = root(text).get("a")
    assert isinstance(node, Scalar)
    assert locator(node, text.split("\n"))(50).line == 2


@pytest.mark.parametrize("text", ["a:\n\t- b\n", "a:\n  - b\n\t  c: d\n"])
def test_a_tab_is_called_a_tab(text: str) -> None:
    found: list[Finding] = []
    load(text, "flows/x.yaml", found.append)
    assert [finding.what for finding in found] == ["a tab cannot be used for indentation"]
