"""YAML text to nodes that know their line and column. A small, safe YAML: no anchors, aliases, tags or surprises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import yaml

from core.findings import Finding, Position
from core.locale import n_

MAX_BYTES = 256 * 1024
MAX_DEPTH = 30
MOST_FINDINGS = 50  # in one file; more of one kind help nobody

ALIAS = "*"  # the style of a value that was an alias: nothing more is said of it

Report = Callable[[Finding], None]
Value = str | int | float | bool | None

INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+\Z")
# What libyaml says about its own work, in words an author understands.
TAB = "found character '\\t'"
TOLD = (
    (TAB, n_("a tab cannot be used for indentation"), n_("use spaces")),
    ("could not find expected ':'", n_("a colon is missing after a key"), n_("write `key: value`")),
    (
        "mapping values are not allowed",
        n_("a colon is not expected here"),
        n_("put a text that contains `: ` in quotes"),
    ),
    ("unexpected end of stream while scanning a quoted", n_("the quote is never closed"), n_("close the quote")),
    ("found unexpected end of stream", n_("the quote is never closed"), n_("close the quote")),
    (
        "did not find expected key",
        n_("the indentation does not fit, or a quote is out of place"),
        n_("align the key with its neighbours"),
    ),
    ("did not find expected '-' indicator", n_("the indentation of the list does not fit"), n_("align the dashes")),
    (
        "did not find expected node content",
        n_("a value is missing, or a bracket is never closed"),
        n_("close the bracket"),
    ),
    ("did not find expected ',' or", n_("a bracket is never closed, or a comma is missing"), n_("close the bracket")),
    ("cannot start any token", n_("a text cannot begin with this character"), n_("put the text in quotes")),
    ("did not find expected <document start>", n_("one file holds one document"), n_("remove what follows it")),
    (
        "block sequence entries are not allowed",
        n_("a list cannot begin here"),
        n_("begin the list on a line of its own"),
    ),
    ("unknown escape character", n_("an unknown escape in double quotes"), n_("use single quotes")),
    ("control characters are not allowed", n_("a control character"), n_("remove it")),
)


class Node:
    """A part of a file. `line` and `column` count from 1; `file` is the path as shown to people."""

    __slots__ = ("column", "file", "line")
    kind: ClassVar[str] = ""

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column

    @property
    def at(self) -> Position:
        return Position(self.file, self.line, self.column)


class Scalar(Node):
    """A single value. `text` is what was written, `value` what it means; `end_line`, `end_column` stand just behind it."""

    __slots__ = ("end_column", "end_line", "style", "text", "value")
    kind = "scalar"

    def __init__(
        self, file: str, line: int, column: int, text: str, style: str, end_line: int, end_column: int
    ) -> None:
        super().__init__(file, line, column)
        self.text = text
        self.style = style
        self.end_line = end_line
        self.end_column = end_column
        self.value: Value = resolve(text) if not style else text

    @property
    def length(self) -> int:
        """Characters on its first line, quotes included."""
        return max(1, self.end_column - self.column) if self.line == self.end_line else max(1, len(self.text))


class Mapping(Node):
    """Keys in the order written, each with its own place."""

    __slots__ = ("items",)
    kind = "map"

    def __init__(self, file: str, line: int, column: int) -> None:
        super().__init__(file, line, column)
        self.items: dict[str, tuple[Scalar, Node]] = {}

    def get(self, key: str) -> Node | None:
        found = self.items.get(key)
        return found[1] if found else None

    def key(self, key: str) -> Node:
        """The place of a key; the map's own when it is not there."""
        found = self.items.get(key)
        return found[0] if found else self


class Sequence(Node):
    """A list."""

    __slots__ = ("items",)
    kind = "list"

    def __init__(self, file: str, line: int, column: int) -> None:
        super().__init__(file, line, column)
        self.items: list[Node] = []


def resolve(text: str) -> Value:
    """What an unquoted word means. Only this: `on`, `10:00`, `0123` and `1e3` are texts."""
    if not text or text in ("~", "null"):
        return None
    if text == "true":
        return True
    if text == "false":
        return False
    if text[0] in "+-0123456789":
        if INTEGER.match(text):
            return int(text) if len(text) <= 18 else text
        if DECIMAL.match(text):
            return float(text)
    return text


class _Stop(Exception):
    """The file cannot be read further; the finding has been reported."""


def load(source: str, file: str, report: Report) -> Node | None:
    """The root node of a YAML text, None when it cannot be read or is empty. Mistakes are reported, never raised."""
    if not _readable(source, file, report):
        return None
    from yaml._yaml import CParser

    try:
        return _Builder(CParser(source.encode()), file, report).root()
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        report(_syntax(error, source, file))
    except (yaml.YAMLError, UnicodeError) as error:
        report(_unreadable(error, source, file))
    return None


def _readable(source: str, file: str, report: Report) -> bool:
    at = Position(file)
    if not yaml.__with_libyaml__:
        report(
            Finding(
                at=at,
                code="Y100",
                what=n_("libyaml is not installed"),
                mend=n_("install a PyYAML that was built with libyaml"),
            )
        )
        return False
    if len(source) > MAX_BYTES or len(source.encode("utf-8", "replace")) > MAX_BYTES:
        report(
            Finding(
                at=at, code="Y105", what=n_("the file is larger than 256 KB"), mend=n_("split it into several flows")
            )
        )
        return False
    return True


def _syntax(error: yaml.MarkedYAMLError, source: str, file: str) -> Finding:
    opened = "flow" in str(error.context) or "quoted" in str(error.context)
    mark = (error.context_mark if opened else None) or error.problem_mark or error.context_mark
    at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    problem = " ".join(str(part) for part in (error.problem, error.context) if part)
    if mark and source[mark.index : mark.index + 1] == "\t":
        problem = TAB
    for sign, what, mend in TOLD:
        if sign in problem:
            return Finding(at=at, code="Y101", what=what, mend=mend, length=1)
    return Finding(
        at=at, code="Y101", what=n_("YAML cannot be read here: {problem}"), values={"problem": problem}, length=1
    )


def _unreadable(error: Exception, source: str, file: str) -> Finding:
    what, mend = n_("a character that YAML does not allow"), n_("remove it")
    if isinstance(error, UnicodeEncodeError):
        before = source[: error.start]
        what, mend = n_("the file is not UTF-8 here"), n_("save it as UTF-8")
    else:
        before = source.encode()[: getattr(error, "position", None) or 0].decode(errors="ignore")
    at = Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Finding(at=at, code="Y101", what=what, mend=mend, length=1)


class _Builder:
    """Events of libyaml to nodes."""

    def __init__(self, parser: Any, file: str, report: Report) -> None:
        self.next = parser.get_event
        self.file = file
        self.report = report
        self.told = 0

    def root(self) -> Node | None:
        self.next()  # stream start
        if isinstance(self.next(), yaml.StreamEndEvent):
            return None
        node = self.node(self.next(), 0)
        self.next()  # document end
        behind = self.next()
        if isinstance(behind, yaml.DocumentStartEvent):
            self.stop("Y101", behind, n_("one file holds one document"), n_("remove what follows it"))
        return node

    def node(self, event: Any, depth: int) -> Node:
        kind = type(event)
        if kind is yaml.AliasEvent:
            self.tell("Y103", event, n_("aliases (`*name`) are not allowed"), n_("write the value out"))
            return Scalar(self.file, event.start_mark.line + 1, event.start_mark.column + 1, "", ALIAS, 0, 0)
        if event.anchor is not None:
            self.tell("Y103", event, n_("anchors (`&name`) are not allowed"), n_("write the value out"))
        if event.tag is not None:
            self.tell("Y104", event, n_("tags (`!name`) are not allowed"), n_("remove the tag"))
        if kind is yaml.ScalarEvent:
            return self.scalar(event)
        if depth >= MAX_DEPTH:
            self.stop("Y106", event, n_("nested deeper than 30 levels"), n_("move a part into a flow of its own"))
        return self.sequence(event, depth) if kind is yaml.SequenceStartEvent else self.mapping(event, depth)

    def scalar(self, event: Any) -> Scalar:
        start, end = event.start_mark, event.end_mark
        return Scalar(
            self.file, start.line + 1, start.column + 1, event.value, event.style or "", end.line + 1, end.column + 1
        )

    def sequence(self, event: Any, depth: int) -> Sequence:
        start = event.start_mark
        made = Sequence(self.file, start.line + 1, start.column + 1)
        for item in self.until(yaml.SequenceEndEvent):
            made.items.append(self.node(item, depth + 1))
        return made

    def mapping(self, event: Any, depth: int) -> Mapping:
        start = event.start_mark
        made = Mapping(self.file, start.line + 1, start.column + 1)
        for item in self.until(yaml.MappingEndEvent):
            key = self.node(item, depth + 1)
            value = self.node(self.next(), depth + 1)
            if not isinstance(key, Scalar):
                self.tell("Y107", item, n_("a key must be a single word or text"), n_("put it in quotes"))
            elif key.text in made.items:
                self.tell("Y102", item, n_("the key «{key}» is here twice"), n_("keep one of them"), key.text)
            else:
                made.items[key.text] = (key, value)
        return made

    def until(self, end: type[Any]) -> Iterator[Any]:
        while True:
            event = self.next()
            if type(event) is end:
                return
            yield event

    def tell(self, code: str, event: Any, what: str, mend: str, key: str = "") -> None:
        self.told += 1
        if self.told > MOST_FINDINGS:
            raise _Stop
        mark = event.start_mark
        at = Position(self.file, mark.line + 1, mark.column + 1)
        self.report(
            Finding(at=at, code=code, what=what, mend=mend, values={"key": key} if key else {}, length=len(key) or 1)
        )

    def stop(self, code: str, event: Any, what: str, mend: str) -> None:
        self.tell(code, event, what, mend)
        raise _Stop
