"""The console's pages: what `make setup` built of `handoff/console/web`, served under `/console/` with a strict policy."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path
from typing import Self

from aiohttp import web

from gateway.server import Handler, Route, accepted

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
BROTLI = ".br"  # the build writes it beside the file: making it takes long
SMALL = 1024  # bytes: what is shorter fits into a packet or two as it is
NOT_BUILT = "The console is not built: run `make setup` (it needs Node 20.19 or newer, or brings its own)."


@dataclass(frozen=True)
class Asset:
    """A file of the build; `packed` is the same by content encoding, where that saves something."""

    body: bytes
    packed: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        body = path.read_bytes()
        if len(body) <= SMALL:
            return cls(body)
        brotli = path.with_name(path.name + BROTLI)
        packed = {"br": brotli.read_bytes()} if brotli.is_file() else {}
        packed["gzip"] = gzip.compress(body, mtime=0)
        return cls(body, {name: one for name, one in packed.items() if len(one) < len(body) * 0.9})

    def response(self, name: str, accepts: str) -> web.Response:
        """As a browser gets it that takes the encodings of `accepts`; the smallest is the first that it takes."""
        kind = guess_type(name)[0] or "application/octet-stream"
        headers = SAFE | {"Cache-Control": FOREVER, "Content-Type": kind, "Vary": "Accept-Encoding"}
        taken = accepted(accepts)
        for encoding, body in self.packed.items():
            if encoding in taken:
                return web.Response(body=body, headers=headers | {"Content-Encoding": encoding})
        return web.Response(body=self.body, headers=headers)


def build_console(built: Path = BUILT) -> list[Route]:
    """The routes of the console. Every path that is no file is the one page: it knows its own places."""
    assets = {
        f"assets/{path.name}": Asset.read(path)
        for path in sorted((built / "assets").glob("*"))
        if path.suffix != BROTLI
    }
    index = built / "index.html"
    page = index.read_bytes() if index.is_file() else b""
    return [("GET", "/console", _home), ("GET", HOME + "{path:.*}", _page(page, assets))]


async def _home(_: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect(HOME)


def _page(page: bytes, assets: dict[str, Asset]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked = request.match_info["path"]
        if asked.startswith("assets/"):
            # Only what was there at the start is known, so no path leads elsewhere.
            if asked not in assets:
                raise web.HTTPNotFound
            return assets[asked].response(asked, request.headers.get("Accept-Encoding", ""))
        if not page:
            return web.Response(status=503, text=NOT_BUILT, headers=SAFE)
        headers = SAFE | {"Cache-Control": "no-cache"}
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)

    return handle
