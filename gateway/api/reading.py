"""Bodies and parameters as models, or a problem that names every place that does not fit."""

from __future__ import annotations

from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.locale import n_
from gateway.api.problems import Problem
from gateway.api.route import Route

Shape = TypeVar("Shape", bound=BaseModel)
LARGEST = 256 * 1024  # bytes of a body: the longest text a person may send fits, escaped letter by letter
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
        raise Problem("invalid", n_("A parameter is given twice."))
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


# What pydantic finds → what people read. `ctx` of the finding fills the places.
FINDINGS = {
    "missing": n_("this is missing"),
    "extra_forbidden": n_("nothing of this name is known here"),
    "string_type": n_("this must be text"),
    "string_too_short": n_("at least {min_length} characters"),
    "string_too_long": n_("at most {max_length} characters"),
    "string_pattern_mismatch": n_("this is not written as it must be"),
    "int_type": n_("this must be a whole number"),
    "int_parsing": n_("this must be a whole number"),
    "float_type": n_("this must be a number"),
    "bool_type": n_("this must be true or false"),
    "bool_parsing": n_("this must be true or false"),
    "list_type": n_("this must be a list"),
    "dict_type": n_("this must be an object"),
    "model_type": n_("this must be an object"),
    "greater_than_equal": n_("at least {ge}"),
    "greater_than": n_("more than {gt}"),
    "less_than_equal": n_("at most {le}"),
    "less_than": n_("less than {lt}"),
    "too_short": n_("at least {min_length} entries"),
    "too_long": n_("at most {max_length} entries"),
    "literal_error": n_("one of {expected}"),
}


def _complain(error: ValidationError, body: bool) -> Problem:
    found = error.errors(include_url=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in found):
        return Problem("unreadable")
    return Problem("invalid", errors=[{"pointer": _pointer(one, body), **_words(one)} for one in found])


def _words(one: ErrorDetails) -> dict[str, Any]:
    known = FINDINGS.get(one["type"])
    if known is None:
        return {"detail": _said(one["msg"])}
    return {"detail": known, "values": {name: _said(str(value)) for name, value in one.get("ctx", {}).items()}}


def _pointer(one: ErrorDetails, body: bool) -> str:
    path = "/".join(_escaped(part) for part in one["loc"])
    return f"/{path}" if body and path else path


def _escaped(part: Any) -> str:
    """RFC 6901; what no UTF-8 can hold came from the client and cannot go back as it is."""
    return _said(str(part)).replace("~", "~0").replace("/", "~1")


def _said(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
