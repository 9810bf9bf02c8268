"""One catalogue, two languages, right plurals."""

from __future__ import annotations

import pytest

from core.findings import Finding, Position
from core.locale import LANGUAGES, n_, texts


@pytest.mark.parametrize("language", [*LANGUAGES, "xx"])
def test_unknown_messages_read_as_written(language: str) -> None:
    t = texts(language)
    assert t("No such message {n}!", n=7) == "No such message 7!"
    assert t("") == ""
    assert n_("mark") == "mark"


@pytest.mark.parametrize(("n", "expected"), [(1, "1 crab"), (2, "2 crabs"), (5, "5 crabs")])
def test_plural_without_translation(n: int, expected: str) -> None:
    assert texts("en").plural("{n} crab", "{n} crabs", n) == expected


def test_catalogues_are_read_once() -> None:
    assert texts("ru") is texts("ru")


def test_braces_of_a_value_are_data() -> None:
    assert texts("en")("You said {what}", what="{n} {0.__class__}") == "You said {n} {0.__class__}"


def test_a_finding_says_where_what_and_how_to_mend() -> None:
    finding = Finding(Position("flows/a.yaml", 54, 5), "L161", "no {name}", "try {name}2", {"name": "x"})
    assert finding.line("en") == "flows/a.yaml:54:5               L161 no x — try x2"
    assert Finding(Position("f"), "L1", "what").message("en") == "what"
