"""The sweep: what nothing names goes after a day, what comes again meanwhile stays, whatever is killed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.files.address import Bucket
from storage.files.bucket import BucketFiles
from storage.files.cache import Cache
from storage.files.kept import Kept
from storage.files.local import LocalFiles
from storage.files.sweep import OLD_SECONDS, Swept, sweep
from tests.emulators.s3 import KEY, SECRET, S3Emulator

DAYS = 3 * OLD_SECONDS


class Place:
    """Files whose age can be changed."""

    def __init__(self, files: Kept, folder: Path, s3: S3Emulator | None = None) -> None:
        self.files, self._folder, self._s3 = files, folder, s3

    async def keep(self, data: bytes, age: float = 0.0) -> str:
        sha256 = await self.files.keep(data)
        if self._s3 is not None:
            self._s3.objects[f"{sha256[:2]}/{sha256}"].at = datetime.now(UTC) - timedelta(seconds=age)
        else:
            grow_old(self._folder / sha256[:2] / sha256, age)
        return sha256

    async def sweep(self, *named: str, remove: bool = True) -> Swept:
        async def ask(hashes: Sequence[str]) -> set[str]:
            return set(named) & set(hashes)

        return await sweep(self.files, ask, time.time(), remove)


def grow_old(path: Path, age: float) -> None:
    os.utime(path, (time.time() - age,) * 2)


@pytest.fixture(params=["folder", "bucket"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    cache = Cache(tmp_path / "cache", 1 << 20)
    if request.param == "folder":
        yield Place(LocalFiles(tmp_path / "files", cache=cache), tmp_path / "files")
        return
    async with S3Emulator("our-bucket") as s3:
        yield Place(BucketFiles(Bucket("our-bucket", endpoint=s3.url), cache, key=KEY, secret=SECRET), tmp_path, s3)


async def test_only_old_files_that_nothing_names_go(place: Place) -> None:
    named, orphan = await place.keep(b"named", DAYS), await place.keep(b"orphan", DAYS)
    fresh = await place.keep(b"its row comes in a moment", OLD_SECONDS / 2)
    for remove, removed in ((False, 0), (True, 1), (True, 0)):
        swept = await place.sweep(named, remove=remove)
        assert swept.removed == removed
    assert (swept.files, swept.orphans) == (2, 0)
    assert await place.files.read(named) == b"named"
    assert await place.files.read(fresh) == b"its row comes in a moment"
    assert orphan not in {one.sha256 async for one in place.files.listed()}


async def test_what_comes_again_is_not_old(place: Place) -> None:
    sha256 = await place.keep(b"again", DAYS)
    await place.files.keep(b"again")
    assert (await place.sweep()).orphans == 0
    assert await place.files.read(sha256) == b"again"


async def test_what_comes_again_while_it_is_swept_stays(place: Place) -> None:
    sha256 = await place.keep(b"again", DAYS)

    async def named(hashes: Sequence[str]) -> set[str]:
        await place.files.keep(b"again")
        return set()

    swept = await sweep(place.files, named, time.time(), remove=True)
    assert (swept.orphans, swept.removed) == (1, 0)
    assert await place.files.read(sha256) == b"again"


async def test_many_files_are_asked_for_in_portions(place: Place) -> None:
    kept = [await place.keep(str(n).encode(), DAYS) for n in range(250)]
    portions = []

    async def named(hashes: Sequence[str]) -> set[str]:
        portions.append(len(hashes))
        return set(kept[:50])

    swept = await sweep(place.files, named, time.time(), remove=True)
    assert (swept.files, swept.orphans, swept.removed) == (250, 200, 200)
    assert sum(portions) == 250
    assert max(portions) == 100


async def test_unfinished_files_go_after_a_day(place: Place) -> None:
    await asyncio.to_thread(place.files.staging.mkdir, parents=True, exist_ok=True)
    old, new = place.files.staging / "old.part", place.files.staging / "new.part"
    for path, age in ((old, DAYS), (new, 60.0)):
        path.write_bytes(b"half")
        grow_old(path, age)
    assert (await place.sweep(remove=False)).unfinished == 1
    assert (await place.sweep()).removed == 1
    assert not old.exists()
    assert new.exists()


async def test_a_kill_while_it_is_looked_at_loses_nothing(tmp_path: Path) -> None:
    """The file had been taken aside when the process died: the next start puts it back."""
    files = LocalFiles(tmp_path)
    sha256 = await files.keep(b"bytes")
    (tmp_path / sha256[:2] / sha256).rename(files.staging / f"{sha256}.aside")
    with pytest.raises(FileNotFoundError):
        await files.path(sha256)
    await LocalFiles(tmp_path).open()
    assert await files.read(sha256) == b"bytes"
    assert sha256 == hashlib.sha256(b"bytes").hexdigest()
