"""Files in a bucket of S3 or what speaks like it: `<prefix>/<sha256[:2]>/<sha256>`, with copies on this machine's disk."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from core.ports import StorageFull
from storage.files.address import Bucket
from storage.files.cache import Cache
from storage.files.disk import on_disk
from storage.files.kept import Kept, Listed, check_hash
from storage.files.links import KEY_BYTES, new_key
from storage.files.once import Once

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

log = structlog.get_logger("frontline")

KEY = ".links.key"
PIECE = 8 << 20  # larger files go up in pieces of so many bytes
CALL_SECONDS = 120.0  # for one file, retries included
AWAY_SECONDS = 10.0  # until one may ask again
MOST_CALLS = 16
NO_BUCKET = "there is no such bucket"
T = TypeVar("T")


class BucketFiles(Kept):
    """A bucket. `key` and `secret` are its credentials; empty, those of the environment or of the machine's role. `ca` is a
    file of certificates (PEM) that are trusted besides the system's.

    The truth is the bucket: what `keep` and `adopt` return for is there. Copies in `cache` are checked by their hash.
    """

    owned = False  # a database that was put back from a copy, for trials, may read the original's bucket

    def __init__(
        self,
        bucket: Bucket,
        cache: Cache,
        public_url: str = "",
        *,
        key: str = "",
        secret: str = "",
        ca: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(cache, cache.staging, public_url, clock)
        self._bucket = bucket
        self._store = _connect(bucket, key, secret, ca)
        self._calls = asyncio.Semaphore(MOST_CALLS)
        self._coming = Once[Path]()

    async def keep(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        await self._put(_name(sha256), data)
        with suppress(OSError):  # a copy that could be had again
            await asyncio.to_thread(self._cache.write, sha256, data)
        return sha256

    async def adopt(self, path: Path, sha256: str) -> None:
        name = _name(check_hash(sha256))
        await self._put(name, path)
        with suppress(OSError):
            await asyncio.to_thread(self._cache.take, path, sha256)

    async def path(self, sha256: str) -> Path:
        check_hash(sha256)
        found = await on_disk(lambda: self._cache.find(sha256))
        return found or await self._coming.do(sha256, lambda: self._fetch(sha256))

    async def listed(self) -> AsyncIterator[Listed]:
        stream = obstore.list(self._store, chunk_size=500)
        while chunk := await self._ask(lambda: anext(stream, None)):
            for one in chunk:
                name = one["path"].rpartition("/")[2]
                if one["path"] == f"{name[:2]}/{name}":
                    yield Listed(name, one["last_modified"].timestamp(), one["size"])

    async def remove(self, sha256: str, before: float) -> bool:
        name = _name(check_hash(sha256))
        try:
            meta = await self._ask(lambda: obstore.head_async(self._store, name))
        except FileNotFoundError:
            return False
        if meta["last_modified"].timestamp() >= before:
            return False
        await self._ask(lambda: obstore.delete_async(self._store, name))
        return True

    async def _fetch(self, sha256: str) -> Path:
        part = self.staging / f"{secrets.token_hex(8)}.part"
        try:
            if await self._ask(lambda: self._download(_name(sha256), part)) != sha256:
                log.error("file_damaged", file=sha256)
                raise FileNotFoundError("its bytes are damaged")
            return await on_disk(lambda: self._cache.take(part, sha256))
        finally:
            with suppress(OSError):
                await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _download(self, name: str, part: Path) -> str:
        """Writes the object to the disk; the hash of what came."""
        digest = hashlib.sha256()
        found = await obstore.get_async(self._store, name)
        await on_disk(lambda: self.staging.mkdir(parents=True, exist_ok=True))
        with await on_disk(lambda: part.open("wb")) as file:
            async for chunk in found.stream(min_chunk_size=1 << 20):
                piece = bytes(chunk)
                digest.update(piece)
                await on_disk(lambda piece=piece: file.write(piece))  # type: ignore[misc]
        return digest.hexdigest()

    async def _read_key(self) -> bytes:
        """The key's object; the first process makes it, where the bucket knows conditions. It shows that we may write."""
        try:
            return await self._ask(self._get_key)
        except FileNotFoundError:
            await self._make_key()
            return await self._ask(self._get_key)

    async def _get_key(self) -> bytes:
        key = bytes(await (await obstore.get_async(self._store, KEY)).bytes_async())
        if len(key) != KEY_BYTES:
            raise StorageFull(f"{self._bucket}: {KEY} is not a key: remove it, links given out end with it")
        return key

    async def _make_key(self) -> None:
        """Only when there is none; where the bucket knows no conditions, the last of several processes wins."""
        key = new_key()
        try:
            await self._put(KEY, key, mode="create")
        except StorageFull:
            await self._put(KEY, key)

    async def _put(self, name: str, content: bytes | Path, mode: Literal["create", "overwrite"] = "overwrite") -> None:
        pieces = None if mode == "overwrite" else False
        try:
            with suppress(AlreadyExistsError):
                await self._ask(
                    lambda: obstore.put_async(
                        self._store, name, content, mode=mode, use_multipart=pieces, chunk_size=PIECE, max_concurrency=3
                    )
                )
        except FileNotFoundError:
            raise self._away(NO_BUCKET) from None

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """One call of the bucket. Raises FileNotFoundError, `StorageFull`: their words may hold keys, so they are not ours."""
        try:
            async with self._calls, asyncio.timeout(CALL_SECONDS):
                return await call()
        except AlreadyExistsError:
            raise
        except (PermissionDeniedError, UnauthenticatedError):
            raise self._away("the keys are refused") from None
        except TimeoutError:
            raise self._away("no answer in time") from None
        except BaseError as error:
            raise self._away(_reason(str(error))) from None

    def _away(self, reason: str) -> StorageFull:
        error = StorageFull(f"{self._bucket}: {reason}")
        error.after = AWAY_SECONDS
        return error


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _reason(words: str) -> str:
    """What of the library's words may be said: the bucket's names for errors and nothing else."""
    for sign, reason in (
        ("NoSuchBucket", NO_BUCKET),
        ("SignatureDoesNotMatch", "the keys are refused"),
        ("InvalidAccessKeyId", "the keys are refused"),
        ("PermanentRedirect", "the bucket is in another region"),
        ("error sending request", "it cannot be reached"),
    ):
        if sign in words:
            return reason
    return "it answers with an error"


def _connect(bucket: Bucket, key: str, secret: str, ca: Path | None) -> S3Store:
    config: S3Config = {"region": bucket.region, "virtual_hosted_style_request": bucket.style == "host"}
    if bucket.endpoint:
        config["endpoint"] = _host(bucket)
    if key:
        config["access_key_id"], config["secret_access_key"] = key, secret
    client: ClientConfig = {
        "allow_http": bucket.endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=20),
        "timeout": timedelta(seconds=CALL_SECONDS),
    }
    if ca is not None:
        client["root_certificate"] = ca.read_bytes()
    retry: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
    return S3Store(bucket.name, prefix=bucket.prefix or None, config=config, client_options=client, retry_config=retry)


def _host(bucket: Bucket) -> str:
    """The endpoint as the library wants it: with the bucket's name where the style puts it there."""
    scheme, _, host = bucket.endpoint.partition("://")
    return f"{scheme}://{bucket.name}.{host}" if bucket.style == "host" else bucket.endpoint
