"""The console's pages: what `make setup` built of `handoff/console/web`, served under `/console/` with a strict policy."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path

from aiohttp import web

from gateway.server import Handler, Route

BUILT = Path(__file__).resolve().parent.parent / "handoff" / "console" / "dist"
HOME = "/console/"
# Nothing from another host, no script or style inside a page, nobody may put the console into a frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
FOREVER = "public, max-age=31536000, immutable"  # names of assets hold a hash of what is in them
NOT_BUILT = "The console is not built: run `make setup` (it needs Node 20.19 or newer, or brings its own)."


def build_console(built: Path = BUILT) -> list[Route]:
    """The routes of the console. Every path that is no file is the one page: it knows its own places."""
    assets = {f"assets/{path.name}": path.read_bytes() for path in sorted((built / "assets").glob("*"))}
    index = built / "index.html"
    page = index.read_bytes() if index.is_file() else b""
    return [("GET", "/console", _home), ("GET", HOME + "{path:.*}", _page(page, assets))]


async def _home(_: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect(HOME)


def _page(page: bytes, assets: dict[str, bytes]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked = request.match_info["path"]
        if asked.startswith("assets/"):
            return _asset(asked, assets.get(asked))
        if not page:
            return web.Response(status=503, text=NOT_BUILT, headers=SAFE)
        headers = SAFE | {"Cache-Control": "no-cache"}
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)

    return handle


def _asset(name: str, body: bytes | None) -> web.StreamResponse:
    """A file of the build; only those that were there at the start are known, so no path leads elsewhere."""
    if body is None:
        raise web.HTTPNotFound
    kind = guess_type(name)[0] or "application/octet-stream"
    return web.Response(body=body, headers=SAFE | {"Cache-Control": FOREVER, "Content-Type": kind})
