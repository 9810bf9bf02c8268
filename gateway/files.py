"""Files over HTTP: signed links that need no other secret, for outer desks and other systems."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from adapters.serving import serve
from core.files import StoredFile
from core.ports import FileLink, Files, Store
from gateway.config.model import Config
from gateway.metrics import Metrics
from gateway.server import Route, problem
from storage.files import Kept, open_files

LINK_SECONDS = 7 * 86_400.0  # an outer desk may be down for a day, and people look at a ticket for days


def build_files(config: Config) -> Kept:
    """The deployment's files, not yet opened."""
    storage = config.storage
    return open_files(
        storage.files,
        storage.cache,
        storage.cache_size,
        config.http.public_url,
        key=storage.s3.key.get_secret_value(),
        secret=storage.s3.secret.get_secret_value(),
        ca=storage.s3.ca,
    )


class Downloads:
    """The door `/files/<id>`: whoever holds a link that has not ended gets the file, and nobody else learns anything."""

    def __init__(self, store: Store, files: Files, metrics: Metrics) -> None:
        self._store, self._files, self._metrics = store, files, metrics

    def routes(self) -> list[Route]:
        """One route, for fetching and for asking what would come."""
        return [("GET", "/files/{file}", self.serve), ("HEAD", "/files/{file}", self.serve)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The file, with `small` a small picture of a picture; 403 for a link that was not signed here or has ended, 503 while
        the bytes are not here yet."""
        file_id, query = request.match_info["file"], request.query
        if not self._files.opens(file_id, query.get("until", ""), query.get("signature", "")):
            self._metrics.door.labels("files", "wrong_secret").inc()
            return problem(403, "the link was not signed here, or has ended")
        file = await self._store.file(file_id)
        if file is None or file.error:
            return problem(404, "there is no such file")
        if not file.sha256:
            return problem(503, "the file is not here yet", 30.0)
        try:
            return await (self._small if "small" in query else self._whole)(request, file)
        except FileNotFoundError:
            return problem(404, "there is no such file")

    async def _whole(self, request: web.Request, file: StoredFile) -> web.StreamResponse:
        path = await self._files.path(file.sha256)
        return await serve(request, path, file.sha256, file.name, file.mime)

    async def _small(self, request: web.Request, file: StoredFile) -> web.StreamResponse:
        path = await self._files.thumbnail(file.sha256)
        return await serve(request, path, f"{file.sha256}-thumb", f"{file.name}.webp", "image/webp")


async def link_files(ids: Iterable[str], store: Store, files: Files) -> list[FileLink]:
    """The files as another system is told of them. Raises `StorageFull` while links cannot be signed."""
    found = [await store.file(id) for id in ids]
    return [
        FileLink(
            file.id,
            file.name,
            file.mime,
            file.size,
            "" if file.error else files.link(file.id, LINK_SECONDS),
            file.error,
        )
        for file in found
        if file is not None
    ]
