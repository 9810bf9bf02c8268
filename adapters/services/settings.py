"""Settings of services as plain values, and the typed names that calls take from answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.deployment import Take, TakeType
from core.normal import clean

YES = ("true", "yes", "1", "да", "истина", "+")
NO = ("false", "no", "0", "нет", "ложь", "-", "")

Settings = TypeVar("Settings")


class TakeRule(msgspec.Struct, frozen=True):
    """One name of an answer: where it stands and what it is."""

    path: str = ""
    type: TakeType = "text"
    optional: bool = False


class Untaken(Exception):
    """A name of the answer is not there, or is not what it should be. The text names it, never its value."""


def plain_settings(value: Any) -> Any:
    """Mappings and lists all the way down, secrets opened: a pydantic model, or what is plain already."""
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    if hasattr(type(value), "model_fields"):
        return {name: plain_settings(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): plain_settings(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_settings(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def parse_settings(kind: type[Settings], settings: Mapping[str, Any]) -> Settings:
    """The settings of one kind. Raises ValueError that names the key, never a value."""
    try:
        return msgspec.convert(dict(settings), kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def take_info(rules: Mapping[str, TakeRule]) -> dict[str, Take]:
    """What flows are told of the names."""
    return {name: Take(rule.type, rule.optional) for name, rule in rules.items()}


def take_names(rules: Mapping[str, TakeRule], find: Callable[[str], Any]) -> dict[str, Any]:
    """The typed names; `find` gives the raw value at a path, None or an empty text when there is none. Raises Untaken."""
    taken: dict[str, Any] = {}
    for name, rule in rules.items():
        raw = find(rule.path or name)
        if raw is None or raw == "":
            if not rule.optional:
                raise Untaken(f"“{rule.path or name}” is not there")
            continue
        value = _PARSE[rule.type](raw)
        if value is None:
            raise Untaken(f"“{rule.path or name}” is not of the type {rule.type}")
        taken[name] = value
    return taken


def render_param(value: Any) -> str:
    """A parameter as text: whole numbers without a fraction, `true` and `false`, lists by commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple):
        return ",".join(render_param(one) for one in value)
    return "" if value is None else str(value)


def parse_text(raw: Any) -> str | None:
    """A text, or a number or a truth as text."""
    return clean(render_param(raw)) if isinstance(raw, str | int | float) else None


def parse_number(raw: Any) -> int | float | None:
    """A number, or a text that is one: `1 500,50`."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    try:
        number = Decimal("".join(str(raw).split()).replace(",", "."))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > Decimal(10) ** 15:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def parse_yes_no(raw: Any) -> bool | None:
    """A truth, or a text or number that means one: да, 1, true."""
    said = render_param(raw).strip().lower() if isinstance(raw, str | int | float) else "?"
    return True if said in YES else False if said in NO else None


def parse_date(raw: Any) -> str | None:
    """A date as 2025-03-05: from ISO dates and moments, and from 05.03.2025."""
    text = str(raw).strip() if isinstance(raw, str) else ""
    day, dot, rest = text[:10].partition(".")
    if dot:
        month, _, year = rest.partition(".")
        text = f"{year}-{month}-{day}"
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


def parse_time(raw: Any) -> str | None:
    """A time as 09:05: from ISO times and moments."""
    text = str(raw).strip().replace("T", " ").rpartition(" ")[2] if isinstance(raw, str) else ""
    try:
        return time.fromisoformat(text.zfill(5)).strftime("%H:%M")
    except ValueError:
        return None


def parse_list(raw: Any) -> list[str] | None:
    """A list of texts: a JSON list of simple values, or a text with commas or semicolons."""
    parts = raw.replace(";", ",").split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list):
        return None
    texts = [parse_text(part) for part in parts]
    return None if None in texts else [text.strip() for text in texts if text and text.strip()]


_PARSE: dict[TakeType, Callable[[Any], Any]] = {
    "text": parse_text,
    "number": parse_number,
    "money": parse_number,
    "yes_no": parse_yes_no,
    "date": parse_date,
    "time": parse_time,
    "list": parse_list,
}
