"""The HTTP server: routes of channels, events of other systems, statuses of outer desks, health and metrics."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson
from aiohttp import web

from core.ports import StorageFull
from gateway.logs import logger

log = logger()
MAX_BODY = 1 << 20  # 1 MiB: more is answered 413
RETRY_AFTER = "5"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]


def problem(status: int, title: str) -> web.Response:
    """An RFC 9457 problem: what went wrong, never why inside."""
    body = orjson.dumps({"title": title, "status": status})
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else None
    return web.Response(body=body, status=status, content_type="application/problem+json", headers=headers)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Full storage is 503 and asks to come again; an error of ours is 500 without its text."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except StorageFull:
        log.error("intake_storage_full")
        return problem(503, "storage is full")
    except Exception as error:
        log.error("request_failed", error_type=type(error).__name__, exc_info=True)
        return problem(500, "internal error")


def build_server(routes: Iterable[Route]) -> web.Application:
    """The aiohttp application. Bodies over 1 MiB are refused before they are read, except where a route streams."""
    server = web.Application(middlewares=[errors], client_max_size=MAX_BODY)
    unique = {(method, path): handler for method, path, handler in routes}  # web chats share their script
    for (method, path), handler in unique.items():
        server.router.add_route(method, path, handler)
    return server


def signature(secret: str, body: bytes) -> str:
    """`sha256=<hex>`: HMAC-SHA256 of the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, given: str) -> bool:
    """Whether the signature fits, compared in constant time."""
    return bool(secret) and hmac.compare_digest(signature(secret, body).encode(), given.encode())


def parse_json(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None for anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
