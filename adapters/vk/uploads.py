"""Files of ours as attachments of VK: ask for a server, post the bytes, save."""

from __future__ import annotations

import errno
from typing import Any

import aiohttp
import orjson
from yarl import URL

from adapters.remote import guarded_socket
from adapters.vk.api import Api
from adapters.vk.capabilities import PHOTO_BYTES
from adapters.vk.methods import BASE, Trouble
from core.normal import clean
from core.ports import Files, StoredFile

UPLOAD_SECONDS = 120.0
ANSWER_BYTES = 1 << 20
PIECE = 64 * 1024


class Missing(Exception):
    """The bytes of a file are gone."""


class Uploads:
    """Uploads and downloads of one account. Servers are named by VK; with `local` (an emulator stands in) they may be on
    this machine, otherwise never on a private address."""

    def __init__(self, api: Api, base: str) -> None:
        self._api = api
        self._files: Files | None = None
        self._local = base != BASE
        self._session: aiohttp.ClientSession | None = None

    def open(self, files: Files) -> None:
        """From now on files can be sent."""
        self._files = files

    async def attach(self, files: tuple[StoredFile, ...], peer: int) -> str:
        """The files as the parameter `attachment`. Raises Refusal, Trouble, Closed, Missing, StorageFull."""
        return ",".join([await self._attach(file, peer) for file in files])

    async def fetch(self, url: str, limit: int) -> tuple[bytes, str]:
        """The bytes of an attachment and their mime type. Raises ValueError when it will never work, ConnectionError when it
        may work later."""
        if not (url.startswith("https://") or self._local):
            raise ValueError("not an address of VK")
        try:
            async with self._http().get(URL(url, encoded=True), max_redirects=3) as response:
                if response.status in {403, 404, 410}:
                    raise ValueError(f"VK does not give the file out: {response.status}")
                if response.status != 200:
                    raise ConnectionError(f"HTTP {response.status}")
                return await _body(response, limit), response.content_type
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.EACCES:
                raise ValueError("the address is private") from None
            raise ConnectionError("no connection") from None
        except aiohttp.InvalidURL:
            raise ValueError("not an address") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(type(error).__name__) from None

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _attach(self, file: StoredFile, peer: int) -> str:
        data = await self._bytes(file)
        if file.kind == "photo" and len(data) <= PHOTO_BYTES:
            try:
                return await self._photo(file, data, peer)
            except NotAPicture:
                pass
        return await self._document(file, data, peer)

    async def _photo(self, file: StoredFile, data: bytes, peer: int) -> str:
        server = await self._api.call("photos.getMessagesUploadServer", {"peer_id": peer})
        posted = await self._post(server, "photo", _name(file), data)
        if not posted.get("photo") or posted["photo"] == "[]":
            raise NotAPicture
        wanted = {name: posted[name] for name in ("photo", "server", "hash") if isinstance(posted.get(name), str | int)}
        saved = await self._api.call("photos.saveMessagesPhoto", wanted)
        return _named("photo", saved[0] if isinstance(saved, list) and saved else {})

    async def _document(self, file: StoredFile, data: bytes, peer: int) -> str:
        server = await self._api.call("docs.getMessagesUploadServer", {"type": "doc", "peer_id": peer})
        posted = await self._post(server, "file", _name(file), data)
        if not isinstance(posted.get("file"), str):
            raise Trouble("the upload server took no file")
        saved = await self._api.call("docs.save", {"file": posted["file"], "title": _name(file)})
        return _named("doc", saved.get("doc") if isinstance(saved, dict) else {})

    async def _post(self, server: Any, field: str, name: str, data: bytes) -> dict[str, Any]:
        url = server.get("upload_url") if isinstance(server, dict) else ""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field(field, data, filename=name)
        try:
            async with self._http().post(URL(str(url), encoded=True), data=form, allow_redirects=False) as response:
                if response.status != 200:
                    raise Trouble(f"upload: HTTP {response.status}")
                answer = orjson.loads(await _body(response, ANSWER_BYTES))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if isinstance(error, Trouble):
                raise
            raise Trouble(f"upload: {type(error).__name__}") from None
        return answer if isinstance(answer, dict) else {}

    async def _bytes(self, file: StoredFile) -> bytes:
        assert self._files is not None, "rows are sent after the start"
        try:
            return await self._files.read(file.sha256)
        except FileNotFoundError:
            raise Missing(f"the bytes of the file {file.id} are gone") from None

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(socket_factory=None if self._local else guarded_socket)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS, connect=10),
            )
        return self._session


class NotAPicture(Exception):
    """VK could not read the picture: it goes as a document."""


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        data += piece
        if len(data) > limit:
            raise ValueError(f"the file is larger than {limit} bytes")
    return bytes(data)


def _named(kind: str, saved: Any) -> str:
    """`photo-1_2_key`: how an attachment is named in a call."""
    if not isinstance(saved, dict) or "id" not in saved or "owner_id" not in saved:
        raise Trouble(f"the {kind} was not saved")
    key = saved.get("access_key")
    return f"{kind}{saved['owner_id']}_{saved['id']}" + (f"_{key}" if key else "")


def _name(file: StoredFile) -> str:
    """A file name that fits into a header: one line, no quotes."""
    return " ".join(clean(file.name).split()).replace('"', "'") or file.id
