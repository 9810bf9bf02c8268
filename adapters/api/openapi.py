"""The published protocol: an OpenAPI 3.1 document, and its JSON Schema, made of the types that validate. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.api import schema
from adapters.api.capabilities import EVENT_BYTES, EVENTS
from adapters.api.signing import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER, TOLERANCE

VERSION = "1.0.0"  # of the protocol; grows with it, by semantic versioning
DRAFT = "https://json-schema.org/draft/2020-12/schema"
JSON, PROBLEM = "application/json", "application/problem+json"
ABOUT = (
    "Any messenger as a channel of frontline. Both sides sign with the same secret, as Standard Webhooks 1.0.0 has it "
    "(https://www.standardwebhooks.com). Fields that a side does not know are to be left alone: new ones may come."
)
SIGNING = (
    "`v1,` and base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<raw body>`; the key is what follows `whsec_` "
    "in the secret, base64 decoded. Several signatures, parted by a space: one of them must fit."
)
HEADERS = {
    ID_HEADER: (
        "The delivery's own id, the same in every repetition: 1 to 200 visible ASCII characters without a full stop.",
        {"type": "string", "minLength": 1, "maxLength": 200},
    ),
    TIME_HEADER: (
        f"Seconds since 1970, of this very attempt. More than {TOLERANCE:g} away and the request is refused.",
        {"type": "string", "pattern": "^[0-9]{1,12}$"},
    ),
    SIGNATURE_HEADER: (SIGNING, {"type": "string", "pattern": "^v1"}),
}
# What types alone cannot say: a message holds something, a file comes one way.
SAYS = {"required": ["text"], "properties": {"text": {"type": "string", "pattern": "\\S"}}}
SHOWS = {"required": ["attachments"], "properties": {"attachments": {"type": "array", "minItems": 1}}}
RULES: dict[str, dict[str, Any]] = {
    "Message": {
        "anyOf": [
            SAYS,
            SHOWS,
            {"required": ["contact"], "properties": {"contact": {"type": "object"}}},
            {"required": ["location"], "properties": {"location": {"type": "object"}}},
        ]
    },
    "ColleagueReply": {"anyOf": [SAYS, SHOWS]},
    "Attachment": {
        "oneOf": [
            {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}} for name in ("file", "url")
        ]
    },
}
TO_US = (schema.Batch, *schema.FROM_INTEGRATOR)
OURS = (schema.Accepted, schema.Problem, schema.Kept)
THEIRS = (schema.Taken, schema.Refusal)


def openapi(channel: str = "messenger", public_url: str = "https://frontline.example") -> dict[str, Any]:
    """The document of a channel that is reached at `public_url`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "frontline: a messenger by webhooks", "version": VERSION, "description": ABOUT},
        "jsonSchemaDialect": DRAFT,
        "servers": [{"url": public_url}],
        "security": [{"signature": []}],
        "paths": {
            f"/hooks/{channel}": {"post": _events()},
            f"/hooks/{channel}/files": {"post": _upload()},
            f"/hooks/{channel}/openapi.json": {"get": _document()},
        },
        "webhooks": {_tag(call): {"post": _call(call)} for call in schema.TO_INTEGRATOR},
        "components": {
            "schemas": components(),
            "parameters": {name: _parameter(name) for name in HEADERS},
            "securitySchemes": {
                "signature": {"type": "apiKey", "in": "header", "name": SIGNATURE_HEADER, "description": SIGNING}
            },
        },
    }


def json_schema() -> dict[str, Any]:
    """All types as `$defs` of one JSON Schema; a value of any call of ours or event of theirs fits it."""
    found = components("#/$defs/{name}")
    names = [kind.__name__ for kind in (schema.Batch, *schema.FROM_INTEGRATOR, *schema.TO_INTEGRATOR)]
    return {"$schema": DRAFT, "anyOf": [{"$ref": f"#/$defs/{name}"} for name in names], "$defs": found}


def components(template: str = "#/components/schemas/{name}") -> dict[str, Any]:
    """Every type by its name."""
    _, found = msgspec.json.schema_components((*TO_US, *OURS, *schema.TO_INTEGRATOR, *THEIRS), ref_template=template)
    return {name: _told(msgspec.to_builtins(one)) | RULES.get(name, {}) for name, one in sorted(found.items())}


def _told(value: Any) -> Any:
    """The docstrings of the types, as one line each."""
    if isinstance(value, dict):
        return {
            key: " ".join(one.split()) if key == "description" and isinstance(one, str) else _told(one)
            for key, one in value.items()
        }
    return [_told(one) for one in value] if isinstance(value, list | tuple) else value


# --- to us -----------------------------------------------------------------------------------------------------------


def _events() -> dict[str, Any]:
    either = [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in TO_US]
    return {
        "operationId": "events",
        "summary": "Events of your messenger, one or a batch",
        "description": (
            f"At most {EVENT_BYTES} bytes and {EVENTS} events. 200 means: on the disk. Repeat what got no answer, 408, 429 or "
            "5xx, under the same webhook-id and with the same event ids; do not repeat what was refused."
        ),
        "parameters": _parameters(),
        "requestBody": {"required": True, "content": {JSON: {"schema": {"anyOf": either}}}},
        "responses": {
            "200": _answer("Taken; known ones are counted and change nothing", "Accepted"),
            "400": _problem("The body is not JSON, or no event and no batch. It is set aside"),
            **_refusals(),
            "422": _problem("Events are refused, each named in `errors`; the others are taken"),
        },
    }


def _upload() -> dict[str, Any]:
    form = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    return {
        "operationId": "upload",
        "summary": "A file for an attachment",
        "description": "A form with the part `file`, signed as a whole. The id goes into `attachments[].file`.",
        "parameters": _parameters(),
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": {
            "201": _answer("Kept", "Kept"),
            "400": _problem("The form cannot be read, or the file is empty"),
            **_refusals(),
        },
    }


def _document() -> dict[str, Any]:
    return {
        "operationId": "document",
        "summary": "This document",
        "security": [],
        "responses": {"200": {"description": "OpenAPI 3.1", "content": {JSON: {"schema": {"type": "object"}}}}},
    }


def _refusals() -> dict[str, Any]:
    after = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    return {
        "401": _problem("The signature does not fit, or the timestamp is too far away"),
        "408": _problem("The body did not arrive in time"),
        "413": _problem("Too large"),
        "415": _problem("A compressed body"),
        "503": _problem("Too much to do, or nothing can be written: come again after `Retry-After`")
        | {"headers": after},
    }


# --- from us ---------------------------------------------------------------------------------------------------------


def _call(kind: Any) -> dict[str, Any]:
    shows = kind is schema.Send
    done = _answer("Shown, or it will be", "Taken") if shows else {"description": "Done"}
    return {
        "operationId": f"on_{_tag(kind)}",
        "summary": " ".join((kind.__doc__ or "").split()),
        "parameters": _parameters(),
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}},
        },
        "responses": {
            "200": done,
            "401": _theirs("The signature does not fit. We try again each minute, and somebody is called"),
            "404": _theirs("With `code: message_not_found`: the message to change or delete is gone"),
            "409": _theirs("This key was taken before: counts as done. Name the `message_id` again"),
            "410": _theirs("The client cannot be reached: nobody tries again until an event says otherwise"),
            "422": _theirs("Refused for good; the words are shown to people"),
            "429": _theirs("Too fast: we wait as `Retry-After` says"),
            "503": _theirs("Not now: we wait as `Retry-After` says, and repeat under the same key"),
        },
    }


def _theirs(description: str) -> dict[str, Any]:
    one = {"schema": {"$ref": "#/components/schemas/Refusal"}}
    return {"description": description, "content": {PROBLEM: one, JSON: one}}


# --- both ------------------------------------------------------------------------------------------------------------


def _tag(kind: Any) -> str:
    return str(kind.__struct_config__.tag)


def _parameters() -> list[dict[str, str]]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in HEADERS]


def _parameter(name: str) -> dict[str, Any]:
    description, shape = HEADERS[name]
    return {"name": name, "in": "header", "required": True, "description": description, "schema": shape}


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def names(kinds: Iterable[Any]) -> list[str]:
    """What the types are called in a body: `message`, `press` …"""
    return [_tag(kind) for kind in kinds]
