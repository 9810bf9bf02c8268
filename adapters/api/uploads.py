"""Files that integrators upload: a signed form, kept by its hash; the same delivery again is the same file."""

from __future__ import annotations

import asyncio
import hashlib

import aiohttp
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError

from adapters.api.capabilities import FORM_BYTES
from adapters.api.door import Door, TurnedAway, later, reply
from adapters.api.schema import Kept
from core.files import parse_name
from core.kinds import INLINE, is_inert
from core.ports import Gate, StoredFile

AT_ONCE = 4  # bodies in memory at the same time: the whole form is signed, so the whole form must be here
UPLOAD_SECONDS = 120.0
BUSY_SECONDS = 2.0
MALFORMED = (ValueError, AssertionError, HttpProcessingError)  # what aiohttp raises for a broken form


class Uploads:
    """The route `…/files` of one channel. `limit` is in bytes."""

    def __init__(self, name: str, door: Door, limit: int) -> None:
        self._name, self._door, self._limit = name, door, limit
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def take(self, request: web.Request, gate: Gate) -> web.Response:
        """Keeps the part `file` of a form. Raises `TurnedAway`, `StorageFull`."""
        if self._slots.locked():
            return later(BUSY_SECONDS)
        async with self._slots:
            delivery, raw = await self._door.signed(request, self._limit + FORM_BYTES, UPLOAD_SECONDS)
            name, data = await read_form(request.headers.get("Content-Type", ""), raw)
            if len(data) > self._limit:
                raise TurnedAway(413, f"At most {self._limit} bytes", what="too_large")
            return reply(await self._keep(gate, delivery, name, data), 201)

    async def _keep(self, gate: Gate, delivery: str, name: str, data: bytes) -> Kept:
        sha256 = await gate.files.keep(data)
        mime = await gate.files.mime(sha256, name)
        if is_inert(name, mime):
            gate.count(self._name, "inert_file")
        id = "u" + hashlib.sha256(f"{self._name}\n{delivery}\n{sha256}".encode()).hexdigest()[:32]
        kind = "photo" if mime in INLINE else "file"
        await gate.store.add_file(StoredFile(id, 0, name, mime, len(data), kind, self._name))
        await gate.store.store_file(id, sha256, len(data), mime)
        return Kept(id, name, mime, len(data), sha256)


async def read_form(content_type: str, raw: bytes) -> tuple[str, bytes]:
    """Name and bytes of the part `file`. Raises `TurnedAway`."""
    loop = asyncio.get_running_loop()
    stream = aiohttp.StreamReader(BaseProtocol(loop), 2**16, loop=loop)
    stream.feed_data(raw)
    stream.feed_eof()
    try:
        part = await MultipartReader({"Content-Type": content_type}, stream).next()
        if not isinstance(part, BodyPartReader) or part.name != "file":
            raise TurnedAway(400, "The form needs a part named `file`")
        data = await part.read(decode=False)
    except MALFORMED:
        raise TurnedAway(400, "The body is not multipart/form-data") from None
    if not part.at_eof():  # the form ended before its boundary: half a file is none
        raise TurnedAway(400, "The form ends too early")
    if not data:
        raise TurnedAway(400, "The file is empty")
    return parse_name(part.filename or ""), bytes(data)
