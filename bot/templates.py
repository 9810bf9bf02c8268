"""Texts of flows with values in them. Formatting is parsed first, so a client's value can never become markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jinja2 import nodes as j

from bot.expressions import Expression, Path, Report, Use, build_expression, narrows, uses_of
from bot.filling import Body, Boundary, Choice, Piece, Span, Value, Words
from bot.formatting import HOLE, parse_formatting
from bot.jinja import parse_body
from bot.nodes import Const
from bot.refused import Locate, Refused, locate_from
from bot.translate import Translator
from core.findings import Position
from core.rich import Mark, Rich

LONGEST = 4096  # characters of one value shown to a client
PLAIN = re.compile(r"[^{}\r]*")
HOLES = re.compile(f"([{chr(HOLE)}-{chr(0x10FFFF)}])")


@dataclass(frozen=True, slots=True)
class Template:
    """A text ready to be filled. `lone` is the expression of a text that is nothing but `{{ x }}`."""

    source: str
    at: Position
    uses: tuple[Use, ...]
    body: Body
    data: Body
    lone: Expression | None = None

    def render(self, names: Mapping[str, Any], errors: list[str]) -> Rich:
        """The text for a client: values as plain text of at most 4096 characters, an unexpected empty one as «—»."""
        return _trimmed(self.body.fill(names, errors, LONGEST))

    def text(self, names: Mapping[str, Any], errors: list[str]) -> str:
        """The text without formatting and with whole values: for tickets, notes and operators."""
        return self.body.fill(names, errors, None).text.strip()

    def value(self, names: Mapping[str, Any], errors: list[str]) -> Any:
        """The value for `set`, `with` and calls: a lone `{{ x }}` keeps its type, stars and underscores stay."""
        if self.lone is not None:
            return self.lone.run(names, errors)
        return self.data.fill(names, errors, None).text


def _trimmed(rich: Rich) -> Rich:
    """Without white space at the ends, where empty branches leave it."""
    text = rich.text.strip()
    if text == rich.text:
        return rich
    cut, size = len(rich.text) - len(rich.text.lstrip()), len(text)
    moved = (Mark(m.kind, max(0, m.start - cut), min(size, m.end - cut), m.url) for m in rich.marks)
    return Rich(text, tuple(m for m in moved if m.start < m.end))


def parse_template(source: Any, at: Position, report: Report, locate: Locate | None = None) -> Template | None:
    """The template, or None after an L160 finding. A number or `true` of YAML is a template that keeps its type.

    `locate` maps offsets of the source to places of the file.
    """
    if not isinstance(source, str):
        return constant_template(source, at)
    lead = len(source) - len(source.lstrip())
    place = locate or locate_from(at)

    def here(offset: int) -> Position:
        return place(offset + lead)

    try:
        return _build(source.strip(), at, here)
    except Refused as refused:
        report(refused.finding(here))
        return None


def constant_template(value: Any, at: Position) -> Template:
    """A template that is one constant of any JSON type."""
    lone = build_expression(repr(value), at, Const(at, value))
    body = Body((Value(lone),))
    return Template(str(value), at, (), body, body, lone)


def _build(source: str, at: Position, locate: Locate) -> Template:
    parts = _read(HOLES.sub("", source), locate)
    lone = parts[0].expression if len(parts) == 1 and isinstance(parts[0], Value) else None
    return Template(source, at, tuple(_uses(parts)), _body(parts, parse_formatting), _body(parts, Rich), lone)


def _read(source: str, locate: Locate) -> list[Part]:
    """A text without braces needs no parser: most texts of a flow are such, and the parser is half of the reading."""
    if PLAIN.fullmatch(source):
        return [source] if source else []
    nodes, translator = parse_body(source, locate)
    return list(_parts(nodes, translator))


@dataclass(frozen=True, slots=True)
class Fork:
    """A `{% if %}` as parsed: its branches are still lists of parts."""

    arms: tuple[tuple[Expression, list[Part]], ...]
    otherwise: list[Part]


Part = str | Value | Fork


def _parts(nodes: list[j.Node], translator: Translator) -> Iterator[Part]:
    for node in nodes:
        if isinstance(node, j.Output):
            for item in node.nodes:
                yield item.data if isinstance(item, j.TemplateData) else _value(item, translator)
        else:
            assert isinstance(node, j.If)  # the parser let no other tag pass
            yield _fork(node, translator)


def _value(node: j.Expr, translator: Translator) -> Value:
    return Value(_expression(node, translator, accepts_empty=False))


def _expression(node: j.Node, translator: Translator, accepts_empty: bool) -> Expression:
    tree = translator.node(node)
    return build_expression(translator.source, tree.at, tree, accepts_empty)


def _fork(node: j.If, translator: Translator) -> Fork:
    arms = tuple(
        (_expression(arm.test, translator, accepts_empty=True), list(_parts(arm.body, translator)))
        for arm in (node, *node.elif_)
    )
    return Fork(arms, list(_parts(node.else_, translator)))


def _uses(parts: list[Part], known: frozenset[Path] = frozenset()) -> Iterator[Use]:
    """Readings of names in the order written; a test narrows its branch and the branches after it."""
    for part in parts:
        if isinstance(part, Value):
            yield from uses_of(part.expression.tree, False, known)
        elif isinstance(part, Fork):
            before = known
            for test, body in part.arms:
                yield from uses_of(test.tree, True, before)
                yield from _uses(body, before | narrows(test.tree))
                before |= narrows(test.tree, False)
            yield from _uses(part.otherwise, before)


def _body(parts: list[Part], formatting: Callable[[str], Rich]) -> Body:
    """Parts with their formatting: every part that is no text stands in the source as one character."""
    others = [part for part in parts if not isinstance(part, str)]
    numbers = iter(range(len(others)))
    formatted = formatting("".join(part if isinstance(part, str) else chr(HOLE + next(numbers)) for part in parts))
    texts = [text for text in HOLES.split(formatted.text) if text]
    pieces = tuple(_piece(text, others, formatting) for text in texts)
    ends = [0]
    for text in texts:
        ends.append(ends[-1] + len(text))
    spans = tuple(
        Span(mark, _boundary(mark.start, ends), _boundary(mark.end, ends), _url(mark.url, others))
        for mark in formatted.marks
    )
    return Body(pieces, spans)


def _piece(text: str, others: list[Value | Fork], formatting: Callable[[str], Rich]) -> Piece:
    if ord(text[0]) < HOLE:
        return Words(Rich(text))
    part = others[ord(text) - HOLE]
    if isinstance(part, Value):
        return part
    arms = tuple((test, _body(body, formatting)) for test, body in part.arms)
    return Choice(arms, _body(part.otherwise, formatting))


def _boundary(offset: int, ends: list[int]) -> Boundary:
    for piece, (begin, end) in enumerate(pairwise(ends)):
        if begin <= offset < end:
            return piece, offset - begin
    return len(ends) - 1, 0


def _url(url: str, others: list[Value | Fork]) -> tuple[str | Value, ...]:
    """A link's address in parts; an `{% if %}` inside an address stands for nothing."""
    parts: list[str | Value] = []
    for text in HOLES.split(url):
        if text and ord(text[0]) >= HOLE:
            part = others[ord(text) - HOLE]
            if isinstance(part, Value):
                parts.append(part)
        elif text:
            parts.append(text)
    return tuple(parts)
