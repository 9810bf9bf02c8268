"""The official VK schema as a judge of calls and of events, and the limits that only VK's documentation knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).parent.parent / "schemas"
COMMON = frozenset(("access_token", "v", "lang"))
TEXT = 4096
LABEL, PAYLOAD, PAYLOADS = 40, 255, 1000
WHOLE_ROW = frozenset(("location", "open_app", "vkpay"))


class Wrong(ValueError):
    """A parameter that cannot be read as its type."""


class VkSchema:
    """Methods, definitions and errors, with our patches applied."""

    def __init__(self) -> None:
        data = json.loads((SCHEMAS / "vk-5.199.93.trimmed.json").read_text("utf-8"))
        for patch in json.loads((SCHEMAS / "vk-known-deviations.json").read_text("utf-8"))["patches"]:
            _patch(data, patch)
        self.methods: dict[str, Any] = data["methods"]
        self.definitions: dict[str, Any] = data["definitions"]
        self.errors: dict[str, Any] = data["errors"]

    def decode(self, method: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Parameters as they go over the wire (lists joined by commas, booleans as 0 and 1) as values. Raises Wrong."""
        known = self.methods[method]["params"]["properties"]
        return {
            name: self._value(name, value, known.get(name, {})) for name, value in form.items() if name not in COMMON
        }

    def problems(self, method: str, params: Mapping[str, Any]) -> list[str]:
        """What is wrong with a call, sentences; none for a valid one."""
        spec = self.methods[method]["params"]
        found = self._judge(spec, params)
        for name, value in params.items():
            inner = spec["properties"].get(name, {})
            if "contentSchema" in inner:
                found += [f"{name}: {problem}" for problem in self._judge(inner["contentSchema"], json.loads(value))]
        return [f"{method}: {problem}" for problem in found]

    def event_problems(self, event: Mapping[str, Any]) -> list[str]:
        """What is wrong with an event of the Callback API; our emulator judges itself."""
        kind = event["type"]
        definition = "callback_message" if kind in {"message_reply", "message_edit"} else f"callback_{kind}"
        whole = self._judge({"$ref": "#/definitions/callback_base"}, event)
        return whole + self._judge({"$ref": f"#/definitions/{definition}"}, event["object"])

    def answer_problems(self, method: str, response: Any) -> list[str]:
        """What is wrong with an answer of the emulator; any of the documented shapes will do."""
        shapes = list(self.methods[method]["responses"].values())
        tried = [self._judge(shape, {"response": response}) for shape in shapes]
        return min(tried, key=len) if all(tried) else []

    def _judge(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        whole = {**schema, "definitions": self.definitions}
        return [
            f"{'.'.join(map(str, error.absolute_path))} {error.message:.200}"
            for error in Draft7Validator(whole).iter_errors(value)
        ]

    def _value(self, name: str, value: str, spec: Mapping[str, Any]) -> Any:
        kind = self._kind(spec)
        try:
            if kind == "integer":
                return int(value)
            if kind == "number":
                return float(value)
            if kind == "boolean":
                return {"0": False, "1": True}[value]
            if kind == "array":
                return [self._value(name, item, spec.get("items", {})) for item in value.split(",")]
        except (ValueError, KeyError):
            raise Wrong(f"{name} is {value!r:.40}, not {kind}") from None
        return value

    def _kind(self, spec: Mapping[str, Any]) -> str:
        if "$ref" in spec:
            return self._kind(self.definitions[spec["$ref"].rsplit("/", 1)[1]])
        kind = spec.get("type", "string")
        return str("integer" if isinstance(kind, list) else kind)


def _patch(data: dict[str, Any], patch: Mapping[str, Any]) -> None:
    *path, last = patch["path"].strip("/").split("/")
    target: Any = data
    for part in path:
        target = target[part]
    if last == "-":
        target.append(patch["value"])
    elif patch["op"] == "remove":
        target.pop(last, None)
    else:
        target[last] = patch["value"]


@cache
def vk_schema() -> VkSchema:
    """Read once."""
    return VkSchema()


# --- limits ----------------------------------------------------------------------------------------------------------


def check_limits(method: str, params: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Every limit that a call breaks: VK's error code and the reason."""
    if method not in {"messages.send", "messages.edit"}:
        return [*_answer(params)] if method == "messages.sendMessageEventAnswer" else []
    found = [*_text(params), *_formats(params), *_keyboard(params.get("keyboard"))]
    if method == "messages.send" and not params.get("random_id"):
        found.append((100, "random_id is missing or 0: the message could come twice"))
    if method == "messages.send" and not -(2**31) <= params.get("random_id", 0) < 2**31:
        found.append((100, "random_id is no int32"))
    if len(str(params.get("attachment", "")).split(",")) > 10:
        found.append((100, "more than ten attachments"))
    return found


def _answer(params: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    if len(str(params.get("event_data", ""))) > 1000:
        yield 100, "event_data is longer than 1000"


def _text(params: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    text = str(params.get("message", ""))
    if not text.strip() and not params.get("attachment"):
        yield 100, "message is empty or invalid"
    if len(text) > TEXT:
        yield 914, "message is too long"


def _formats(params: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Offsets are in UTF-16 units, inside the text, and on the borders of symbols."""
    data = params.get("format_data")
    if data is None:
        return
    borders, end = {0}, 0
    for symbol in str(params.get("message", "")):
        end += len(symbol.encode("utf-16-le")) // 2
        borders.add(end)
    for item in json.loads(data)["items"]:
        start, stop = item["offset"], item["offset"] + item["length"]
        if item["length"] <= 0 or start not in borders or stop not in borders:
            yield 100, f"format {item['type']} {start}..{stop} is out of the text"
        if item["type"] not in {"bold", "italic", "underline", "url"} or (item["type"] == "url") != ("url" in item):
            yield 100, f"format {item}"


def _keyboard(value: Any) -> Iterator[tuple[int, str]]:
    if value is None:
        return
    keyboard = json.loads(value)
    rows = keyboard["buttons"]
    inline = bool(keyboard.get("inline"))
    most_rows, most = (6, 10) if inline else (10, 40)
    if len(rows) > most_rows or sum(map(len, rows)) > most or any(not 1 <= len(row) <= 5 for row in rows):
        yield 911, f"{len(rows)} rows, {sum(map(len, rows))} buttons"
    if inline and (not rows or keyboard.get("one_time")):
        yield 911, "an inline keyboard that is empty or one_time"
    actions = [button["action"] for row in rows for button in row]
    if any(len(row) > 1 and {button["action"]["type"] for button in row} & WHOLE_ROW for row in rows):
        yield 911, "a button that takes a whole row has a neighbour"
    if sum(len(str(action.get("payload", ""))) for action in actions) > PAYLOADS:
        yield 911, "payloads are longer than 1000 together"
    for action in actions:
        yield from _button(action)


def _button(action: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    if action["type"] != "location" and not 1 <= len(action.get("label", "").strip()) <= LABEL:
        yield 911, f"label of {len(action.get('label', ''))}"
    payload = action.get("payload", "{}")
    if not isinstance(payload, str) or len(payload.encode()) > PAYLOAD:
        yield 911, "payload is not a text of at most 255 bytes"
    else:
        try:
            json.loads(payload)
        except ValueError:
            yield 911, "payload is not JSON"
    if action["type"] == "open_link" and not re.match(r"https?://", action.get("link", "")):
        yield 911, "a link that is none"
