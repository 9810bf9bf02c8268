"""Shapes of YAML values, the ones that declarations use: lists, maps, records of keys, and ready ones for common keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bot.loader import Mapping, Node, Scalar, Sequence
from bot.scalars import (
    Anything,
    Condition,
    Duration,
    Integer,
    Name,
    Number,
    OneOf,
    Reference,
    RegularExpression,
    Text,
    Words,
    YesNo,
)
from bot.shape import PERHAPS, UNREAD, Key, Kind, Reader, Schema, Shape, Unread, suggest, text_key
from core.findings import Position
from core.locale import n_

__all__ = [
    "CHANNEL",
    "DURATION_SHAPE",
    "EXPRESSION",
    "FIELD",
    "FIELDS",
    "LABEL",
    "MISSING_KEY",
    "NAME_SHAPE",
    "PATTERN",
    "PERHAPS",
    "STEPS",
    "TEMPLATE",
    "TEXT",
    "TEXTS",
    "UNREAD",
    "VALUE",
    "YES_NO",
    "Anything",
    "Condition",
    "Duration",
    "Integer",
    "Key",
    "Kind",
    "ListOf",
    "MapOf",
    "Name",
    "Number",
    "OneOf",
    "Owner",
    "Reader",
    "Record",
    "Reference",
    "RegularExpression",
    "Schema",
    "Shape",
    "Steps",
    "Text",
    "Unread",
    "Words",
    "YesNo",
    "keys_schema",
    "read_keys",
    "suggest",
    "text_key",
    "value_place",
]


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
