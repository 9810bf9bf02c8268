"""The official Bot API schema as a judge of calls: unknown methods and fields, missing ones, wrong types."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parent.parent / "schemas"
TELEGRAM = SCHEMAS / "telegram-bot-api-10.3.trimmed.json"
ARRAY = "Array of "
SIMPLE: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
    "True": (bool,),
}


class Schema:
    """One schema file. `problems` are sentences, none for a valid call."""

    def __init__(self, path: Path = TELEGRAM) -> None:
        data = json.loads(path.read_text("utf-8"))
        self.methods: dict[str, dict[str, Any]] = data["methods"]
        self.types: dict[str, dict[str, Any]] = data["types"]

    def decode(self, method: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Fields of a form as JSON values: the API takes numbers, booleans and objects as strings there."""
        known = {field["name"]: field["types"] for field in self.methods.get(method, {}).get("fields", ())}
        return {name: _from_form(value, known.get(name, ["String"])) for name, value in form.items()}

    def problems(self, method: str, params: Mapping[str, Any], files: Collection[str] = ()) -> list[str]:
        """What is wrong with a call. `files` are the names of the file parts that came with it."""
        if method not in self.methods:
            return [f"{method}: no such method"]
        given = {**params, **dict.fromkeys(files, _FILE)}
        return [f"{method}: {problem}" for problem in self._fields(self.methods[method], given, "")]

    def _fields(self, spec: Mapping[str, Any], values: Mapping[str, Any], place: str) -> Iterator[str]:
        known = {field["name"]: field for field in spec.get("fields", ())}
        for name, field in known.items():
            if field["required"] and name not in values:
                yield f"{place}{name} is missing"
        for name, value in values.items():
            if name not in known:
                yield f"{place}{name} is not a field"
            elif not self._fits(value, known[name]["types"]):
                yield self._why(value, known[name]["types"], place + name)

    def _why(self, value: Any, types: list[str], place: str) -> str:
        """The problems inside the only type that a value can be meant as, else its expected types."""
        single = types[0] if len(types) == 1 else ""
        if single.startswith(ARRAY) and isinstance(value, list):
            item = single.removeprefix(ARRAY)
            bad = next(index for index, one in enumerate(value) if not self._fits(one, [item]))
            return self._why(value[bad], [item], f"{place}[{bad}]")
        objects = [name for name in types if name in self.types]
        if isinstance(value, dict) and objects:
            tried = [list(self._fields(self.types[name], value, f"{place}.")) for name in objects]
            best = min(tried, key=len)
            return "; ".join(best) or f"{place} does not fit {types}"
        return f"{place} is {value!r:.60}, not {' or '.join(types)}"

    def _fits(self, value: Any, types: list[str]) -> bool:
        return any(self._is(value, name) for name in types)

    def _is(self, value: Any, name: str) -> bool:
        if name.startswith(ARRAY):
            return isinstance(value, list) and all(self._fits(one, [name.removeprefix(ARRAY)]) for one in value)
        if name == "InputFile":
            return value is _FILE
        if name in SIMPLE:
            return isinstance(value, SIMPLE[name]) and (name in {"Boolean", "True"} or not isinstance(value, bool))
        spec = self.types.get(name)
        if spec is None or not isinstance(value, dict):
            return False
        if spec.get("subtypes"):
            return self._fits(value, spec["subtypes"])
        return bool(spec.get("x-trimmed")) or not list(self._fields(spec, value, ""))


_FILE = object()


def _from_form(value: str, types: list[str]) -> Any:
    if "Integer" in types and value.lstrip("-").isdigit():
        return int(value)
    if "String" in types:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


@cache
def telegram_schema() -> Schema:
    """The newest schema of Telegram, read once."""
    return Schema()
