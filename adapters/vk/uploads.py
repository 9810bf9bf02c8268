"""Files of ours as attachments of VK: ask for a server, post the bytes, save."""

from __future__ import annotations

from typing import Any

import orjson

from adapters.downloads import Outside
from adapters.sending import read_bytes
from adapters.vk.api import Api
from adapters.vk.capabilities import PHOTO_BYTES
from adapters.vk.methods import BASE, Trouble
from core.normal import clean
from core.ports import Files, StoredFile

UPLOAD_SECONDS = 120.0


class Uploads:
    """Uploads and downloads of one account. Servers are named by VK; with `local` (an emulator stands in) they may be on
    this machine, otherwise never on a private address."""

    def __init__(self, api: Api, base: str) -> None:
        self._api = api
        self._files: Files | None = None
        self._outside = Outside(local=base != BASE, seconds=UPLOAD_SECONDS)

    def open(self, files: Files) -> None:
        """From now on files can be sent."""
        self._files = files

    async def attach(self, files: tuple[StoredFile, ...], peer: int) -> str:
        """The files as the parameter `attachment`. Raises Refusal, Trouble, Closed, Stopped."""
        return ",".join([await self._attach(file, peer) for file in files])

    async def fetch(self, url: str, limit: int) -> tuple[bytes, str]:
        """The bytes of an attachment and their mime type. Raises ValueError when it will never work, ConnectionError when it
        may work later."""
        return await self._outside.fetch(url, limit)

    async def close(self) -> None:
        """Closes the connections."""
        await self._outside.close()

    async def _attach(self, file: StoredFile, peer: int) -> str:
        assert self._files is not None, "rows are sent after the start"
        data = await read_bytes(file, self._files)
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
        try:
            status, content = await self._outside.post(str(url), field, name, data)
            answer = orjson.loads(content) if status == 200 else None
        except (ConnectionError, ValueError) as error:
            raise Trouble(str(error) if isinstance(error, ConnectionError) else "upload: not JSON") from None
        if status != 200:
            raise Trouble(f"upload: HTTP {status}")
        return answer if isinstance(answer, dict) else {}


class NotAPicture(Exception):
    """VK could not read the picture: it goes as a document."""


def _named(kind: str, saved: Any) -> str:
    """`photo-1_2_key`: how an attachment is named in a call."""
    if not isinstance(saved, dict) or "id" not in saved or "owner_id" not in saved:
        raise Trouble(f"the {kind} was not saved")
    key = saved.get("access_key")
    return f"{kind}{saved['owner_id']}_{saved['id']}" + (f"_{key}" if key else "")


def _name(file: StoredFile) -> str:
    """A file name that fits into a header: one line, no quotes."""
    return " ".join(clean(file.name).split()).replace('"', "'") or file.id
