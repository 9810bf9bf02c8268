"""Files in a bucket, over real HTTP and real signatures: the bucket is the truth, the disk only a help."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.ports import StorageFull
from storage.files.address import Bucket
from storage.files.bucket import KEY as LINKS_KEY
from storage.files.bucket import BucketFiles
from storage.files.cache import Cache
from tests.emulators.s3 import KEY, SECRET, Kept, S3Emulator, Wrong

DATA = b"bytes of a file"
SHA256 = hashlib.sha256(DATA).hexdigest()
NAME = f"pre/fix/{SHA256[:2]}/{SHA256}"


@pytest.fixture
async def s3() -> AsyncIterator[S3Emulator]:
    async with S3Emulator("our-bucket", page=3) as emulator:
        yield emulator


def bucket(s3: S3Emulator, folder: Path, *, secret: str = SECRET, name: str = "our-bucket") -> BucketFiles:
    where = Bucket(name, "pre/fix", s3.url)
    return BucketFiles(where, Cache(folder, 1 << 20), "https://bot.example", key=KEY, secret=secret)


@pytest.fixture
def files(s3: S3Emulator, tmp_path: Path) -> BucketFiles:
    return bucket(s3, tmp_path / "one")


async def test_bytes_lie_under_their_hash_and_come_back(files: BucketFiles, s3: S3Emulator, tmp_path: Path) -> None:
    assert await files.keep(DATA) == SHA256
    assert s3.objects[NAME].data == DATA
    assert await files.read(SHA256) == DATA
    assert [method for method, _ in s3.calls] == ["PUT"], "what was just kept is read from the disk"
    assert await bucket(s3, tmp_path / "two").read(SHA256) == DATA, "another machine fetches it"


async def test_a_large_file_goes_up_in_parts(files: BucketFiles, s3: S3Emulator, tmp_path: Path) -> None:
    data = bytes(range(256)) * (20 << 12)
    sha256 = hashlib.sha256(data).hexdigest()
    await asyncio.to_thread(files.staging.mkdir, parents=True)
    part = files.staging / "x.part"
    await asyncio.to_thread(part.write_bytes, data)
    await files.adopt(part, sha256)
    assert not part.exists()
    assert sum("partNumber" in path for _, path in s3.calls) == 3
    assert s3.uploads == {}
    assert await bucket(s3, tmp_path / "two").read(sha256) == data


async def test_many_who_ask_at_once_are_one_fetch(files: BucketFiles, s3: S3Emulator) -> None:
    s3.objects[NAME] = Kept(DATA, datetime.now(UTC))
    s3.hold = asyncio.Event()
    asking = [asyncio.create_task(files.read(SHA256)) for _ in range(5)]
    while not s3.calls:
        await asyncio.sleep(0.01)
    asking[0].cancel()
    s3.hold.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [DATA] * 4
    assert len(s3.calls) == 1


async def test_what_is_not_there_and_what_is_damaged(files: BucketFiles, s3: S3Emulator) -> None:
    with pytest.raises(FileNotFoundError):
        await files.path(SHA256)
    s3.objects[NAME] = Kept(b"other bytes", datetime.now(UTC))
    with capture_logs() as logs, pytest.raises(FileNotFoundError):
        await files.path(SHA256)
    assert [line["event"] for line in logs] == ["file_damaged"]


async def test_away_is_full_and_passes(files: BucketFiles, s3: S3Emulator, tmp_path: Path) -> None:
    await files.open()
    s3.objects[NAME] = Kept(DATA, datetime.now(UTC))
    await s3.stop()
    for refused in (files.keep(b"new"), files.path(SHA256)):
        with pytest.raises(StorageFull, match="cannot be reached") as caught:
            await refused
        assert caught.value.after > 0
    assert files.link("f", 60), "links are signed without the bucket"
    await s3.start()
    assert await files.read(SHA256) == DATA
    assert await files.keep(b"new") == hashlib.sha256(b"new").hexdigest()


async def test_a_brief_error_is_tried_again(files: BucketFiles, s3: S3Emulator) -> None:
    s3.faults = [Wrong(503, "SlowDown"), Wrong(500, "InternalError")]
    assert await files.keep(DATA) == SHA256
    assert len(s3.calls) == 3


@pytest.mark.parametrize(
    ("secret", "name", "reason"),
    [("wrong", "our-bucket", "the keys are refused"), (SECRET, "other-bucket", "there is no such bucket")],
)
async def test_why_it_cannot_be_used_is_said_without_secrets(
    s3: S3Emulator, tmp_path: Path, secret: str, name: str, reason: str
) -> None:
    files = bucket(s3, tmp_path, secret=secret, name=name)
    with pytest.raises(StorageFull) as caught:
        await files.open()
    assert str(caught.value) == f"s3://{name}/pre/fix ({s3.url}): {reason}"
    assert KEY not in repr(caught.value.__context__ if caught.value.__cause__ else caught.value)


TLS = Path(__file__).parents[2] / "adapters/max/tls"


async def test_a_server_of_ones_own_may_have_a_root_of_its_own(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem")
    async with S3Emulator("our-bucket", tls=context) as s3:
        where, cache = Bucket("our-bucket", endpoint=s3.url), Cache(tmp_path, 1 << 20)
        assert await BucketFiles(where, cache, key=KEY, secret=SECRET, ca=TLS / "ca.pem").keep(DATA) == SHA256
        calls = len(s3.calls)
        with pytest.raises(StorageFull, match="cannot be reached"):
            await BucketFiles(where, cache, key=KEY, secret=SECRET).keep(DATA)
        assert len(s3.calls) == calls, "nothing is sent to whom nobody vouches for"


async def test_the_cache_stays_within_its_bound(s3: S3Emulator, tmp_path: Path) -> None:
    now = [datetime.now(UTC).timestamp()]
    cache = Cache(tmp_path, 1_000_000, clock=lambda: now[0])
    files = BucketFiles(Bucket("our-bucket", endpoint=s3.url), cache, key=KEY, secret=SECRET)
    kept = []
    for n in range(20):
        kept.append(await files.keep(bytes([n]) * 200_000))
        now[0] += 120
        assert await asyncio.to_thread(files._cache.find, kept[0]) is not None, "what is used stays"
    lying = sum(path.stat().st_size for path in await asyncio.to_thread(lambda: [*tmp_path.glob("??/*")]))
    assert 200_000 < lying <= 1_000_000
    for n, sha256 in enumerate(kept):
        assert await files.read(sha256) == bytes([n]) * 200_000, "all of them are in the bucket"


async def test_without_a_disk_the_bucket_still_takes(s3: S3Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.write_bytes(b"a file where the folder should be")
    files = bucket(s3, folder)
    assert await files.keep(DATA) == SHA256
    with pytest.raises(StorageFull):
        await files.path(SHA256)


async def test_a_lost_cache_is_no_loss(files: BucketFiles, tmp_path: Path) -> None:
    await files.keep(DATA)
    await asyncio.to_thread(shutil.rmtree, tmp_path / "one")
    assert await files.read(SHA256) == DATA


@pytest.mark.parametrize("conditions", [True, False])
async def test_all_processes_sign_with_one_key(tmp_path: Path, conditions: bool) -> None:
    async with S3Emulator("our-bucket", conditions=conditions) as s3:
        one, two = bucket(s3, tmp_path / "one"), bucket(s3, tmp_path / "two")
        await one.open()
        await two.open()
        link = one.link("f", 60)
        query = dict(part.split("=") for part in link.partition("?")[2].split("&"))
        assert two.opens("f", query["until"], query["signature"])
        assert list(s3.objects) == [f"pre/fix/{LINKS_KEY}"]


async def test_all_are_listed_and_old_ones_removed(files: BucketFiles, s3: S3Emulator) -> None:
    await files.open()
    now = datetime.now(UTC)
    kept = {await files.keep(bytes([n])) for n in range(8)}
    s3.objects["other/ab/abcd"] = Kept(b"of another", now)
    listed = [one async for one in files.listed()]
    assert {one.sha256 for one in listed} == kept
    assert all(one.size == 1 and abs(one.at - now.timestamp()) < 60 for one in listed)
    victim = listed[0].sha256
    assert not await files.remove(victim, (now - timedelta(hours=1)).timestamp()), "it came since"
    assert await files.remove(victim, (now + timedelta(hours=1)).timestamp())
    assert not await files.remove(victim, (now + timedelta(hours=1)).timestamp())
    assert len(s3.objects) == 9
