"""MAX's API over aiohttp: calls with the token in a header, uploads in two steps, files by their addresses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from yarl import URL

from adapters.downloads import Outside
from adapters.max.attachments import VIDEO
from adapters.max.verdicts import Refused
from adapters.payloads import Json, Unreadable, address, mapping, parse_json
from adapters.remote import parse_retry_after
from adapters.wire import CONNECT_SECONDS, KEEP_SECONDS

BASE = "https://platform-api2.max.ru"
TIMEOUT = 30.0
UPLOAD_SECONDS = 300.0
SIZES = ("mp4_1080", "mp4_720", "mp4_480", "mp4_360", "mp4_240", "mp4_144")


class Refusal(Exception):
    """MAX said no."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.status} {refused.code}")
        self.refused = refused


class Unsent(Exception):
    """The call never left this machine: safe to repeat. The text is the kind of trouble, never an address."""


class Unconfirmed(Exception):
    """The call was written and no whole answer came: it may have been carried out."""


class Api:
    """One bot's API. `ca` is a file of certificates that are trusted besides the system's: MAX has its own from the Russian
    Ministry of Digital Development. Raises ValueError when it cannot be read."""

    def __init__(self, token: str, base: str = BASE, ca: str = "", timeout: float = TIMEOUT) -> None:
        self._base, self._headers, self._timeout = URL(base.rstrip("/")), {"Authorization": token}, timeout
        self._trust = trusted(ca)
        # Where files go and come from is named by MAX; when an emulator stands in, they may be on this machine.
        local = not (self._base.host or "").endswith(".max.ru")
        self._outside = Outside(local=local, trust=self._trust, seconds=UPLOAD_SECONDS)
        self._client: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None, seconds: float = 0.0
    ) -> Json:
        """One call: what it answered, an object. Raises Refusal, Unsent, Unconfirmed."""
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"} if data is not None else {}
        timeout = aiohttp.ClientTimeout(total=seconds or self._timeout, connect=CONNECT_SECONDS)
        url = self._base.joinpath(path.lstrip("/")).with_query(dict(query or {}))
        try:
            async with self._http().request(
                method, url, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return _answer(response, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unsent(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # No chaining: aiohttp's errors may hold the address.
            raise Unconfirmed(type(error).__name__) from None

    async def upload(self, kind: str, name: str, data: bytes) -> str:
        """The token of a file that MAX holds now; it may still be at work on it. Raises Refusal, and Unsent for all trouble on
        the way: an upload shows the client nothing, so it may be repeated."""
        try:
            place = await self.call("POST", "/uploads", {"type": kind})
            status, content = await self._outside.post(str(place.get("url") or ""), "data", name, data)
        except (Unconfirmed, ConnectionError) as trouble:
            raise Unsent(str(trouble)) from None
        if status != 200:
            raise Refusal(Refused(status, "upload", "the file was not taken"))
        token = place.get("token") if kind in {"audio", "video"} else _token(content)
        if not isinstance(token, str) or not token:
            raise Refusal(Refused(400, "upload", "no token came back"))
        return token

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """The bytes of an attachment and their mime type. Raises ValueError when it will never work, ConnectionError when it
        may work later."""
        return await self._outside.fetch(await self._address(ref), limit)

    async def _address(self, ref: str) -> str:
        if not ref.startswith(VIDEO):
            return ref
        try:
            found = await self.call("GET", f"/videos/{ref.removeprefix(VIDEO)}")
        except Refusal as refusal:
            error = ValueError if refusal.refused.status in {400, 403, 404} else ConnectionError
            raise error(f"MAX does not give the video out: {refusal.refused.status}") from None
        except (Unsent, Unconfirmed) as trouble:
            raise ConnectionError(str(trouble)) from None
        urls = mapping(found.get("urls"))
        best = next((address(urls.get(size)) for size in SIZES if address(urls.get(size))), "")
        if not best:
            raise ConnectionError("the video has no address yet")
        return best

    async def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        client, self._client = self._client, None
        await asyncio.gather(self._outside.close(), *([client.close()] if client is not None else []))

    def _http(self) -> aiohttp.ClientSession:
        if self._client is None:
            connector = aiohttp.TCPConnector(ssl=self._trust, keepalive_timeout=KEEP_SECONDS, ttl_dns_cache=300)
            self._client = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=self._headers
            )
        return self._client


def trusted(ca: str) -> ssl.SSLContext:
    """The certificates of the system, and those of a file. Raises ValueError when it cannot be read."""
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(cafile=Path(ca))
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(f"{ca}: {error.strerror or 'no certificates in it'}") from None
    return context


def _answer(response: aiohttp.ClientResponse, content: bytes) -> Json:
    """The answer as an object. MAX says «no» by a status, of changes also by `success: false`."""
    try:
        answer = parse_json(content) if content.strip() else {}
    except Unreadable:
        answer = None
    if not 200 <= response.status < 300:
        said = mapping(answer)
        after = float(parse_retry_after(response.headers.get("Retry-After", "")))
        words = str(said.get("message") or said.get("error") or "")
        raise Refusal(Refused(response.status, str(said.get("code") or ""), words, after))
    if not isinstance(answer, dict):
        raise Unconfirmed("an answer that is not an object")
    if answer.get("success") is False:
        raise Refusal(Refused(400, "success.false", str(answer.get("message") or "")))
    return answer


def _token(content: bytes) -> Any:
    """The token in what an upload server answers: of a file by itself, of a picture under a name nobody needs."""
    try:
        answer = mapping(parse_json(content))
    except Unreadable:
        return None
    photos = [mapping(one).get("token") for one in mapping(answer.get("photos")).values()]
    return photos[0] if photos else answer.get("token")
