"""Pieces of a text and how they are filled: marks move with the values, values never become marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.dates import as_date
from bot.evaluate import spell
from bot.expressions import Expression
from bot.formatting import is_safe_url
from bot.show import DASH, is_empty, language_of, shown
from core.normal import clean
from core.rich import Mark, Rich


@dataclass(frozen=True, slots=True)
class Value:
    """`{{ expression }}`."""

    expression: Expression

    def fill(self, names: Mapping[str, Any], errors: list[str], limit: int | None) -> Rich:
        value = self.expression.run(names, errors)
        if is_empty(value):
            errors.append(f"an empty value in a text: {spell(self.expression.tree)}")
            return Rich(DASH)
        said = shown(value, language_of(names), as_date(names.get("today")))
        return Rich((said if said.isprintable() else clean(said))[:limit])


@dataclass(frozen=True, slots=True)
class Choice:
    """`{% if %} … {% elif %} … {% else %} … {% endif %}`."""

    arms: tuple[tuple[Expression, Body], ...]
    otherwise: Body

    def fill(self, names: Mapping[str, Any], errors: list[str], limit: int | None) -> Rich:
        for test, body in self.arms:
            if test.truth(names, errors):
                return body.fill(names, errors, limit)
        return self.otherwise.fill(names, errors, limit)


@dataclass(frozen=True, slots=True)
class Words:
    """Text of the author's."""

    rich: Rich

    def fill(self, names: Mapping[str, Any], errors: list[str], limit: int | None) -> Rich:
        return self.rich


Piece = Value | Choice | Words
Boundary = tuple[int, int]  # piece, offset inside it


@dataclass(frozen=True, slots=True)
class Span:
    """A mark whose ends are bound to pieces, so that values of any length move it rightly."""

    mark: Mark
    start: Boundary
    end: Boundary
    url: tuple[str | Value, ...]

    def place(self, begins: list[int], names: Mapping[str, Any]) -> Mark | None:
        start, end = (begins[piece] + offset for piece, offset in (self.start, self.end))
        url = self.address(names) if self.url else ""
        return None if start == end or url is None else Mark(self.mark.kind, start, end, url)

    def address(self, names: Mapping[str, Any]) -> str | None:
        """The link with its values, percent-encoded unless a value is the whole link; None when it is not safe."""
        whole = len(self.url) == 1
        said = "".join(
            part
            if isinstance(part, str)
            else shown(part.expression.run(names, []), "en")
            if whole
            else quote(shown(part.expression.run(names, []), "en"), safe="")
            for part in self.url
        )
        return said if is_safe_url(said) else None


@dataclass(frozen=True, slots=True)
class Body:
    """Pieces in a row, and the marks over them."""

    pieces: tuple[Piece, ...] = ()
    spans: tuple[Span, ...] = ()

    def fill(self, names: Mapping[str, Any], errors: list[str], limit: int | None) -> Rich:
        if len(self.pieces) == 1 and not self.spans:
            return self.pieces[0].fill(names, errors, limit)
        begins, parts, marks, size = [0], [], list[Mark](), 0
        for piece in self.pieces:
            part = piece.fill(names, errors, limit)
            marks += [Mark(m.kind, m.start + size, m.end + size, m.url) for m in part.marks]
            size += len(part.text)
            parts.append(part.text)
            begins.append(size)
        marks += [placed for span in self.spans if (placed := span.place(begins, names)) is not None]
        return Rich("".join(parts), tuple(marks))
