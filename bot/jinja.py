"""Jinja's own lexer and parser, and the whitelist that turns its tree into ours. Nothing of Jinja runs later.

Jinja nodes know only a line. Here every token is given its offset in the source in place of the line, so every node of the
tree, and every syntax error, tells where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, NoReturn

from jinja2 import Environment, TemplateSyntaxError
from jinja2 import nodes as j
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from bot.nodes import Add, And, Compare, Cond, Const, Filter, List, Name, Node, Not, Operator, Or, Sub
from core.findings import Finding, Position
from core.locale import n_

Locate = Callable[[int], Position]
Raw = tuple[int, str, str]  # offset, kind, text

LIMIT = 200  # nodes of one expression or template
TOKENS = 20 * LIMIT
FILTER_PARAMS = {"plural": (2, 3), "default": (1, 1), "join": (0, 1)}
FILTER_NAMES = ("date", "time", "money", "plural", "lower", "upper", "default", "join", "length")
OPERATORS: dict[str, Operator] = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}
LONELY = re.compile(r"[ \t]*\n")
BROKEN = n_("the expression is written wrongly near «{near}»")


class Refused(Exception):
    """The source is not ours to run: `what` and `mend` are message ids, `offset` is where."""

    def __init__(
        self, offset: int, what: str, mend: str = "", length: int = 0, instead: str = "", **values: Any
    ) -> None:
        super().__init__(what)
        self.offset, self.what, self.mend, self.values = offset, what, mend, values
        self.length, self.instead = length, instead

    def finding(self, locate: Locate) -> Finding:
        return Finding(
            locate(self.offset), "L160", self.what, self.mend, self.values, length=self.length, instead=self.instead
        )


def locate_from(at: Position) -> Locate:
    """Offsets of a value as places of a file, for a value whose first character stands at `at`."""
    return lambda _offset: at


class _Offsets(Environment):
    """An environment whose tokens carry offsets. Comments are not part of the language: `{#` is text."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        raw = _without_lonely_lines(list(self._raw(source, state)))
        if len(raw) > TOKENS:
            raise TooLong
        return TokenStream(self.lexer.wrap(raw, name, filename), name, filename)

    def _raw(self, source: str, state: str | None) -> Iterator[Raw]:
        offset = 0
        try:
            for _, kind, text in self.lexer.tokeniter(source, None, None, state):
                begin = source.find(text, offset)
                offset = begin + len(text)
                if kind in {"raw_begin", "raw_end"}:
                    raise TemplateSyntaxError("raw", begin)
                yield begin, kind, text
        except TemplateSyntaxError as error:
            raise TemplateSyntaxError(
                error.message or "", offset if error.message != "raw" else error.lineno
            ) from error


class TooLong(Exception):
    """More than any author writes by hand."""


ENVIRONMENT = _Offsets(
    keep_trailing_newline=True, comment_start_string="\x00{#", comment_end_string="#}\x00", autoescape=False
)


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


ONLY_IF = n_("only {% if %}, {% elif %}, {% else %} and {% endif %} are allowed in texts")
TOO_LONG = n_("the expression is too long or nested too deeply (at most {limit} parts)")
TOO_LONG_MEND = n_("split it: put parts of it into names with `set`")


def _refusal(error: TemplateSyntaxError, source: str) -> Refused:
    offset = min(error.lineno, len(source))
    message = error.message or ""
    if message.startswith(("Encountered unknown tag", "tag name expected")):
        return Refused(offset, ONLY_IF)
    if message.startswith(("Unexpected end of template", "unexpected end of template")):
        return Refused(0, n_("{% if %} is not closed"), n_("write {% endif %} where it ends"))
    near = source[offset:].partition("\n")[0][:12].strip() or source[max(0, offset - 12) :].strip()
    if re.match(r"={1}(?!=)", source[offset:]):
        return Refused(offset, BROKEN, n_("equality is written =="), 1, "==", near=near)
    return Refused(offset, BROKEN, n_('write it as `причина == "Брак" and сумма > 100`'), len(near), near=near)


class Translator:
    """Turns Jinja's nodes into ours, counting them; what is not on the whitelist is `Refused`."""

    def __init__(self, source: str, locate: Locate) -> None:
        self.source, self.locate, self.count = source, locate, 0

    def node(self, node: j.Node) -> Node:
        """Our node. Raises `Refused`."""
        self.tick(node)
        translate = TRANSLATE.get(type(node))
        if translate is None:
            self.refuse(node)
        return translate(self, node)

    def tick(self, node: j.Node) -> None:
        self.count += 1
        if self.count > LIMIT:
            raise Refused(node.lineno, TOO_LONG, TOO_LONG_MEND, limit=LIMIT)

    def refuse(self, node: j.Node) -> NoReturn:
        what, mend = REFUSALS.get(type(node), (n_("this is not allowed in expressions"), ""))
        raise Refused(
            node.lineno,
            what,
            mend or n_("allowed are names, texts, numbers, comparisons, and, or, not, +, - and filters"),
        )

    def at(self, node: j.Node) -> Position:
        return self.locate(node.lineno)


def _const(tr: Translator, node: Any) -> Node:
    return Const(tr.at(node), node.value)


def _negative(tr: Translator, node: Any) -> Node:
    if isinstance(node.node, j.Const) and isinstance(node.node.value, (int, float)):
        return Const(tr.at(node), -node.node.value)
    raise Refused(node.lineno, n_("a minus stands before a number only"), n_("write 0 - name"))


def _name(tr: Translator, node: Any) -> Node:
    path: list[str] = []
    inner = node
    while isinstance(inner, j.Getattr):
        path.append(inner.attr)
        inner = inner.node
    if not isinstance(inner, j.Name):
        raise Refused(node.lineno, n_("a dot may follow a name only"), n_("write name.part"))
    path.append(inner.name)
    for part in path:
        if part.startswith("_"):
            raise Refused(
                inner.lineno, n_("names do not begin with «_»: «{name}»"), "", len(part), part.lstrip("_"), name=part
            )
    return Name(tr.at(inner), tuple(reversed(path)))


def _list(tr: Translator, node: Any) -> Node:
    return List(tr.at(node), tuple(tr.node(item) for item in node.items))


def _not(tr: Translator, node: Any) -> Node:
    return Not(tr.at(node), tr.node(node.node))


def _pair(kind: Callable[[Position, Node, Node], Node]) -> Callable[[Translator, Any], Node]:
    def translate(tr: Translator, node: Any) -> Node:
        left, right = tr.node(node.left), tr.node(node.right)
        return kind(left.at, left, right)

    return translate


def _compare(tr: Translator, node: Any) -> Node:
    """`1 < x < 5` is `1 < x and x < 5`."""
    left = tr.node(node.expr)
    whole: Node | None = None
    for operand in node.ops:
        right = tr.node(operand.expr)
        one = Compare(left.at, left, right, OPERATORS[operand.op])
        whole = one if whole is None else And(whole.at, whole, one)
        left = right
    assert whole is not None
    return whole


def _cond(tr: Translator, node: Any) -> Node:
    if node.expr2 is None:
        raise Refused(node.lineno, n_("«if» inside an expression needs «else»"), n_("write a if b else c"))
    yes, test, no = tr.node(node.expr1), tr.node(node.test), tr.node(node.expr2)
    return Cond(yes.at, test, yes, no)


def _filter(tr: Translator, node: Any) -> Node:
    if node.name not in FILTER_NAMES:
        close = get_close_matches(node.name, FILTER_NAMES, 1, 0.6)
        raise Refused(
            node.lineno,
            n_("there is no filter «{name}»"),
            n_("the filters are {filters}"),
            len(node.name),
            close[0] if close else "",
            name=node.name,
            filters=", ".join(FILTER_NAMES),
        )
    if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Refused(node.lineno, n_("the filter «{name}» is written wrongly"), name=node.name)
    arg = tr.node(node.node)
    params = tuple(_param(tr, param) for param in node.args)
    _check_params(node, params)
    return Filter(arg.at, node.name, arg, params)


def _param(tr: Translator, node: j.Node) -> Any:
    param = tr.node(node)
    if not isinstance(param, Const):
        raise Refused(node.lineno, n_("a filter takes texts and numbers only, not names"))
    return param.value


def _check_params(node: Any, params: tuple[Any, ...]) -> None:
    low, high = FILTER_PARAMS.get(node.name, (0, 0))
    if node.name == "plural" and (not low <= len(params) <= high or not all(isinstance(p, str) for p in params)):
        raise Refused(
            node.lineno,
            n_("the filter «plural» needs the forms of the word"),
            n_('write plural("день", "дня", "дней")'),
        )
    if not low <= len(params) <= high or (node.name == "join" and not all(isinstance(p, str) for p in params)):
        raise Refused(
            node.lineno,
            n_("the filter «{name}» has wrong parameters"),
            n_('write | date, | join(", "), | default("нет")'),
            name=node.name,
        )


TRANSLATE: dict[type[j.Node], Callable[[Translator, Any], Node]] = {
    j.Const: _const,
    j.Neg: _negative,
    j.Name: _name,
    j.Getattr: _name,
    j.List: _list,
    j.Tuple: _list,
    j.Not: _not,
    j.And: _pair(And),
    j.Or: _pair(Or),
    j.Add: _pair(Add),
    j.Sub: _pair(Sub),
    j.Compare: _compare,
    j.CondExpr: _cond,
    j.Filter: _filter,
}

_ONLY_SUMS = (
    n_("only + and - are allowed, no other arithmetic"),
    n_("let the service or the table do the calculation"),
)
REFUSALS: dict[type[j.Node], tuple[str, str]] = {
    j.Call: (n_("calls are not allowed in expressions"), n_("use a filter: name | date")),
    j.Getitem: (n_("square brackets after a name are not allowed"), n_("write name.part")),
    j.Concat: (n_("«~» is not allowed"), n_("write + to put texts together")),
    j.Test: (n_("«is» is not allowed"), n_("write «if name» or «if not name»")),
    j.Dict: (n_("maps are not allowed in expressions"), ""),
    j.Mul: _ONLY_SUMS,
    j.Div: _ONLY_SUMS,
    j.FloorDiv: _ONLY_SUMS,
    j.Mod: _ONLY_SUMS,
    j.Pow: _ONLY_SUMS,
    j.Pos: _ONLY_SUMS,
    j.For: (n_("loops are not allowed in texts"), n_("a list is shown with | join")),
}
