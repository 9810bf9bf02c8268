"""Small makers for the tests of the leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.expressions import Expression, parse_expression
from bot.fields import Parsed, kind_of
from bot.heard import Heard
from bot.model import Check, Field, Flow, Option, Trigger
from bot.patterns import Pattern, parse_pattern
from bot.templates import Template, parse_template
from core.findings import Finding, Position
from core.locale import texts

AT = Position("flows/x.yaml", 3, 5)
NOW = datetime(2025, 3, 5, 14, 0, tzinfo=ZoneInfo("Europe/Moscow"))  # a Wednesday


def here(offset: int) -> Position:
    """Offsets of the source as columns of line 3."""
    return Position("flows/x.yaml", 3, 1 + offset)


def no_finding(finding: Finding) -> None:
    raise AssertionError(finding.line("en"))


def expression(source: str) -> Expression:
    made = parse_expression(source, AT, no_finding, here)
    assert made is not None
    return made


def template(source: Any) -> Template:
    made = parse_template(source, AT, no_finding, here)
    assert made is not None
    return made


def pattern(source: str) -> Pattern:
    made = parse_pattern(source, AT, no_finding, here)
    assert made is not None
    return made


def field(type: str, **keys: Any) -> Field:
    return Field(name="поле", at=AT, label="Поле", ask=template("Поле?"), type=type, **keys)


def options(*labels: str | tuple[str, ...]) -> tuple[Option, ...]:
    """Labels, or (label, its words …)."""
    pairs = [(x, ()) if isinstance(x, str) else (x[0], x[1:]) for x in labels]
    return tuple(Option(label=label, words=words, at=AT) for label, words in pairs)


def rule(must: str, otherwise: str) -> Check:
    return Check(must=expression(must), otherwise=template(otherwise))


def parse(made: Field, text: str, language: str = "ru", **parts: Any) -> Parsed:
    return kind_of(made).parse(made, Heard(text, **parts), NOW, texts(language))


def flow(name: str, *triggers: Trigger) -> Flow:
    return Flow(id=name, at=AT, title=name, triggers=triggers)
