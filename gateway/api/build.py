"""The API as routes of the HTTP server."""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson
from aiohttp import web

from gateway import version
from gateway.accounts.people import People
from gateway.api.door import Door
from gateway.api.live.door import LIVE, live_handler
from gateway.api.live.models import build_schema
from gateway.api.openapi import build_document
from gateway.api.problems import Problem
from gateway.api.route import Route as ApiRoute
from gateway.api.speech import language_of
from gateway.api.table import PREFIX, ROUTES
from gateway.floor import Floor
from gateway.server import SAFE, Handler, Route


def build_api(people: People, floor: Floor, public_url: str, table: Iterable[ApiRoute] = ROUTES) -> list[Route]:
    """Every route of the table, the document, and an answer for what is not in it."""
    table, door = tuple(table), Door(people, floor, public_url)
    document = orjson.dumps(build_document(table, version(), public_url))
    routes: list[Route] = [(one.method, PREFIX + one.path, door.handler(one)) for one in table if one is not LIVE]
    if floor.live is not None:
        routes.append((LIVE.method, PREFIX + LIVE.path, live_handler(door, floor.live, public_url)))
    routes.append(("GET", f"{PREFIX}/openapi.json", _document(document)))
    routes.append(("GET", f"{PREFIX}/live.schema.json", _document(orjson.dumps(build_schema(version())))))
    routes.append(("*", PREFIX + "/{rest:.*}", _otherwise(table)))
    return routes


def _document(body: bytes) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json", headers=SAFE)

    return handle


def _otherwise(table: tuple[ApiRoute, ...]) -> Handler:
    """404 for paths that are not there, 405 for methods that one does not have."""
    shapes = [(re.compile(PREFIX + re.sub(r"\{\w+\}", "[^/]+", one.path)), one.method) for one in table]
    for name in ("openapi.json", "live.schema.json"):
        shapes.append((re.compile(re.escape(f"{PREFIX}/{name}")), "GET"))

    async def handle(request: web.Request) -> web.StreamResponse:
        allow = tuple(sorted({method for shape, method in shapes if shape.fullmatch(request.path)}))
        language = language_of(request.headers.get("Accept-Language", ""))
        return Problem("no-method" if allow else "not-found", allow=allow).answer(language)

    return handle
