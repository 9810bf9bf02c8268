"""The HTTP server: routes of channels, events of other systems, statuses of outer desks, health and metrics."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Middleware

from core.ports import Busy, StorageFull
from gateway.logs import logger

log = logger()
MAX_BODY = 1 << 20  # 1 MiB: more is answered 413
RETRY_AFTER = 5.0  # seconds
SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_REFUSED = re.compile(r"q\s*=\s*0(\.0*)?")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]


def problem(status: int, title: str, after: float = RETRY_AFTER) -> web.Response:
    """An RFC 9457 problem: what went wrong, never why inside. A 503 asks to come again after so many seconds."""
    body = orjson.dumps({"title": title, "status": status})
    headers = SAFE | ({"Retry-After": str(math.ceil(after))} if status == 503 else {})
    return web.Response(body=body, status=status, content_type="application/problem+json", headers=headers)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Full storage is 503 and asks to come again; an error of ours is 500 without its text."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        answer.headers.update(SAFE)
        raise
    except Busy as busy:
        return problem(503, "busy", busy.after)
    except StorageFull as full:
        log.error("intake_storage_full")
        return problem(503, "storage is full", full.after)
    except Exception as error:
        log.error("request_failed", error_type=type(error).__name__, exc_info=True)
        return problem(500, "internal error")


def accepted(header: str) -> set[str]:
    """The content encodings of an `Accept-Encoding`, without those that are refused by `q=0` (RFC 9110, 12.5.3)."""
    found = set()
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() and not _REFUSED.fullmatch(weight.strip()):
            found.add(name.strip())
    return found


def client_address(request: web.Request, proxies: int) -> str:
    """Who asks, when `proxies` of ours stand in front: what stands left of their entries, anybody could have written."""
    said = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    try:
        return str(ip_address(said[-proxies].strip()))
    except (IndexError, ValueError):
        return request.remote or ""


def behind(proxies: int) -> Middleware:
    """Gives handlers the client's address in place of the proxy's."""

    @web.middleware
    async def readdress(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request.clone(remote=client_address(request, proxies)))

    return readdress


def build_server(routes: Iterable[Route], proxies: int = 0) -> web.Application:
    """The aiohttp application. Bodies over 1 MiB are refused before they are read, except where a route streams.

    `proxies`: how many reverse proxies of ours stand in front.
    """
    middlewares: list[Middleware] = [errors, behind(proxies)] if proxies else [errors]
    server = web.Application(middlewares=middlewares, client_max_size=MAX_BODY)
    unique = {(method, path): handler for method, path, handler in routes}  # web chats share their script
    for (method, path), handler in unique.items():
        server.router.add_route(method, path, handler)
    return server


def signature(secret: str, body: bytes) -> str:
    """`sha256=<hex>`: HMAC-SHA256 of the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, given: str) -> bool:
    """Whether the signature fits, compared in constant time."""
    return bool(secret) and hmac.compare_digest(signature(secret, body).encode(), given.encode("utf-8", "replace"))


def parse_json(body: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; None for anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
