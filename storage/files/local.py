"""Files in a folder: `<root>/<sha256[:2]>/<sha256>`, written once, durable before their row says so."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from storage.files.cache import Cache
from storage.files.disk import adopt_file, on_disk, place_of, sync, write_part
from storage.files.kept import HASH, Kept, Listed, check_hash
from storage.files.links import KEY_BYTES, new_key

STAGING = ".staging"
CACHE = ".cache"
ASIDE = ".aside"
CACHE_BYTES = 1 << 30
KEY = ".links.key"


class LocalFiles(Kept):
    """A folder of this machine, or a volume that all processes share."""

    def __init__(
        self,
        root: Path,
        public_url: str = "",
        cache: Cache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(cache or Cache(root / CACHE, CACHE_BYTES), root / STAGING, public_url, clock)
        self._root = root

    async def keep(self, data: bytes) -> str:
        return await on_disk(lambda: self._keep(data))

    async def adopt(self, path: Path, sha256: str) -> None:
        place = place_of(self._root, check_hash(sha256))
        await on_disk(lambda: adopt_file(path, place))

    async def path(self, sha256: str) -> Path:
        place = place_of(self._root, check_hash(sha256))
        if not await asyncio.to_thread(place.is_file):
            raise FileNotFoundError(sha256)
        return place

    async def listed(self) -> AsyncIterator[Listed]:
        for folder in await asyncio.to_thread(lambda: sorted(self._root.glob("[0-9a-f][0-9a-f]"))):
            for one in await on_disk(lambda folder=folder: _list(folder)):  # type: ignore[misc]
                yield one

    async def remove(self, sha256: str, before: float) -> bool:
        place = place_of(self._root, check_hash(sha256))
        return await on_disk(lambda: _remove(place, self.staging, before))

    async def open(self) -> None:
        await super().open()
        await on_disk(self._put_back)

    def _put_back(self) -> None:
        """A process was killed while it looked whether it may remove these: they are looked at again."""
        for aside in self.staging.glob(f"*{ASIDE}"):
            if HASH.fullmatch(aside.name.removesuffix(ASIDE)):
                aside.replace(place_of(self._root, aside.name.removesuffix(ASIDE)))

    async def _read_key(self) -> bytes:
        return await on_disk(lambda: read_key(self._root / KEY, self.staging))

    def _keep(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        adopt_file(write_part(self.staging, data), place_of(self._root, sha256))
        return sha256


def _list(folder: Path) -> list[Listed]:
    found = []
    for entry in os.scandir(folder):
        if HASH.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            stat = entry.stat()
            found.append(Listed(entry.name, stat.st_mtime, stat.st_size))
    return found


def _remove(place: Path, staging: Path, before: float) -> bool:
    """Takes the file away first and looks then: who keeps the same bytes meanwhile either made it new, which is seen, or
    finds nothing and writes it again."""
    aside = staging / f"{place.name}{ASIDE}"
    staging.mkdir(parents=True, exist_ok=True)
    try:
        place.rename(aside)
    except FileNotFoundError:
        return False
    if aside.stat().st_mtime >= before:
        aside.rename(place)
        return False
    aside.unlink()
    return True


def read_key(place: Path, staging: Path) -> bytes:
    """The key in the file; of several processes that make the first one, one wins. Only the owner may read it."""
    try:
        key = place.read_bytes()
    except FileNotFoundError:
        part = write_part(staging, new_key())
        part.chmod(0o600)
        sync(part)
        try:
            os.link(part, place)  # never over another's
        except FileExistsError:
            pass
        finally:
            part.unlink()
        sync(place.parent)
        key = place.read_bytes()
    if len(key) != KEY_BYTES:
        raise OSError(0, f"{place.name} is not a key: remove it, links given out end with it")
    return key
