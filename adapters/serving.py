"""Files as answers over HTTP that cannot harm: pictures that are pictures are shown, all else is only a download."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from aiohttp import ETag, web

from core.files import parse_name
from core.kinds import INLINE, SIGNATURE, UNKNOWN, magic

SAFE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
FOREVER = "private, max-age=31536000, immutable"  # what an id names never changes


class Served(web.FileResponse):
    """A file whose ETag is its hash, the same in every process; ranges and conditions are aiohttp's."""

    def __init__(self, path: Path, tag: str, headers: dict[str, str]) -> None:
        self._tag = tag
        super().__init__(path, headers=headers)

    @property
    def etag(self) -> ETag | None:
        return ETag(self._tag)

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        """aiohttp would name it by its time on this disk."""
        self.headers["ETag"] = f'"{self._tag}"'


async def serve(request: web.Request, path: Path, sha256: str, name: str, mime: str) -> web.StreamResponse:
    """The file as an answer, or 304 when the asker has it. Raises FileNotFoundError."""
    picture = mime in INLINE and magic(await asyncio.to_thread(_head, path)) == mime
    headers = SAFE | {
        "Content-Type": mime if picture else UNKNOWN,
        "Content-Disposition": f"{'inline' if picture else 'attachment'}; filename*=UTF-8''{quote(parse_name(name), safe='')}",
        "Cache-Control": FOREVER,
    }
    if any(tag.value in {sha256, "*"} for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers | {"ETag": f'"{sha256}"'})
    return Served(path, sha256, headers)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SIGNATURE)
