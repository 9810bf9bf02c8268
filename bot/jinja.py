"""Jinja's own lexer and parser; nothing of Jinja runs later.

Jinja nodes know only a line. Here every token is given its offset in the source in place of the line, so every node of the
tree, and every syntax error, tells where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from jinja2 import Environment, TemplateSyntaxError
from jinja2 import nodes as j
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from bot.nodes import Node
from bot.refused import LIMIT, TOO_LONG, TOO_LONG_MEND, Locate, Refused
from bot.translate import Translator
from core.locale import n_

Raw = tuple[int, str, str]  # offset, kind, text

TOKENS = 20 * LIMIT
TAGS = {"if", "elif", "else", "endif"}
LONELY = re.compile(r"[ \t]*\n")
BROKEN = n_("the expression is written wrongly near «{near}»")
ONLY_IF = n_("only {% if %}, {% elif %}, {% else %} and {% endif %} are allowed in texts")


class _Offsets(Environment):
    """An environment whose tokens carry offsets. Comments are not part of the language: `{#` is text."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        raw = list(self._raw(source, state))
        if len(raw) > TOKENS:
            raise TooLong
        _check_tags(raw)
        raw = _without_lonely_lines(raw)
        return TokenStream(self.lexer.wrap(raw, name, filename), name, filename)

    def _raw(self, source: str, state: str | None) -> Iterator[Raw]:
        offset = 0
        try:
            for _, kind, text in self.lexer.tokeniter(source, None, None, state):
                begin = source.find(text, offset)
                offset = begin + len(text)
                yield begin, kind, text
        except TemplateSyntaxError as error:
            raise TemplateSyntaxError(error.message or "", offset) from error


class TooLong(Exception):
    """More than any author writes by hand."""


ENVIRONMENT = _Offsets(
    keep_trailing_newline=True, comment_start_string="\x00{#", comment_end_string="#}\x00", autoescape=False
)


def _check_tags(raw: list[Raw]) -> None:
    """Raises `Refused` for `{% for %}` and every other tag but those of `if`."""
    seen = [token for token in raw if token[1] != "whitespace"]
    for (offset, kind, _), (_, _, word) in pairwise(seen):
        if kind == "raw_begin" or (kind == "block_begin" and word not in TAGS):
            loop = word == "for"
            what = n_("loops are not allowed in texts") if loop else ONLY_IF
            raise Refused(offset, what, n_("a list is shown with | join") if loop else "")


def _without_lonely_lines(raw: list[Raw]) -> list[Raw]:
    """A line that holds nothing but `{% … %}` leaves no empty line in the text."""
    tokens = list(raw)
    for begin, end in _blocks(raw):
        before = raw[begin - 1] if begin and raw[begin - 1][1] == "data" else None
        after = tokens[end + 1] if end + 1 < len(raw) and raw[end + 1][1] == "data" else None
        indent = before[2].rfind("\n") + 1 if before else 0
        starts_line = begin == 0 or (
            before is not None and not before[2][indent:].strip() and (indent > 0 or begin == 1)
        )
        gap = LONELY.match(after[2]) if after else None
        if not starts_line or gap is None or after is None:
            continue
        if before is not None:
            kept = tokens[begin - 1]
            cut = len(before[2]) - indent
            tokens[begin - 1] = (kept[0], "data", kept[2][: len(kept[2]) - cut] if cut else kept[2])
        tokens[end + 1] = (after[0] + gap.end(), "data", after[2][gap.end() :])
    return [token for token in tokens if token[1] != "data" or token[2]]


def _blocks(raw: list[Raw]) -> Iterator[tuple[int, int]]:
    """(index of `{%`, index of `%}`) of every statement."""
    begin = -1
    for n, (_, kind, _text) in enumerate(raw):
        if kind == "block_begin":
            begin = n
        elif kind == "block_end":
            yield begin, n


def parse_tree(source: str, locate: Locate) -> Node:
    """The tree of one expression. Raises `Refused`."""

    def read() -> j.Node:
        parser = Parser(ENVIRONMENT, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError("rest", parser.stream.current.lineno)
        return tree

    return Translator(source, locate).node(_guarded(read, source))


def parse_body(source: str, locate: Locate) -> tuple[list[j.Node], Translator]:
    """Jinja's statements of a template, and the translator for the expressions in them. Raises `Refused`."""
    body = _guarded(lambda: Parser(ENVIRONMENT, source).parse(), source)
    assert isinstance(body, j.Template)
    return body.body, Translator(source, locate)


def _guarded(read: Callable[[], j.Node], source: str) -> j.Node:
    try:
        return read()
    except TemplateSyntaxError as error:
        raise _refusal(error, source) from error
    except (RecursionError, TooLong) as error:
        raise Refused(0, TOO_LONG, TOO_LONG_MEND, limit=LIMIT) from error
    except (ValueError, OverflowError) as error:  # numbers of thousands of digits
        raise Refused(0, BROKEN, near=source[:12]) from error


def _refusal(error: TemplateSyntaxError, source: str) -> Refused:
    """Jinja's complaint in our words."""
    offset, message = min(error.lineno, len(source)), error.message or ""
    if message.startswith("Unexpected end of template"):
        return Refused(
            max(0, source.rfind("{% if")), n_("{% if %} is not closed"), n_("write {% endif %} where it ends")
        )
    if message.endswith("expected 'end of print statement'.") and message.startswith("unexpected end of template"):
        return Refused(max(0, source.rfind("{{")), n_("{{ is not closed"), n_("write }} where it ends"))
    near = source[offset:].partition("\n")[0][:12].strip() or source[max(0, offset - 12) :].strip()
    if re.match("=(?!=)", source[offset:]):
        return Refused(offset, BROKEN, n_("equality is written =="), 1, "==", near=near)
    example = n_('write it as `причина == "Брак" and сумма > 100`')
    return Refused(offset, BROKEN, example, len(near), near=near)
