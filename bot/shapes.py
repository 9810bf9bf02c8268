"""Shapes of YAML values. A key declared once with a shape is parsed, checked, described to editors and documented."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from bot.loader import ALIAS, Mapping, Node, Report, Scalar, Sequence
from bot.places import locator
from core.findings import Finding, Position
from core.locale import n_

if TYPE_CHECKING:
    from bot.model import Block

Schema = dict[str, Any]
Kind = Literal["step", "flow", "line", "field", "call", "desk", "channel"]

NAME = re.compile(r"[^\W\d]\w*\Z")
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")
PERHAPS = n_("perhaps «{close}»?")


class Unread:
    """What a shape gives when the value cannot be read; the finding has been reported."""

    def __bool__(self) -> bool:
        return False


UNREAD: Final = Unread()


@dataclass(slots=True)
class Reader:
    """Where reading happens: the file, the names it may use, and where findings go. `steps` reads a block of steps."""

    file: str
    source: str
    report: Report
    known: dict[Kind, Collection[str]]
    steps: Callable[[Node, Reader], Block | Unread]
    key: str = ""  # the key that is being read, for messages
    flow: str = ""  # where the texts stand that are being read, for translations
    place: str = ""
    translations: dict[str, tuple[str, Position]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def tell(
        self,
        node: Node,
        code: str,
        what: str,
        mend: str = "",
        *,
        instead: str = "",
        level: Literal["error", "warning"] = "error",
        **values: Any,
    ) -> Unread:
        if isinstance(node, Scalar) and node.style == ALIAS:
            return UNREAD
        length = node.length if isinstance(node, Scalar) else 1
        self.report(
            Finding(
                at=node.at,
                code=code,
                what=what,
                mend=mend,
                values={"key": self.key, **values},
                level=level,
                length=length,
                instead=instead,
            )
        )
        return UNREAD

    def locate(self, node: Scalar) -> Callable[[int], Position]:
        """From offsets in a value to places of the file."""
        return locator(node, self.source_lines)

    def translated(self, text: str) -> tuple[str, Position] | None:
        """The translation of a text that stands here, and its place; None when there is none."""
        if not self.translations:
            return None
        return self.translations.get(text_key(self.flow, self.place, text))

    @property
    def source_lines(self) -> list[str]:
        if not self.lines:
            self.lines = self.source.split("\n")
        return self.lines


def text_key(flow: str, step: str, source: str) -> str:
    """The key of a text among translations: where it stands, and the text itself."""
    return f"{flow}\n{step}\n{source.strip()}"


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that the writer may have meant, empty when none is close."""
    options = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), options, n=1, cutoff=0.6)
    return options[found[0]] if found else ""


class Shape(Protocol):
    """How a value is read, described to an editor, and named in the reference."""

    @property
    def told(self) -> str:
        """Message id: what the reference calls it."""
        ...

    def read(self, node: Node, reader: Reader) -> Any:
        """The value, or UNREAD after a finding."""
        ...

    def schema(self) -> Schema: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a map: what it is called in YAML, which value of the model it fills, and how it is read.

    An empty `into` spreads the dictionary that the shape reads.
    """

    name: str
    into: str
    shape: Shape
    required: bool = False
    about: str = ""


# --- single values ---------------------------------------------------------------------------------------------------


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
        from bot.templates import parse_template

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
        from bot.expressions import parse_expression

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
        from bot.patterns import parse_pattern

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


# --- values made of values -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Steps:
    """A block: a list of steps."""

    told: ClassVar[str] = n_("steps")

    def read(self, node: Node, reader: Reader) -> Any:
        return reader.steps(node, reader)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/steps"}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; with `single`, one value may stand without brackets. An item that cannot be read is left out."""

    item: Shape
    single: bool = False
    told: ClassVar[str] = n_("list")

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Sequence) and node.items:
            key = reader.key
            made = []
            for part in node.items:
                reader.key = key
                value = self.item.read(part, reader)
                if value is not UNREAD:
                    made.append(value)
            return tuple(made)
        if self.single and isinstance(node, Scalar) and node.text:
            value = self.item.read(node, reader)
            return UNREAD if value is UNREAD else (value,)
        instead = f"[{node.text}]" if isinstance(node, Scalar) and node.text and not node.style else ""
        return reader.tell(node, "L112", n_("«{key}» must be a list"), instead=instead)

    def schema(self) -> Schema:
        many: Schema = {"type": "array", "items": self.item.schema(), "minItems": 1}
        return {"anyOf": [self.item.schema(), many]} if self.single else many


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with names of the author's own."""

    name: Shape
    value: Shape
    told: ClassVar[str] = n_("map")

    def read(self, node: Node, reader: Reader) -> dict[str, Any] | Unread:
        if not isinstance(node, Mapping) or not node.items:
            return reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        made: dict[str, Any] = {}
        for key, value in node.items.values():
            name = self.name.read(key, reader)
            outer, reader.key = reader.key, key.text
            content = self.value.read(value, reader)
            reader.key = outer
            if isinstance(name, str) and content is not UNREAD:
                made[name] = content
        return made

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self.value.schema(), "minProperties": 1}


@dataclass(frozen=True, slots=True)
class Record:
    """A map with fixed keys, made into a value by `build(values, node)`. `short` reads a scalar as that key alone."""

    name: str
    keys: tuple[Key, ...]
    build: Callable[[dict[str, Any], Node], Any]
    short: str = ""
    told: ClassVar[str] = n_("map")

    def read(self, node: Node, reader: Reader) -> Any:
        if self.short and isinstance(node, Scalar):
            key = next(key for key in self.keys if key.name == self.short)
            value = key.shape.read(node, reader)
            return UNREAD if value is UNREAD else self.build({key.into: value}, node)
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        values, whole = read_keys(node, self.keys, reader, Owner("", self.name))
        return self.build(values, node) if whole else UNREAD

    def schema(self) -> Schema:
        whole = keys_schema(self.keys)
        if not self.short:
            return whole
        return {"anyOf": [next(key for key in self.keys if key.name == self.short).shape.schema(), whole]}


# --- keys of a map ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose keys are read, for messages: a step, a field, or another map."""

    kind: Literal["step", "field", ""]
    name: str


UNKNOWN_KEY = {
    "step": n_("step {owner}: unknown key «{key}»"),
    "field": n_("field «{owner}»: unknown key «{key}»"),
    "": n_("{owner}: unknown key «{key}»"),
}
MISSING_KEY = {
    "step": n_("step {owner}: the key «{key}» is missing"),
    "field": n_("field «{owner}»: the key «{key}» is missing"),
    "": n_("{owner}: the key «{key}» is missing"),
}


def read_keys(
    node: Mapping, keys: Collection[Key], reader: Reader, owner: Owner, besides: Collection[str] = ()
) -> tuple[dict[str, Any], bool]:
    """The values of a map by the names of the model, and whether every required one is there.

    `besides` are keys that others read. A misspelt key is reported, and read as the key it is close to, so that one
    mistake is one finding.
    """
    meant = _meant(node, keys, reader, owner, besides)
    values: dict[str, Any] = {}
    whole = True
    for key in keys:
        child = meant.get(key.name)
        reader.key = key.name
        if child is None:
            if key.required:
                reader.tell(node, "L111", MISSING_KEY[owner.kind], owner=owner.name)
            value: Any = UNREAD
        else:
            value = key.shape.read(child, reader)
        if value is UNREAD:
            whole = whole and not key.required
        elif key.into:
            values[key.into] = value
        else:
            values.update(value)
    return values, whole


def _meant(
    node: Mapping, keys: Collection[Key], reader: Reader, owner: Owner, besides: Collection[str]
) -> dict[str, Node]:
    names = {key.name for key in keys}
    meant = {name: value for name, (_, value) in node.items.items() if name in names}
    for name, (key, value) in node.items.items():
        if name in names or name in besides:
            continue
        close = suggest(name, [*(names - meant.keys()), *(set(besides) - node.items.keys())])
        reader.key = name
        reader.tell(
            key,
            "L110",
            UNKNOWN_KEY[owner.kind],
            PERHAPS if close else n_("remove it"),
            instead=close,
            owner=owner.name,
            close=close,
        )
        if close in names:
            meant[close] = value
    return meant


def keys_schema(keys: Iterable[Key]) -> Schema:
    """A map with these keys, for editors."""
    keys = tuple(keys)
    properties = {key.name: key.shape.schema() | ({"description": key.about} if key.about else {}) for key in keys}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [key.name for key in keys if key.required]
    return schema | ({"required": required} if required else {})


def value_place(node: Node, key: str) -> Position:
    """Where the value of a key stands; the map's own place when the key is not there."""
    found = node.get(key) if isinstance(node, Mapping) else None
    return (found or node).at


TEXT = Text()
LABEL = Text(shown=True)
CHANNEL = Reference("channel")
TEMPLATE = Words()
VALUE = Words(data=True)
EXPRESSION = Condition()
PATTERN = RegularExpression()
NAME_SHAPE = Name()
STEPS = Steps()
YES_NO = YesNo()
DURATION_SHAPE = Duration()
FIELD = Reference("field")
FIELDS = ListOf(FIELD, single=True)
TEXTS = ListOf(TEXT)
