"""The daily sweep: of a folder everything that is of no use, of a place that others may use only what is ours for certain."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.ports import StorageFull, StoredFile
from gateway.sweeper import Sweeper
from storage.files.address import Bucket
from storage.files.bucket import BucketFiles
from storage.files.cache import Cache
from storage.files.kept import Kept
from storage.files.local import LocalFiles
from storage.memory import MemoryStore
from tests.emulators.s3 import KEY, SECRET, S3Emulator
from tests.gateway.house import Clock


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    it = MemoryStore(Clock(), frozenset())
    await it.open()
    yield it
    await it.close()


def grow_old(path: Path) -> None:
    os.utime(path, (time.time() - 200_000,) * 2)


async def swept(store: MemoryStore, files: Kept, times: int = 1) -> list[dict[str, object]]:
    """What the sweeper says of itself, until it has been round so often."""
    with capture_logs() as logs:
        task = asyncio.create_task(Sweeper(store, files, 0.0, 0.001).run())
        async with asyncio.timeout(10):
            while len(logs) < times:
                await asyncio.sleep(0.005)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return [dict(line) for line in logs]


def leave_half(files: Kept) -> Path:
    files.staging.mkdir(parents=True, exist_ok=True)
    half = files.staging / "half.part"
    half.write_bytes(b"half")
    grow_old(half)
    return half


async def test_of_a_folder_goes_what_nothing_names(store: MemoryStore, tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    named, orphan = await files.keep(b"named"), await files.keep(b"orphan")
    for sha256 in (named, orphan):
        grow_old(await files.path(sha256))
    await store.add_file(StoredFile("f", 1, "a", "", 5, sha256=named))
    half = leave_half(files)
    first = (await swept(store, files))[0]
    assert (first["event"], first["count"]) == ("files_swept", 2)
    assert await files.read(named) == b"named"
    assert not half.exists()
    with pytest.raises(FileNotFoundError):
        await files.path(orphan)


async def test_of_a_bucket_goes_nothing_by_itself(store: MemoryStore, tmp_path: Path) -> None:
    """A copy of the database, put back for trials, would take what its original has kept since for useless."""
    async with S3Emulator("our-bucket") as s3:
        where, cache = Bucket("our-bucket", endpoint=s3.url), Cache(tmp_path, 1 << 20)
        files = BucketFiles(where, cache, key=KEY, secret=SECRET)
        sha256 = await files.keep(b"of the original")
        s3.objects[f"{sha256[:2]}/{sha256}"].at = s3.objects[f"{sha256[:2]}/{sha256}"].at.replace(year=2020)
        half = leave_half(files)
        assert (await swept(store, files))[0]["count"] == 1
        assert not half.exists()
        assert len(s3.objects) == 1


async def test_a_place_that_is_away_is_looked_at_later(store: MemoryStore, tmp_path: Path) -> None:
    class Away(LocalFiles):
        times = 2

        async def unfinished(self, before: float) -> list[Path]:
            self.times -= 1
            if self.times >= 0:
                raise StorageFull("away")
            return await super().unfinished(before)

    said = [line["event"] for line in await swept(store, Away(tmp_path), 3)]
    assert said[:3] == ["files_not_swept", "files_not_swept", "files_swept"]
