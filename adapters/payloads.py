"""Reading what platforms send: JSON that is nearly JSON, fields of any shape. Pure, and never stopped by a field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from core.normal import clean

Json = Mapping[str, Any]

NAME_LIMIT = 128


class Unreadable(ValueError):
    """A payload of an unknown kind, or one that lacks what an answer needs: it goes to quarantine. The text holds no data
    of the client."""


def parse_json(raw: bytes) -> Any:
    """JSON as platforms send it; half a surrogate pair becomes `?` instead of costing the message. Raises Unreadable."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        lenient = json.loads(raw.decode("utf-8", "replace"))
        return orjson.loads(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None


def line(value: Any, limit: int = NAME_LIMIT) -> str:
    """A value as one line of plain text; nothing for what is neither a text nor a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    said = str(value).encode("utf-8", "replace").decode()  # half a pair of surrogates can be stored nowhere
    return " ".join(clean(said).split())[:limit]


def address(value: Any) -> str:
    """An address of the web; nothing for anything else."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else ""


def number(value: Any) -> int:
    """A whole number above 0; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def mapping(value: Any) -> Json:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Json]:
    """The objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
