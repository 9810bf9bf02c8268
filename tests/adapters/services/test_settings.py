"""Typed names of answers: what each type accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from adapters.services.settings import TakeRule, Untaken, plain_settings, render_param, take_names
from core.deployment import TakeType


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", "да\u202e!", "да!"),
        ("text", 12, "12"),
        ("text", 12.5, "12.5"),
        ("text", True, "true"),
        ("text", [], None),
        ("number", "1 500,50", 1500.5),
        ("number", "1\u00a0500", 1500),
        ("number", 3, 3),
        ("number", -2.5, -2.5),
        ("number", "x", None),
        ("number", True, None),
        ("number", "NaN", None),
        ("number", "1e99", None),
        ("money", "2490,00", 2490),
        ("yes_no", "Да", True),
        ("yes_no", 0, False),
        ("yes_no", False, False),
        ("yes_no", "maybe", None),
        ("yes_no", {}, None),
        ("date", "2025-03-05", "2025-03-05"),
        ("date", "2025-03-05T10:00:00Z", "2025-03-05"),
        ("date", "05.03.2025", "2025-03-05"),
        ("date", "31.02.2025", None),
        ("date", 5, None),
        ("time", "9:05", "09:05"),
        ("time", "2025-03-05T09:05:30", "09:05"),
        ("time", "25:00", None),
        ("time", None, "absent"),
        ("list", ["a", 1], ["a", "1"]),
        ("list", "a; b,c", ["a", "b", "c"]),
        ("list", [{}], None),
        ("list", 5, None),
    ],
)
def test_types(kind: TakeType, raw: Any, value: Any) -> None:
    rules = {"x": TakeRule(type=kind)}
    if value is None or raw is None:
        with pytest.raises(Untaken, match="“x”"):
            take_names(rules, {"x": raw}.get)
    else:
        taken = take_names(rules, {"x": raw}.get)["x"]
        assert taken == value
        assert type(taken) is type(value)


def test_an_optional_name_may_be_absent_but_not_wrong() -> None:
    rules = {"x": TakeRule("deep", "number", optional=True)}
    assert take_names(rules, {"deep": ""}.get) == {}
    with pytest.raises(Untaken, match="deep"):
        take_names(rules, {"deep": "x"}.get)


@pytest.mark.parametrize(
    ("value", "text"), [(5.0, "5"), (5.5, "5.5"), (True, "true"), (None, ""), (["a", 1], "a,1"), ("x", "x")]
)
def test_parameters_as_text(value: Any, text: str) -> None:
    assert render_param(value) == text


def test_plain_settings_open_models_and_secrets() -> None:
    class Inner(BaseModel):
        file: Path

    class Outer(BaseModel):
        secret: SecretStr
        inner: dict[str, Inner]
        many: tuple[int, ...] = (1,)

    outer = Outer(secret=SecretStr("s"), inner={"a": Inner(file=Path("x.csv"))})
    assert plain_settings(outer) == {"secret": "s", "inner": {"a": {"file": "x.csv"}}, "many": [1]}
