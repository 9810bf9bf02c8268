"""Bodies and parameters as models, or a problem that names every place that does not fit."""

from __future__ import annotations

from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.api.problems import Problem
from gateway.api.route import Route

Shape = TypeVar("Shape", bound=BaseModel)
LARGEST = 64 * 1024  # bytes of a body
HIGHEST = 2**53  # integers that every JSON reader keeps exactly


async def read_body(request: web.Request, route: Route) -> BaseModel | None:
    """The body of a route that takes one. Raises `Problem`."""
    if route.body is None:
        return None
    if request.content_type != "application/json":
        raise Problem("not-json")
    if (request.content_length or 0) > LARGEST:
        raise Problem("too-large")
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Problem("too-large") from None
    if len(raw) > LARGEST:
        raise Problem("too-large")
    try:
        return route.body.model_validate_json(raw)
    except ValidationError as error:
        raise _complain(error, body=True) from None


def read_query(request: web.Request, route: Route) -> BaseModel | None:
    """The parameters of a route that takes some. Raises `Problem`, for a name given twice, too."""
    if route.query is None:
        return None
    if len(set(request.query)) != len(request.query):
        raise Problem("invalid", "A parameter is given twice.")
    try:
        return route.query.model_validate(dict(request.query))
    except ValidationError as error:
        raise _complain(error, body=False) from None


def check_number(request: web.Request, route: Route) -> None:
    """The number in the path is one. Raises `Problem`."""
    if route.numbered:
        said = request.match_info["id"]
        if not (said.isascii() and said.isdecimal() and len(said) <= 16 and 0 < int(said) <= HIGHEST):
            raise Problem("not-found")


def _complain(error: ValidationError, body: bool) -> Problem:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in found):
        return Problem("unreadable")
    return Problem("invalid", errors=[{"pointer": _pointer(one, body), "detail": _said(one["msg"])} for one in found])


def _pointer(one: ErrorDetails, body: bool) -> str:
    path = "/".join(_escaped(part) for part in one["loc"])
    return f"/{path}" if body and path else path


def _escaped(part: Any) -> str:
    """RFC 6901; what no UTF-8 can hold came from the client and cannot go back as it is."""
    return _said(str(part)).replace("~", "~0").replace("/", "~1")


def _said(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
