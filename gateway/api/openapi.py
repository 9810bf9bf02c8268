"""The OpenAPI 3.1 document, made of the table of routes and of the models that validate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.api.cookies import Cookies
from gateway.api.door import KEY
from gateway.api.models import ProblemDetails
from gateway.api.origin import HEADER
from gateway.api.problems import KIND, TYPES
from gateway.api.reading import HIGHEST
from gateway.api.route import Route
from gateway.api.table import PREFIX

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
BODY_PROBLEMS = ("unreadable", "too-large", "not-json", "invalid")
KEY_PROBLEMS = ("other-request", "under-way")


def build_document(routes: Iterable[Route], version: str, public_url: str = "") -> Json:
    """The whole document."""
    routes = tuple(routes)
    names, schemas = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "frontline", "version": version, "description": ABOUT},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security(public_url)},
    }


ABOUT = (
    "People sign in and are known by a cookie; machines send `Authorization: Bearer` with a token. Refusals are problem "
    "details (RFC 9457): tell them apart by `type`. Writes take an `Idempotency-Key`: the same key again has the same "
    f"answer for a day. Browsers must send the header `{HEADER}` with every write."
)


def _schemas(routes: tuple[Route, ...]) -> tuple[dict[type[BaseModel], str], Json]:
    """The name of each model, and all schemas by name. What comes in is described as it is checked, what goes out as it is
    written."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDetails, "serialization"): None}
    for route in routes:
        if route.body is not None:
            wanted[route.body, "validation"] = None
        if route.answer is not None and not route.text:
            wanted[route.answer, "serialization"] = None
    refs, definitions = models_json_schema(list(wanted), ref_template=REF)
    names = {model: str(refs[model, mode]["$ref"]).rpartition("/")[2] for model, mode in wanted}
    return names, definitions.get("$defs", {})


def _security(public_url: str) -> Json:
    return {
        "cookie": {"type": "apiKey", "in": "cookie", "name": Cookies(public_url).name},
        "token": {"type": "http", "scheme": "bearer"},
    }


def _operation(route: Route, names: dict[type[BaseModel], str]) -> Json:
    found: Json = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "security": _who(route),
        "responses": _responses(route, names),
    }
    if route.roles:
        found["x-roles"] = list(route.roles)
    if route.scope:
        found["x-scope"] = route.scope
    if parameters := _parameters(route):
        found["parameters"] = parameters
    if route.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(names[route.body])}}}
    if route.form:
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
        found["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return found


def _who(route: Route) -> list[Json]:
    if not route.roles:
        return []
    return [{"cookie": []}, {"token": []}] if route.scope else [{"cookie": []}]


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = []
    for name in re.findall(r"\{(\w+)\}", route.path):
        number = {"type": "integer", "minimum": 1, "maximum": HIGHEST}
        schema = number if route.numbered else {"type": "string", "minLength": 1}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if route.query is not None:
        for name, schema in route.query.model_json_schema()["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": schema})
    if route.writes:
        found.append(_header(HEADER, "Any value. Needed with a cookie.", {"type": "string"}))
    if route.keyed:
        shape = {"type": "string", "pattern": r"^[\x21-\x7e]{1,128}$"}
        found.append(_header(KEY, "The same key again gets the same answer.", shape))
    return found


def _header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _responses(route: Route, names: dict[type[BaseModel], str]) -> Json:
    done: Json = {"description": route.summary}
    if route.text:
        done["content"] = {route.text: {"schema": {"type": "string"}}}
    elif route.answer is not None:
        done["content"] = {"application/json": {"schema": _ref(names[route.answer])}}
    by_status: dict[int, list[str]] = {}
    for name in dict.fromkeys(_problems(route)):
        by_status.setdefault(TYPES[name][0], []).append(name)
    refused = {str(status): _refusal(found, names) for status, found in sorted(by_status.items())}
    busy = {"503": {**_refusal([], names), "description": "Come again after `Retry-After`"}}
    return {str(route.status): done, **refused, **busy}


def _problems(route: Route) -> Iterable[str]:
    yield "not-signed-in"  # a token that is none, whatever the route
    if route.roles:
        yield "not-allowed"
    if route.writes:
        yield "foreign-site"
    if route.body is not None:
        yield from BODY_PROBLEMS
    if route.query is not None:
        yield "invalid"
    if route.numbered:
        yield "not-found"
    if route.keyed:
        yield from (
            *KEY_PROBLEMS,
            "invalid",
            *(("answer-lost",) if route.answer is not None and not route.once else ()),
        )
    if route.once:
        yield "done-before"
    yield from route.problems


def _refusal(found: list[str], names: dict[type[BaseModel], str]) -> Json:
    said = "; ".join(f"`urn:frontline:{name}`: {TYPES[name][1]}" for name in found)
    return {"description": said, "content": {KIND: {"schema": _ref(names[ProblemDetails])}}}


def _ref(name: str) -> Json:
    return {"$ref": REF.format(model=name)}
