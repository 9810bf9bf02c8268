"""Shapes of single values: texts, templates, names, references, numbers, durations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.expressions import parse_expression
from bot.loader import Node, Scalar
from bot.patterns import parse_pattern
from bot.shape import PERHAPS, UNREAD, Kind, Reader, Schema, Unread, suggest
from bot.templates import parse_template
from core.locale import n_

NAME = re.compile(r"[^\W\d]\w*\Z")
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


@dataclass(frozen=True, slots=True)
class Text:
    """A plain text: a label, a title, an outcome. Numbers and yes/no words are taken as they are written."""

    told: ClassVar[str] = n_("text")
    limit: int = 4096
    shown: bool = False  # clients read it, and nothing is compared with it: it may be translated

    def read(self, node: Node, reader: Reader) -> str | Unread:
        if not isinstance(node, Scalar) or not node.text.strip():
            return reader.tell(node, "L112", n_("«{key}» must be a text"))
        if len(node.text) > self.limit:
            return reader.tell(node, "L113", n_("«{key}» is longer than {limit} characters"), limit=self.limit)
        known = reader.translated(node.text) if self.shown else None
        return known[0].strip() if known else node.text.strip()

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Words:
    """A template: a text for people with `{{ values }}` and light formatting. As `data`, numbers and `true` stay what they
    are, and an empty text is a value too."""

    data: bool = False
    told: ClassVar[str] = n_("text with {{ values }}")

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar) or not (self.data or node.text.strip()):
            return reader.tell(node, "L112", n_("«{key}» must be a text"))
        known = None if self.data else reader.translated(node.text)
        if known is not None:
            text, at = known
            return parse_template(text, at, reader.report, lambda _: at) or UNREAD
        value = node.value if self.data and node.value is not None else node.text
        return parse_template(value, node.at, reader.report, reader.locate(node)) or UNREAD

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that is true or false."""

    told: ClassVar[str] = n_("expression")

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar) or not node.text.strip():
            return reader.tell(node, "L112", n_("«{key}» must be an expression"))
        return parse_expression(node.text, node.at, reader.report, reader.locate(node)) or UNREAD

    def schema(self) -> Schema:
        return {"type": ["string", "boolean", "number"]}


@dataclass(frozen=True, slots=True)
class RegularExpression:
    """A pattern of RE2."""

    told: ClassVar[str] = n_("RE2 pattern")

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar) or not node.text:
            return reader.tell(node, "L112", n_("«{key}» must be a pattern"))
        return parse_pattern(node.text, node.at, reader.report, reader.locate(node)) or UNREAD

    def schema(self) -> Schema:
        return {"type": ["string", "number"]}


@dataclass(frozen=True, slots=True)
class Name:
    """A name that expressions can use; with `prefix`, also `prefix.name` (the client's card)."""

    told: ClassVar[str] = n_("name")
    prefix: str = ""
    only_prefixed: bool = False

    def read(self, node: Node, reader: Reader) -> str | Unread:
        if not isinstance(node, Scalar) or not node.text:
            return reader.tell(node, "L112", n_("«{key}» must be a name"))
        head, dot, tail = node.text.partition(".")
        if dot and self.prefix and head == self.prefix and NAME.match(tail):
            return node.text
        if self.only_prefixed:
            return reader.tell(node, "L113", n_("«{key}» must look like `{prefix}.phone`"), prefix=self.prefix)
        if dot or not NAME.match(node.text):
            return reader.tell(
                node,
                "L113",
                n_("«{name}» cannot be a name"),
                n_("use letters, digits and _, begin with a letter"),
                name=node.text,
                instead=re.sub(r"\W+", "_", node.text.strip()),
            )
        return node.text

    def schema(self) -> Schema:
        return {"type": "string"}


UNKNOWN: dict[Kind, tuple[str, str]] = {
    "step": ("L104", n_("there is no step «{name}» in this flow")),
    "flow": ("L105", n_("there is no flow «{name}»")),
    "line": ("L106", n_("there is no line «{name}» in the config")),
    "field": ("L107", n_("there is no field «{name}» in this flow")),
    "call": ("L108", n_("there is no call «{name}» in the config")),
    "desk": ("L109", n_("there is no desk «{name}» in the config")),
    "channel": ("L113", n_("there is no channel «{name}»")),
}
CALLED: dict[Kind, str] = {
    "step": n_("step name"),
    "flow": n_("flow"),
    "line": n_("line"),
    "field": n_("field"),
    "call": n_("service.call"),
    "desk": n_("desk"),
    "channel": n_("channel"),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of something that must exist: a step, a flow, a line, a field, a call, a desk."""

    kind: Kind

    @property
    def told(self) -> str:
        return CALLED[self.kind]

    def read(self, node: Node, reader: Reader) -> str | Unread:
        if not isinstance(node, Scalar) or not node.text:
            return reader.tell(node, "L112", n_("«{key}» must be a name"))
        known = reader.known[self.kind]
        if node.text in known:
            return node.text
        code, what = UNKNOWN[self.kind]
        close = suggest(node.text, known)
        reader.tell(node, code, what, PERHAPS if close else "", instead=close, name=node.text, close=close)
        return close or UNREAD

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within limits."""

    told: ClassVar[str] = n_("whole number")
    least: int = 0
    most: int = 1_000_000

    def read(self, node: Node, reader: Reader) -> int | Unread:
        value = node.value if isinstance(node, Scalar) else None
        if type(value) is not int:
            return reader.tell(node, "L112", n_("«{key}» must be a whole number"))
        if not self.least <= value <= self.most:
            return reader.tell(
                node, "L113", n_("«{key}» must be between {least} and {most}"), least=self.least, most=self.most
            )
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole or with a point."""

    told: ClassVar[str] = n_("number")

    def read(self, node: Node, reader: Reader) -> float | Unread:
        value = node.value if isinstance(node, Scalar) else None
        if type(value) not in (int, float):
            return reader.tell(node, "L112", n_("«{key}» must be a number"))
        return value  # type: ignore[return-value]

    def schema(self) -> Schema:
        return {"type": "number"}


@dataclass(frozen=True, slots=True)
class YesNo:
    """`true` or `false`."""

    told: ClassVar[str] = n_("true or false")

    def read(self, node: Node, reader: Reader) -> bool | Unread:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, bool):
            meant = node.text.lower() if isinstance(node, Scalar) else ""
            instead = (
                "true" if meant in ("yes", "on", "да", "1") else "false" if meant in ("no", "off", "нет", "0") else ""
            )
            return reader.tell(node, "L112", n_("«{key}» must be true or false"), instead=instead)
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Anything:
    """Any single value."""

    told: ClassVar[str] = n_("value")

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar):
            return reader.tell(node, "L112", n_("«{key}» must be a single value"))
        return node.value

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One word of a few."""

    words: tuple[str, ...]
    told: ClassVar[str] = n_("one of the words")

    def read(self, node: Node, reader: Reader) -> str | Unread:
        text = node.text if isinstance(node, Scalar) else ""
        if text in self.words:
            return text
        close = suggest(text, self.words)
        reader.tell(
            node,
            "L113",
            n_("«{key}» must be one of: {words}"),
            PERHAPS if close else "",
            instead=close,
            words=", ".join(self.words),
            close=close,
        )
        return close or UNREAD

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, `15m`, `24h`, `1h30m`; seconds as a float."""

    told: ClassVar[str] = n_("duration such as 15m or 24h")

    def read(self, node: Node, reader: Reader) -> float | Unread:
        text = node.text if isinstance(node, Scalar) else ""
        if text == "0":
            return 0.0
        parts = DURATION.match(text) if text else None
        if parts is None or len(text) > 12:
            return reader.tell(node, "L113", n_("«{key}» must be a duration such as 30s, 15m, 24h or 2d"))
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}, {"const": 0}]}
