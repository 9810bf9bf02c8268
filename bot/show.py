"""How a value reads in a text, by language, and the filters that change that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from bot import numbers
from bot.dates import as_date, as_time, render_date, render_time
from core.locale import texts

DASH = "—"
LARGEST = 10**18

Filtered = Callable[[Any, tuple[Any, ...], Mapping[str, Any], list[str]], Any]


def is_empty(value: Any) -> bool:
    """Nothing to show: None, an empty text, an empty list or map. Zero and `false` are values."""
    return value is None or (not value and isinstance(value, (str, list, tuple, dict)))


def is_number(value: Any) -> bool:
    """A number people can read: not a bool, not infinite, not of a hundred digits."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST


def language_of(names: Mapping[str, Any]) -> str:
    """The reader's language travels with the names, under a key no flow can spell."""
    return str(names.get("_language", "ru"))


def shown(value: Any, language: str, today: date | None = None) -> str:
    """The plain text of a value; an empty one is an empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        t = texts(language)
        return t("Yes") if value else t("No")
    if isinstance(value, (int, float)):
        return numbers.render_plain(value, language) if is_number(value) else ""
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(v, language, today) for v in value if not is_empty(v))
    return _shown_rare(value, language, today)


def _shown_rare(value: Any, language: str, today: date | None) -> str:
    if isinstance(value, date):
        return render_date(value, language, today)
    if isinstance(value, time):
        return render_time(value)
    return render_place(value) if isinstance(value, Mapping) else ""


def render_place(place: Mapping[str, Any]) -> str:
    """A place or a contact in words: its address; name and phone."""
    if "телефон" in place:
        return " ".join(str(place[k]) for k in ("имя", "телефон") if place.get(k))
    return str(place.get("адрес", ""))


def _date(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    day = as_date(value)
    if day is None:
        return _unfit("date", value, errors)
    return render_date(day, language_of(names), as_date(names.get("today")))


def _time(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    clock = as_time(value)
    return render_time(clock) if clock is not None else _unfit("time", value, errors)


def _money(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    return numbers.render_money(value, language_of(names)) if is_number(value) else _unfit("money", value, errors)


def _plural(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    if not is_number(value):
        return _unfit("plural", value, errors)
    return f"{numbers.render_number(value, language_of(names))} {numbers.plural_form(value, params)}"


def _lower(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    return shown(value, language_of(names)).lower()


def _upper(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    return shown(value, language_of(names)).upper()


def _join(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return (params[0] if params else ", ").join(shown(v, language_of(names)) for v in value)


def _length(value: Any, params: tuple[Any, ...], names: Mapping[str, Any], errors: list[str]) -> Any:
    return len(value) if isinstance(value, (str, list, tuple, dict)) else _unfit("length", value, errors)


def _unfit(name: str, value: Any, errors: list[str]) -> Any:
    """A value the filter cannot read is shown as it is: a client must not suffer from a mistake of ours."""
    errors.append(f"the filter {name} does not fit {type(value).__name__}")
    return value


FILTERS: dict[str, Filtered] = {
    "date": _date,
    "time": _time,
    "money": _money,
    "plural": _plural,
    "lower": _lower,
    "upper": _upper,
    "join": _join,
    "length": _length,
}
