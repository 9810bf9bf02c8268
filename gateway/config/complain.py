"""What pydantic says about a configuration, in words an admin understands, at the place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.loader import Mapping, Node, Scalar, Sequence
from core.findings import Finding
from core.locale import n_
from gateway.config.model import Config

SAID: dict[str, str] = {
    "bool_parsing": n_("`{path}` must be true or false"),
    "bool_type": n_("`{path}` must be true or false"),
    "int_parsing": n_("`{path}` must be a whole number"),
    "int_type": n_("`{path}` must be a whole number"),
    "int_from_float": n_("`{path}` must be a whole number"),
    "string_type": n_("`{path}` must be a text; put it in quotes"),
    "dict_type": n_("`{path}` must be a map of keys and values"),
    "model_type": n_("`{path}` must be a map of keys and values"),
    "model_attributes_type": n_("`{path}` must be a map of keys and values"),
    "tuple_type": n_("`{path}` must be a list"),
    "string_too_short": n_("`{path}` must not be empty"),
    "string_pattern_mismatch": n_("`{path}` does not have the form {pattern}"),
    "too_short": n_("`{path}` must not be empty"),
    "greater_than": n_("`{path}` must be more than {gt}"),
    "greater_than_equal": n_("`{path}` must be at least {ge}"),
    "less_than_equal": n_("`{path}` must be at most {le}"),
    "date_from_datetime_parsing": n_("`{path}` must be a date like 2026-01-01"),
    "date_parsing": n_("`{path}` must be a date like 2026-01-01"),
}
CHOICES = ("literal_error", "union_tag_invalid")


def check_shape(error: ValidationError, root: Mapping) -> Iterator[Finding]:
    """What pydantic has against the data of `root`, as findings: one per mistake."""
    details = error.errors(include_url=False, include_input=False)
    meant = {(*detail["loc"][:-1], close) for detail in details if (close := _meant(detail))}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"] not in meant:
            yield _finding(detail, root)


def _meant(detail: ErrorDetails) -> str:
    """The key that an unknown key is probably a slip of: then the missing key is the same mistake."""
    if detail["type"] != "extra_forbidden":
        return ""
    *above, wrong = detail["loc"]
    close = get_close_matches(str(wrong), _keys([str(part) for part in above]), 1, 0.6)
    return close[0] if close else ""


def _finding(detail: ErrorDetails, root: Mapping) -> Finding:
    found, keys, at_key = _walk(root, detail["loc"])
    if detail["loc"] and detail["loc"][-1] == "[key]":
        found = at_key
    kind, context = detail["type"], detail.get("ctx", {})
    values: dict[str, Any] = {"path": ".".join(keys), "key": str(detail["loc"][-1]) if detail["loc"] else ""}
    if kind == "extra_forbidden":
        return _unknown_key(at_key, detail, values)
    if kind in ("missing", "union_tag_not_found"):
        return _missing(found, values)
    at, length = found.at, found.length if isinstance(found, Scalar) else 0
    if kind in CHOICES:
        return _choice(found, context, values)
    if kind == "said":
        values |= {key: value for key, value in context.items() if key not in ("said", "code")}
        return Finding(at=at, code=context["code"], what=context["said"], values=values, length=length)
    what = SAID.get(kind, n_("`{path}` does not fit: {problem}"))
    return Finding(at=at, code="C112", what=what, values=values | context | {"problem": detail["msg"]}, length=length)


def _walk(root: Mapping, loc: tuple[int | str, ...]) -> tuple[Node, list[str], Node]:
    """The node an error is about, its path as written, and the node of its key. Tags of unions stand in `loc` too."""
    node: Node = root
    key_node: Node = root
    keys: list[str] = []
    for part in loc:
        step = _descend(node, part)
        if step is not None:
            key_node, node = step
            keys.append(str(part))
    return node, keys, key_node


def _descend(node: Node, part: int | str) -> tuple[Node, Node] | None:
    if isinstance(node, Mapping) and str(part) in node.items:
        return node.items[str(part)]
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part], node.items[part]
    return None


def _unknown_key(at_key: Node, detail: ErrorDetails, values: dict[str, Any]) -> Finding:
    *above, wrong = detail["loc"]
    close = _meant(detail)
    mend = n_("perhaps «{close}»?") if close else n_("known here: {known}")
    values |= {"close": close, "known": ", ".join(_keys([str(part) for part in above]))}
    return Finding(
        at=at_key.at,
        code="C110",
        what=n_("unknown setting `{path}`"),
        mend=mend,
        values=values,
        length=len(str(wrong)),
        instead=close,
    )


def _missing(found: Node, values: dict[str, Any]) -> Finding:
    key = values["key"] if not values["path"].endswith(values["key"]) else "kind"
    where = f"{values['path']}.{key}" if values["path"] else key
    return Finding(at=found.at, code="C111", what=n_("`{where}` is missing"), values=values | {"where": where})


def _choice(found: Node, context: dict[str, Any], values: dict[str, Any]) -> Finding:
    if "expected_tags" in context and isinstance(found, Mapping):
        found = found.get("kind") or found
        values["path"] += ".kind"
    told = str(context.get("expected") or context.get("expected_tags") or "")
    known = [word.strip(" '\"") for word in told.replace(" or ", ",").split(",")]
    length, text = (found.length, found.text) if isinstance(found, Scalar) else (0, "")
    close = get_close_matches(text, known, 1, 0.6)
    mend = n_("perhaps «{close}»?") if close else ""
    values |= {"known": ", ".join(word for word in known if word), "close": close[0] if close else ""}
    return Finding(
        at=found.at,
        code="C112",
        what=n_("`{path}` must be one of: {known}"),
        mend=mend,
        values=values,
        length=length,
        instead=close[0] if close else "",
    )


def _keys(path: list[str]) -> list[str]:
    """The keys that are known at a path of the settings; names in maps and tags of unions stand in it too."""
    models: list[type[BaseModel]] = [Config]
    parts = iter(path)
    for part in parts:
        fields = [one.model_fields[part] for one in models if part in one.model_fields]
        if not fields:
            models = [one for one in models if part in _tags(one)] or models
            continue
        models = [one for field in fields for one in _models(field.annotation)]
        if any(get_origin(field.annotation) is dict for field in fields):
            next(parts, None)
    return sorted({name for one in models for name in one.model_fields} - {"root"})


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _models(kind: Any) -> list[type[BaseModel]]:
    """All settings classes inside a type: of unions, of the values of maps and lists."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [one for part in get_args(kind) for one in _models(part)]
