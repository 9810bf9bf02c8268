"""Files of clients: streamed to the disk under a cap, named by their hash, served so that they cannot harm."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import msgspec
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.web.parse import parse_name
from adapters.web.refusal import Refused
from adapters.web.room import SAFE, require_plain
from adapters.web.sniff import HEAD, INLINE, UNKNOWN, magic, sniff
from core.ports import StorageFull

CHUNK = 256 * 1024
MALFORMED = (ValueError, AssertionError, HttpProcessingError)  # what aiohttp raises for a broken form


class Landed(msgspec.Struct, frozen=True):
    """A file that is on the disk."""

    name: str
    mime: str
    size: int
    sha256: str


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


async def land(part: BodyPartReader, root: Path, limit: int) -> Landed:
    """Writes the part to `<root>/<sha256[:2]>/<sha256>`. Raises `Refused` (too large, empty) or `StorageFull`."""
    path = root / f".upload-{secrets.token_hex(8)}"
    try:
        await asyncio.to_thread(root.mkdir, parents=True, exist_ok=True)
        sha256, size = await _write(_chunks(part), path, limit)
        name = parse_name(part.filename or "")
        mime = await asyncio.to_thread(sniff, path, name)
        await asyncio.to_thread(_settle, path, root / sha256[:2] / sha256)
    except OSError as error:
        raise StorageFull(str(error)) from error
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return Landed(name, mime, size, sha256)


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
        await asyncio.to_thread(_sync, file)
    if not size:
        raise Refused("empty_file")
    return digest.hexdigest(), size


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle(path: Path, target: Path) -> None:
    """Moves the file to its hash name; the same bytes twice are one file."""
    target.parent.mkdir(exist_ok=True)
    path.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def stored_path(root: Path, sha256: str) -> Path:
    """Where the bytes with this hash lie."""
    return root / sha256[:2] / sha256


async def serve(path: Path, name: str, mime: str) -> web.StreamResponse:
    """The file as an answer: pictures (checked by content) inline, all else only as a download. Raises `Refused`."""
    try:
        head = await asyncio.to_thread(_head, path)
    except OSError as error:
        raise Refused("not_found") from error
    picture = mime in INLINE and magic(head) == mime
    headers = SAFE | {
        "Content-Type": mime if picture else UNKNOWN,
        "Content-Disposition": f"{'inline' if picture else 'attachment'}; filename*=UTF-8''{quote(parse_name(name), safe='')}",
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    return web.FileResponse(path, headers=headers)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def render_size(size: int) -> str:
    """A size in bytes for people."""
    return f"{size / 1024**2:g} MB" if size >= 1024**2 else f"{size / 1024:g} KB"
