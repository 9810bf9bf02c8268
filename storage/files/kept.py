"""What every place of files can do, wherever its bytes lie: reading, and links that its own key signs."""

from __future__ import annotations

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from core.kinds import HEAD, INLINE, UNKNOWN, sniff
from core.ports import StorageFull
from storage.files.cache import Cache
from storage.files.disk import on_disk
from storage.files.links import is_open, render_link
from storage.files.once import Once

PATIENCE_SECONDS = 5.0  # that an upload waits for its picture to be opened: others may be before it
WHOLE_SECONDS = 3600  # near links end at whole hours: read again, they are the same, and the browser has what they open
HASH = re.compile(r"[0-9a-f]{64}")


def check_hash(sha256: str) -> str:
    """The hash, if it is one: nothing else ever becomes a part of a path. Raises FileNotFoundError."""
    if not HASH.fullmatch(sha256):
        raise FileNotFoundError("not a hash")
    return sha256


class Listed(NamedTuple):
    """A file that is kept: when it came, or came again (seconds since 1970), and its size in bytes."""

    sha256: str
    at: float
    size: int


class Kept(ABC):
    """A place of files (`core.ports.Files`). `cache` holds what can be made or fetched again; `clock` gives seconds since
    1970.

    The key of links lies beside the bytes it guards, so all processes of a deployment have the same one and a copy of the
    files has it, too.
    """

    owned = True
    """Whether all that lies here is for certain of one deployment, so that what its rows do not name is of no use."""

    def __init__(self, cache: Cache, staging: Path, public_url: str, clock: Callable[[], float] = time.time) -> None:
        self.staging, self._public_url, self._clock = staging, public_url, clock
        self._cache = cache
        self._drawing, self._drawn = asyncio.Semaphore(1), Once[Path]()
        self._key = b""

    async def open(self) -> None:
        """Makes the place ready and reads the key. Raises `StorageFull` with the reason when it cannot be reached."""
        if not self._key:
            self._key = await self._read_key()

    @abstractmethod
    async def _read_key(self) -> bytes:
        """The key of links, made at the first time. Raises `StorageFull`."""

    @abstractmethod
    async def keep(self, data: bytes) -> str: ...

    @abstractmethod
    async def adopt(self, path: Path, sha256: str) -> None: ...

    @abstractmethod
    async def path(self, sha256: str) -> Path: ...

    @abstractmethod
    def listed(self) -> AsyncIterator[Listed]:
        """All files that are kept, in no order. Raises `StorageFull`."""

    @abstractmethod
    async def remove(self, sha256: str, before: float) -> bool:
        """Forgets a file that came before that time; False when it came again since. Raises `StorageFull`."""

    async def unfinished(self, before: float) -> list[Path]:
        """Files that were begun before that time (seconds since 1970) and never finished. Raises `StorageFull`."""
        return await on_disk(lambda: [path for path in self._parts() if _begun(path) < before])

    async def drop(self, path: Path) -> bool:
        """Removes an unfinished file; False when it is gone already."""
        try:
            await on_disk(path.unlink)
        except FileNotFoundError:
            return False
        return True

    def _parts(self) -> list[Path]:
        return sorted({*self.staging.glob("*.part"), *self._cache.staging.glob("*.part")})

    async def read(self, sha256: str) -> bytes:
        path = await self.path(sha256)
        return await on_disk(path.read_bytes)

    async def mime(self, sha256: str, name: str) -> str:
        path = await self.path(sha256)
        mime = sniff(await on_disk(lambda: _head(path)), name)
        if mime not in INLINE:
            return mime
        task = self._drawn.task(sha256, lambda: self._thumbnail(sha256))
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        # Without room or time for a thumbnail a picture is still one.
        return UNKNOWN if task.done() and isinstance(task.exception(), FileNotFoundError) else mime

    async def thumbnail(self, sha256: str) -> Path:
        return await self._drawn.do(check_hash(sha256), lambda: self._thumbnail(sha256))

    async def _thumbnail(self, sha256: str) -> Path:
        name = f"{sha256}.webp"
        found = await on_disk(lambda: self._cache.find(name))
        if found is None:
            original = await self.path(sha256)
            async with self._drawing:
                found = await on_disk(lambda: self._cache.write(name, _draw(original)))
        if not found.stat().st_size:
            raise FileNotFoundError("no picture")
        return found

    def link(self, file_id: str, seconds: float) -> str:
        if not self._public_url:
            return ""
        if not self._key:
            raise StorageFull("the files cannot be reached")
        return render_link(self._public_url, self._key, file_id, int(self._clock() + seconds))

    def near_link(self, file_id: str, seconds: float) -> str:
        if not self._key:
            raise StorageFull("the files cannot be reached")
        until = int(self._clock() + seconds)
        return render_link("", self._key, file_id, until + -until % WHOLE_SECONDS)

    def opens(self, file_id: str, until: str, signature: str) -> bool:
        return bool(self._key) and is_open(self._key, file_id, until, signature, self._clock())


def _begun(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # finished meanwhile
        return float("inf")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _draw(original: Path) -> bytes:
    """The thumbnail; nothing for what is no picture, so that it is not tried again."""
    from storage.files.thumbnails import NotAPicture, make_thumbnail  # Pillow, only where pictures come

    try:
        return make_thumbnail(original)
    except NotAPicture:
        return b""
