"""The protocol of the channel `api`: a table of its types, OpenAPI, JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from docs.generating.markdown import behind_the_mark, sentence, table


def api_page() -> str:
    """The protocol as it is explained, with a fresh table of all types."""
    from adapters.api.openapi import components
    from adapters.api.schema import FROM_INTEGRATOR, TO_INTEGRATOR

    shapes = components()
    heads = {"Events": FROM_INTEGRATOR, "Calls": TO_INTEGRATOR}
    named = {kind.__name__ for kinds in heads.values() for kind in kinds}
    parts = [
        f"### {head}\n\n" + "\n".join(shape_part(kind.__name__, shapes) for kind in kinds)
        for head, kinds in heads.items()
    ]
    rest = "\n".join(shape_part(name, shapes) for name in shapes if name not in named)
    types = "\n".join([*parts, f"### Their parts, and answers\n\n{rest}"])
    return behind_the_mark("api-channel.md", f"## All types\n\n{types}")


def shape_part(name: str, shapes: dict[str, Any]) -> str:
    """One type: what it is, and its fields."""
    shape = shapes[name]
    rows = [
        (f"`{field}`" + ("" if field in shape.get("required", ()) else "?"), shape_words(inner))
        for field, inner in shape.get("properties", {}).items()
    ]
    return f"#### `{name}`\n\n{sentence(shape.get('description', ''))}\n\n{table(('field (`?`: may be left out)', 'type'), rows)}"


def shape_words(inner: dict[str, Any]) -> str:
    """A type of JSON Schema in a few words."""
    if "$ref" in inner:
        return f"`{inner['$ref'].rpartition('/')[2]}`"
    if "anyOf" in inner:
        return " or ".join(shape_words(one) for one in inner["anyOf"])
    if "enum" in inner:
        return " or ".join(f"`{value}`" if value else "empty" for value in inner["enum"])
    words = {"array": "list"}.get(inner.get("type", ""), inner.get("type", "any"))
    if "items" in inner:
        words += f" of {shape_words(inner['items'])}"
    bounds = [f"{said} {inner[key]}" for key, said in BOUNDS.items() if key in inner]
    return ", ".join([words, *bounds, *([inner["format"]] if "format" in inner else [])])


BOUNDS = {
    "minLength": "at least",
    "maxLength": "at most",
    "minItems": "at least",
    "maxItems": "at most",
    "minimum": "from",
    "maximum": "to",
}


def openapi_document() -> str:
    """The OpenAPI document, from the types that validate."""
    from adapters.api.openapi import openapi

    return json.dumps(openapi(), ensure_ascii=False, indent=1)


def json_schema_document() -> str:
    """The same types as one JSON Schema."""
    from adapters.api.openapi import json_schema

    return json.dumps(json_schema(), ensure_ascii=False, indent=1)
