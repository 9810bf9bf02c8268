"""The console's pages over HTTP: one page for all places, a strict policy, nothing but what was built."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.console import NOT_BUILT, POLICY, build_console
from gateway.server import build_server

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>frontline</title>", "utf-8")
    (tmp_path / "assets" / "index-abc.js").write_text("export {};\n" * 1000, "utf-8")
    (tmp_path.parent / "secret.txt").write_text("secret", "utf-8")
    return tmp_path


@pytest.fixture
async def client(built: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_server(build_console(built)))) as made:
        yield made


@pytest.mark.parametrize("path", ["", "sign-in", "users", "conversations/7", "index.html"])
async def test_every_place_is_the_one_page(client: Client, path: str) -> None:
    answer = await client.get(f"/console/{path}")
    assert (answer.status, "frontline" in await answer.text()) == (200, True)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "unsafe" not in POLICY


async def test_without_a_slash_it_is_found_too(client: Client) -> None:
    answer = await client.get("/console", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, "/console/")


async def test_assets_are_kept_for_good(client: Client) -> None:
    answer = await client.get("/console/assets/index-abc.js")
    assert (answer.status, answer.content_type) == (200, "text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]


async def test_long_assets_travel_packed(client: Client, built: Path) -> None:
    body = (built / "assets" / "index-abc.js").read_bytes()
    packed = await client.get(
        "/console/assets/index-abc.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False
    )
    plain = await client.get("/console/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(await packed.read()) == await plain.read() == body
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert len(body) > 10 * int(packed.headers["Content-Length"])


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("gzip; q=0.0", None), ("", None)],
)
async def test_what_the_build_packed_goes_to_who_takes_it(built: Path, accepts: str, encoding: str | None) -> None:
    (built / "assets" / "index-abc.js.br").write_bytes(b"packed by the build")
    async with TestClient(TestServer(build_server(build_console(built)))) as client:
        answer = await client.get(
            "/console/assets/index-abc.js", headers={"Accept-Encoding": accepts}, auto_decompress=False
        )
        assert (answer.headers.get("Content-Encoding"), answer.content_type) == (encoding, "text/javascript")
        assert (await answer.read() == b"packed by the build") == (encoding == "br")
        assert (await client.get("/console/assets/index-abc.js.br")).status == 404  # no file of its own


@pytest.mark.parametrize(
    "path", ["assets/nothing.js", "assets/../index.html", "assets/%2e%2e/%2e%2e/secret.txt", "assets/"]
)
async def test_only_what_was_built_is_given(client: Client, path: str) -> None:
    answer = await client.get(f"/console/{path}")
    assert "secret" not in await answer.text()
    assert answer.status in {200, 404}
    assert answer.status == 404 or answer.content_type == "text/html"


async def test_not_built_says_what_to_do(tmp_path: Path) -> None:
    async with TestClient(TestServer(build_server(build_console(tmp_path / "nothing")))) as client:
        answer = await client.get("/console/")
        assert (answer.status, await answer.text()) == (503, NOT_BUILT)
