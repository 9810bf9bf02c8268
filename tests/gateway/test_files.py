"""Signed links over HTTP: they open one file for a while, and everything else is closed."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from core.ports import StoredFile
from gateway.files import Downloads, link_files
from gateway.metrics import Metrics
from gateway.server import build_server
from storage.files.local import LocalFiles
from storage.files.thumbnails import SIDE
from storage.memory import MemoryStore
from tests.adapters.web.pictures import png
from tests.gateway.house import Clock, count

PICTURE = png(3, 2)


class Doors:
    """A server of one deployment's files; `client` fetches."""

    def __init__(self, folder: Path) -> None:
        self.store, self.metrics, self.at = MemoryStore(Clock(), frozenset()), Metrics(), 1000.0
        self.files = LocalFiles(folder, "http://bot.example", clock=lambda: self.at)
        routes = Downloads(self.store, self.files, self.metrics).routes()
        self.client = TestClient[Any, Any](TestServer(build_server(routes)))

    async def add(self, id: str, data: bytes, name: str, mime: str, error: str = "") -> None:
        await self.store.add_file(StoredFile(id, 1, name, mime, len(data)))
        await self.store.store_file(id, await self.files.keep(data) if data else "", len(data), mime, error)

    async def get(self, link: str, **headers: str) -> Any:
        return await self.client.get(link.removeprefix("http://bot.example"), headers=headers)


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    it = Doors(tmp_path)
    await it.store.open()
    await it.files.open()
    await it.client.start_server()
    yield it
    await it.client.close()
    await it.store.close()


async def test_a_picture_opens_and_all_else_is_a_download(doors: Doors) -> None:
    await doors.add("p", PICTURE, "кот.png", "image/png")
    await doors.add("h", b"<script>alert(1)</script>", "x.html", "image/png")
    shown, kept = await doors.get(doors.files.link("p", 60)), await doors.get(doors.files.link("h", 60))
    assert (shown.status, await shown.read()) == (200, PICTURE)
    assert shown.headers["Content-Type"] == "image/png"
    assert kept.headers["Content-Type"] == "application/octet-stream"
    assert kept.headers["Content-Disposition"] == "attachment; filename*=UTF-8''x.html"
    for answer in (shown, kept):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_ranges_and_the_hash_as_etag(doors: Doors) -> None:
    await doors.add("t", b"0123456789", "t.txt", "text/plain")
    link = doors.files.link("t", 60)
    whole, part = await doors.get(link), await doors.get(link, Range="bytes=2-4")
    assert (part.status, await part.read()) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    stored = await doors.store.file("t")
    assert stored is not None
    assert whole.headers["ETag"] == part.headers["ETag"] == f'"{stored.sha256}"'
    again = await doors.get(link, **{"If-None-Match": f'"{stored.sha256}"'})
    assert (again.status, await again.read()) == (304, b"")
    assert (await doors.get(link, Range="bytes=20-30")).status == 416
    head = await doors.client.head(link.removeprefix("http://bot.example"))
    assert (head.status, head.headers["Content-Length"]) == (200, "10")


async def test_forged_and_ended_links_are_closed_and_counted(doors: Doors) -> None:
    await doors.add("p", PICTURE, "p.png", "image/png")
    link = doors.files.link("p", 60)
    for wrong in (
        "/files/p",
        link + "0",
        link.replace("/files/p", "/files/q"),
        link.replace("until=1060", "until=9060"),
        "/files/..%2F..%2Fetc%2Fpasswd?until=9999999999&signature=x",
    ):
        assert (await doors.get(wrong)).status == 403
    doors.at = 1061.0
    assert (await doors.get(link)).status == 403
    assert count(doors.metrics.door, "files", "wrong_secret") == 6


async def test_what_is_not_here_is_told_apart(doors: Doors) -> None:
    await doors.store.add_file(StoredFile("soon", 1, "x", "", 1))
    await doors.add("never", b"", "x", "", error="larger than 20 MB")
    assert (await doors.get(doors.files.link("nobody", 60))).status == 404
    assert (await doors.get(doors.files.link("never", 60))).status == 404
    soon = await doors.get(doors.files.link("soon", 60))
    assert (soon.status, soon.headers["Retry-After"]) == (503, "30")
    await doors.store.store_file("soon", "ab" * 32, 1, "")
    assert (await doors.get(doors.files.link("soon", 60))).status == 404


async def test_what_an_outer_desk_is_told(doors: Doors) -> None:
    await doors.add("p", PICTURE, "p.png", "image/png")
    await doors.add("never", b"", "film.mp4", "video/mp4", error="larger than 20 MB")
    here, never = await link_files(("p", "nobody", "never"), doors.store, doors.files)
    assert (await doors.get(here.url)).status == 200
    assert (never.url, never.note, never.name) == ("", "larger than 20 MB", "film.mp4")


async def test_a_near_link_opens_a_small_picture_too(doors: Doors) -> None:
    await doors.add("p", png(900, 30), "кот.png", "image/png")
    await doors.add("t", b"plain words", "слова.txt", "text/plain")
    small, none = [await doors.get(doors.files.near_link(id, 60) + "&small=1") for id in "pt"]
    picture = Image.open(io.BytesIO(await small.read()))
    assert (picture.format, max(picture.size), small.headers["Content-Type"]) == ("WEBP", SIDE, "image/webp")
    assert none.status == 404


async def test_near_links_are_the_same_for_an_hour_so_that_nothing_is_fetched_twice(doors: Doors) -> None:
    await doors.add("p", PICTURE, "кот.png", "image/png")
    first = doors.files.near_link("p", 3600)
    doors.at += 1500
    assert doors.files.near_link("p", 3600) == first
    doors.at += 2000
    assert (await doors.get(first)).status == 200
    doors.at += 7200
    assert (await doors.get(first)).status == 403
