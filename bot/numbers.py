"""Numbers: how people write them («1 500,50 ₽»), how we show them, and the plural that goes with them."""

from __future__ import annotations

import re
from decimal import Decimal

SPACE = "\u00a0"  # between digits a number must not break over two lines
NUMBER = re.compile(r"([+-]?)([0-9][0-9 .,']*)")
GAPS = re.compile("[\u00a0\u2007\u2009\u202f]")
MINUS = str.maketrans("−–—", "---")
DIGITS = 15  # more are not a number anybody means, and a float cannot hold them


def parse_number(text: str) -> list[Decimal]:
    """Every number a text can mean: one as a rule, none when it is no number, two for «1.500» (thousands or decimals)."""
    said = GAPS.sub(" ", text.strip()).translate(MINUS).rstrip(".,; ")
    found = NUMBER.fullmatch(said) if len(said) <= 3 * DIGITS else None
    if found is None:
        return []
    readings = _readings(found[2])
    sign = -1 if found[1] == "-" else 1
    return [sign * Decimal(r) for r in readings if len(r.replace(".", "")) <= DIGITS]


def _readings(body: str) -> list[str]:
    """The digits of a number without its sign, with a point, by every right reading of its separators."""
    separators = [c for c in ".," if c in body]
    grouped = body.replace("'", " ")
    if len(separators) == 2:
        last = max(separators, key=body.rindex)
        other = separators[1 - separators.index(last)]
        return _pointed(grouped.replace(other, " "), last)
    if not separators:
        return _whole(grouped)
    mark = separators[0]
    if body.count(mark) > 1:
        return _whole(grouped.replace(mark, " ")) if " " not in grouped else []
    readings = _pointed(grouped, mark)
    if " " not in grouped and re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", body):
        readings += _whole(grouped.replace(mark, " "))
    return readings


def _pointed(body: str, mark: str) -> list[str]:
    """`1 500,50` with its decimal mark."""
    if body.count(mark) != 1:
        return []
    whole, _, part = body.partition(mark)
    return [f"{w}.{part}" for w in _whole(whole) if part.isdigit()]


def _whole(body: str) -> list[str]:
    """`1 500` or `1500`: groups after the first have three digits."""
    return [body.replace(" ", "")] if re.fullmatch(r"\d+|\d{1,3}(?: \d{3})+", body) else []


def as_json(number: Decimal) -> int | float:
    """A whole number as int, others as float."""
    return int(number) if number == number.to_integral_value() else float(number)


def render_plain(number: float, language: str) -> str:
    """A number without groups: «1500,5»; a ticket's number stays one word."""
    if isinstance(number, int):
        return str(number)
    if number == int(number) and abs(number) < 10**DIGITS:
        return str(int(number))
    return f"{number:.10f}".rstrip("0").rstrip(".").replace(".", "," if language == "ru" else ".")


def render_number(number: float, language: str, places: int | None = None) -> str:
    """A number in groups: «1 500,5». `places` fixes how many decimals are shown."""
    said = render_plain(number, "en") if places is None else f"{number:.{places}f}"
    whole, _, part = said.partition(".")
    gap, point = (SPACE, ",") if language == "ru" else (",", ".")
    sign, digits = (whole[0], whole[1:]) if whole[:1] == "-" else ("", whole)
    grouped = f"{int(digits):,}".replace(",", gap)
    return f"{sign}{grouped}{point}{part}" if part else f"{sign}{grouped}"


def render_money(number: float, language: str) -> str:
    """«1 500,50 ₽»; a whole sum without kopecks."""
    cents = round(number * 100)
    places = 0 if cents % 100 == 0 else 2
    return f"{render_number(cents / 100, language, places)}{SPACE}₽"


def plural_form(number: float, forms: tuple[str, ...]) -> str:
    """The form that goes with a number: three forms as in Russian, two as in English. A fraction takes the second."""
    if len(forms) == 2:
        return forms[0] if abs(number) == 1 else forms[1]
    if number != int(number):
        return forms[1]
    n = abs(int(number))
    if n % 10 == 1 and n % 100 != 11:
        return forms[0]
    return forms[1] if n % 10 in {2, 3, 4} and n % 100 not in {12, 13, 14} else forms[2]
