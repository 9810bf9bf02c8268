"""The official MAX schema as a judge of calls and of updates, and the limits that only dev.max.ru names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parent.parent / "schemas"
TEXT, ATTACHMENTS = 4000, 12
BUTTONS, ROWS, IN_ROW, WIDE_IN_ROW = 210, 30, 7, 3
WIDE = frozenset(("link", "open_app", "request_geo_location", "request_contact"))
ALONE = frozenset(("audio", "file", "contact", "sticker"))
TAGS = frozenset(("i", "em", "b", "strong", "del", "s", "ins", "u", "a", "pre", "code", "mark", "blockquote", "h1"))
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip

Json = Mapping[str, Any]


class MaxSchema:
    """Paths and schemas, with our patches applied. Unknown fields are mistakes."""

    def __init__(self) -> None:
        data = json.loads((SCHEMAS / "max-bot-api-0.0.30.openapi.json").read_text("utf-8"))
        for patch in json.loads((SCHEMAS / "max-known-deviations.json").read_text("utf-8"))["patches"]:
            _patch(data, patch)
        self.paths: dict[str, Any] = data["paths"]
        self.schemas: dict[str, Any] = data["components"]["schemas"]

    def problems(self, method: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
        """What is wrong with a call, sentences; none for a valid one."""
        template = next((one for one in self.paths if _fits(one, path)), "")
        operation = self.paths.get(template, {}).get(method.lower())
        if operation is None:
            return [f"{method} {path}: no such method"]
        known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
        found = [f"{name} is not a parameter" for name in query if name not in known]
        found += [
            f"the parameter {name} is missing"
            for name, one in known.items()
            if one.get("required") and name not in query
        ]
        found += [why for name, value in query.items() if name in known for why in self._of_query(known[name], value)]
        wanted = operation.get("requestBody")
        if wanted is None:
            found += ["a body that nobody reads"] if body is not None else []
        else:
            found += self.judge(wanted["content"]["application/json"]["schema"], body, "body")
        return [f"{method} {path}: {problem}" for problem in found]

    def update_problems(self, update: Json) -> list[str]:
        """What is wrong with an update; our emulator judges itself."""
        return self.judge({"$ref": "#/components/schemas/Update"}, update, str(update.get("update_type")))

    def judge(self, schema: Json, value: Any, place: str) -> list[str]:
        """What is wrong with a value."""
        return list(self._judge(schema, value, place))

    def _of_query(self, parameter: Json, value: str) -> list[str]:
        """A value as it stands in a query: lists are joined by commas."""
        schema = self._whole(parameter["schema"])
        if schema.get("type") == "array":
            given: Any = value.split(",")
        elif schema.get("type") == "integer":
            given = int(value) if re.fullmatch(r"-?\d+", value) else value
        else:
            given = {"true": True, "false": False}.get(value, value) if schema.get("type") == "boolean" else value
        return self.judge(parameter["schema"], given, parameter["name"])

    def _whole(self, schema: Json) -> dict[str, Any]:
        """A schema with what it refers to and inherits, as one. Siblings of a reference count."""
        whole: dict[str, Any] = {"properties": {}, "required": []}
        parts = [self.schemas[schema["$ref"].rpartition("/")[2]]] if "$ref" in schema else []
        for part in [*parts, *schema.get("allOf", ())]:
            inner = self._whole(part)
            whole["properties"] |= inner.pop("properties")
            whole["required"] += inner.pop("required")
            whole |= inner
        own = {name: value for name, value in schema.items() if name not in {"$ref", "allOf", "properties", "required"}}
        whole["properties"] |= schema.get("properties", {})
        whole["required"] += schema.get("required", [])
        return whole | own

    def _judge(self, schema: Json, value: Any, place: str) -> Iterator[str]:
        whole = self._whole(schema)
        if value is None:
            yield from () if whole.get("nullable") else (f"{place} is null",)
            return
        kind = whole.get("type") or ("object" if whole["properties"] else "")
        if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{place} is {value!r:.60}, not {kind}"
            return
        if "discriminator" in whole and isinstance(value, dict):
            yield from self._judge_kind(whole, value, place)
        elif isinstance(value, dict):
            yield from self._judge_object(whole, value, place)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                yield from self._judge(whole.get("items", {}), one, f"{place}[{index}]")
        yield from _bounds(whole, value, place)

    def _judge_kind(self, whole: Json, value: Json, place: str) -> Iterator[str]:
        name = whole["discriminator"]["propertyName"]
        meant = whole["discriminator"]["mapping"].get(value.get(name))
        if meant is None:
            yield f"{place}.{name} is {value.get(name)!r:.40}"
            return
        child = self._whole({"$ref": meant})
        yield from self._judge_object(child, value, place)

    def _judge_object(self, whole: Json, value: Json, place: str) -> Iterator[str]:
        properties, free = whole["properties"], whole.get("additionalProperties")
        for name in whole["required"]:
            if name not in value:
                yield f"{place}.{name} is missing"
        for name, one in value.items():
            if name in properties:
                yield from self._judge(properties[name], one, f"{place}.{name}")
            elif free:
                yield from self._judge(free, one, f"{place}.{name}")
            elif properties:
                yield f"{place}.{name} is not a field"


def _bounds(schema: Json, value: Any, place: str) -> Iterator[str]:
    """Enumerations, lengths, patterns, ranges."""
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r:.60}"
    if isinstance(value, str | list):
        least, most = (
            schema.get("minLength", schema.get("minItems", 0)),
            schema.get("maxLength", schema.get("maxItems")),
        )
        if len(value) < least or (most is not None and len(value) > most):
            yield f"{place} has {len(value)}, not {least}..{most}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place} is not {schema['pattern']}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{place} is {value}"


def _fits(template: str, path: str) -> bool:
    pattern = re.sub(r"\{(\w+)\}", r"[^/]+", template)
    return re.fullmatch(pattern, path) is not None


def _patch(data: Any, patch: Json) -> None:
    """One RFC 6902 operation, `add` or `replace`."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in patch["path"].split("/")[1:]]
    for name in way:
        data = data[int(name) if isinstance(data, list) else name]
    assert patch["op"] == "add" or last in data, patch["path"]
    data[last] = patch["value"]


# --- limits in prose -------------------------------------------------------------------------------------------------


def limit_problems(method: str, path: str, body: Any) -> list[str]:
    """What the schema does not know of a message: how much hangs on it, its buttons, its HTML."""
    if path != "/messages" or not isinstance(body, dict):
        return []
    attachments = body.get("attachments") or []
    kinds = [one.get("type") for one in attachments]
    found = (
        ["an empty message"] if not (body.get("text") or "").strip() and not attachments and method == "POST" else []
    )
    found += [f"{len(kinds)} attachments"] if len(kinds) > ATTACHMENTS + kinds.count("inline_keyboard") else []
    found += ["it must be the only attachment"] if ALONE & set(kinds) and len(kinds) > 1 else []
    found += ["two keyboards"] if kinds.count("inline_keyboard") > 1 else []
    for one in attachments:
        if one.get("type") == "inline_keyboard":
            found += list(_keyboard_problems(one["payload"]["buttons"]))
    if body.get("format") == "html":
        found += html_problems(body.get("text") or "")
    return [f"{method} {path}: {problem}" for problem in found]


def _keyboard_problems(rows: list[list[Json]]) -> Iterator[str]:
    if len(rows) > ROWS:
        yield f"{len(rows)} rows"
    if sum(map(len, rows)) > BUTTONS:
        yield "too many buttons"
    for row in rows:
        wide = any(button.get("type") in WIDE for button in row)
        if not 0 < len(row) <= (WIDE_IN_ROW if wide else IN_ROW):
            yield f"{len(row)} buttons in a row"


class _Reader(HTMLParser):
    """Reads what MAX would show. `text` is without tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.text = ""
        self.marks: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.problems.append(f"<{tag}> is stripped")
        if {name for name, _ in attrs} - ({"href"} if tag == "a" else set()):
            self.problems.append(f"attributes of <{tag}>: {attrs}")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data
        self.marks += [(tag, data) for tag in self.open]


def read_html(text: str) -> tuple[str, list[tuple[str, str]]]:
    """What a formatted text shows: without tags, and what stands under which of them."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.text, reader.marks


def html_problems(text: str) -> list[str]:
    """Unknown tags, tags that do not nest."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.problems + [f"<{tag}> is not closed" for tag in reader.open]


@cache
def max_schema() -> MaxSchema:
    """The schema, read once."""
    return MaxSchema()
