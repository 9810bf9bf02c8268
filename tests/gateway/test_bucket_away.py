"""A whole gateway whose files are in a bucket that comes and goes: texts go on, files wait, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from adapters.web.channel import Web
from adapters.web.settings import Settings
from core.events import Message
from core.messages import Attachment
from core.ports import StorageFull
from gateway import app, calls
from gateway.app import Gateway
from gateway.config import read_config
from tests.adapters.web.pictures import png
from tests.emulators.s3 import KEY, SECRET, S3Emulator
from tests.gateway.house import Recorder, inbound
from tests.smallest import FLOWS

PICTURE = png(3, 2)
CONFIG = """\
http: {port: 0, public_url: "https://bot.example"}
storage: {url: "memory:", files: "s3://our-bucket/prod?endpoint=${S3}", s3: {key: "${KEY}", secret: "${SECRET}"}}
flood: off
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}}
desks: {general: {title: Обращения}}
"""


@pytest.fixture
async def s3() -> AsyncIterator[S3Emulator]:
    async with S3Emulator("our-bucket") as emulator:
        yield emulator


@asynccontextmanager
async def running(folder: Path, s3: S3Emulator, channel: Recorder) -> AsyncIterator[Gateway]:
    (folder / "flows").mkdir()
    for name, text in FLOWS.items():
        (folder / "flows" / name).write_text(text, "utf-8")
    config, findings = read_config(CONFIG, folder / "config.yaml", {"S3": s3.url, "KEY": KEY, "SECRET": SECRET})
    assert config is not None, findings
    gateway = Gateway(config, channels={"telegram": channel, "site": Web("site", Settings())})
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


async def upload(http: aiohttp.ClientSession, token: str) -> tuple[int, dict[str, Any], str]:
    form = aiohttp.FormData()
    form.add_field("file", PICTURE, filename="cat.png")
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post("/chat/site/files", data=form, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After", "")


async def test_a_bucket_that_comes_and_goes(tmp_path: Path, s3: S3Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "FILES_SECONDS", 1.0)
    monkeypatch.setattr(calls, "LONGEST_PAUSE", 0.2)
    channel = Recorder(files={"AgAC": PICTURE})
    await s3.stop()
    with capture_logs() as logs:
        async with (
            running(tmp_path, s3, channel) as gateway,
            aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as http,
        ):
            assert [line["event"] for line in logs if line["event"].startswith("files")] == ["files_unreachable"]
            photo = Message("вот", attachments=(Attachment("photo", ref="AgAC", name="фото.png"),))
            await gateway.intake.accept([inbound(1, photo)])

            async def answered() -> bool:
                return bool(channel.texts)

            await until(answered)
            async with http.post("/chat/site/session", json={}) as answer:
                token = (await answer.json())["token"]
            status, _, after = await upload(http, token)
            assert (status, after) == (503, "10")
            row = await gateway.store.file("f1-0")
            assert row is not None
            assert (row.sha256, row.error) == ("", ""), "it waits"

            await s3.start()

            async def fetched() -> bool:
                row = await gateway.store.file("f1-0")
                if row is None or not row.sha256:
                    return False
                with suppress(StorageFull):  # links come when the bucket has been looked at again
                    return bool(gateway.files.link("f1-0", 60))
                return False

            await until(fetched)
            status, file, _ = await upload(http, token)
            assert (status, file["image"]) == (201, True)
            names = [name for name in s3.objects if not name.endswith(".key")]
            assert len(names) == 1, "the same picture twice is one object"
            link = gateway.files.link("f1-0", 60).removeprefix("https://bot.example")
            async with http.get(link) as answer:
                assert await answer.read() == PICTURE
            async with http.get(f"/chat/site/{file['thumb']}", headers={"Authorization": f"Bearer {token}"}) as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    assert SECRET not in repr(logs)
    assert "files_reached" in [line["event"] for line in logs]
