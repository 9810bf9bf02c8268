"""Files of clients: streamed to the disk under a cap, typed by their bytes, kept by their hash."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import msgspec
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.web.refusal import Refused
from adapters.web.room import require_plain
from core.files import is_trap, parse_name
from core.ports import Files, StorageFull

CHUNK = 256 * 1024
MALFORMED = (ValueError, AssertionError, HttpProcessingError)  # what aiohttp raises for a broken form


class Landed(msgspec.Struct, frozen=True):
    """A file that is on the disk."""

    name: str
    mime: str
    size: int
    sha256: str
    trap: bool = False  # its name was more than a name


async def read_part(request: web.Request) -> BodyPartReader:
    """The part `file` of a form. Raises `Refused` when the request has none."""
    require_plain(request)
    if request.content_type != "multipart/form-data":
        raise Refused("bad_request", reason="multipart/form-data")
    try:
        part = await (await request.multipart()).next()
    except MALFORMED as error:
        raise Refused("bad_request", reason="form") from error
    if not isinstance(part, BodyPartReader) or part.name != "file":
        raise Refused("bad_request", reason="file")
    return part


async def land(part: BodyPartReader, files: Files, limit: int) -> Landed:
    """Keeps the bytes of the part. Raises `Refused` (too large, empty) or `StorageFull`."""
    path = files.staging / f"{secrets.token_hex(8)}.part"
    try:
        await asyncio.to_thread(files.staging.mkdir, parents=True, exist_ok=True)
        sha256, size = await _write(_chunks(part), path, limit)
        name = parse_name(part.filename or "")
        await files.adopt(path, sha256)
        mime = await files.mime(sha256, name)
    except OSError as error:
        raise StorageFull(str(error)) from error
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return Landed(name, mime, size, sha256, is_trap(part.filename or ""))


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    try:
        while chunk := await part.read_chunk(CHUNK):
            yield chunk
    except MALFORMED as error:
        raise Refused("bad_request", reason="form") from error
    if not part.at_eof():  # the form ended before its boundary: half a file is none
        raise Refused("bad_request", reason="form")


async def _write(chunks: AsyncIterator[bytes], path: Path, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with await asyncio.to_thread(path.open, "xb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise Refused("too_large", limit=render_size(limit))
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    if not size:
        raise Refused("empty_file")
    return digest.hexdigest(), size


def render_size(size: int) -> str:
    """A size in bytes for people."""
    return f"{size / 1024**2:g} MB" if size >= 1024**2 else f"{size / 1024:g} KB"
